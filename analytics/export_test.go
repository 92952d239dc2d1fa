package analytics

import "context"

// IsDisputed tells tests in which form a question of now would run.
func (s *Store) IsDisputed(ctx context.Context) (bool, error) {
	m, err := s.mark(ctx)
	if err != nil {
		return false, err
	}
	q := s.present()
	return s.isDisputed(ctx, q, m)
}
