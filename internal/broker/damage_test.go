package broker

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crashCopy is the directory as a kill at this moment would leave it.
func crashCopy(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// digest names the content of every file, to see that a refusal changes none.
func digest(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %x\n", path, sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(text []byte) []byte {
		if at < 0 {
			at += len(text)
		}
		text[at] ^= 0x10
		return text
	}
}

func cut(n int) func([]byte) []byte {
	return func(text []byte) []byte { return text[:len(text)-n] }
}

// written is a directory with two partitions of several segments, the sink's
// commits, and what it holds.
func written(t *testing.T, orderly bool) (dir string, segments []string, values []string) {
	t.Helper()
	b := start(t, Config{Dir: t.TempDir(), MaxBytes: 128 << 10, Topics: []Topic{{EventsTopic, 2}}})
	c := producer(t, b.Addrs())
	for i := range 60 {
		values = append(values, fmt.Sprintf("%d %s", i, strings.Repeat("x", 900)))
		mustSend(t, c, EventsTopic, 0, values[i])
	}
	for i := range 8 {
		if err := commit(t, c, "sink", EventsTopic, 0, int64(i*5), "note"); err != nil {
			t.Fatal(err)
		}
	}
	if orderly {
		stop(t, b)
	}
	dir = crashCopy(t, b.cfg.Dir)
	path := partitionDir(dir, EventsTopic, 0)
	bases, err := segmentBases(path)
	if err != nil || len(bases) < 3 {
		t.Fatalf("segments %v, %v", bases, err)
	}
	for _, base := range bases {
		segments = append(segments, filepath.Join(path, fmt.Sprintf("%d.dat", base)))
	}
	return dir, segments, values
}

func TestDamageIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		orderly bool
		damage  func(t *testing.T, dir string, segments []string)
		want    string
	}{
		{"a bit in the middle of a segment", false, func(t *testing.T, _ string, s []string) { edit(t, s[1], flip(2000)) }, "checksum"},
		{"a bit in the first batch", false, func(t *testing.T, _ string, s []string) { edit(t, s[0], flip(100)) }, "checksum"},
		{"a bit in the middle of the last segment", false, func(t *testing.T, _ string, s []string) { edit(t, s[len(s)-1], flip(100)) }, "checksum"},
		{"a length that reaches beyond the end", false, func(t *testing.T, _ string, s []string) { edit(t, s[len(s)-1], flip(9)) }, "ends after"},
		{"an offset", false, func(t *testing.T, _ string, s []string) { edit(t, s[0], flip(7)) }, "where 0 follows"},
		{"the end of a segment that is not the last", false, func(t *testing.T, _ string, s []string) { edit(t, s[0], cut(10)) }, "ends after"},
		{"a missing segment", false, func(t *testing.T, _ string, s []string) { os.Remove(s[1]) }, "are missing before it"},
		{"a bit in the last batch after an orderly stop", true, func(t *testing.T, _ string, s []string) { edit(t, s[len(s)-1], flip(-5)) }, "was stopped at 60"},
		{"the end cut off after an orderly stop", true, func(t *testing.T, _ string, s []string) { edit(t, s[len(s)-1], cut(5)) }, "was stopped at 60"},
		{"the last segments gone, and the sink had read them", false, func(t *testing.T, _ string, s []string) {
			for _, path := range s[1:] {
				os.Remove(path)
			}
		}, "group sink has read steward.events/0 up to offset 35"},
		{"a whole partition gone", false, func(t *testing.T, dir string, _ []string) { os.RemoveAll(partitionDir(dir, EventsTopic, 0)) }, "group sink has read"},
		{"topics.json gone", false, func(t *testing.T, dir string, _ []string) { os.Remove(filepath.Join(dir, "topics.json")) }, "does not know this partition"},
		{"topics.json broken", false, func(t *testing.T, dir string, _ []string) { edit(t, filepath.Join(dir, "topics.json"), cut(3)) }, "topics.json"},
		{"meta.json gone", false, func(t *testing.T, dir string, _ []string) { os.Remove(filepath.Join(dir, "meta.json")) }, "meta.json"},
		{"a bit in a commit that is not the last", false, func(t *testing.T, dir string, _ []string) { edit(t, filepath.Join(dir, groupsLog), flip(30)) }, "does not match its checksum"},
		{"a snapshot broken", true, func(t *testing.T, dir string, _ []string) {
			edit(t, filepath.Join(partitionDir(dir, EventsTopic, 0), "snapshot.json"), cut(3))
		}, "snapshot.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, segments, _ := written(t, c.orderly)
			c.damage(t, dir, segments)
			before := digest(t, dir)
			b, err := Start(t.Context(), Config{Dir: dir, Topics: []Topic{{EventsTopic, 2}}})
			if err == nil {
				stop(t, b)
				t.Fatal("started on a damaged log")
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(corrupt.Path, dir) {
				t.Fatalf("refused with %v, want %q", err, c.want)
			}
			if digest(t, dir) != before {
				t.Fatal("the refusal changed files")
			}
		})
	}
}

func TestWhatAKillLeavesBehindIsRepaired(t *testing.T) {
	half := func(t *testing.T, segment string, n int) { // a batch that was being written
		text, err := os.ReadFile(segment)
		if err != nil {
			t.Fatal(err)
		}
		length := binary.BigEndian.Uint32(text[8:])
		batch := bytes.Clone(text[:12+length])
		binary.BigEndian.PutUint64(batch, 60)
		edit(t, segment, func(text []byte) []byte { return append(text, batch[:n]...) })
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string, segments []string)
		kept   int  // records that must be there
		found  bool // people have to hear of it
		aside  bool // bytes were set aside
	}{
		{"nothing", func(*testing.T, string, []string) {}, 60, false, false},
		{"a few bytes of a batch", func(t *testing.T, _ string, s []string) { half(t, s[len(s)-1], 7) }, 60, false, true},
		{"most of a batch", func(t *testing.T, _ string, s []string) { half(t, s[len(s)-1], 800) }, 60, false, true},
		{"zeros", func(t *testing.T, _ string, s []string) {
			edit(t, s[len(s)-1], func(text []byte) []byte { return append(text, make([]byte, 4096)...) })
		}, 60, false, true},
		{"a complete last batch that is unreadable", func(t *testing.T, _ string, s []string) { edit(t, s[len(s)-1], flip(-5)) }, 59, true, true},
		{"an index out of step", func(t *testing.T, _ string, s []string) {
			edit(t, strings.TrimSuffix(s[0], ".dat")+".idx", func(text []byte) []byte { return append(text[:7], text[12:]...) })
		}, 60, false, false},
		{"an index gone", func(t *testing.T, _ string, s []string) { os.Remove(strings.TrimSuffix(s[1], ".dat") + ".idx") }, 60, false, false},
		{"a torn commit", func(t *testing.T, dir string, _ []string) {
			edit(t, filepath.Join(dir, groupsLog), func(text []byte) []byte { return append(text, text[:25]...) })
		}, 60, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, segments, values := written(t, false)
			c.damage(t, dir, segments)
			cfg := Config{Dir: dir, MaxBytes: 128 << 10, Topics: []Topic{{EventsTopic, 2}}}
			b := start(t, cfg)
			if found := len(b.Findings()) > 0; found != c.found {
				t.Fatalf("findings %v", b.Findings())
			}
			if _, err := os.Stat(filepath.Join(dir, "set-aside")); (err == nil) != c.aside {
				t.Fatalf("set aside: %v, want %v", err, c.aside)
			}
			client := producer(t, b.Addrs())
			if offset, _ := committed(t, client, "sink", EventsTopic, 0); offset != 35 {
				t.Fatalf("committed %d", offset)
			}
			// It must go on, and what comes now must survive the next kill.
			if got := mustSend(t, client, EventsTopic, 0, "next"); got != int64(c.kept) {
				t.Fatalf("goes on at offset %d, want %d", got, c.kept)
			}
			if err := commit(t, client, "sink", EventsTopic, 0, 50, "later"); err != nil {
				t.Fatal(err)
			}
			if err := b.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			cfg.Dir = crashCopy(t, dir)
			b = start(t, cfg)
			if len(b.Findings()) > 0 {
				t.Fatalf("found again: %v", b.Findings())
			}
			sameValues(t, readAll(t, b, EventsTopic)[0], append(values[:c.kept:c.kept], "next"))
			if offset, note := committed(t, producer(t, b.Addrs()), "sink", EventsTopic, 0); offset != 50 || note != "later" {
				t.Fatalf("the commit after the repair came back as %d %q", offset, note)
			}
		})
	}
}

func TestCheckSeesDamageWhileRunning(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), MaxBytes: 256 << 10, Topics: []Topic{{EventsTopic, 1}}})
	c := producer(t, b.Addrs())
	for range 60 {
		mustSend(t, c, EventsTopic, 0, strings.Repeat("x", 1500))
	}
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := partitionDir(b.cfg.Dir, EventsTopic, 0)
	bases, err := segmentBases(path)
	if err != nil || len(bases) < 2 {
		t.Fatalf("segments %v, %v", bases, err)
	}
	edit(t, filepath.Join(path, fmt.Sprintf("%d.dat", bases[0])), flip(7))
	var corrupt *CorruptError
	if err := b.Check(t.Context()); !errors.As(err, &corrupt) {
		t.Fatalf("Check says %v", err)
	}
}

func TestTrimming(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), MaxBytes: 1 << 20, Topics: []Topic{{EventsTopic, 3}}})
	c := producer(t, b.Addrs())
	for p := range int32(2) { // partition 2 stays empty
		for i := range 100 {
			mustSend(t, c, EventsTopic, p, fmt.Sprintf("%d %s", i, strings.Repeat("x", 3000)))
		}
	}
	size, err := logBytes(b.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	trim := func(committed map[int32]int64, wantStarts ...int64) {
		t.Helper()
		if err := b.Trim(t.Context(), EventsTopic, committed); err != nil {
			t.Fatal(err)
		}
		starts, ends, err := b.bounds(t.Context(), EventsTopic)
		if err != nil {
			t.Fatal(err)
		}
		for p, want := range wantStarts {
			if starts[int32(p)] != want {
				t.Fatalf("after %v partition %d starts at %d, want %d", committed, p, starts[int32(p)], want)
			}
		}
		if ends[0] != 100 || ends[1] != 100 || ends[2] != 0 {
			t.Fatalf("trimming moved the ends to %v", ends)
		}
	}
	trim(nil, 0, 0, 0)
	trim(map[int32]int64{0: 40, 9: 5}, 40, 0, 0)
	trim(map[int32]int64{0: 30, 1: -1}, 40, 0, 0)
	trim(map[int32]int64{0: 100, 1: 1_000_000, 2: 7}, 99, 99, 0)
	trim(map[int32]int64{0: 100, 1: 100, 2: 0}, 99, 99, 0)
	if now, err := logBytes(b.cfg.Dir); err != nil || now > size/2 {
		t.Fatalf("trimming left %d of %d bytes, %v", now, size, err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Trim(t.Context(), "nothing", nil); err == nil {
		t.Fatal("trimmed a topic that does not exist")
	}
	// After a kill, offsets go on where they were.
	again := start(t, Config{Dir: crashCopy(t, b.cfg.Dir), Topics: []Topic{{EventsTopic, 3}}})
	c = producer(t, again.Addrs())
	for p, want := range map[int32]int64{0: 100, 1: 100, 2: 0} {
		if got := mustSend(t, c, EventsTopic, p, "next"); got != want {
			t.Fatalf("partition %d goes on at %d, want %d", p, got, want)
		}
	}
}

func FuzzScans(f *testing.F) {
	f.Add([]byte{}, int64(0))
	f.Add(bytes.Repeat([]byte{0}, 100), int64(0))
	f.Add(append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, make([]byte, 80)...), int64(5))
	f.Fuzz(func(t *testing.T, raw []byte, next int64) {
		_, pos, batches, bad := scanBatches(raw, next)
		if pos > len(raw) || (bad == "") != (pos == len(raw)) || batches*batchHeadSize > pos {
			t.Fatalf("%d batches to byte %d of %d, %q", batches, pos, len(raw), bad)
		}
		batchBehind(raw, next)
		entries, pos, bad := scanEntries(raw)
		if pos > len(raw) || (bad == "") != (pos == len(raw)) || len(entries)*10 > pos {
			t.Fatalf("%d entries to byte %d of %d, %q", len(entries), pos, len(raw), bad)
		}
	})
}
