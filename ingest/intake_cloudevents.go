package ingest

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// cloudEvents takes the three modes of our own API. Events of an unknown type are kept
// in quarantine one by one, so that they do not hold up their neighbours in a batch.
func (in *intake) cloudEvents(ctx context.Context, r *http.Request, account string, body []byte) (int, error) {
	h := r.Header
	events, unknown, err := in.parse(h, body)
	var fe *event.FieldError
	switch {
	case errors.As(err, &fe):
		return 0, &refusal{status: http.StatusBadRequest, text: fe.Error(), field: fe.Field}
	case err != nil:
		return 0, err
	}
	if err := own(h, events, unknown); err != nil {
		return 0, err
	}
	if in.cfg.May != nil && len(events) > 0 {
		if err := in.cfg.May(r, kindsOf(events)); err != nil {
			return 0, &refusal{status: http.StatusForbidden, text: err.Error(), field: "type"}
		}
	}
	now := in.cfg.Now().UTC().Truncate(time.Millisecond)
	for i := range events {
		events[i].Seen = now
		if events[i].At.IsZero() {
			events[i].At = now
		}
	}
	err = in.cfg.Publisher.Publish(ctx, events...)
	if errors.Is(err, ErrTooLarge) {
		return 0, &refusal{status: http.StatusRequestEntityTooLarge, text: "an event is too large for the log"}
	}
	if err != nil {
		return 0, err
	}
	for _, raw := range unknown {
		header := h
		if isBatch(h) { // the row holds one event of the batch
			header = h.Clone()
			header.Set("Content-Type", contentStructured)
		}
		if err := in.poison(ctx, cloudEvents, account, "unknown type", "type", header, raw, now); err != nil {
			return 0, err
		}
	}
	return len(events) + len(unknown), nil
}

var errOwnSource = &refusal{status: http.StatusForbidden, text: "only Steward itself says something under the source " + event.OwnSource, field: "source"}

// own refuses what only Steward itself may say. A type that is not known yet is judged by
// its source, since sent through decoding again later it could be one of those.
func own(h http.Header, events []event.Event, unknown [][]byte) error {
	for _, e := range events {
		if e.Kind.Own() {
			return &refusal{status: http.StatusForbidden, text: "only Steward itself says " + string(e.Kind), field: "type"}
		}
		if event.IsOwnSource(e.Source) {
			return errOwnSource
		}
	}
	for _, raw := range unknown {
		// Read again, since this is rare: of what is not known only the bytes were kept.
		read := ParseCloudEvent
		if media := mediaOf(h); media != contentStructured && media != contentBatch {
			read = func(b []byte) (event.Event, event.Fields, error) { return binaryHTTP(h, b) }
		}
		if e, _, _ := read(raw); event.IsOwnSource(e.Source) {
			return errOwnSource
		}
	}
	return nil
}

// kindsOf names each kind of events once.
func kindsOf(events []event.Event) (kinds []event.Kind) {
	for _, e := range events {
		if !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func isBatch(h http.Header) bool { return mediaOf(h) == contentBatch }

// mediaOf is the content type without parameters, "" for one that cannot be read.
func mediaOf(h http.Header) string {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// parse tells the modes apart. The error is a *event.FieldError or a *refusal.
func (in *intake) parse(h http.Header, body []byte) (events []event.Event, unknown [][]byte, err error) {
	media := mediaOf(h)
	one := func(e event.Event, _ event.Fields, err error) ([]event.Event, [][]byte, error) {
		if errors.Is(err, ErrUnknownType) {
			return nil, [][]byte{body}, nil
		}
		return []event.Event{e}, nil, err
	}
	switch {
	case media == contentStructured:
		return one(ParseCloudEvent(body))
	case media == contentBatch:
		return ParseBatch(body)
	case strings.HasPrefix(media, "application/cloudevents"):
	case h.Get("Ce-Specversion") != "" || h.Get("Ce-Id") != "" || h.Get("Ce-Type") != "":
		if media != "" && media != "application/json" && !strings.HasSuffix(media, "+json") {
			break
		}
		return one(binaryHTTP(h, body))
	}
	return nil, nil, &refusal{
		status: http.StatusUnsupportedMediaType,
		text:   "send " + contentStructured + ", " + contentBatch + ", or application/json with ce- headers",
	}
}
