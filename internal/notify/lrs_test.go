package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stewardhq/steward/training/xapi"
)

// records is a store of learning records as the specification has it: all of a batch or
// nothing, ids once, the same statement again is no conflict, and every rule checked.
type records struct {
	mu     sync.Mutex
	kept   map[string]string
	order  []string
	fate   func(batch int) string // what becomes of a request: "", a status, "lost", "before"
	posts  int
	most   int // statements in a batch it takes; 0 any
	faults []string
}

func (r *records) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts++
	user, password, _ := q.BasicAuth()
	switch {
	case q.Method != http.MethodPost || q.URL.Path != "/xapi/statements":
		w.WriteHeader(http.StatusNotFound)
		return
	case q.Header.Get("X-Experience-API-Version") != "1.0.3":
		http.Error(w, "version", http.StatusBadRequest)
		return
	case (user != "lrs" || password != secretText) && q.Header.Get("Authorization") != "Bearer "+secretText:
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(q.Body)
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil || len(list) == 0 {
		http.Error(w, "no list", http.StatusBadRequest)
		return
	}
	fate := ""
	if r.fate != nil {
		fate = r.fate(len(list))
	}
	drop := func() {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	switch fate {
	case "":
	case "lost":
	case "before":
		drop()
		return
	default:
		var code int
		_, _ = fmt.Sscan(fate, &code)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(code)
		return
	}
	if r.most > 0 && len(list) > r.most {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	var ids []string
	for _, raw := range list {
		if faults := xapi.Validate(raw); len(faults) > 0 {
			r.faults = append(r.faults, fmt.Sprint(faults))
			http.Error(w, faults[0].Error(), http.StatusBadRequest)
			return
		}
		var s struct{ ID string }
		_ = json.Unmarshal(raw, &s)
		var flat bytes.Buffer
		_ = json.Compact(&flat, raw)
		if before, found := r.kept[s.ID]; slices.Contains(ids, s.ID) || found && before != flat.String() {
			w.WriteHeader(http.StatusConflict)
			return
		}
		ids = append(ids, s.ID)
	}
	for i, raw := range list {
		var flat bytes.Buffer
		_ = json.Compact(&flat, raw)
		if _, found := r.kept[ids[i]]; !found {
			r.order = append(r.order, ids[i])
		}
		r.kept[ids[i]] = flat.String()
	}
	if fate == "lost" { // it has them, and nobody is told
		drop()
		return
	}
	_ = json.NewEncoder(w).Encode(ids)
}

func session(i int) xapi.Session {
	return xapi.Session{Learner: xapi.Account{HomePage: "https://steward.example.org", Name: "n1"}, Registration: "2a41c918-b88b-4220-a0a5-a4c32391a240", ID: fmt.Sprint("s", i),
		Activity: "https://steward.example.org/training/PG1", Publisher: "https://steward.dev/curriculum/PG1", Title: "T", LaunchURL: "https://steward.example.org/training/PG1", MasteryScore: 0.75}
}

func statements(n int) []xapi.Statement {
	var out []xapi.Statement
	for i := range n {
		out = append(out, session(i).Initialized(noteNow.Add(time.Duration(i)*time.Minute)))
	}
	return out
}

func (r *records) serve(t testing.TB) LRS {
	t.Helper()
	r.kept = map[string]string{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	l := LRS{Endpoint: server.URL + "/xapi", User: "lrs", secret: secret(secretText), Actor: "account", Reach: Reach{AllowPrivate: []string{"127.0.0.0/8"}}}
	l.open("", func(field, format string, args ...any) { t.Fatalf(field+": "+format, args...) })
	return l
}

func storeAt(t testing.TB, l LRS, path string) *Store {
	t.Helper()
	sent, err := OpenSent(path)
	if err != nil {
		t.Fatal(err)
	}
	return NewStore(l, sent, func() time.Time { return noteNow })
}

func ids(all []xapi.Statement) (out []string) {
	for _, s := range all {
		out = append(out, s.ID)
	}
	return out
}

func TestPush(t *testing.T) {
	r := &records{}
	l := r.serve(t)
	path := filepath.Join(t.TempDir(), "sent")
	all := statements(120)
	all[3].Stored = "2026-05-04T09:00:00Z" // the store's to say
	s := storeAt(t, l, path)
	done, err := s.Push(t.Context(), all)
	if err != nil || done != (Outcome{Sent: 120}) || r.posts != 3 || !slices.Equal(r.order, ids(all)) {
		t.Fatal(done, err, r.posts)
	}
	if done, err = s.Push(t.Context(), all); err != nil || done != (Outcome{}) || r.posts != 3 {
		t.Error("sent again", done, err)
	}
	if done, err = storeAt(t, l, path).Push(t.Context(), all); err != nil || done != (Outcome{}) || r.posts != 3 {
		t.Error("sent again after a restart", done, err)
	}
	// A crash in the middle of a line, and the loss of the whole list: both are repeats.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if done, err = storeAt(t, l, path).Push(t.Context(), all); err != nil || done != (Outcome{Sent: 1}) {
		t.Error(done, err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(b) {
		t.Error("the list is not whole again", err)
	}
	if done, err = storeAt(t, l, path+"2").Push(t.Context(), all); err != nil || done.Sent != 120 || len(r.order) != 120 {
		t.Error(done, err, len(r.order))
	}
	l.User = "" // a bearer token
	if _, err = storeAt(t, l, path+"3").Push(t.Context(), all[:1]); err != nil {
		t.Error(err)
	}
}

// Something in the store is worded otherwise: it stays, everything else gets there.
func TestPushOverConflicts(t *testing.T) {
	r := &records{most: 20}
	l := r.serve(t)
	all := statements(60)
	for _, i := range []int{7, 8, 55} {
		r.kept[all[i].ID] = "{}"
	}
	s := storeAt(t, l, filepath.Join(t.TempDir(), "sent"))
	done, err := s.Push(t.Context(), all)
	if err != nil || done != (Outcome{Sent: 57, Conflicts: 3}) || len(r.kept) != 60 || r.kept[all[7].ID] != "{}" {
		t.Fatal(done, err, len(r.kept))
	}
	posts := r.posts
	if done, err := s.Push(t.Context(), all); err != nil || done != (Outcome{}) || r.posts != posts {
		t.Error("conflicts are sent for ever", done, err)
	}
}

func TestPushLeavesOutWhatIsWrong(t *testing.T) {
	r := &records{}
	l := r.serve(t)
	all := statements(3)
	all[1].Verb.ID = "no IRI"
	done, err := storeAt(t, l, filepath.Join(t.TempDir(), "sent")).Push(t.Context(), all)
	if err != nil || done != (Outcome{Sent: 2, Invalid: 1}) || len(r.faults) > 0 {
		t.Error(done, err, r.faults)
	}
}

func TestPushStops(t *testing.T) {
	for _, c := range []struct {
		fate, want string
		stops      bool
	}{
		{"400", "400", true}, {"401", "user and secret", true}, {"403", "may write", true}, {"404", "endpoint", true}, {"302", "redirects", true},
		{"500", "500", false}, {"429", "429", false}, {"503", "503", false}, {"408", "408", false}, {"before", "", false}, {"lost", "", false},
	} {
		r := &records{fate: func(int) string { return c.fate }}
		l := r.serve(t)
		_, err := storeAt(t, l, filepath.Join(t.TempDir(), "sent")).Push(t.Context(), statements(3))
		var stopped *StoppedError
		if err == nil || errors.As(err, &stopped) != c.stops || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secretText) {
			t.Errorf("%s: %v", c.fate, err)
		}
		if (c.fate == "429" || c.fate == "503") && Backoff(9, err) != 7*time.Second {
			t.Errorf("%s: it asked for 7 s, not %v", c.fate, Backoff(9, err))
		}
		if r.posts != 1 && c.stops {
			t.Errorf("%s: %d requests", c.fate, r.posts)
		}
	}
	r := &records{most: -1}
	l := r.serve(t)
	r.fate = func(int) string { return "413" }
	var stopped *StoppedError
	if _, err := storeAt(t, l, filepath.Join(t.TempDir(), "sent")).Push(t.Context(), statements(3)); !errors.As(err, &stopped) {
		t.Error(err)
	}
}

// Whatever goes wrong, and however often the process dies between, the store ends with every
// statement, once, and a withdrawal never before what it withdraws.
func TestPushOverOutages(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &records{}
		l := r.serve(t)
		fates := []string{"", "", "", "", "", "", "", "429", "500", "lost", "lost", "before"}
		r.fate = func(int) string { return rapid.SampledFrom(fates).Draw(rt, "fate") }
		r.most = rapid.IntRange(5, 60).Draw(rt, "most")
		path := filepath.Join(t.TempDir(), "sent")
		var all []xapi.Statement
		for i := range rapid.IntRange(1, 90).Draw(rt, "n") {
			s := session(i).Completed(noteNow.Add(time.Duration(i)*time.Minute), time.Minute)
			all = append(all, s)
			if i%7 == 3 {
				all = append(all, xapi.Voiding(xapi.Account{HomePage: "https://steward.example.org", Name: "steward"}, s.ID, noteNow))
			}
		}
		s := storeAt(t, l, path)
		known := 0
		for range 400 {
			known = min(known+rapid.IntRange(1, 30).Draw(rt, "new"), len(all))
			if rapid.IntRange(0, 3).Draw(rt, "dies") == 0 {
				s = storeAt(t, l, path)
			}
			_, err := s.Push(t.Context(), all[:known])
			if stopped := (*StoppedError)(nil); errors.As(err, &stopped) {
				rt.Fatal(err)
			}
			if err == nil && known == len(all) {
				break
			}
		}
		if !slices.Equal(r.order, ids(all)) || len(r.faults) > 0 {
			rt.Fatalf("%d of %d arrived, in another order or not at all; %v", len(r.order), len(all), r.faults)
		}
	})
}
