// Package keys holds what machines prove themselves with: tokens, which callers of Steward
// present, and ingest secrets, which tools sign their deliveries with.
//
// Theory of operation
//
//  1. Everything is in one small file of the data directory, keys.json, readable by its
//     owner only. A change takes the lock beside it, reads the file again, writes a new
//     one, syncs it and renames it into place: two processes never lose each other's
//     changes, and a crash leaves the old file or the new one.
//  2. The server and the command line share nothing but the file. A store looks whether
//     it has changed at most once a second, and at once when it is shown a token it does
//     not know: a new token works immediately, a revoked one for a second at most.
//  3. A token is a random number of 256 bits. There is nothing in it to read, so there is
//     no algorithm to confuse, no key to leak and no claim to forge, as there would be
//     with JWT. The file holds its SHA-256 alone, which is enough for 256 random bits: a
//     slow password hash protects what can be guessed. Looking a hash up takes as long
//     whatever the token shares with a real one, since no byte of one shows in the other.
//  4. A secret is needed as text to compute an HMAC, so it is kept as text. Who can read
//     the file can sign deliveries; that is why its mode is 0600 and no list shows more
//     than the last four characters.
//  5. When a token was last used is kept to the minute, in memory, and written once a
//     minute and at Close by a goroutine of its own. A request never waits for it; a kill
//     loses a minute of it.
package keys

import (
	"crypto/sha256"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how old a store's view of the file may be.
const lookEvery = time.Second

// usedEvery is how often last uses are written.
const usedEvery = time.Minute

// Store is one process's view of a keys file. All methods are goroutine-safe.
type Store struct {
	path string
	now  func() time.Time
	look time.Duration // lookEvery, but in tests

	looked  atomic.Int64 // when the file was last looked at, since begin
	begin   time.Time
	reading sync.Mutex // one goroutine looks, and stores what it found

	mu      sync.RWMutex
	file    document
	seen    os.FileInfo // of the file that was read; nil where there was none
	byHash  map[[sha256.Size]byte]*Token
	trouble error // of the last reading
	report  func(error)

	using sync.Mutex
	used  map[string]time.Time // by token's id; not yet written

	stop    chan struct{}
	stopped sync.WaitGroup
	once    sync.Once
}

// Open reads the keys at path; a file that is not there holds none, and is made by the
// first change. The store must be closed.
func Open(path string, now func() time.Time) (*Store, error) {
	s := &Store{path: path, now: now, look: lookEvery, begin: time.Now(), used: make(map[string]time.Time), stop: make(chan struct{}), report: func(error) {}}
	if err := s.read(); err != nil {
		return nil, err
	}
	s.stopped.Go(s.keepUses)
	return s, nil
}

// Report calls f for what happens outside of any call and must be seen by the operator: a
// file that became unreadable while the last good one is still in force, last uses that
// could not be written.
func (s *Store) Report(f func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report = f
}

// Close writes the last uses that are not yet written. It is safe to call twice.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.stop)
		s.stopped.Wait()
		err = s.writeUses()
	})
	return err
}

// refresh takes over what another process has written. Without force it looks only when
// the last look is old enough, and never waits for another goroutine that looks.
func (s *Store) refresh(force bool) {
	since := int64(time.Since(s.begin))
	if !force {
		if since-s.looked.Load() < int64(s.look) || !s.reading.TryLock() {
			return
		}
	} else {
		s.reading.Lock()
	}
	defer s.reading.Unlock()
	s.looked.Store(since)
	info, err := os.Stat(s.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.complain(err)
		return
	}
	s.mu.RLock()
	same := sameFile(s.seen, info)
	s.mu.RUnlock()
	if !same {
		s.complain(s.read())
	}
}

// complain reports a trouble once, until it is over.
func (s *Store) complain(err error) {
	s.mu.Lock()
	before, report := s.trouble, s.report
	s.trouble = err
	s.mu.Unlock()
	if err != nil && (before == nil || before.Error() != err.Error()) {
		report(err)
	}
}

// sameFile compares what Stat says. A rename brings another inode, and where that number
// is used again at once, another time of change.
func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
