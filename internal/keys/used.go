package keys

import (
	"errors"
	"time"
)

// use notes that a token was used. Most requests find their minute noted and go on.
func (s *Store) use(t Token, now time.Time) {
	minute := now.UTC().Truncate(time.Minute)
	if !minute.After(t.LastUsed) {
		return
	}
	s.using.Lock()
	if minute.After(s.used[t.ID]) {
		s.used[t.ID] = minute
	}
	s.using.Unlock()
}

// keepUses writes last uses until Close.
func (s *Store) keepUses() {
	tick := time.NewTicker(usedEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			if err := s.writeUses(); err != nil {
				s.mu.RLock()
				report := s.report
				s.mu.RUnlock()
				report(err)
			}
		}
	}
}

var errNothing = errors.New("nothing to write")

// writeUses writes what was noted. What cannot be written stays noted.
func (s *Store) writeUses() error {
	s.using.Lock()
	noted := make(map[string]time.Time, len(s.used))
	for id, at := range s.used {
		noted[id] = at
	}
	s.using.Unlock()
	if len(noted) == 0 {
		return nil
	}
	err := s.change(func(d *document) error {
		changed := false
		for i := range d.Tokens {
			// Another process may know of a later use.
			if t := &d.Tokens[i]; noted[t.ID].After(t.LastUsed) {
				t.LastUsed, changed = noted[t.ID], true
			}
		}
		if !changed {
			return errNothing
		}
		return nil
	})
	if err != nil && !errors.Is(err, errNothing) {
		return err
	}
	s.using.Lock()
	defer s.using.Unlock()
	for id, at := range noted {
		if s.used[id].Equal(at) {
			delete(s.used, id)
		}
	}
	return nil
}
