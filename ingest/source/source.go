// Package source holds the decoders: what a tool sends becomes events, and nothing else
// happens. No network, no clock, no state that outlives a file.
//
// Theory of operation
//
//  1. A Format is one kind of input. Webhooks lists those that arrive by HTTP, Imports
//     those that arrive as files. A new source is one file and one line in a list here.
//  2. Decode is pure: the same Delivery gives the same events with the same ids, byte for
//     byte. That is what makes a redelivery, a second subscription and a repeated import
//     count once.
//  3. What cannot be decoded is an *Undecodable: the caller keeps the bytes in quarantine
//     and answers 2xx, because a tool that is told 4xx drops the event and, after a few,
//     the subscription. Decode is all or nothing: with an error there are no events.
//  4. Open cuts a file into deliveries small enough to fail alone (a log entry, a captured
//     webhook, the rows of one incident), so that one bad line costs nothing but itself.
//     A delivery can be decoded again from its Body alone; quarantine relies on it.
//  5. The vendor's body stays in every event under data.raw, compacted, so a better
//     decoder can be run over history.
package source

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Webhooks lists the formats that arrive over HTTP, except CloudEvents, which are events
// already.
func Webhooks() []Format {
	return []Format{pagerDuty()}
}

// Imports lists the formats that arrive as files, except CloudEvents.
func Imports() []Format {
	return []Format{pagerDutyEntries(), pagerDutyCaptures(), uciIncidentLog()}
}

// Format is one kind of input.
type Format struct {
	Name  string // as in the address of the intake and in --format
	Title string // for people

	// Decode turns one webhook body, one line or one page into events. Zero events and no
	// error mean that there is nothing to keep. An error is always an *Undecodable.
	Decode func(d Delivery) ([]event.Event, error)

	// Verify checks a delivery's signature against any of the secrets; nil where the
	// source signs nothing. The error is ErrSignature and says no more than that.
	Verify func(h http.Header, body []byte, secrets []string) error

	// Open reads a file, plain or gzip; nil where the source is no importer.
	Open func(r io.Reader) (Lines, error)
}

// Delivery is one thing to decode, with what its transport knew about it.
type Delivery struct {
	// Account tells several accounts of one tool apart; "" is the format's default. It
	// may hold letters, digits, dot, underscore and dash, at most 64 of them.
	Account  string
	Header   http.Header // nil where there was none
	Body     []byte      // not kept, not changed
	Received time.Time   // stands in for a source time that is missing

	// fault is what an importer already knew to be wrong when it cut the file. Decode
	// returns it, so callers treat it like any other undecodable delivery.
	fault *Undecodable
}

// Lines iterates over the deliveries of one file. It is used by one goroutine.
type Lines interface {
	// Next returns the next delivery; its Account and, mostly, Received are the caller's
	// to fill. The error is io.EOF at the end; any other means that the rest of the file
	// cannot be read. A part that cannot be decoded is no error here but in Decode.
	Next() (Delivery, error)
	// Offset is the number of bytes consumed of the file as it is stored (compressed, if
	// it is), for showing progress.
	Offset() int64
}

// Undecodable says why a delivery became no events. Neither text repeats a value of the
// input, which may be personal or hostile, except a type's name cut to plain characters.
type Undecodable struct {
	Reason string
	Field  string // the member at fault, "event.data.id"; "" where it is the whole
}

func (u *Undecodable) Error() string {
	if u.Field == "" {
		return u.Reason
	}
	return u.Field + ": " + u.Reason
}

// ErrSignature means that no signature of a delivery fits any secret.
var ErrSignature = errors.New("signature missing or wrong")
