package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Header names of a poison record, and of nothing else, on the topic.
const (
	headerPoison   = "steward-poison" // the reason
	headerField    = "steward-field"
	headerSource   = "steward-source"
	headerAccount  = "steward-account"
	headerReceived = "steward-received" // RFC 3339
	headerHeaders  = "steward-headers"  // JSON object
)

// maxPoison is how much of a body the log can keep in one record.
const maxPoison = maxRecord - 256<<10

// Poison is bytes that arrived and could not become events.
type Poison struct {
	Source   string // of the intake or importer: "pagerduty", "cloudevents", "uci-incident-log"
	Account  string
	Reason   string            // for a person; never repeats the payload
	Field    string            // at fault, or ""
	Header   map[string]string // what decoding needs again; SafeHeader leaves out secrets
	Body     []byte
	Received time.Time
}

// PublishPoison makes the bytes durable in the log; the sink moves them to quarantine.
// Errors as Publish's.
func (p *Publisher) PublishPoison(ctx context.Context, x Poison) error {
	if x.Received.IsZero() {
		x.Received = p.cfg.Now()
	}
	if len(x.Body) > maxPoison {
		x.Body, x.Reason = x.Body[:maxPoison], x.Reason+fmt.Sprintf(" (only the first %d bytes are kept)", maxPoison)
	}
	return p.write(ctx, []kafka.Message{x.message()})
}

func (x Poison) message() kafka.Message {
	header := []byte("{}")
	if len(x.Header) > 0 {
		if b, err := json.Marshal(x.Header); err == nil { // sorts the names
			header = b
		}
	}
	return kafka.Message{
		Key:   []byte(x.Source + "/" + x.Account),
		Value: append([]byte{}, x.Body...), // never nil: a tombstone would be skipped
		Headers: []kafka.Header{
			{Key: headerPoison, Value: []byte(x.Reason)},
			{Key: headerField, Value: []byte(x.Field)},
			{Key: headerSource, Value: []byte(x.Source)},
			{Key: headerAccount, Value: []byte(x.Account)},
			{Key: headerReceived, Value: appendTime(nil, x.Received)},
			{Key: headerHeaders, Value: header},
		},
	}
}

// digest recognises the same bytes from the same place, whenever they come.
func digest(source, account string, raw []byte) string {
	h := sha256.New()
	h.Write([]byte(source))
	h.Write([]byte{0})
	h.Write([]byte(account))
	h.Write([]byte{0})
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil))
}

// SafeHeader keeps the headers that say what a body is, and drops credentials, cookies
// and signatures: quarantine is shown on a page.
func SafeHeader(h http.Header) map[string]string {
	out := make(map[string]string)
	for name, values := range h {
		lower := strings.ToLower(name)
		switch {
		case len(values) == 0,
			strings.Contains(lower, "authorization"), strings.Contains(lower, "cookie"),
			strings.Contains(lower, "signature"), strings.Contains(lower, "token"),
			strings.Contains(lower, "secret"), strings.Contains(lower, "api-key"):
			continue
		case lower == "content-type", lower == "user-agent", strings.HasPrefix(lower, "ce-"), strings.HasPrefix(lower, "x-"):
			out[lower] = values[0]
		}
		if len(out) == 64 {
			break
		}
	}
	return out
}
