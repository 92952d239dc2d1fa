package warehouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirLock keeps a second process out of a data directory, and tells it whom to ask. The engine has a lock of
// its own but answers a second process with NULL.
type dirLock struct {
	file *os.File
	died string // who had it last and ended without giving it back; "" = nobody
}

// ErrInUse is found with errors.Is when another process has the data directory open.
var ErrInUse = errors.New("the data directory is in use")

func lockDir(dir string) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	path := filepath.Join(dir, "engine.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	busy := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	holder := make([]byte, 256)
	n, _ := f.Read(holder) // an unreadable name leaves it unsaid
	who := strings.TrimSpace(string(holder[:n]))
	if busy != nil {
		f.Close()
		if who == "" {
			who = "another process"
		}
		return nil, fmt.Errorf("%s is open in %s: stop it, or talk to the running server with --server: %w", dir, who, ErrInUse)
	}
	name := filepath.Base(os.Args[0])
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte("process "+strconv.Itoa(os.Getpid())+" ("+name+")\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write the lock of the data directory: %w", err)
	}
	return &dirLock{file: f, died: who}, nil
}

func (l *dirLock) release() error {
	if l == nil || l.file == nil {
		return nil
	}
	l.file.Truncate(0) // best effort: the lock itself is what counts, and it goes with the descriptor
	err := l.file.Close()
	l.file = nil
	return err
}
