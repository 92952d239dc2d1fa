package notify

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/outbound"
)

var noteNow = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func note() Note {
	return Note{ID: "0123456789abcdef0123456789abcdef", At: noteNow, Person: "ana@example.org", Name: "Ana Öz", Address: "ana@example.org", Subject: "1 module to learn", Text: "PG1 Überblick\n  due Mon 4 May 2026\n",
		Items: []Item{{Assignment: "a", Module: "PG1", Title: "Überblick", Due: "2026-05-05T00:00:00Z"}}}
}

func webhookTo(t testing.TB, address string, allow ...string) Channel {
	t.Helper()
	w := Webhook{Name: "chat", URL: address, secret: secret(secretText), Reach: Reach{AllowPrivate: allow}}
	w.open("", func(field, format string, args ...any) { t.Fatalf(field+": "+format, args...) })
	c, err := NewWebhook(w, func() time.Time { return noteNow.Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWebhook(t *testing.T) {
	var got []byte
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		header = r.Header
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	c := webhookTo(t, server.URL, "127.0.0.0/8")
	if err := c.Send(t.Context(), note()); err != nil {
		t.Fatal(err)
	}
	if c.Name() != "webhook:chat" {
		t.Error(c.Name())
	}
	want := `{"type":"reminder","timestamp":"2026-05-04T09:00:00Z","data":{"id":"0123456789abcdef0123456789abcdef","person":"ana@example.org","name":"Ana Öz","subject":"1 module to learn",` +
		`"text":"PG1 Überblick\n  due Mon 4 May 2026\n","items":[{"assignment":"a","module":"PG1","title":"Überblick","due":"2026-05-05T00:00:00Z","overdue":false}]}}`
	if string(got) != want || !json.Valid(got) {
		t.Errorf("%s", got)
	}
	// As a receiver checks it, over the bytes that came.
	stamp := strconv.FormatInt(noteNow.Add(time.Hour).Unix(), 10)
	if header.Get("webhook-id") != note().ID || header.Get("webhook-timestamp") != stamp || header.Get("webhook-signature") != Sign([]byte(secretText), note().ID, stamp, got) {
		t.Errorf("%v", header)
	}
	if Sign([]byte(secretText), note().ID, stamp, append(got, ' ')) == header.Get("webhook-signature") || Sign([]byte("another"), note().ID, stamp, got) == header.Get("webhook-signature") {
		t.Error("the signature says nothing")
	}
}

// The example of the convention's own text: its secret, id, timestamp and body.
func TestWebhookSignatureOfTheConvention(t *testing.T) {
	k, err := key(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Sign(k, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
}

func TestWebhookAnswers(t *testing.T) {
	status, after := 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.Header().Set("Location", "/other")
		w.WriteHeader(status)
	}))
	defer server.Close()
	c := webhookTo(t, server.URL+"/secret-path", "127.0.0.0/8")
	for _, x := range []struct {
		status  int
		after   string
		refused bool
		wait    time.Duration
	}{
		{500, "", false, 0}, {408, "", false, 0}, {400, "", true, 0}, {401, "", true, 0}, {410, "", true, 0}, {307, "", true, 0},
		{429, "120", false, 2 * time.Minute}, {503, noteNow.Add(time.Hour + 90*time.Second).Format(http.TimeFormat), false, 90 * time.Second}, {429, "999999", false, time.Hour}, {429, "soon", false, 2 * time.Second},
	} {
		status, after = x.status, x.after
		err := c.Send(t.Context(), note())
		if err == nil || Refused(err) != x.refused || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%d: %v", x.status, err)
		}
		if x.wait > 0 && Backoff(1, err) != x.wait {
			t.Errorf("%d after %q: wait %v", x.status, x.after, Backoff(1, err))
		}
	}
	server.Close()
	if err := c.Send(t.Context(), note()); err == nil || Refused(err) || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestWebhookIsGuarded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer server.Close()
	var refused *outbound.RefusedError
	if err := webhookTo(t, server.URL).Send(t.Context(), note()); !errors.As(err, &refused) {
		t.Error(err)
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	before := time.Duration(0)
	for i := range 30 {
		d := Backoff(i+1, errors.New("x"))
		if d < before || d < time.Second || d > 15*time.Minute {
			t.Errorf("%d: %v", i+1, d)
		}
		before = d
	}
	if before != 15*time.Minute {
		t.Error(before)
	}
}
