package dashboards

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Whoever has nothing yet copies these commands: they name this server, and the event in
// them is one.
func TestFirstSteps(t *testing.T) {
	store := newFake()
	store.empty = true
	page := text(t, body(t, get(t, boot(t, store), "/")))
	for _, want := range []string{"http://steward.test/ingest/pagerduty", "steward import", "--server http://steward.test", "curl http://steward.test/ingest/cloudevents"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	steps := firstSteps("http://steward.test", true)
	_, event, _ := strings.Cut(steps[len(steps)-1].Command, "-d '")
	var got map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSuffix(event, "'")), &got); err != nil || got["type"] != "dev.steward.service.owned.v1" {
		t.Errorf("%v: %s", err, event)
	}
}

// Where there is nothing to say yet, a page says so once and not in every card.
func TestNothingIsSaidOnce(t *testing.T) {
	for path, most := range map[string]int{"/oncall": 1, "/ownership": 2, "/services/ledger": 2} {
		store := &catalog{newFake()}
		store.empty = true
		page := body(t, get(t, boot(t, store.fake, func(d *Deps) { d.Store = store }), path))
		if n := strings.Count(page, `<section class="card`); n < 1 || n > most {
			t.Errorf("%s has %d cards, at most %d say something", path, n, most)
		}
	}
}

// catalog knows one service and nothing that happened.
type catalog struct{ *fake }

func (c *catalog) For(access.Who, string) Reading { return c }

func (*catalog) Directory(context.Context) (*analytics.Directory, error) {
	return &analytics.Directory{Services: []analytics.Service{{ID: "ledger", Name: "Ledger"}}}, nil
}
