package ingest

import (
	"testing"
)

// The engine knows a span's token and has lost its rows. A replay is dropped by the token;
// the rows come back all the same, and no view sees them twice.
func TestRowsBehindAKnownTokenComeBack(t *testing.T) {
	w := newWorld(t, false, 1)
	cfg := w.config()
	s, err := NewSink(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{s: s, partition: 0, generation: -1}
	events := sample("r", 50)
	b := &block{span: span{0, 49}}
	for i, e := range events {
		b.add(w.topic, 0, record{offset: int64(i), time: e.Seen, value: MarshalCloudEvent(e)})
	}
	if _, err := l.insert(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Exec(t.Context(), "lose", "DELETE FROM events WHERE offset < 50"); err != nil {
		t.Fatal(err)
	}
	count := func(what string) uint64 { return queryUint(t, w.db, "SELECT count() FROM "+what) }
	if n := count("events"); n != 0 {
		t.Fatalf("%d rows are left", n)
	}
	if _, err := l.insert(t.Context(), b); err != nil { // an ordinary insert trusts the token
		t.Fatal(err)
	}
	if n := count("events"); n != 0 {
		t.Fatalf("the token is not known: %d rows", n)
	}
	b.replayed = true
	for range 2 { // the second finds them there
		if _, err := l.insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if n, passed := count("events"), count("passed"); n != 50 || passed != 50 {
			t.Errorf("%d rows, %d in the view, want 50 and 50", n, passed)
		}
	}
}
