package app

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A question asked right after an acknowledged event finds it, though the sink needs a
// moment: the README's first steps are these.
func TestQuestionAfterAnAcknowledgement(t *testing.T) {
	dir := t.TempDir()
	a, _, _ := boot(t, Config{Data: dir, Dev: true})
	server := target(t, dir)
	for n := range 5 {
		post(t, a.URL(), n)
		body, err := server.Query(t.Context(), "incidents", url.Values{"from": {"2025-06-01"}}, "csv")
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("\n,,%d,", n+1); !strings.Contains(string(body), want) {
			t.Errorf("after %d events: %q, want %q in it", n+1, body, want)
		}
	}
}

func post(t *testing.T, url string, n int) {
	t.Helper()
	event := fmt.Sprintf(`{"specversion":"1.0","id":"e%d","source":"/s","type":"dev.steward.incident.opened.v1","time":"2025-06-02T09:00:00Z","data":{"incident":"i%d","title":"t"}}`, n, n)
	resp, err := http.Post(url+"/ingest/cloudevents", "application/cloudevents+json", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
}

// A warehouse that was lost is filled from the log again: it never is an empty history.
func TestLostWarehouseIsFilledFromTheLog(t *testing.T) {
	dir := t.TempDir()
	a, _, stop := boot(t, Config{Data: dir, Dev: true})
	for n := range 3 {
		post(t, a.URL(), n)
	}
	shown(t, a.URL(), 3)
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) { // committed too
		if _, _, body := get(t, a.URL()+"/readyz"); strings.Contains(body, `"lag_records":0`) {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the sink does not commit")
		}
	}
	stop()
	if err := os.RemoveAll(filepath.Join(dir, "engine")); err != nil {
		t.Fatal(err)
	}
	a, l, _ := boot(t, Config{Data: dir, Dev: true})
	shown(t, a.URL(), 3)
	if !strings.Contains(l.String(), "storing the log again") {
		t.Error("it was not said")
	}
}

// shown waits until n events are queryable, each once.
func shown(t *testing.T, url string, n int) {
	t.Helper()
	begin := time.Now()
	for i := range n {
		for {
			_, _, body := get(t, fmt.Sprintf("%s/api/v1/events?incident=i%d", url, i))
			if strings.Count(body, `"incident.opened"`) == 1 {
				break
			}
			if time.Since(begin) > 20*time.Second {
				t.Fatalf("i%d: %s", i, body)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}
