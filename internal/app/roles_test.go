package app

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/internal/warehouse/fronttest"
)

// Two processes of a cluster, each with its part of the roles: what one takes in, the
// other stores and shows. Kafka is the one of CI where there is one, else our own broker
// over its port; ClickHouse is the engine behind its HTTP interface.
func TestRolesApart(t *testing.T) {
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
	cluster := Config{
		Dev:   true,
		Kafka: []string{kafka}, Topic: "roles." + strings.ToLower(strings.ReplaceAll(t.TempDir(), "/", ".")), Partitions: 2,
		IdentityKey: strings.Repeat("0a", 32),
		ClickHouse:  fronttest.New(t, warehouse.Config{Dir: t.TempDir()}).DSN(),
	}
	back := cluster
	back.Roles, back.Data = []string{RoleWeb, RoleSink}, t.TempDir()
	pages, _, _ := boot(t, back)
	front := cluster
	front.Roles, front.Data = []string{RoleIngest}, t.TempDir()
	intake, _, _ := boot(t, front)

	const event = `{"specversion":"1.0","id":"e1","source":"/try/acme","type":"dev.steward.incident.opened.v1","subject":"try:acme:1",` +
		`"time":"2026-01-05T09:00:00Z","data":{"incident":"try:acme:1","title":"Slow"}}`
	resp, err := http.Post(intake.URL()+"/ingest/cloudevents", "application/cloudevents+json", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("the intake answers %s", resp.Status)
	}
	if err := pages.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, body := get(t, pages.URL()+"/api/v1/events?incident=try:acme:1"); !strings.Contains(body, `"id":"e1"`) {
		t.Errorf("the event is not shown: %s", body)
	}
	for _, a := range []*App{pages, intake} {
		if code, _, body := get(t, a.URL()+"/readyz"); code != http.StatusOK {
			t.Errorf("roles %v are not ready: %s", a.cfg.Roles, body)
		}
		if code, _, _ := get(t, a.URL()+"/metrics"); code != http.StatusOK {
			t.Errorf("roles %v have no metrics: %d", a.cfg.Roles, code)
		}
	}
	if code, _, _ := get(t, intake.URL()+"/"); code != http.StatusNotFound {
		t.Errorf("an intake alone shows pages: %d", code)
	}
	if resp, err := http.Post(pages.URL()+"/ingest/cloudevents", "application/cloudevents+json", strings.NewReader(event)); err != nil || resp.StatusCode < 400 {
		t.Errorf("pages alone take events in: %v, %v", resp, err)
	}
}
