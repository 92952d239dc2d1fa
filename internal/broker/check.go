package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Check reports whether the log is whole and takes appends: every topic exists
// with a leader for each partition, and on the embedded broker the offsets of
// every partition follow one another, and Writable answers nil. It reads the heads of
// all segments, so it is for a start and for now and then, not for each request.
func (b *Broker) Check(ctx context.Context) error {
	if !b.Embedded() {
		return b.checkCluster(ctx)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.cluster == nil {
		return ErrStopped
	}
	var errs []error
	for _, t := range b.cfg.Topics {
		infos := b.cluster.PartitionInfos(t.Name)
		if len(infos) == 0 {
			errs = append(errs, fmt.Errorf("broker: topic %s is missing", t.Name))
		}
		for _, p := range infos {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := checkPartition(b.cfg.Dir, t.Name, p); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(append(errs, b.gate.writable(0))...)
}

// checkPartition walks the heads of the batches on disk from the first offset on
// to the end kfake claims. The broker goes on appending and trimming meanwhile.
func checkPartition(dir, topic string, p *kfake.PartitionInfo) error {
	path := partitionDir(dir, topic, p.Partition)
	bases, err := segmentBases(path)
	if errors.Is(err, os.ErrNotExist) && p.HighWatermark == 0 {
		return nil // never written
	}
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	var next int64
	for i, base := range bases {
		if i+1 < len(bases) && bases[i+1] <= p.LogStartOffset {
			next = bases[i+1]
			continue // about to be deleted
		}
		if next == 0 {
			next = base
		}
		file := filepath.Join(path, fmt.Sprintf("%d.dat", base))
		if base != next {
			return &CorruptError{file, -1, fmt.Sprintf("offsets %d to %d are missing before it", next, base-1)}
		}
		if next, err = walkHeads(file, next); errors.Is(err, os.ErrNotExist) {
			return nil // trimmed while we looked
		} else if err != nil {
			return err
		}
	}
	if next < p.HighWatermark {
		return &CorruptError{path, -1, fmt.Sprintf("it ends at offset %d on disk and at %d for readers", next, p.HighWatermark)}
	}
	return nil
}

// walkHeads follows the offsets of one segment and answers the one behind it. An
// incomplete batch at the end is one that is being written.
func walkHeads(path string, next int64) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return next, err
	}
	defer f.Close()
	var head [batchHeadSize]byte
	for pos := int64(0); ; {
		if _, err := f.ReadAt(head[:], pos); err == io.EOF {
			return next, nil
		} else if err != nil {
			return next, err
		}
		if first := int64(binary.BigEndian.Uint64(head[:])); first != next {
			return next, &CorruptError{path, pos, fmt.Sprintf("a batch has offset %d where %d follows", first, next)}
		}
		next += int64(int32(binary.BigEndian.Uint32(head[23:]))) + 1
		pos += 12 + int64(binary.BigEndian.Uint32(head[8:]))
	}
}
