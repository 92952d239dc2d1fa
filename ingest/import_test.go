package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
)

func brokerFault(key, code int16) broker.Fault {
	return broker.Fault{Key: key, Code: code, Times: -1}
}

func (w *world) load(s *Sink, format string, file []byte) ImportStats {
	w.t.Helper()
	stats, err := Import(w.t.Context(), ImportConfig{
		Format: format, Reader: bytes.NewReader(file), Publisher: w.pub, Sink: s, DB: w.db,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if stats.Bytes != int64(len(file)) {
		w.t.Errorf("%d bytes consumed of %d", stats.Bytes, len(file))
	}
	stats.Bytes = 0
	return stats
}

func TestImportCloudEvents(t *testing.T) {
	w := newWorld(t, false, 4)
	s, _ := w.start(w.config())
	var file bytes.Buffer
	file.WriteString("\ufeff") // some editors do
	events := sample("i", 9000)
	for i, e := range events {
		file.Write(append(MarshalCloudEvent(e), '\n'))
		switch i {
		case 100:
			file.WriteString("\r\n  \nnot json\n" + strings.Repeat("[", 10_000) + "\n\xff\n")
		case 200:
			file.WriteString(strings.Repeat("x", maxLine+5000) + "\n")
		case 8500:
			file.Write(append(MarshalCloudEvent(events[0]), '\n')) // far from its first copy
			file.Write(append(MarshalCloudEvent(e), '\n'))
		}
	}
	first := w.load(s, "cloudevents", file.Bytes())
	if want := (ImportStats{Events: 9000, Duplicates: 2, Quarantined: 4}); first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	w.exactly(9000, 4)
	before, err := digestTables(t.Context(), w.db)
	if err != nil {
		t.Fatal(err)
	}

	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(file.Bytes())
	z.Close()
	again := w.load(s, "cloudevents", zipped.Bytes())
	if want := (ImportStats{Duplicates: 9002, Quarantined: 4}); again != want {
		t.Errorf("again: %+v, want %+v", again, want)
	}
	w.exactly(9000, 4)
	after, err := digestTables(t.Context(), w.db)
	if err != nil || before != after {
		t.Errorf("the second import changed something: %v\n%+v\n%+v", err, before, after)
	}
	if got := queryUint(t, w.db, "SELECT count() FROM events WHERE seen = at + INTERVAL 1 SECOND"); got != 9000 {
		t.Errorf("%d events kept their recordedtime", got)
	}

	// An earlier recordedtime is a better one.
	early := events[7]
	early.Seen = early.Seen.Add(-500 * time.Millisecond)
	if got := w.load(s, "cloudevents", MarshalCloudEvent(early)); got != (ImportStats{Duplicates: 1}) {
		t.Errorf("earlier copy: %+v", got)
	}
	if got := queryUint(t, w.db, fmt.Sprintf("SELECT toUInt64(toUnixTimestamp64Milli(seen)) FROM events FINAL WHERE id = '%s'", early.ID)); got != uint64(early.Seen.UnixMilli()) {
		t.Errorf("seen %d", got)
	}
}

// Of several copies in one file the one seen first counts, in whichever order they stand,
// in one chunk or in two.
func TestImportCopies(t *testing.T) {
	w := newWorld(t, false, 1)
	s, _ := w.start(w.config())
	events := sample("c", chunkEvents+10)
	var file bytes.Buffer
	for i, e := range events {
		late := e
		late.Seen = e.Seen.Add(72 * time.Hour)
		pair := [][]byte{MarshalCloudEvent(late), MarshalCloudEvent(e)}
		if i%2 == 0 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		file.Write(append(pair[0], '\n'))
		file.Write(append(pair[1], '\n'))
	}
	early := events[3]
	early.Seen = early.At
	file.Write(append(MarshalCloudEvent(early), '\n')) // far behind the others
	n := uint64(len(events))
	if got, want := w.load(s, "cloudevents", file.Bytes()), (ImportStats{Events: n, Duplicates: n + 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := queryUint(t, w.db, "SELECT count() FROM events FINAL"); got != n {
		t.Errorf("%d events of %d", got, n)
	}
	if got := queryUint(t, w.db, "SELECT count() FROM events FINAL WHERE seen = at + INTERVAL 1 SECOND"); got != n-1 {
		t.Errorf("%d of %d events were seen when their first copy was", got, n-1)
	}
	if got := queryUint(t, w.db, "SELECT count() FROM events FINAL WHERE seen = at"); got != 1 {
		t.Errorf("%d events were seen when they happened, want the one whose earliest copy came last", got)
	}
}

func TestImportUCI(t *testing.T) {
	file, err := os.ReadFile("source/testdata/uci-incident-log/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, false, 8)
	cfg := w.config()
	cfg.Direct = true
	s, _ := w.start(cfg)
	first := w.load(s, "uci-incident-log", file) // two of its rows are bad on purpose
	if want := (ImportStats{Events: 25, Quarantined: 2}); first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	w.exactly(25, 2)
	if again := w.load(s, "uci-incident-log", file); again != (ImportStats{Duplicates: 25, Quarantined: 2}) {
		t.Errorf("again: %+v", again)
	}
	w.exactly(25, 2)
}

func TestImportRefuses(t *testing.T) {
	if _, err := Import(t.Context(), ImportConfig{Format: "nagios", Reader: strings.NewReader("")}); !errors.Is(err, ErrUnknownFormat) {
		t.Errorf("%v", err)
	}
	if _, err := Import(t.Context(), ImportConfig{Format: "cloudevents", Account: "a/b", Reader: strings.NewReader("")}); err == nil {
		t.Error("an account with a slash")
	}
	// A gzip that ends early: what came before is stored, and the error says so.
	w := newWorld(t, false, 1)
	s, _ := w.start(w.config())
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for _, e := range sample("z", 500) {
		z.Write(append(MarshalCloudEvent(e), '\n'))
		z.Flush()
	}
	half := zipped.Bytes()[:zipped.Len()/2]
	stats, err := Import(t.Context(), ImportConfig{Format: "cloudevents", Reader: bytes.NewReader(half), Publisher: w.pub, Sink: s, DB: w.db})
	if err == nil || stats.Events == 0 || stats.Events >= 500 {
		t.Errorf("%+v %v", stats, err)
	}
	w.drain(s)
	w.exactly(int(stats.Events), int(stats.Quarantined))
}

func TestRedrive(t *testing.T) {
	w := newWorld(t, false, 1)
	s, _ := w.start(w.config())
	pd := delivery(t)
	for _, x := range []Poison{
		{Source: "pagerduty", Account: "acme", Reason: "an older version could not", Body: pd, Received: intakeNow},
		{Source: "cloudevents", Reason: "unknown type", Header: map[string]string{"content-type": contentStructured}, Body: []byte(goodEvent), Received: intakeNow},
		{Source: "cloudevents", Reason: "of an import", Body: []byte(goodEvent), Received: intakeNow},
		{Source: "pagerduty", Account: "acme", Reason: "bad", Body: []byte("{"), Received: intakeNow},
	} {
		if err := w.pub.PublishPoison(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	w.drain(s)
	id := func(reason string) string {
		rows, err := w.db.Query(t.Context(), "test", "SELECT id FROM quarantine WHERE reason = {r:String}", warehouse.Param{Name: "r", Value: reason})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var id string
		for rows.Next() {
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
		}
		return id
	}
	for _, reason := range []string{"an older version could not", "unknown type", "of an import"} {
		if err := Redrive(t.Context(), w.db, w.pub, id(reason)); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if err := Redrive(t.Context(), w.db, w.pub, id("bad")); err == nil {
		t.Error("bytes that are still bad were re-driven")
	}
	if err := Redrive(t.Context(), w.db, w.pub, "nothing"); !errors.Is(err, ErrNotQuarantined) {
		t.Errorf("%v", err)
	}
	w.drain(s)
	if got := queryUint(t, w.db, "SELECT uniqExact(source, id) FROM events WHERE account = 'acme'"); got == 0 {
		t.Error("the webhook is not in the table")
	}
	if got := queryUint(t, w.db, "SELECT count() FROM events FINAL WHERE source = '/import/uci'"); got != 1 {
		t.Errorf("%d copies of the event", got)
	}
	if got := queryUint(t, w.db, "SELECT countIf(outcome LIKE 'published%') * 10 + countIf(outcome LIKE 'still%') FROM quarantine_redrive"); got != 31 {
		t.Errorf("outcomes %d", got)
	}
	if got := queryUint(t, w.db, "SELECT count() FROM quarantine"); got != 4 {
		t.Errorf("%d rows in quarantine", got)
	}
}
