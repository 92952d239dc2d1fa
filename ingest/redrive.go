package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
	"github.com/stewardhq/steward/internal/warehouse"
)

// ErrNotQuarantined says that there is no such row.
var ErrNotQuarantined = errors.New("no such row in quarantine")

// Redrive decodes a quarantined row's bytes with the decoders of this version and
// publishes what they give. The outcome is appended to quarantine_redrive either way; the
// row itself stays. A nil error means that the events are in the log; the decoder's
// refusal is returned as an error (*source.Undecodable, *event.FieldError, ErrUnknownType).
func Redrive(ctx context.Context, db *warehouse.DB, p *Publisher, id string) error {
	row, err := quarantined(ctx, db, id)
	if err != nil {
		return err
	}
	events, err := redecode(row)
	outcome := fmt.Sprintf("published %d events", len(events))
	if err != nil {
		reason, field := undecodable(err)
		outcome = "still not readable: " + reason
		if field != "" {
			outcome += " (" + field + ")"
		}
	} else if err = p.Publish(ctx, events...); err != nil {
		return err // nothing happened yet; the person may try again
	}
	at := p.cfg.Now().UTC().Truncate(time.Millisecond)
	ierr := db.Insert(ctx, "quarantine_redrive", []string{"id", "at", "outcome"}, "redrive/"+id+"/"+at.Format(time.RFC3339Nano),
		func(b warehouse.Batch) error { return b.Append(id, at, outcome) })
	return errors.Join(err, ierr)
}

func quarantined(ctx context.Context, db *warehouse.DB, id string) (badRow, error) {
	rows, err := db.Query(ctx, "quarantine-row",
		`SELECT id, received, source, account, headers, raw FROM quarantine WHERE id = {id:String} ORDER BY received LIMIT 1`,
		warehouse.Param{Name: "id", Value: id})
	if err != nil {
		return badRow{}, err
	}
	defer rows.Close()
	var row badRow
	found := false
	for rows.Next() {
		var raw string
		if err := rows.Scan(&row.id, &row.received, &row.source, &row.account, &row.headers, &raw); err != nil {
			return badRow{}, err
		}
		row.raw, found = []byte(raw), true
	}
	if err := rows.Err(); err != nil {
		return badRow{}, err
	}
	if !found {
		return badRow{}, ErrNotQuarantined
	}
	return row, nil
}

// redecode finds the decoder by the row's source: a webhook, an importer's line, or a
// CloudEvent in whichever mode it came.
func redecode(row badRow) ([]event.Event, error) {
	var named map[string]string
	if err := json.Unmarshal([]byte(row.headers), &named); err != nil {
		named = nil
	}
	h := http.Header{}
	for k, v := range named {
		h.Set(k, v)
	}
	for _, f := range append(source.Webhooks(), source.Imports()...) {
		if f.Name == row.source {
			events, err := decode(f, source.Delivery{Account: row.account, Header: h, Body: row.raw, Received: row.received})
			if err == nil && len(events) == 0 {
				err = &source.Undecodable{Reason: "the decoder gave no events"}
			}
			return events, err
		}
	}
	if row.source == "kafka" {
		r := record{value: row.raw}
		for k, v := range named {
			r.headers = append(r.headers, header{k, []byte(v)})
		}
		e, _, err := decodeRecord(&r)
		return received(row.received, []event.Event{e}, err)
	}
	in := intake{}
	events, unknown, err := in.parse(h, row.raw)
	if len(unknown) > 0 {
		err = ErrUnknownType
	}
	var no *refusal
	if errors.As(err, &no) { // an imported line has no content type
		var e event.Event
		e, _, err = ParseCloudEvent(row.raw)
		events = []event.Event{e}
	} else if err == nil {
		err = own(h, events, nil) // it came through the intake, before its kind was known
	}
	return received(row.received, events, err)
}

// received gives events without a time the moment they first came.
func received(at time.Time, events []event.Event, err error) ([]event.Event, error) {
	if err != nil {
		return nil, err
	}
	for i := range events {
		if events[i].At.IsZero() {
			events[i].At = at
		}
	}
	return events, nil
}
