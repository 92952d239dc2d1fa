package broker

import (
	"context"
	"fmt"
)

// Ends answers, for each partition, one after the last offset: what a reader has
// to reach to have seen everything appended before the call.
func (b *Broker) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	_, ends, err := b.bounds(ctx, topic)
	return ends, err
}

// bounds answers the first offset and the end of each partition.
func (b *Broker) bounds(ctx context.Context, topic string) (starts, ends map[int32]int64, err error) {
	if !b.Embedded() {
		return b.clusterBounds(ctx, topic)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.cluster == nil {
		return nil, nil, ErrStopped
	}
	starts, ends = make(map[int32]int64), make(map[int32]int64)
	for _, p := range b.cluster.PartitionInfos(topic) {
		starts[p.Partition], ends[p.Partition] = p.LogStartOffset, p.HighWatermark
	}
	if len(ends) == 0 {
		return nil, nil, fmt.Errorf("broker: there is no topic %s", topic)
	}
	return starts, ends, nil
}

// TopicID answers the id of a topic as 32 hexadecimal digits. A topic that is
// deleted and created again has another id, so a name built from it cannot be
// mistaken for one of the old topic's.
func (b *Broker) TopicID(ctx context.Context, topic string) (string, error) {
	if !b.Embedded() {
		return b.clusterTopicID(ctx, topic)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.cluster == nil {
		return "", ErrStopped
	}
	info := b.cluster.TopicInfo(topic)
	if info == nil {
		return "", fmt.Errorf("broker: there is no topic %s", topic)
	}
	return fmt.Sprintf("%x", info.TopicID[:]), nil
}
