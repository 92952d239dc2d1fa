package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// gate decides, before kfake acts, whether there is room for an append or an
// offset commit. kfake runs it in its one loop, so that between the decision and
// the write nothing else grows the log.
//
// Appends stop when the log would exceed its cap, or when the disk would have
// less than the reserve left. Commits are small and are what lets the log be
// trimmed, so they go on until a quarter of the reserve is left; kfake would
// acknowledge a commit it could not write. After a failed write both stop until
// the broker has been restarted.
type gate struct {
	dir     string
	max     int64
	reserve int64
	free    func(dir string) (free, total int64, err error)

	mu      sync.Mutex
	used    int64  // bytes of segments and indexes, never less than on disk
	stale   bool   // used may be more than on disk: appends were refused by kfake, or trimmed
	damaged string // why nothing may be written, or ""
}

func newGate(cfg Config, dir string) *gate {
	return &gate{dir: dir, max: cfg.MaxBytes, reserve: cfg.Reserve, free: cfg.free}
}

// reset measures the directory anew and forgets the damage; the broker is not
// running meanwhile.
func (g *gate) reset() error {
	used, err := logBytes(g.dir)
	if err != nil {
		return err
	}
	_, total, err := g.free(g.dir)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used, g.stale, g.damaged = used, false, ""
	if g.reserve == 0 {
		g.reserve = min(256<<20, total/20)
	}
	return nil
}

// trimmed says that the log on disk may have become smaller.
func (g *gate) trimmed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stale = true
}

func (g *gate) damage(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.damaged == "" {
		g.damaged = what
	}
}

// healable reports whether there is damage and room enough to write again.
func (g *gate) healable() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.damaged == "" {
		return false
	}
	free, _, err := g.free(g.dir)
	return err == nil && free > g.reserve
}

func (g *gate) usedBytes() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used
}

// writable answers whether n more bytes may be appended now.
func (g *gate) writable(n int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.check(n)
}

// admit is writable, and counts the bytes as written.
func (g *gate) admit(n int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.check(n); err != nil {
		return err
	}
	g.used += n
	g.stale = true
	return nil
}

func (g *gate) check(n int64) error {
	if g.damaged != "" {
		return fmt.Errorf("%w: %s", ErrDamaged, g.damaged)
	}
	if g.used+n > g.max && g.stale {
		used, err := logBytes(g.dir)
		if err != nil {
			return fmt.Errorf("%w: measuring %s: %w", ErrDamaged, g.dir, err)
		}
		g.used, g.stale = used, false
	}
	if g.used+n > g.max || (n == 0 && g.used >= g.max) {
		return fmt.Errorf("%w: it holds %d of %d bytes; it is trimmed as the sink catches up", ErrFull, g.used, g.max)
	}
	return g.room(n, g.reserve)
}

// commits answers whether an offset commit may be written now.
func (g *gate) commits() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.damaged != "" {
		return fmt.Errorf("%w: %s", ErrDamaged, g.damaged)
	}
	return g.room(0, g.reserve/4)
}

func (g *gate) room(n, reserve int64) error {
	free, _, err := g.free(g.dir)
	if err != nil {
		return fmt.Errorf("%w: measuring the disk of %s: %w", ErrDamaged, g.dir, err)
	}
	if free-n < reserve {
		return fmt.Errorf("%w: the disk of %s has %d bytes left and %d are kept free", ErrFull, g.dir, free, reserve)
	}
	return nil
}

func (g *gate) produce(kreq kmsg.Request) (kmsg.Response, bool) {
	req := kreq.(*kmsg.ProduceRequest)
	var n int64
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			n += int64(len(p.Records)) + indexEntrySize
		}
	}
	refused := g.admit(n)
	if refused == nil {
		return nil, false
	}
	return refuseProduce(req, kerr.KafkaStorageError, refused.Error()), true
}

// refuseProduce answers nil if nobody waits for an answer.
func refuseProduce(req *kmsg.ProduceRequest, code *kerr.Error, why string) kmsg.Response {
	if req.Acks == 0 {
		return nil
	}
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition = p.Partition
			rp.ErrorCode = code.Code
			rp.BaseOffset = -1
			rp.ErrorMessage = &why
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func (g *gate) commit(kreq kmsg.Request) (kmsg.Response, bool) {
	if g.commits() == nil {
		return nil, false
	}
	return refuseCommit(kreq.(*kmsg.OffsetCommitRequest), kerr.KafkaStorageError), true
}

func refuseCommit(req *kmsg.OffsetCommitRequest, code *kerr.Error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetCommitResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetCommitResponseTopicPartition()
			rp.Partition = p.Partition
			rp.ErrorCode = code.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// refuseTransactions answers requests that would open a transaction. The product
// uses none, and an index that verify has to rebuild cannot remember them.
func refuseTransactions(kreq kmsg.Request) (kmsg.Response, bool) {
	switch req := kreq.(type) {
	case *kmsg.InitProducerIDRequest:
		if req.TransactionalID == nil {
			return nil, false
		}
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
		return resp, true
	case *kmsg.TxnOffsetCommitRequest:
		resp := req.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewTxnOffsetCommitResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewTxnOffsetCommitResponseTopicPartition()
				rp.Partition = p.Partition
				rp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, true
	}
	return nil, false
}

// logBytes adds up the segments and indexes in dir. A file that is trimmed away
// while it looks counts nothing.
func logBytes(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(filepath.Join(dir, "partitions"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		if ext := filepath.Ext(path); ext != ".dat" && ext != ".idx" {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	return sum, err
}
