package broker

import (
	"context"
	"errors"
	"fmt"
)

// Trim removes the records of topic below the committed offsets, by partition,
// from the embedded log; call it from time to time with what the sink has
// committed. It always keeps the last record of a partition, never moves a start
// back, and gives disk back segment by segment. Partitions that are not in
// committed are left alone, as is everything in a real cluster, whose retention
// belongs to its operators.
func (b *Broker) Trim(ctx context.Context, topic string, committed map[int32]int64) error {
	if !b.Embedded() {
		return nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.cluster == nil {
		return ErrStopped
	}
	defer b.gate.trimmed()
	infos := b.cluster.PartitionInfos(topic)
	if len(infos) == 0 {
		return fmt.Errorf("broker: trimming: there is no topic %s", topic)
	}
	var errs []error
	for _, p := range infos {
		if err := ctx.Err(); err != nil {
			return err
		}
		to, ok := committed[p.Partition]
		if !ok {
			continue
		}
		to = min(to, p.HighWatermark-1)
		if to <= p.LogStartOffset {
			continue
		}
		if err := b.cluster.DeleteRecords(topic, p.Partition, to); err != nil {
			errs = append(errs, fmt.Errorf("broker: trimming %s/%d to %d: %w", topic, p.Partition, to, err))
		}
	}
	return errors.Join(errs...)
}
