package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// fetchBytes is what one answer of the broker may hold; a lane keeps at most two spans
// of spanBytes and one answer in memory.
const fetchBytes = 2 << 20

// errRange says that the log does not hold the offset any more, or not yet.
var errRange = errors.New("offset out of the log's range")

// fetch reads records from offset pos on, waiting up to wait for the first. next is the
// offset behind the last one read; control records advance it without being returned.
func (s *Sink) fetch(ctx context.Context, partition int, pos int64, wait time.Duration) (out []record, next, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+s.cfg.Timeout)
	defer cancel()
	res, err := s.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: s.cfg.Topic, Partition: partition, Offset: pos, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: wait,
	})
	if err != nil {
		return nil, pos, pos, fmt.Errorf("fetch: %w", err)
	}
	if errors.Is(res.Error, kafka.OffsetOutOfRange) {
		return nil, pos, pos, errRange
	}
	if res.Error != nil {
		return nil, pos, pos, fmt.Errorf("fetch: %w", res.Error)
	}
	out, next, err = collect(res.Records, pos)
	return out, next, res.HighWatermark, err
}

// collect reads what an answer holds from offset pos on. What it has is good even when it
// ends in an error.
func collect(answer kafka.RecordReader, pos int64) (out []record, next int64, err error) {
	next = pos
	batches := []protocol.RecordReader{answer}
	if stream, ok := answer.(*protocol.RecordStream); ok {
		batches = stream.Records
	}
	for _, batch := range batches {
		_, control := batch.(*protocol.ControlBatch)
		for {
			rec, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return out, next, fmt.Errorf("fetch: reading records: %w", err)
			}
			skip := control || rec.Offset < next // a batch may start before the offset that was asked for
			r, err := copyRecord(rec, skip)
			if err != nil {
				return out, next, fmt.Errorf("fetch: reading a record: %w", err)
			}
			next = max(next, rec.Offset+1)
			if !skip {
				out = append(out, r)
			}
		}
	}
	return out, next, nil
}

// copyRecord takes a record out of the client's pages, which are reused.
func copyRecord(rec *protocol.Record, skip bool) (record, error) {
	r := record{offset: rec.Offset, time: rec.Time, null: rec.Value == nil}
	if rec.Key != nil {
		rec.Key.Close() // rows are made from the value alone
	}
	if rec.Value == nil {
		return r, nil
	}
	defer rec.Value.Close()
	if skip {
		return r, nil
	}
	r.value = make([]byte, rec.Value.Len())
	if _, err := io.ReadFull(rec.Value, r.value); err != nil {
		return r, err
	}
	telling := 0 // content-type alone says nothing the value does not
	for _, h := range rec.Headers {
		switch h.Key {
		case headerSealed:
			r.sealed = true
		case "content-type":
		default:
			telling++
		}
	}
	if telling > 0 {
		r.headers = make([]header, len(rec.Headers))
		for i, h := range rec.Headers {
			r.headers[i] = header{h.Key, h.Value}
		}
	}
	return r, nil
}

// bounds answers the first offset of each partition and the one behind its last.
func (s *Sink) bounds(ctx context.Context, partitions []int) (starts, ends map[int]int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var ask []kafka.OffsetRequest
	for _, p := range partitions {
		ask = append(ask, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	starts, ends = make(map[int]int64), make(map[int]int64)
	res, err := s.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{s.cfg.Topic: ask}})
	if err != nil {
		return nil, nil, fmt.Errorf("offsets: %w", err)
	}
	for _, p := range res.Topics[s.cfg.Topic] {
		if p.Error != nil {
			return nil, nil, fmt.Errorf("offsets of partition %d: %w", p.Partition, p.Error)
		}
		starts[p.Partition], ends[p.Partition] = p.FirstOffset, p.LastOffset
	}
	for _, p := range partitions {
		if _, ok := ends[p]; !ok {
			return nil, nil, fmt.Errorf("offsets: no answer for partition %d", p)
		}
	}
	return starts, ends, nil
}

// commits answers the committed offset of each partition, -1 for none, and its metadata.
func (s *Sink) commits(ctx context.Context, partitions []int) (map[int]kafka.OffsetFetchPartition, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	res, err := s.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: s.cfg.Group, Topics: map[string][]int{s.cfg.Topic: partitions}})
	if err != nil {
		return nil, fmt.Errorf("committed offsets: %w", err)
	}
	out := make(map[int]kafka.OffsetFetchPartition)
	if errors.Is(res.Error, kafka.GroupIdNotFound) { // nobody has committed yet
		for _, p := range partitions {
			out[p] = kafka.OffsetFetchPartition{Partition: p, CommittedOffset: -1}
		}
		return out, nil
	}
	if res.Error != nil {
		return nil, fmt.Errorf("committed offsets: %w", res.Error)
	}
	for _, p := range res.Topics[s.cfg.Topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("committed offset of partition %d: %w", p.Partition, p.Error)
		}
		out[p.Partition] = p
	}
	for _, p := range partitions {
		if _, ok := out[p]; !ok {
			return nil, fmt.Errorf("committed offsets: no answer for partition %d", p)
		}
	}
	return out, nil
}

// partitions lists the topic's partitions.
func (s *Sink) partitions(ctx context.Context) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	res, err := s.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{s.cfg.Topic}})
	if err != nil {
		return nil, fmt.Errorf("partitions: %w", err)
	}
	for _, t := range res.Topics {
		if t.Name != s.cfg.Topic {
			continue
		}
		if t.Error != nil {
			return nil, fmt.Errorf("partitions of %s: %w", t.Name, t.Error)
		}
		var out []int
		for _, p := range t.Partitions {
			out = append(out, p.ID)
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	return nil, fmt.Errorf("partitions: there is no topic %s", s.cfg.Topic)
}
