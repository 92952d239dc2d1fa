package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// timeout is of a whole exchange with another side.
const timeout = 15 * time.Second

// Theory of operation of a webhook
//
//  1. It follows the convention of Standard Webhooks, which has verifiers in many languages:
//     the headers webhook-id, webhook-timestamp (seconds) and webhook-signature, "v1," and the
//     base64 of the HMAC-SHA256 over "ID.TIMESTAMP.BODY", BODY being the bytes as sent.
//  2. The timestamp is that of the attempt, so that a receiver can refuse what is old; the id
//     is the note's, so that it can drop what it has.
//  3. Any 2xx is taken. 408, 425, 429 and 5xx are tried again; all others refuse.

// hook posts notes to one address.
type hook struct {
	name   string
	url    string
	key    []byte
	client *http.Client
	now    func() time.Time
}

// body is what is posted. docs/notifications.md describes it; fields are only ever added.
type body struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		ID      string `json:"id"`
		Person  string `json:"person"`
		Name    string `json:"name,omitempty"`
		Subject string `json:"subject"`
		Text    string `json:"text"`
		Items   []Item `json:"items"`
	} `json:"data"`
}

// NewWebhook is the channel "webhook:NAME" of a resolved configuration.
func NewWebhook(w Webhook, now func() time.Time) (Channel, error) {
	k, err := key(w.secret)
	if err != nil {
		return nil, fmt.Errorf("webhook %s: secret: %w", w.Name, err)
	}
	return &hook{name: "webhook:" + w.Name, url: w.URL, key: k, client: w.client(), now: now}, nil
}

func (h *hook) Name() string { return h.name }

func (h *hook) Send(ctx context.Context, n Note) error {
	b := body{Type: "reminder", Timestamp: n.At.UTC().Format(time.RFC3339)}
	b.Data.ID, b.Data.Person, b.Data.Name, b.Data.Subject, b.Data.Text, b.Data.Items = n.ID, n.Person, n.Name, n.Subject, n.Text, n.Items
	raw, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("write the note: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(raw))
	if err != nil {
		return unaddressed(err)
	}
	stamp := strconv.FormatInt(h.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Steward")
	req.Header.Set("webhook-id", n.ID)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", Sign(h.key, n.ID, stamp, raw))
	res, err := h.client.Do(req)
	if err != nil {
		return unaddressed(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return judge(res, h.now())
}

// Sign is the signature of a delivery.
func Sign(key []byte, id, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%s.", id, timestamp)
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// judge makes of an answer's status what is to be done.
func judge(res *http.Response, now time.Time) error {
	reason := fmt.Sprintf("answered %d", res.StatusCode)
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return &WaitError{retryAfter(res.Header.Get("Retry-After"), now), reason}
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		return errors.New(reason)
	case code >= 300 && code < 400:
		return &RefusedError{reason + ": redirects are not followed, since the body would go to another host"}
	}
	return &RefusedError{reason}
}

// retryAfter reads seconds or a date; 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && s > 0 {
		return time.Duration(min(s, int(longestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// unaddressed takes the address out of an error of net/http: the path of a webhook is often
// its only secret.
func unaddressed(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
