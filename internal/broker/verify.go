package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The layout of kfake's data directory, as of the pinned version:
//
//	meta.json, topics.json         the topics and their ids
//	partitions/TOPIC-N/BASE.dat    record batches as on the wire, one after another
//	partitions/TOPIC-N/BASE.idx    15 bytes for each batch, written after it
//	partitions/TOPIC-N/snapshot.json  written by an orderly stop only
//	groups.log, pids.log           framed JSON entries, the last one of a key wins
const (
	groupsLog      = "groups.log"
	pidsLog        = "pids.log"
	indexEntrySize = 15
	batchHeadSize  = 61
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CorruptError says which file of the embedded log cannot be trusted. The broker
// does not start on it, because it could only go on by forgetting records it has
// acknowledged. The file is left as it was found.
type CorruptError struct {
	Path   string // the file or directory
	Pos    int64  // byte position in it, or -1
	Reason string
}

func (e *CorruptError) Error() string {
	at := e.Path
	if e.Pos >= 0 {
		at = fmt.Sprintf("%s at byte %d", e.Path, e.Pos)
	}
	return fmt.Sprintf("broker: the log is damaged and is not opened: %s: %s. Restore the directory from a copy, or move it away to begin an empty log", at, e.Reason)
}

// repair cuts a file and rewrites an index. verify collects repairs and carries
// them out only when nothing in the whole directory speaks against starting.
type repair struct {
	path    string
	keep    int64 // bytes of the file that are good
	size    int64
	batches int // good batches, for the index beside a segment; -1 for other files
	finding string
}

// partitionState is what a partition's files say, before kfake reads them.
type partitionState struct {
	start, end int64 // first offset, and one after the last
	repairs    []repair
}

// verify reads the whole directory before kfake does. It answers a *CorruptError
// if records that were acknowledged are missing or unreadable. Bytes that look
// torn at the end of a file, which is what a killed process leaves behind, are
// moved to set-aside/; a batch that looks complete, yet unreadable, at the very
// end may have been acknowledged, and is a finding for people to see.
func verify(dir string, log *slog.Logger) (findings []string, err error) {
	parts, err := partitionDirs(dir)
	if err != nil {
		return nil, err
	}
	var repairs []repair
	ends := make(map[string]partitionState)
	for name, path := range parts {
		st, err := verifyPartition(path)
		if err != nil {
			return nil, err
		}
		ends[name] = st
		repairs = append(repairs, st.repairs...)
	}
	for _, name := range []string{groupsLog, pidsLog} {
		entries, r, err := readEntries(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if r != nil {
			repairs = append(repairs, *r)
		}
		if name == groupsLog {
			if err := verifyCommits(filepath.Join(dir, name), entries, ends); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range repairs {
		if err := r.apply(dir); err != nil {
			return nil, fmt.Errorf("broker: repairing %s: %w", r.path, err)
		}
		if r.finding != "" {
			findings = append(findings, r.finding)
		} else if r.keep < r.size {
			log.Warn("cut an unfinished write off the log", "file", r.path, "bytes", r.size-r.keep)
		}
	}
	return findings, nil
}

// partitionDirs lists the partitions' directories by "topic/partition" and
// checks that the topics are known: kfake would give a topic it does not know a
// new id and append to the old files from offset 0.
func partitionDirs(dir string) (map[string]string, error) {
	root := filepath.Join(dir, "partitions")
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("broker: %w", err)
	}
	var topics struct {
		Topics []struct {
			Name       string `json:"name"`
			Partitions int    `json:"partitions"`
		} `json:"topics"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "topics.json"))
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("broker: %w", err)
	default:
		if err := json.Unmarshal(text, &topics); err != nil {
			return nil, &CorruptError{filepath.Join(dir, "topics.json"), -1, err.Error()}
		}
	}
	known := make(map[string]int)
	for _, t := range topics.Topics {
		known[t.Name] = t.Partitions
	}
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); err != nil && len(entries) > 0 {
		return nil, &CorruptError{filepath.Join(dir, "meta.json"), -1, "it is missing or unreadable, and there are partitions"}
	}
	found := make(map[string]string)
	for _, e := range entries {
		i := strings.LastIndexByte(e.Name(), '-')
		if !e.IsDir() || i < 0 {
			continue
		}
		topic, err1 := url.PathUnescape(e.Name()[:i])
		n, err2 := strconv.Atoi(e.Name()[i+1:])
		if err := errors.Join(err1, err2); err != nil {
			continue // not a partition's directory
		}
		path := filepath.Join(root, e.Name())
		if n >= known[topic] {
			return nil, &CorruptError{path, -1, "topics.json does not know this partition"}
		}
		found[fmt.Sprintf("%s/%d", topic, n)] = path
	}
	return found, nil
}

// verifyPartition reads every segment: offsets must go on without a gap from one
// batch to the next, and every batch must match its checksum.
func verifyPartition(dir string) (partitionState, error) {
	var st partitionState
	bases, err := segmentBases(dir)
	if err != nil {
		return st, fmt.Errorf("broker: %w", err)
	}
	if len(bases) > 0 {
		st.start, st.end = bases[0], bases[0]
	}
	for i, base := range bases {
		path := filepath.Join(dir, fmt.Sprintf("%d.dat", base))
		if base != st.end {
			return st, &CorruptError{path, -1, fmt.Sprintf("offsets %d to %d are missing before it", st.end, base-1)}
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return st, fmt.Errorf("broker: %w", err)
		}
		end, pos, batches, bad := scanBatches(raw, base)
		st.end = end
		idx := indexSize(path)
		r := repair{path: path, keep: int64(pos), size: int64(len(raw)), batches: batches}
		if bad != "" {
			last := i == len(bases)-1
			if !last || batchBehind(raw[pos:], end) {
				return st, &CorruptError{path, int64(pos), bad}
			}
			if idx > int64(batches*indexEntrySize) {
				r.finding = fmt.Sprintf("%s: the last batch, from offset %d, is unreadable (%s) and was set aside; it may have been acknowledged", path, end, bad)
			}
		}
		if bad != "" || idx != int64(batches*indexEntrySize) {
			st.repairs = append(st.repairs, r)
		}
	}
	return st, verifySnapshot(dir, st)
}

func segmentBases(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var bases []int64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".dat")
		if !ok {
			continue
		}
		if base, err := strconv.ParseInt(name, 10, 64); err == nil {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// scanBatches reads batches that follow one another from offset next on. It
// answers where it stopped: the next offset, the byte position, how many batches
// were good, and what is wrong with the one at pos, or "".
func scanBatches(raw []byte, next int64) (end int64, pos, batches int, bad string) {
	for pos < len(raw) {
		size, records, reason := readBatch(raw[pos:], next)
		if reason != "" {
			return next, pos, batches, reason
		}
		next += records
		pos += size
		batches++
	}
	return next, pos, batches, ""
}

// readBatch reads one batch whose first offset must be next.
func readBatch(raw []byte, next int64) (size int, records int64, bad string) {
	if len(raw) < batchHeadSize {
		return 0, 0, fmt.Sprintf("a batch ends after %d bytes", len(raw))
	}
	length := int64(int32(binary.BigEndian.Uint32(raw[8:])))
	if length < batchHeadSize-12 || 12+length > int64(len(raw)) {
		return 0, 0, fmt.Sprintf("a batch of %d bytes ends after %d", 12+length, len(raw))
	}
	raw = raw[:12+length]
	if got, want := crc32.Checksum(raw[21:], castagnoli), binary.BigEndian.Uint32(raw[17:]); got != want {
		return 0, 0, fmt.Sprintf("a batch has checksum %08x and says %08x", got, want)
	}
	if first := int64(binary.BigEndian.Uint64(raw)); first != next {
		return 0, 0, fmt.Sprintf("a batch has offset %d where %d follows", first, next)
	}
	records = int64(int32(binary.BigEndian.Uint32(raw[23:]))) + 1
	if count := int64(int32(binary.BigEndian.Uint32(raw[57:]))); records != count || count < 1 {
		return 0, 0, fmt.Sprintf("a batch has %d records and offsets for %d", count, records)
	}
	return len(raw), records, ""
}

// batchBehind looks for a whole batch behind the bytes that could not be read.
// Where there is one, the damage is not an unfinished write.
func batchBehind(raw []byte, next int64) bool {
	for i := 1; i+batchHeadSize <= len(raw); i++ {
		if raw[i+16] != 2 { // the format's version
			continue
		}
		first := int64(binary.BigEndian.Uint64(raw[i:]))
		if first < next || first > next+1<<31 {
			continue
		}
		if _, _, bad := readBatch(raw[i:], first); bad == "" {
			return true
		}
	}
	return false
}

// verifySnapshot compares with what an orderly stop wrote down. Records may have
// been added and trimmed since, but the end never moves back.
func verifySnapshot(dir string, st partitionState) error {
	path := filepath.Join(dir, "snapshot.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	var snap struct {
		HighWatermark int64 `json:"high_watermark"`
	}
	if err := json.Unmarshal(text, &snap); err != nil {
		return &CorruptError{path, -1, err.Error()}
	}
	if snap.HighWatermark > st.end {
		return &CorruptError{dir, -1, fmt.Sprintf("it ends at offset %d and was stopped at %d", st.end, snap.HighWatermark)}
	}
	return nil
}

// verifyCommits checks that no group has read further than the log goes.
func verifyCommits(path string, entries [][]byte, ends map[string]partitionState) error {
	type entry struct {
		Type   string `json:"type"`
		Group  string `json:"g"`
		Topic  string `json:"t"`
		Part   int32  `json:"p"`
		Offset int64  `json:"o"`
	}
	type key struct{ group, part string }
	commits := make(map[key]int64)
	for _, data := range entries {
		var e entry
		if err := json.Unmarshal(data, &e); err != nil {
			return &CorruptError{path, -1, err.Error()}
		}
		k := key{e.Group, fmt.Sprintf("%s/%d", e.Topic, e.Part)}
		switch e.Type {
		case "commit":
			commits[k] = e.Offset
		case "delete":
			delete(commits, k)
		}
	}
	for k, offset := range commits {
		if end := ends[k.part].end; offset > end {
			return &CorruptError{path, -1, fmt.Sprintf("group %s has read %s up to offset %d, and the partition ends at %d", k.group, k.part, offset, end)}
		}
	}
	return nil
}

func indexSize(segment string) int64 {
	info, err := os.Stat(strings.TrimSuffix(segment, ".dat") + ".idx")
	if err != nil {
		return 0
	}
	return info.Size()
}

func partitionDir(dir, topic string, partition int32) string {
	return filepath.Join(dir, "partitions", fmt.Sprintf("%s-%d", url.PathEscape(topic), partition))
}
