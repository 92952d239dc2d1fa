package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// dirLock holds a directory for one process. The kernel drops it when the
// process dies, however it dies, so a stale lock file never blocks a start.
type dirLock struct{ f *os.File }

// lockDir takes the lock of dir or answers ErrLocked with who holds it.
func lockDir(dir string, now time.Time) (*dirLock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("broker: opening the lock of %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("broker: locking %s: %w", dir, err)
		}
		holder, _ := os.ReadFile(path)
		who := strings.TrimSpace(string(holder))
		if who == "" {
			who = "another process"
		}
		return nil, fmt.Errorf("broker: %w: %s is held by %s; stop that one or choose another directory", ErrLocked, dir, who)
	}
	note := fmt.Sprintf("process %d (%s) since %s\n", os.Getpid(), filepath.Base(os.Args[0]), now.UTC().Format(time.RFC3339))
	if err := errors.Join(f.Truncate(0), writeAt(f, note)); err != nil {
		f.Close()
		return nil, fmt.Errorf("broker: writing the lock of %s: %w", dir, err)
	}
	return &dirLock{f}, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// release gives the directory back. The file stays: removing it could take the
// lock away from a process that has just opened it.
func (l *dirLock) release() { l.f.Close() }
