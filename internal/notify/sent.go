package notify

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// idLen is the length of a statement's id, a UUID.
const idLen = 36

// Sent is the list of statements that the store has, one id a line. It only grows; half a
// line, which a crash may leave, is cut off. Its loss costs a repeat, which is harmless.
type Sent struct {
	path string
	ids  map[string]bool
}

// OpenSent reads the list in a file, which need not exist.
func OpenSent(path string) (*Sent, error) {
	s := &Sent{path, map[string]bool{}}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the list of sent statements: %w", err)
	}
	defer f.Close()
	whole := int64(0)
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if err != nil || len(line) != idLen+1 {
			break
		}
		s.ids[strings.TrimSuffix(line, "\n")] = true
		whole += int64(len(line))
	}
	if err := f.Truncate(whole); err != nil {
		return nil, fmt.Errorf("the list of sent statements: %w", err)
	}
	return s, nil
}

// Has says whether a statement was sent.
func (s *Sent) Has(id string) bool { return s.ids[id] }

// Add keeps ids for good before it returns.
func (s *Sent) Add(ids ...string) error {
	_, err := os.Stat(s.path)
	fresh := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the list of sent statements: %w", err)
	}
	_, err = f.WriteString(strings.Join(ids, "\n") + "\n")
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil && fresh { // the name is durable when the directory is
		var dir *os.File
		if dir, err = os.Open(filepath.Dir(s.path)); err == nil {
			err = errors.Join(dir.Sync(), dir.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("the list of sent statements: %w", err)
	}
	for _, id := range ids {
		s.ids[id] = true
	}
	return nil
}
