package ingest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/stewardhq/steward/identity"
)

// The identity table of a cluster, where several processes seal and reveal.
//
//  1. It is a compacted topic of one partition, keyed by token: Kafka keeps the last record
//     of each key, so the topic is as large as the organisation.
//  2. A process reads it to its end before it starts, and follows it from then on. What
//     another process learned a moment ago may show as a former person until it arrives.
//  3. Erasing writes a tombstone under the token's key: a record that says forgotten and
//     has no text. The text before it goes when Kafka compacts, which the topic demands
//     within an hour (broker.Config.Compacted).
//  4. A process that has not seen the tombstone yet may write the text once more behind it,
//     and compaction would keep that. Whoever follows and sees it writes the tombstone
//     again; every process does, which is harmless.

// IdentityTopicConfig names the topic, which must exist. Brokers and Topic are required.
type IdentityTopicConfig struct {
	Brokers []string
	TLS     *tls.Config
	SASL    SASL
	Topic   string
	Timeout time.Duration // of one request; default 10 s
	Log     *slog.Logger
}

// IdentityTopic is an identity.Journal on Kafka.
type IdentityTopic struct {
	cfg    IdentityTopicConfig
	client *kafka.Client
	next   int64 // the offset to follow from
}

// NewIdentityTopic connects lazily. It fails only on a SASL mechanism that does not exist.
func NewIdentityTopic(cfg IdentityTopicConfig) (*IdentityTopic, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	mechanism, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, fmt.Errorf("identity table: %w", err)
	}
	return &IdentityTopic{cfg: cfg, client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: transport(cfg.TLS, mechanism)}}, nil
}

// Load reads the topic to the end it has now. The very last record is the last of its key,
// so compaction never leaves a hole there to wait for.
func (t *IdentityTopic) Load(ctx context.Context, each func(identity.Record) error) error {
	for {
		records, end, err := t.fetch(ctx, 100*time.Millisecond)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := each(r); err != nil {
				return err
			}
		}
		if t.next >= end {
			return nil
		}
	}
}

// fetch reads the records after the last ones. What is no record of ours is passed over.
func (t *IdentityTopic) fetch(ctx context.Context, wait time.Duration) (out []identity.Record, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, wait+t.cfg.Timeout)
	defer cancel()
	res, err := t.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: t.cfg.Topic, Offset: t.next, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: wait,
	})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the topic %s: %w", t.cfg.Topic, err)
	}
	records, next, err := collect(res.Records, t.next)
	if err != nil && next == t.next {
		return nil, 0, err
	}
	for _, r := range records {
		var rec identity.Record
		if json.Unmarshal(r.value, &rec) != nil || !identity.IsToken(rec.Token) {
			t.cfg.Log.Warn("a record of the identity table is not understood", "offset", r.offset)
			continue
		}
		out = append(out, rec)
	}
	t.next = next
	return out, res.HighWatermark, nil
}

// Append returns nil only after every in-sync replica has the records.
func (t *IdentityTopic) Append(ctx context.Context, records []identity.Record) error {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	batch := make([]kafka.Record, len(records))
	for i, r := range records {
		value, err := json.Marshal(r)
		if err != nil {
			return err
		}
		batch[i] = kafka.Record{Key: kafka.NewBytes([]byte(r.Token)), Value: kafka.NewBytes(value)}
	}
	res, err := t.client.Produce(ctx, &kafka.ProduceRequest{Topic: t.cfg.Topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(batch...)})
	if err == nil {
		err = res.Error
	}
	if err == nil {
		for _, e := range res.RecordErrors {
			err = errors.Join(err, e)
		}
	}
	return err
}

// Erase writes tombstones.
func (t *IdentityTopic) Erase(ctx context.Context, tokens []string) error {
	records := make([]identity.Record, len(tokens))
	for i, token := range tokens {
		records[i] = identity.Record{Token: token, Forgotten: true}
	}
	return t.Append(ctx, records)
}

// Follow hands over what others write until ctx ends, which is no error. apply says whether
// a record must be erased once more.
func (t *IdentityTopic) Follow(ctx context.Context, apply func(identity.Record) (stale bool)) error {
	var stale []string // still to be erased
	failing := false
	for ctx.Err() == nil {
		records, _, err := t.fetch(ctx, 500*time.Millisecond)
		for _, r := range records {
			if apply(r) {
				stale = append(stale, r.Token)
			}
		}
		if err == nil && len(stale) > 0 {
			if err = t.Erase(ctx, stale); err == nil {
				stale = nil
			}
		}
		if err != nil && ctx.Err() == nil {
			if !failing {
				t.cfg.Log.Error("the identity table cannot be followed; trying again", "error", err)
			}
			pause(ctx, time.Second)
		}
		failing = err != nil
	}
	return nil
}
