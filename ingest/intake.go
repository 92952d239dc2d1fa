package ingest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
)

// The intake is the door for pushed events.
//
// Theory of operation
//
//  1. The body is read under a limit into a pooled buffer that grows as bytes arrive: who
//     announces much and sends little costs little. Over the limit: 413. All bodies being
//     read share a budget, so that a flood of them costs that and no more. Over it: 503.
//  2. Who sends must prove it: 401 otherwise, and nothing is stored. A source that signs
//     is verified over the raw bytes before anything is parsed. One that does not sign
//     must show a token, and that is decided before its body is read, so that a stranger
//     costs a header. Only a server for development lets everybody send.
//  3. The bytes become events or an error. Our own API (cloudevents) is told what is
//     wrong, with 400 and the field. A vendor is never told: it would drop the event and
//     later the subscription. Its bytes are published as poison, and the answer is 202.
//  4. 202 is written only after the log has acknowledged. If it does not: 503 with
//     Retry-After, and the sender's retry makes the same ids.
//  5. Of our own API's events some are nobody's to send: those of which Steward itself is
//     the witness (own). Others are for whoever may say them (May). One that is refused
//     refuses its whole batch, with 403, and nothing of it is stored. Tools are not asked:
//     what kinds their decoders make is no choice of the sender.

// DefaultMaxBody is the largest body the intake takes, in bytes.
const DefaultMaxBody = 512 << 10

// publisher is what the intake needs of a Publisher; tests refuse and delay here.
type publisher interface {
	Publish(ctx context.Context, events ...event.Event) error
	PublishPoison(ctx context.Context, x Poison) error
}

// IntakeConfig says what the intake accepts. Publisher is required.
type IntakeConfig struct {
	Publisher publisher
	// SecretsFor answers what a delivery may be signed with, several during a rotation;
	// nil or none: nothing is accepted of sources that sign. It is asked for every
	// delivery and must be quick. An address without an account has the account "default".
	SecretsFor func(source, account string) []string
	// Authorize decides whether a request may send for a source that does not sign; what
	// its error says is not told to the sender. Nil lets everybody who can connect.
	Authorize func(r *http.Request, source string) error
	// May decides whether a request that Authorize let in may send events of these kinds,
	// each named once, to our own API; the sender is told what its error says. It is asked
	// when the body is read and understood. Nil lets everything be sent.
	May     func(r *http.Request, kinds []event.Kind) error
	Now     func() time.Time
	MaxBody int64         // bytes; default DefaultMaxBody
	Timeout time.Duration // to have a request acknowledged by the log; default 15 s
	Log     *slog.Logger
	Observe func(source string, status, events int) // after each request
}

type intake struct {
	cfg     IntakeConfig
	formats map[string]source.Format
	bodies  sync.Pool
	held    atomic.Int64 // bytes of bodies in memory now
}

// cloudEvents names the source that needs no decoder.
const cloudEvents = "cloudevents"

// NewIntake serves POST /ingest/{source} and /ingest/{source}/{account}, and the OPTIONS
// handshake of CloudEvents webhooks. Answers are JSON: {"accepted":n}, or {"error":…,
// "field":…} with 400, 401, 403, 404, 405, 413, 415 or 503.
func NewIntake(cfg IntakeConfig) http.Handler {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	in := &intake{cfg: cfg, formats: make(map[string]source.Format)}
	in.bodies.New = func() any { return new(bytes.Buffer) }
	for _, f := range source.Webhooks() {
		in.formats[f.Name] = f
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ingest/{source}", in.serve)
	mux.HandleFunc("/ingest/{source}/{$}", in.serve) // a 404 to a slash too many would lose events
	mux.HandleFunc("/ingest/{source}/{account}", in.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, &refusal{status: http.StatusNotFound, text: "events are taken at /ingest/{source}"})
	})
	return mux
}

// refusal is an answer other than 202.
type refusal struct {
	status      int
	text, field string
	bearer      bool // a token would help
}

func (r *refusal) Error() string { return r.text }

func (in *intake) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("source")
	n, err := in.take(w, r)
	status := http.StatusAccepted
	var no *refusal
	switch {
	case err == nil && n < 0: // a handshake, already answered
		status = http.StatusOK
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		b := append(make([]byte, 0, 32), `{"accepted":`...)
		w.Write(append(strconv.AppendInt(b, int64(n), 10), '}', '\n'))
	case errors.As(err, &no):
		status = no.status
		refuse(w, no)
	default:
		in.cfg.Log.Error("intake", "source", name, "error", err)
		status = http.StatusServiceUnavailable
		refuse(w, &refusal{status: status, text: "the log does not take events now"})
	}
	if in.cfg.Observe != nil {
		if _, known := in.formats[name]; !known && name != cloudEvents {
			name = "unknown" // a metric's label must not grow with what strangers send
		}
		in.cfg.Observe(name, status, max(n, 0))
	}
}

func refuse(w http.ResponseWriter, r *refusal) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.bearer {
		h.Set("WWW-Authenticate", "Bearer")
	}
	switch r.status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "POST, OPTIONS")
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // the rest of the body is not worth reading
	}
	w.WriteHeader(r.status)
	b := appendString([]byte(`{"error":`), r.text)
	if r.field != "" {
		b = appendString(append(b, `,"field":`...), r.field)
	}
	w.Write(append(b, '}', '\n'))
}

// take handles one request. It answers how many events were accepted, -1 for a handshake.
func (in *intake) take(w http.ResponseWriter, r *http.Request) (int, error) {
	name, account := r.PathValue("source"), r.PathValue("account")
	format, known := in.formats[name]
	if !known && name != cloudEvents {
		return 0, &refusal{status: http.StatusNotFound, text: "there is no source of this name"}
	}
	if account == "" {
		account = "default"
	}
	if !accountName(account) {
		return 0, &refusal{status: http.StatusNotFound, text: "an account is named by letters, digits, dot, dash and underscore, at most 64"}
	}
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		handshake(w, r)
		return -1, nil
	default:
		return 0, &refusal{status: http.StatusMethodNotAllowed, text: "events are sent by POST"}
	}
	if format.Verify == nil && in.cfg.Authorize != nil {
		if err := in.cfg.Authorize(r, name); err != nil {
			in.cfg.Log.Debug("a delivery without a valid token", "source", name, "account", account, "reason", err)
			return 0, &refusal{status: http.StatusUnauthorized, text: "this needs a token with the scope ingest or ingest:" + name, bearer: true}
		}
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return 0, &refusal{status: http.StatusUnsupportedMediaType, text: "compressed bodies are not accepted"}
	}
	buf := in.bodies.Get().(*bytes.Buffer)
	defer func() {
		in.held.Add(-int64(buf.Len()))
		if buf.Cap() <= 1<<20 {
			buf.Reset()
			in.bodies.Put(buf)
		}
	}()
	if err := in.read(w, r, buf); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), in.cfg.Timeout)
	defer cancel()
	if name == cloudEvents {
		return in.cloudEvents(ctx, r, account, buf.Bytes())
	}
	return in.vendor(ctx, format, account, r.Header, buf.Bytes())
}

// handshake answers the abuse protection of the CloudEvents webhook specification.
func handshake(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "POST, OPTIONS")
	if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
		h.Set("WebHook-Allowed-Origin", origin)
		if r.Header.Get("WebHook-Request-Rate") != "" {
			h.Set("WebHook-Allowed-Rate", "*")
		}
	}
	w.WriteHeader(http.StatusOK)
}

// accountName keeps accounts usable in a source's path.
func accountName(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64 && strings.Trim(s, ".") != ""
}

// vendor takes one delivery of a tool.
func (in *intake) vendor(ctx context.Context, f source.Format, account string, h http.Header, body []byte) (int, error) {
	if f.Verify != nil {
		var secrets []string
		if in.cfg.SecretsFor != nil {
			secrets = in.cfg.SecretsFor(f.Name, account)
		}
		if len(secrets) == 0 {
			return 0, &refusal{status: http.StatusUnauthorized, text: "no secret is configured for this source"}
		}
		if err := f.Verify(h, body, secrets); err != nil {
			return 0, &refusal{status: http.StatusUnauthorized, text: "signature missing or wrong"}
		}
	}
	now := in.cfg.Now().UTC().Truncate(time.Millisecond)
	events, err := decode(f, source.Delivery{Account: account, Header: h, Body: body, Received: now})
	if err == nil {
		for i := range events {
			events[i].Seen = now
		}
		if err = in.cfg.Publisher.Publish(ctx, events...); err == nil {
			return len(events), nil
		}
		if !errors.Is(err, ErrTooLarge) {
			return 0, err
		}
	}
	reason, field := undecodable(err)
	in.cfg.Log.Warn("a delivery goes to quarantine", "source", f.Name, "account", account, "reason", reason, "field", field)
	if err := in.poison(ctx, f.Name, account, reason, field, h, body, now); err != nil {
		return 0, err
	}
	return 0, nil
}

func (in *intake) poison(ctx context.Context, name, account, reason, field string, h http.Header, body []byte, now time.Time) error {
	return in.cfg.Publisher.PublishPoison(ctx, Poison{
		Source: name, Account: account, Reason: reason, Field: field,
		Header: SafeHeader(h), Body: body, Received: now,
	})
}

// decode runs a decoder and turns a panic of one, which is a bug, into an error: a
// stranger's bytes must not take the process down, and the bytes are kept for the fix.
func decode(f source.Format, d source.Delivery) (events []event.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			events, err = nil, &source.Undecodable{Reason: "the decoder failed"}
		}
	}()
	return f.Decode(d)
}

func undecodable(err error) (reason, field string) {
	var u *source.Undecodable
	var fe *event.FieldError
	switch {
	case errors.As(err, &u):
		return u.Reason, u.Field
	case errors.As(err, &fe):
		return fe.Reason, fe.Field
	case errors.Is(err, ErrTooLarge):
		return ErrTooLarge.Error(), ""
	case errors.Is(err, ErrUnknownType):
		return "unknown type", "type"
	}
	return err.Error(), ""
}
