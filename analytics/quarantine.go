package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

const quarantineColumns = `q.id, toString(q.source), toString(q.account), q.reason, q.field, q.received, q.partition, q.offset, toUInt64(length(q.raw)),
    r.id != '' AS redriven, r.last_at, r.last_outcome`

const quarantineFrom = ` FROM quarantine AS q FINAL
LEFT JOIN (SELECT id, max(at) AS last_at, argMax(outcome, at) AS last_outcome FROM quarantine_redrive GROUP BY id) AS r ON q.id = r.id`

func scanQuarantine(r *warehouse.Rows, more ...any) (QuarantineRow, error) {
	var q QuarantineRow
	var bytes uint64
	var redriven bool
	var last time.Time
	err := r.Scan(append([]any{&q.ID, &q.Source, &q.Account, &q.Reason, &q.Field, &q.Received, &q.Partition, &q.Offset, &bytes,
		&redriven, &last, &q.Outcome}, more...)...)
	q.Bytes = int(bytes)
	if redriven {
		q.Redriven = last
	}
	return q, err
}

// quarantine lists what could not become an event, newest first, without its bytes, and
// says how many there are in all.
func (s *Store) quarantine(ctx context.Context, pass access.Pass, limit, offset int) ([]QuarantineRow, uint64, error) {
	if limit <= 0 || limit > 1000 {
		limit = 100
	}
	q := s.present()
	var total uint64
	if err := s.look(ctx, pass, "quarantine size", q, nil, "SELECT count() FROM quarantine FINAL", nil,
		func(r *warehouse.Rows) error { return r.Scan(&total) }); err != nil {
		return nil, 0, err
	}
	out := []QuarantineRow{}
	err := s.look(ctx, pass, "quarantine", q, nil,
		"SELECT "+quarantineColumns+quarantineFrom+" ORDER BY q.received DESC, q.id LIMIT {limit:UInt32} OFFSET {offset:UInt32}",
		[]warehouse.Param{{Name: "limit", Value: uint32(limit)}, {Name: "offset", Value: uint32(max(0, offset))}},
		func(r *warehouse.Rows) error {
			row, err := scanQuarantine(r)
			out = append(out, row)
			return err
		})
	return out, total, err
}

// quarantineItem is one quarantined record with its bytes and headers; ErrNotFound.
func (s *Store) quarantineItem(ctx context.Context, pass access.Pass, id string) (*QuarantineRow, error) {
	var out *QuarantineRow
	err := s.look(ctx, pass, "quarantine item", s.present(), nil,
		"SELECT "+quarantineColumns+", q.raw, q.headers"+quarantineFrom+" WHERE q.id = {id:String} LIMIT 1",
		[]warehouse.Param{{Name: "id", Value: id}},
		func(r *warehouse.Rows) error {
			var raw, headers string
			row, err := scanQuarantine(r, &raw, &headers)
			if err != nil {
				return err
			}
			row.Raw, row.Headers = []byte(raw), map[string]string{}
			if headers != "" {
				if err := json.Unmarshal([]byte(headers), &row.Headers); err != nil {
					return fmt.Errorf("headers: %w", err)
				}
			}
			out = &row
			return nil
		})
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, fmt.Errorf("quarantine: %w", ErrNotFound)
	}
	return out, nil
}
