package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
)

// apply cuts the file after its last good byte, keeping what is cut in
// set-aside/, and rewrites the index of a segment.
func (r repair) apply(dir string) error {
	if r.keep < r.size {
		if err := setAside(dir, r.path, r.keep); err != nil {
			return err
		}
		if err := os.Truncate(r.path, r.keep); err != nil {
			return err
		}
	}
	if r.batches < 0 {
		return nil
	}
	// kfake reads an epoch and a transaction's flag from the index, which are
	// always zero here, and tolerates neither entries in excess nor shifted ones.
	var entry [indexEntrySize]byte
	entry[0] = 1
	entry[1] = byte(crc32.Checksum(entry[2:], castagnoli))
	index := make([]byte, 0, r.batches*indexEntrySize)
	for range r.batches {
		index = append(index, entry[:]...)
	}
	path := strings.TrimSuffix(r.path, ".dat") + ".idx"
	if err := os.WriteFile(path+".tmp", index, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// setAside copies the bytes of path from pos on, so that nothing is destroyed.
func setAside(dir, path string, pos int64) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	to := filepath.Join(dir, "set-aside")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	name = strings.ReplaceAll(name, string(filepath.Separator), "_")
	return os.WriteFile(filepath.Join(to, fmt.Sprintf("%s.%d", name, pos)), raw[pos:], 0o644)
}

// readEntries reads kfake's framed entries: length, checksum, version, JSON. An
// unfinished entry at the end becomes a repair; a broken one with more behind it
// is a *CorruptError, since kfake would ignore all that follows.
func readEntries(path string) ([][]byte, *repair, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("broker: %w", err)
	}
	entries, pos, bad := scanEntries(raw)
	if bad == "" {
		return entries, nil, nil
	}
	for i := pos + 1; i < len(raw); i++ {
		if more, _, _ := scanEntries(raw[i:]); len(more) > 0 {
			return nil, nil, &CorruptError{path, int64(pos), bad}
		}
	}
	r := &repair{path: path, keep: int64(pos), size: int64(len(raw)), batches: -1}
	return entries, r, nil
}

func scanEntries(raw []byte) (entries [][]byte, pos int, bad string) {
	for pos < len(raw) {
		rest := raw[pos:]
		if len(rest) < 10 {
			return entries, pos, fmt.Sprintf("an entry ends after %d bytes", len(rest))
		}
		size := int64(binary.LittleEndian.Uint32(rest))
		if size < 2 || 8+size > int64(len(rest)) {
			return entries, pos, fmt.Sprintf("an entry of %d bytes ends after %d", size, len(rest))
		}
		if crc32.Checksum(rest[8:8+size], castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			return entries, pos, "an entry does not match its checksum"
		}
		entries = append(entries, rest[10:8+size])
		pos += 8 + int(size)
	}
	return entries, pos, ""
}

// cutTornEntries truncates path after its last whole entry.
func cutTornEntries(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, pos, bad := scanEntries(raw); bad != "" {
		return os.Truncate(path, int64(pos))
	}
	return nil
}
