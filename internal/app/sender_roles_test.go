package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/internal/warehouse/fronttest"
)

// Of two processes that could send one does, and when it stops the other takes over.
func TestOneOfSeveralSends(t *testing.T) {
	kafka := os.Getenv("STEWARD_KAFKA")
	if kafka == "" {
		b, err := broker.Start(t.Context(), broker.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Stop(context.Background()); err != nil { // the test's own context is over
				t.Error(err)
			}
		})
		kafka = b.Addrs()[0]
	}
	r := &receiver{}
	cluster := Config{
		Dev: true, Roles: []string{RoleSink}, Notify: r.config(t), noticeEvery: 24 * time.Hour,
		Kafka: []string{kafka}, Topic: "senders." + strings.ToLower(strings.ReplaceAll(t.TempDir(), "/", ".")), Partitions: 2,
		IdentityKey: strings.Repeat("0a", 32),
		ClickHouse:  fronttest.New(t, warehouse.Config{Dir: t.TempDir()}).DSN(),
	}
	var apps []*App
	var stops []func()
	for range 2 {
		c := cluster
		c.Data = t.TempDir()
		a, _, stop := boot(t, c)
		apps, stops = append(apps, a), append(stops, stop)
	}
	tell := func(round int) {
		t.Helper()
		var events []event.Event
		for i := range 40 { // so that each partition has some
			e, err := event.New("/import/test", event.TeamDescribed, fmt.Sprint("team", i), fmt.Sprint(round, i), time.Now(), map[string]any{"team": fmt.Sprint("team", i), "name": "T"})
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		if err := apps[1].core.Publisher.Publish(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
	senders := func(of []*App) (out []int) {
		for i, a := range of {
			if a.core.sendsAlone() {
				out = append(out, i)
			}
		}
		return out
	}
	await := func(of []*App, round int) []int {
		t.Helper()
		tell(round)
		for end := time.Now().Add(90 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			got := senders(of)
			if len(got) == 1 {
				return got
			}
			if time.Now().After(end) {
				t.Fatalf("%d of %d processes would send", len(got), len(of))
			}
		}
	}
	first := await(apps, 0)[0]
	for range 10 { // and it stays so
		if got := senders(apps); len(got) != 1 || got[0] != first {
			t.Fatalf("%v would send, not %d alone", got, first)
		}
		time.Sleep(50 * time.Millisecond)
	}
	stops[first]()
	apps[1] = apps[1-first] // who is left tells
	await(apps[1:], 1)
}
