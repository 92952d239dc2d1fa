// Package notify takes what Steward has to say to people and other systems to them: signed
// webhooks, mail, and statements for a store of learning records.
//
// Theory of operation
//
//  1. Nothing leaves the machine that the configuration (config.go) does not name. All
//     connections are judged by package outbound when they are made.
//  2. A Note is for one person. Its ID is the same whenever it is sent again: a receiver of
//     webhooks finds it in a header, a mail server as the Message-ID, and both can drop a copy.
//     Sending is at least once: who sends writes down that it was sent afterwards.
//  3. A channel tries once. Whoever drives it tries again (Backoff), and leaves off at once
//     when the other side has refused for good (Refused).
//  4. Statements go to the store in batches, each under its own id, so that a repeat is
//     harmless; which ones it has is kept in a file (sent.go), whose loss costs a repeat.
//  5. No secret, address or text is ever in an error: errors are logged.
package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Note is what one person is told.
type Note struct {
	ID      string
	At      time.Time // when it was planned for
	Person  string
	Name    string
	Address string // e-mail; empty: none is known
	Subject string
	Text    string
	Items   []Item
}

// Item is one piece of work that a note speaks of.
type Item struct {
	Assignment string `json:"assignment"`
	Module     string `json:"module"`
	Title      string `json:"title"`
	URL        string `json:"url,omitempty"`
	Due        string `json:"due,omitempty"`        // RFC 3339: the end of the last day
	NextShift  string `json:"next_shift,omitempty"` // RFC 3339, where the note is about one
	Overdue    bool   `json:"overdue"`
}

// Channel takes notes to people.
type Channel interface {
	Name() string // of a closed set that the configuration gives: it is a metric's label
	Send(ctx context.Context, n Note) error
}

// ErrNoAddress means that there is no way to this person through the channel.
var ErrNoAddress = errors.New("the person has no e-mail address")

// RefusedError means that the other side will not take it, now or later.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Refused says whether trying again is of no use until something changes.
func Refused(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) || errors.Is(err, ErrNoAddress)
}

// WaitError means that the other side named the time after which it may be tried again.
type WaitError struct {
	After  time.Duration
	Reason string
}

func (e *WaitError) Error() string { return e.Reason }

// longestWait bounds what another side may ask for.
const longestWait = time.Hour

// Backoff is how long to wait after so many failures in a row: a second or more, doubling to
// a quarter of an hour, or what the other side asked for.
func Backoff(failures int, err error) time.Duration {
	var wait *WaitError
	if errors.As(err, &wait) && wait.After > 0 {
		return min(wait.After, longestWait)
	}
	return min(time.Second<<min(max(failures, 1), 12), 15*time.Minute)
}

// Secret is a text that no log or error shows. It is behind a pointer, since package fmt
// writes the fields of a struct without asking them.
type Secret struct{ text *string }

func secret(text string) Secret { return Secret{&text} }

func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String hides it from formatting.
func (s Secret) String() string { return "(hidden)" }

// GoString hides it from %#v.
func (s Secret) GoString() string { return "(hidden)" }

// LogValue hides it from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("(hidden)") }

// MarshalText hides it from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(hidden)"), nil }
