package keys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// fileVersion is raised when an older program would misread the file.
const fileVersion = 1

// lockWithin is how long a change waits for another process's change, which takes
// milliseconds.
const lockWithin = 10 * time.Second

// document is keys.json.
type document struct {
	Version int            `json:"version"`
	Tokens  []storedToken  `json:"tokens"`
	Secrets []storedSecret `json:"secrets"`
}

// storedToken is a token with the hash that finds it.
type storedToken struct {
	Token
	Hash string `json:"sha256"` // hex, of the whole text
}

// parse reads and checks the whole file: half a file of keys is worse than the last good
// one. Its errors repeat nothing of the content.
func parse(text []byte) (document, map[[sha256.Size]byte]*Token, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return d, nil, errors.New("it is not JSON of the expected form")
	}
	if d.Version != fileVersion {
		return d, nil, fmt.Errorf("version: %d is not %d, the one this program knows", d.Version, fileVersion)
	}
	byHash := make(map[[sha256.Size]byte]*Token, len(d.Tokens))
	for i := range d.Tokens {
		var sum [sha256.Size]byte
		if n, err := hex.Decode(sum[:], []byte(d.Tokens[i].Hash)); err != nil || n != len(sum) || len(d.Tokens[i].Hash) != 2*len(sum) {
			return d, nil, fmt.Errorf("tokens[%d].sha256: it is not %d hexadecimal characters", i, 2*len(sum))
		}
		byHash[sum] = &d.Tokens[i].Token
	}
	return d, byHash, nil
}

// load reads the file at path and what Stat says of exactly that file.
func load(path string) (d document, byHash map[[sha256.Size]byte]*Token, info os.FileInfo, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return document{Version: fileVersion}, nil, nil, nil
	}
	if err != nil {
		return d, nil, nil, fmt.Errorf("read the keys: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return d, nil, nil, fmt.Errorf("read the keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		// A copy or a restored backup. Where the mode is not ours to change, as on some
		// mounted volumes, the operator has decided it.
		_ = f.Chmod(0o600)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return d, nil, nil, fmt.Errorf("read the keys: %w", err)
	}
	if d, byHash, err = parse(text); err != nil {
		return d, nil, nil, fmt.Errorf("the keys in %s cannot be used: %w", path, err)
	}
	return d, byHash, info, nil
}

// read takes over the file as it is now.
func (s *Store) read() error {
	d, byHash, info, err := load(s.path)
	if err != nil {
		return err
	}
	s.take(d, byHash, info)
	return nil
}

func (s *Store) take(d document, byHash map[[sha256.Size]byte]*Token, info os.FileInfo) {
	s.mu.Lock()
	s.file, s.byHash, s.seen = d, byHash, info
	s.mu.Unlock()
}

// change applies f to the newest content of the file and writes the outcome, all under
// the lock. When f or the writing fails nothing has changed.
func (s *Store) change(f func(d *document) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), lockWithin)
	defer cancel()
	// The lock is a file of its own: the keys file is replaced, and a lock on the old one
	// would keep nobody from the new one.
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 5*time.Millisecond); err != nil || !ok {
		return fmt.Errorf("lock the keys in %s: %w", s.path, err)
	}
	defer lock.Close()
	// A goroutine that looks at the file must not put an older reading in the place of
	// what is written here.
	s.reading.Lock()
	defer s.reading.Unlock()
	d, _, _, err := load(s.path)
	if err != nil {
		return err
	}
	if err := f(&d); err != nil {
		return err
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(s.path, append(text, '\n')); err != nil {
		return fmt.Errorf("write the keys: %w", err)
	}
	return s.read()
}

// replace writes a file so that a crash at any moment leaves the old text or the new.
func replace(path string, text []byte) (err error) {
	tmp := path + ".new"
	// What a crash left there may have another mode.
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	// The rename itself is durable when the directory is.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
