package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fill appends until the broker refuses, and answers what it acknowledged.
func fill(t *testing.T, c *kgo.Client, partition int32, size int) (values []string, refusal error) {
	t.Helper()
	for i := range 100_000 {
		value := fmt.Sprintf("%d/%d %s", partition, i, strings.Repeat("x", size))
		if _, err := send(t, c, EventsTopic, partition, value); err != nil {
			return values, err
		}
		values = append(values, value)
	}
	t.Fatal("the broker never refused")
	return nil, nil
}

func sameValues(t *testing.T, records []*kgo.Record, want []string) {
	t.Helper()
	if len(records) != len(want) {
		t.Fatalf("%d records stored, %d acknowledged", len(records), len(want))
	}
	for i, r := range records {
		if string(r.Value) != want[i] {
			t.Fatalf("record %d is %.20q, acknowledged was %.20q", i, r.Value, want[i])
		}
	}
}

func TestAtTheCapAppendsAreRefusedUntilTrimmed(t *testing.T) {
	const limit = 1 << 20
	dir := t.TempDir()
	b := start(t, Config{Dir: dir, MaxBytes: limit, Topics: []Topic{{EventsTopic, 2}}})
	c := producer(t, b.Addrs())
	for round := range 3 {
		starts, before, err := b.bounds(t.Context(), EventsTopic)
		if err != nil {
			t.Fatal(err)
		}
		values, refusal := fill(t, c, 1, 5000)
		if !errors.Is(refusal, kerr.KafkaStorageError) {
			t.Fatalf("refused with %v", refusal)
		}
		if _, err := send(t, c, EventsTopic, 0, strings.Repeat("x", 6000)); !errors.Is(err, kerr.KafkaStorageError) {
			t.Fatalf("the other partition answers %v", err)
		}
		if size, err := logBytes(dir); err != nil || size > limit || size < limit/2 {
			t.Fatalf("the log holds %d bytes at a cap of %d, %v", size, limit, err)
		}
		records := readAll(t, b, EventsTopic)[1]
		sameValues(t, records[before[1]-starts[1]:], values)

		_, ends, err := b.bounds(t.Context(), EventsTopic)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Trim(t.Context(), EventsTopic, ends); err != nil {
			t.Fatal(err)
		}
		if err := b.Writable(); err != nil {
			t.Fatalf("round %d: after trimming: %v", round, err)
		}
		if left := readAll(t, b, EventsTopic)[1]; len(left) != 1 || left[0].Offset != ends[1]-1 {
			t.Fatalf("trimming left %d records", len(left))
		}
	}
}

func TestWritableNamesTheCap(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), MaxBytes: 64 << 10, Topics: []Topic{{EventsTopic, 1}}})
	if err := b.Writable(); err != nil {
		t.Fatal(err)
	}
	fill(t, producer(t, b.Addrs()), 0, 10)
	if err := b.gate.writable(5000); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "65536 bytes") {
		t.Fatalf("a full log says %v", err)
	}
}

func TestANearlyFullDiskRefusesAppendsThenCommits(t *testing.T) {
	var free atomic.Int64
	free.Store(10 << 30)
	b := start(t, Config{
		Dir: t.TempDir(), Reserve: 1 << 20, Topics: []Topic{{EventsTopic, 1}},
		free: func(string) (int64, int64, error) { return free.Load(), 100 << 30, nil },
	})
	c := producer(t, b.Addrs())
	// More requests than a control lives, so that its successors are tried too.
	for range 700 {
		mustSend(t, c, EventsTopic, 0, "kept")
	}
	free.Store(1<<20 - 1)
	for range 300 {
		if _, err := send(t, c, EventsTopic, 0, "refused"); !errors.Is(err, kerr.KafkaStorageError) {
			t.Fatalf("below the reserve: %v", err)
		}
	}
	if err := b.Writable(); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "1048575 bytes left") {
		t.Fatalf("Writable says %v", err)
	}
	if err := b.Check(t.Context()); !errors.Is(err, ErrFull) {
		t.Fatalf("Check says %v", err)
	}
	if err := commit(t, c, "sink", EventsTopic, 0, 300, "a"); err != nil {
		t.Fatalf("a commit, which is what frees space, got %v", err)
	}
	free.Store(1 << 10)
	if err := commit(t, c, "sink", EventsTopic, 0, 400, "b"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Fatalf("a commit on a full disk: %v", err)
	}
	if offset, note := committed(t, c, "sink", EventsTopic, 0); offset != 300 || note != "a" {
		t.Fatalf("the refused commit left %d %q", offset, note)
	}
	free.Store(10 << 30)
	if got := mustSend(t, c, EventsTopic, 0, "kept"); got != 700 {
		t.Fatalf("offset %d after the refusals, want 700", got)
	}
	if err := commit(t, c, "sink", EventsTopic, 0, 400, "b"); err != nil {
		t.Fatal(err)
	}
}

func TestTheDefaultReserveFitsTheDisk(t *testing.T) {
	for total, want := range map[int64]int64{64 << 20: 64 << 20 / 20, 1 << 40: 256 << 20} {
		g := newGate(Config{MaxBytes: 1, free: func(string) (int64, int64, error) { return total, total, nil }}, t.TempDir())
		if err := g.reset(); err != nil {
			t.Fatal(err)
		}
		if g.reserve != want {
			t.Errorf("%d bytes kept free of %d, want %d", g.reserve, total, want)
		}
	}
	free, total, err := freeBytes(t.TempDir())
	if err != nil || free <= 0 || total < free {
		t.Fatalf("%d of %d bytes free, %v", free, total, err)
	}
}

// smallDisk mounts a file system of its own, which needs root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		missing(t, "mounting a small disk needs root on Linux")
	}
	if err := mountTmpfs(dir, size); err != nil {
		missing(t, "mounting a small disk: "+err.Error())
	}
	t.Cleanup(func() { unmount(dir) })
	return dir
}

func TestASmallDiskIsNeverFilled(t *testing.T) {
	dir := smallDisk(t, "8m")
	b := start(t, Config{Dir: dir, Topics: []Topic{{EventsTopic, 2}}})
	values, refusal := fill(t, producer(t, b.Addrs()), 0, 20_000)
	if !errors.Is(refusal, kerr.KafkaStorageError) || !errors.Is(b.Writable(), ErrFull) && b.gate.writable(20_000) == nil {
		t.Fatalf("refused with %v, Writable says %v", refusal, b.Writable())
	}
	if free, _, err := freeBytes(dir); err != nil || free < 300<<10 {
		t.Fatalf("%d bytes are left, %v", free, err)
	}
	sameValues(t, readAll(t, b, EventsTopic)[0], values)
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	sameValues(t, readAll(t, b, EventsTopic)[0], values)
}

// TestAFullDiskLosesNothing lets writes really fail: somebody else takes the
// disk between the look and the write. What was acknowledged must be there, what
// was not must not be acknowledged later, and the broker must heal by itself.
func TestAFullDiskLosesNothing(t *testing.T) {
	dir := smallDisk(t, "6m")
	var blind atomic.Bool
	blind.Store(true)
	b := start(t, Config{
		Dir: filepath.Join(dir, "log"), Reserve: 1 << 20, Topics: []Topic{{EventsTopic, 2}},
		free: func(d string) (int64, int64, error) {
			if blind.Load() {
				return 1 << 40, 1 << 40, nil
			}
			return freeBytes(d)
		},
	})
	c := producer(t, b.Addrs())
	if err := commit(t, c, "sink", EventsTopic, 0, 0, "before"); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 5<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	values, refusal := fill(t, c, 0, 3000)
	// An idempotent producer sends a batch again under its old number; kfake
	// would take that for a duplicate and acknowledge what it never wrote.
	idempotent := client(t, kgo.SeedBrokers(b.Addrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RecordDeliveryTimeout(2*time.Second), kgo.ProducerBatchCompression(kgo.NoCompression()))
	_, second := send(t, idempotent, EventsTopic, 1, strings.Repeat("y", 5000))
	if second == nil {
		t.Fatal("an append was acknowledged on a full disk")
	}
	if err := b.Writable(); !errors.Is(err, ErrDamaged) {
		t.Fatalf("after a failed write (%v), Writable says %v; kfake's messages may have changed", refusal, err)
	}
	blind.Store(false)
	if err := commit(t, c, "sink", EventsTopic, 0, 1, "during"); err == nil {
		t.Fatal("a commit was acknowledged on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, b.Writable)
	eventually(t, func() error {
		_, err := send(t, c, EventsTopic, 0, "after")
		return err
	})
	if err := commit(t, c, "sink", EventsTopic, 0, 1, "after"); err != nil {
		t.Fatal(err)
	}
	// As a killed process leaves it: nothing but what is on the disk now.
	again := start(t, Config{Dir: crashCopy(t, b.cfg.Dir), Topics: []Topic{{EventsTopic, 2}}})
	got := readAll(t, again, EventsTopic)
	sameValues(t, got[0], append(values, "after"))
	if len(got[1]) != 0 {
		t.Fatalf("%d records that were refused", len(got[1]))
	}
	if offset, note := committed(t, producer(t, again.Addrs()), "sink", EventsTopic, 0); offset != 1 || note != "after" {
		t.Fatalf("committed %d %q", offset, note)
	}
}

func unmount(dir string) { syscall.Unmount(dir, 0) }
