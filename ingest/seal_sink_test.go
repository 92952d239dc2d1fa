package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/broker"
)

func texts(t *testing.T, w *world, sql string) (out []string) {
	t.Helper()
	rows, err := w.db.Query(context.Background(), "test", sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// What others write to the topic in plain is stored as if the publisher had sealed it, and
// the vault knows the texts once the rows are there.
func TestSinkSealsWhatOthersWrote(t *testing.T) {
	w := newWorld(t, false, 1)
	dir := t.TempDir()
	v := vaultIn(t, dir)
	events := append(sample("plain", 8), withAddresses(0))
	w.publish(events...) // by a publisher that has no vault
	cfg := w.config()
	cfg.Direct, cfg.Vault = true, v
	s, stop := w.start(cfg)
	w.drain(s)
	w.exactly(9, 0)
	const all = "SELECT concat(person, ' ', id, ' ', title, ' ', arrayStringConcat(targets, ' '), ' ', subject, ' ', data) FROM events ORDER BY offset"
	stored := texts(t, w, all)
	for _, row := range stored {
		if strings.Contains(row, "@") {
			t.Errorf("stored in plain: %s", row)
		}
	}
	if title := texts(t, w, "SELECT title FROM events WHERE id LIKE 'sealed-%' AND JSONExtractString(data, 'title') = title"); len(title) != 1 || title[0] != "Disk of "+v.Token("cy@example.org") {
		t.Errorf("the title's column and document: %q", title)
	}
	if !strings.HasPrefix(stored[1], v.Token("ana@example.org")+" ") || !strings.Contains(stored[2], "person:"+v.Token("bo@example.org")) {
		t.Errorf("the columns are not sealed: %q", stored[:3])
	}
	for _, who := range []string{"ana@example.org", "bo@example.org", "cy@example.org"} {
		if text, ok := v.Text(v.Token(who)); !ok || text != who {
			t.Errorf("%s is not known: %q", who, text)
		}
	}
	stop()

	// The same records sealed by the publisher give the same rows.
	twin := newWorld(t, false, 1)
	pub, err := NewPublisher(PublisherConfig{Brokers: twin.broker.Addrs(), Topic: twin.topic, Vault: v, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	cfg = twin.config()
	cfg.Direct, cfg.Vault = true, vaultIn(t, t.TempDir()) // of another key: it must not be needed
	s, _ = twin.start(cfg)
	twin.drain(s)
	if again := texts(t, twin, all); !slices.Equal(again, stored) {
		t.Errorf("sealed by the publisher:\n%q\nby the sink:\n%q", again, stored)
	}
}

// withAddresses is an event with an address in its id and its title.
func withAddresses(i int) event.Event {
	e := sample("addressed", 1)[0]
	e.ID = fmt.Sprintf("ticket/%d/Cy@example.org", i)
	e.At, e.Seen = e.At.Add(time.Duration(i)*time.Minute), e.Seen.Add(time.Duration(i)*time.Minute)
	e.Data = []byte(strings.Replace(string(e.Data), "Disk full on host 0", "Disk of Cy@example.org", 1))
	return e
}

// failing is a journal whose disk is full.
type failing struct{ identity.Journal }

func (failing) Load(context.Context, func(identity.Record) error) error { return nil }
func (failing) Append(context.Context, []identity.Record) error         { return errors.New("no room") }

// No token is written whose text is not durable.
func TestPublishWaitsForTheVault(t *testing.T) {
	w := newWorld(t, false, 1)
	v, err := identity.Open(t.Context(), failing{}, make([]byte, identity.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := NewPublisher(PublisherConfig{Brokers: w.broker.Addrs(), Topic: w.topic, Vault: v})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(t.Context(), sample("x", 2)...); !errors.Is(err, ErrUnavailable) {
		t.Errorf("published all the same: %v", err)
	}
	if ends, err := w.broker.Ends(t.Context(), w.topic); err != nil || ends[0] != 0 {
		t.Errorf("the log holds %v, %v", ends, err)
	}
}

// Importing a file twice adds nothing, although what is stored is not what the file says.
func TestImportTwiceSealed(t *testing.T) {
	w := newWorld(t, false, 2)
	v := newVault(t)
	pub, err := NewPublisher(PublisherConfig{Brokers: w.broker.Addrs(), Topic: w.topic, Vault: v, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	cfg := w.config()
	cfg.Direct, cfg.Vault = true, v
	s, _ := w.start(cfg)
	var file strings.Builder
	for _, e := range append(sample("twice", 38), withAddresses(1), withAddresses(2), withAddresses(1)) {
		file.Write(MarshalCloudEvent(e))
		file.WriteByte('\n')
	}
	for i, want := range []ImportStats{{Events: 40, Duplicates: 1}, {Duplicates: 41}} {
		got, err := Import(t.Context(), ImportConfig{Format: cloudEvents, Reader: strings.NewReader(file.String()), Publisher: pub, Sink: s, DB: w.db, Vault: v, Log: testLog(t)})
		if err != nil || got.Events != want.Events || got.Duplicates != want.Duplicates {
			t.Errorf("import %d: %+v, %v", i+1, got, err)
		}
	}
	w.exactly(40, 0)
	if err := pub.Publish(t.Context(), withAddresses(2)); err != nil { // as a redelivery or a redrive would
		t.Fatal(err)
	}
	w.drain(s)
	if n := queryUint(t, w.db, "SELECT uniqExact(source, id) FROM events"); n != 40 {
		t.Errorf("a copy of an event with a sealed id is another: %d", n)
	}
}

// What was stored before ids were sealed is found under the id it has.
func TestImportFindsPlainIDs(t *testing.T) {
	w := newWorld(t, false, 1)
	v := newVault(t)
	if err := InsertDirect(t.Context(), w.db, []event.Event{withAddresses(3)}); err != nil {
		t.Fatal(err)
	}
	pub, err := NewPublisher(PublisherConfig{Brokers: w.broker.Addrs(), Topic: w.topic, Vault: v, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	s, _ := w.start(w.config())
	got, err := Import(t.Context(), ImportConfig{Format: cloudEvents, Reader: strings.NewReader(string(MarshalCloudEvent(withAddresses(3)))), Publisher: pub, Sink: s, DB: w.db, Vault: v, Log: testLog(t)})
	if err != nil || got.Events != 0 || got.Duplicates != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// The table on a topic: what one process learns the other knows, what one forgets the other
// does, and a text that was written behind the tombstone goes again.
func testIdentityTopic(t *testing.T, real bool) {
	w := newWorld(t, real, 1)
	topic := w.topic + ".identities"
	cfg := broker.Config{Addrs: w.broker.Addrs(), Topics: []broker.Topic{{Name: topic, Partitions: 1}}, Compacted: []string{topic}, Log: testLog(t)}
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Stop(context.Background()) })
	open := func() (*identity.Vault, *IdentityTopic) {
		j, err := NewIdentityTopic(IdentityTopicConfig{Brokers: w.broker.Addrs(), Topic: topic, Log: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		v, err := identity.Open(t.Context(), j, []byte(strings.Repeat("k", identity.KeySize)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- j.Follow(ctx, v.Apply) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		return v, j
	}
	one, _ := open()
	two, behind := open()
	ana := identity.Entry{Text: "ana@example.org"}
	name := identity.Entry{Text: "Ana", Owner: "ana@example.org", Name: true}
	if err := one.Register(t.Context(), ana, name); err != nil {
		t.Fatal(err)
	}
	token := one.Token(ana.Text)
	eventually(t, "the other learns", func() bool { return two.Reveal(token) == ana.Text })
	eventually(t, "the other learns the name", func() bool { return two.Reveal(two.NameToken(name.Owner, name.Text)) == "Ana" })
	if n, err := two.Forget(t.Context(), "Ana"); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	eventually(t, "the other forgets", func() bool { _, ok := one.Text(token); return !ok })
	if err := behind.Append(t.Context(), []identity.Record{{Token: token, Text: ana.Text}}); err != nil {
		t.Fatal(err)
	}
	last := func() string { // what compaction would keep
		j, err := NewIdentityTopic(IdentityTopicConfig{Brokers: w.broker.Addrs(), Topic: topic})
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		if err := j.Load(t.Context(), func(r identity.Record) error {
			if r.Token == token {
				text = r.Text
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return text
	}
	eventually(t, "the text goes again", func() bool { return last() == "" })
	three, _ := open()
	if _, ok := three.Text(token); ok {
		t.Error("a process that starts later knows the person")
	}
	if _, known := three.Lookup(ana); !known {
		t.Error("and would take them in again")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 200 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("not in time: " + what)
}

// Records that are sealed cost the sink no search.
func BenchmarkSinkAdd(b *testing.B) {
	v := newVault(b)
	events := sample("add", 4)
	for _, mode := range []string{"no-vault", "sealed", "plain"} {
		var records []record
		for _, e := range events {
			if mode == "sealed" {
				e = sealed(b, v, e)
			}
			records = append(records, record{value: MarshalCloudEvent(e), sealed: mode == "sealed", time: e.At})
		}
		b.Run(mode, func(b *testing.B) {
			blk := &block{}
			if mode != "no-vault" {
				blk.vault = v
			}
			n := 0
			for b.Loop() {
				blk.add("t", 0, records[n%len(records)])
				if n++; n%1000 == 0 {
					blk = blk.recycle(span{})
				}
			}
		})
	}
}
