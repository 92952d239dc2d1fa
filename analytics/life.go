package analytics

import "context"

// life is how long a store answers. What is read for whoever waits goes on when the one who
// asked leaves, and would otherwise hold up the warehouse that is to close.
type life struct {
	ctx context.Context
	end context.CancelFunc
}

func newLife() *life {
	ctx, end := context.WithCancel(context.Background())
	return &life{ctx, end}
}

// detach gives a read a context that ends with the store, or after askDeadline.
func (l *life) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), askDeadline)
	left := context.AfterFunc(l.ctx, cancel)
	return own, func() {
		left()
		cancel()
	}
}

// Close ends what is being read. The warehouse is closed after it, and is its opener's.
func (s *Store) Close() { s.life.end() }
