package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	portFile = "port"

	// offsetsRetention is how long a group's committed offsets are kept without a
	// commit: ten years in minutes. kfake's week would forget how far the sink got
	// in a partition nobody writes to.
	offsetsRetention = 10 * 366 * 24 * 60
)

// startEmbedded takes the directory, checks it and runs kfake in it.
func (b *Broker) startEmbedded(ctx context.Context) error {
	dir, err := filepath.Abs(b.cfg.Dir)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	b.cfg.Dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("broker: creating the data directory: %w", err)
	}
	lock, err := lockDir(dir, time.Now())
	if err != nil {
		return err
	}
	b.lock = lock
	b.gate = newGate(b.cfg, dir)
	if err := b.boot(ctx, rememberedPort(dir), false); err != nil {
		lock.release()
		return err
	}
	b.done.Add(1)
	go b.heal()
	return nil
}

// Restart stops the embedded broker and starts it again in the same directory
// and on the same port; clients see closed connections and reconnect. A real
// cluster is restarted by its operators, so there it is an error.
func (b *Broker) Restart(ctx context.Context) error {
	if !b.Embedded() {
		return errors.New("broker: a real cluster is not restarted from here")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.restart(ctx)
}

// restart is Restart with b.mu held. If it fails there is no broker until the
// next Restart; Writable says so.
func (b *Broker) restart(ctx context.Context) error {
	if b.stopped {
		return ErrStopped
	}
	b.shut()
	return b.boot(ctx, rememberedPort(b.cfg.Dir), true)
}

// shut stops kfake, if it runs, when nothing is in flight any more; b.mu is held.
func (b *Broker) shut() {
	if b.cluster == nil {
		return
	}
	if err := b.door.close(); err != nil {
		b.log.Error("the broker stopped without knowing that nothing was in flight", "error", err)
	}
	b.cluster, b.door = nil, nil
}

// boot verifies the directory and starts kfake in it. With samePort the address
// must not change, since clients already hold it.
func (b *Broker) boot(ctx context.Context, port int, samePort bool) error {
	dir := b.cfg.Dir
	findings, err := verify(dir, b.log)
	if err != nil {
		return err
	}
	if err := b.gate.reset(); err != nil {
		return fmt.Errorf("broker: measuring %s: %w", dir, err)
	}
	c, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("steward"),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		kfake.ListenFn(func(_, _ string) (net.Listener, error) { return listen(ctx, port, samePort) }),
		kfake.GroupMinSessionTimeout(time.Second),
		kfake.BrokerConfigs(map[string]string{
			"offsets.retention.minutes": strconv.Itoa(offsetsRetention),
			"message.max.bytes":         strconv.Itoa(MaxMessageBytes),
			"log.segment.bytes":         strconv.FormatInt(b.segmentBytes(), 10),
			"log.retention.ms":          "-1",
			"log.retention.bytes":       "-1",
			"state.log.compact.bytes":   strconv.Itoa(1 << 20),
		}),
		kfake.WithLogger(&kfakeLog{log: b.log, failed: b.writeFailed}),
	)
	if err != nil {
		return fmt.Errorf("broker: starting in %s: %w", dir, err)
	}
	addrs := c.ListenAddrs()
	door, err := hang(b.gate, c)
	if err != nil {
		return err
	}
	b.cluster, b.door = c, door
	if err := b.createEmbedded(c); err != nil {
		b.shut()
		return err
	}
	if err := rememberPort(dir, addrs[0]); err != nil {
		b.shut()
		return fmt.Errorf("broker: %w", err)
	}
	b.addrs, b.findings = addrs, findings
	for _, f := range findings {
		b.log.Error("the log was damaged and repaired at start", "finding", f)
	}
	b.log.Info("embedded broker started", "addr", addrs[0], "dir", dir, "bytes", b.gate.usedBytes())
	return nil
}

// segmentBytes is small enough that the segments still being written, which
// cannot be trimmed, never fill more than a quarter of the cap.
func (b *Broker) segmentBytes() int64 {
	partitions := 0
	for _, t := range b.cfg.Topics {
		partitions += t.Partitions
	}
	size := b.cfg.MaxBytes / int64(4*max(partitions, 1))
	return min(max(size, 16<<10), 16<<20)
}

// createEmbedded creates the topics that are missing. Their configuration names
// no retention: kfake starts deleting by age as soon as a topic names one.
func (b *Broker) createEmbedded(c *kfake.Cluster) error {
	for _, t := range b.cfg.Topics {
		err := c.CreateTopic(t.Name, int32(t.Partitions), nil)
		switch {
		case errors.Is(err, kerr.TopicAlreadyExists):
			if n := len(c.PartitionInfos(t.Name)); n != t.Partitions {
				b.log.Warn("the topic keeps its number of partitions", "topic", t.Name, "has", n, "configured", t.Partitions)
			}
		case err != nil:
			return fmt.Errorf("broker: creating topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// heal restarts the broker after a failed write, once the disk has room. Until
// then the gate refuses appends and commits. A restart is the only way to make
// kfake forget the sequence numbers of batches it failed to write, which it
// would acknowledge as duplicates when an idempotent producer sends them again.
func (b *Broker) heal() {
	defer b.done.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-b.quit:
			return
		case <-tick.C:
		}
		if !b.gate.healable() {
			continue
		}
		b.mu.Lock()
		if !b.stopped {
			if err := b.healNow(); err != nil {
				b.log.Error("the broker could not be restarted after a failed write", "error", err)
			}
		}
		b.mu.Unlock()
	}
}

func (b *Broker) healNow() error {
	b.shut()
	if err := os.Remove(filepath.Join(b.cfg.Dir, "seq_windows.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return b.restart(ctx)
}

// writeFailed is told by kfake's log that a write went wrong. It runs inside
// kfake's loop, before the next request, and must not call into the cluster.
func (b *Broker) writeFailed(what string) {
	b.gate.damage(what)
	// A torn entry would hide every commit behind it from the next start. kfake
	// appends at the end of the file, wherever that is, so cut it off now.
	if err := cutTornEntries(filepath.Join(b.cfg.Dir, groupsLog)); err != nil {
		b.log.Error("the log of commits could not be repaired", "error", err)
	}
}

// kfakeLog hands kfake's messages to slog. It is also the only place where kfake
// tells of a failed write, so it watches for those sentences; a test fills a
// disk to see that they are still the same.
type kfakeLog struct {
	log    *slog.Logger
	failed func(what string)
}

func (l *kfakeLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	case kfake.LogLevelInfo:
	default:
		return
	}
	for _, p := range []string{"persist batch", "persist group entry", "persist pid entry"} {
		if level == kfake.LogLevelWarn && strings.HasPrefix(format, p) {
			l.failed(fmt.Sprintf(format, args...))
		}
	}
	if l.log.Enabled(context.Background(), to) {
		l.log.Log(context.Background(), to, fmt.Sprintf(format, args...), "from", "kfake")
	}
}

func rememberedPort(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, portFile))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || port < 1 || port > 65535 {
		return 0 // a broken note costs only a new port
	}
	return port
}

func rememberPort(dir, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if strconv.Itoa(rememberedPort(dir)) == port {
		return nil
	}
	tmp := filepath.Join(dir, portFile+".new")
	if err := os.WriteFile(tmp, []byte(port+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, portFile))
}
