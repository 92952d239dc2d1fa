package ingest

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// An installation from before the digest is brought up to date with its rows, and once
// more after a crash between the change and its note in the ledger. From then on copies
// that differ stay side by side.
func TestDigestIsAddedToAnOldLog(t *testing.T) {
	ctx := t.Context()
	if err := openDB(t).Close(); err != nil { // one engine a process; the next test opens the shared one anew
		t.Fatal(err)
	}
	os.RemoveAll(sharedDir)
	sharedDB = nil
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	old := fstest.MapFS{}
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if text, err := fs.ReadFile(Migrations(), name); err != nil {
			t.Fatal(err)
		} else if name != "events_identity.sql" {
			old[name] = &fstest.MapFile{Data: text}
		}
	}
	if len(old) != len(names)-1 {
		t.Fatal("nothing is left out", names)
	}
	if err := db.Migrate(ctx, old); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(ctx, "before", "INSERT INTO events (kind, at, id, source, seen) VALUES ('incident.noted', '2025-01-01 00:00:00', 'n', '/test', '2025-01-01 00:00:00')"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Migrate(ctx, Migrations()); err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(ctx, "forget", "TRUNCATE TABLE schema_ledger"); err != nil {
			t.Fatal(err)
		}
	}
	e, err := event.New("/test", event.IncidentOpened, "i", "i", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), map[string]any{"incident": "i", "title": "one"})
	if err != nil {
		t.Fatal(err)
	}
	other := e
	other.Data = []byte(`{"incident":"i","title":"two"}`)
	for range 2 {
		for _, copied := range []event.Event{e, other} {
			if err := InsertDirect(ctx, db, []event.Event{copied}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Exec(ctx, "merge", "OPTIMIZE TABLE events FINAL"); err != nil {
		t.Fatal(err)
	}
	if n := queryUint(t, db, "SELECT count() FROM events"); n != 3 {
		t.Errorf("%d rows, want the old one and two copies that differ", n)
	}
	if n := queryUint(t, db, "SELECT count() FROM events WHERE identity = cityHash64(source, id)"); n != 3 {
		t.Errorf("%d rows have their identity", n)
	}
}
