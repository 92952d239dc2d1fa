package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Record is the note a server leaves in its data directory while it serves, so that the
// command line finds it. One that is still there when the directory is free again means
// that the server did not end cleanly.
type Record struct {
	URL     string    `json:"url"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Version string    `json:"version"`
	// LocalToken proves that a command can read the data directory (tokens.go); it is the
	// reason why the file is its owner's alone.
	LocalToken string `json:"local_token,omitempty"`
}

func recordPath(dir string) string { return filepath.Join(dir, "server.json") }

// ReadRecord returns nil without an error when no server is noted.
func ReadRecord(dir string) (*Record, error) {
	text, err := os.ReadFile(recordPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the note of the running server: %w", err)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil || r.URL == "" {
		// Written in place of a rename by nobody of ours; as good as an unclean end.
		return &Record{}, nil
	}
	return &r, nil
}

func writeRecord(dir string, r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(recordPath(dir), append(text, '\n'), 0o600)
}

func removeRecord(dir string) error {
	err := os.Remove(recordPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// replaceFile writes a small file so that a reader sees the old or the new text, never a
// part of it. What a crash left halfway is removed first, since writing over it would
// keep its mode.
func replaceFile(path string, text []byte, mode fs.FileMode) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(tmp, text, mode); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
