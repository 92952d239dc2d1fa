package identity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The file journal, beside the embedded log.
//
//  1. One record a line, appended and synced before Append returns. A line that a crash cut
//     short is the last one; nobody was told that it is kept, so it is cut off at the next
//     start.
//  2. Erasing cannot append: the text would stay in the file. The lines that remain are
//     written to a new file, which is synced and takes the old one's name. A crash leaves
//     either the old file, and Forget did not return, or the new one.
//  3. What the file system or the disk keeps of the old file's blocks, and what backups
//     hold, is outside its reach.
//  4. The key lies beside it and is not in it, so that the table can be backed up apart.

// FileJournal is a Journal in one file. It belongs to one vault of one process.
type FileJournal struct {
	path string
	file *os.File
	size int64 // up to which whole lines are durable
}

// File is the journal at path; Load opens it, or makes it.
func File(path string) *FileJournal { return &FileJournal{path: path} }

// Close releases the file.
func (f *FileJournal) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// Load reads the file and leaves it open for Append.
func (f *FileJournal) Load(_ context.Context, each func(Record) error) error {
	if err := os.Remove(f.fresh()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // an erasure that was interrupted before it counted
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.file = file
	if f.size, err = readRecords(file, each); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", filepath.Base(f.path), err), file.Close())
	}
	// Also when nothing is to be cut: a line may have been written and not synced.
	return errors.Join(file.Truncate(f.size), file.Sync(), syncDir(f.path))
}

func (f *FileJournal) fresh() string { return f.path + ".new" }

// readRecords answers where the last whole line ends.
func readRecords(r io.Reader, each func(Record) error) (size int64, err error) {
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		var rec Record
		if err := json.Unmarshal(line, &rec); err != nil || !IsToken(rec.Token) {
			if _, err := in.Peek(1); errors.Is(err, io.EOF) {
				return size, nil // torn, and what follows the tear is what the disk had there
			}
			return size, fmt.Errorf("line %d is damaged: put back a copy of the file", n)
		}
		if err := each(rec); err != nil {
			return size, err
		}
		size += int64(len(line))
	}
}

// Append writes whole lines and syncs them. After an error the file is as it was before.
func (f *FileJournal) Append(_ context.Context, records []Record) error {
	lines, err := marshal(records)
	if err != nil {
		return err
	}
	_, err = f.file.WriteAt(lines, f.size)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return errors.Join(err, f.file.Truncate(f.size))
	}
	f.size += int64(len(lines))
	return nil
}

func marshal(records []Record) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out) // ends every value with a line break
	enc.SetEscapeHTML(false)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// Erase writes the file anew without the texts of tokens.
func (f *FileJournal) Erase(_ context.Context, tokens []string) error {
	gone := make(map[string]bool, len(tokens))
	for _, t := range tokens {
		gone[t] = true
	}
	var kept []Record
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := readRecords(io.LimitReader(f.file, f.size), func(r Record) error {
		if !gone[r.Token] {
			kept = append(kept, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range tokens {
		kept = append(kept, Record{Token: t, Forgotten: true})
	}
	lines, err := marshal(kept)
	if err != nil {
		return err
	}
	return f.replace(lines)
}

// replace puts a new file in the place of the old one.
func (f *FileJournal) replace(lines []byte) error {
	file, err := os.OpenFile(f.fresh(), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(lines)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = os.Rename(f.fresh(), f.path)
	}
	if err != nil {
		return errors.Join(err, file.Close(), os.Remove(f.fresh()))
	}
	old := f.file
	f.file, f.size = file, int64(len(lines))
	return errors.Join(syncDir(f.path), old.Close())
}

// syncDir makes a name in the directory of path durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// FileKey reads the key of the journal at path from identity.key beside it. Where there is
// neither key nor journal it makes a key; a journal without its key is an error.
func FileKey(path string) ([]byte, error) {
	name := filepath.Join(filepath.Dir(path), "identity.key")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return nil, fmt.Errorf("%s is there and its key %s is not: put the key back from a copy, or start with a new data directory; without the key no name can be found for an event", filepath.Base(path), filepath.Base(name))
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return newKey(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the identity table: %w", err)
	}
	return ParseKey(string(bytes.TrimSpace(text)))
}

// ParseKey reads a key as it is written in the environment: 64 hexadecimal digits.
func ParseKey(text string) ([]byte, error) {
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("the key of the identity table must be %d hexadecimal digits", 2*KeySize)
	}
	return key, nil
}

func newKey(name string) ([]byte, error) {
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(name+".new", name) // never half a key under its name
	}
	if err == nil {
		err = syncDir(name)
	}
	if err != nil {
		return nil, fmt.Errorf("make the key of the identity table: %w", err)
	}
	return key, nil
}
