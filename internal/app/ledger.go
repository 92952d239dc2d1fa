package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
)

// ledger makes events of looks at people's data and of administrative acts. Both return
// when the log has them, and their callers go on only then: what cannot be recorded is
// neither shown nor done.
type ledger struct {
	publisher *ingest.Publisher
	now       func() time.Time
}

type lookData struct {
	Person string `json:"person"` // whose data
	By     string `json:"by"`
	What   string `json:"what"`
}

// Record keeps looks, all in one append.
func (l *ledger) Record(ctx context.Context, looks []access.Look) error {
	var events []event.Event
	at := l.now()
	for _, k := range looks {
		e, err := event.New(event.OwnSource, event.ViewRecorded, k.Person, rand.Text(), at, lookData{k.Person, k.By, k.What})
		if err != nil {
			return fmt.Errorf("record a look: %w", err)
		}
		events = append(events, e)
	}
	return l.publisher.Publish(ctx, events...)
}

type auditData struct {
	By     string `json:"by"`
	Action string `json:"action"`
	Target string `json:"target,omitempty"`
}

// act keeps an administrative act of somebody.
func (l *ledger) act(ctx context.Context, who access.Who, action, target string) error {
	return l.note(ctx, who.By(), action, target, rand.Text(), l.now())
}

// note keeps an act that happened at a moment. The same key and moment are the same act,
// however often it is noted.
func (l *ledger) note(ctx context.Context, by, action, target, key string, at time.Time) error {
	e, err := event.New(event.OwnSource, event.AuditRecorded, "audit:"+action, key, at, auditData{by, action, target})
	if err != nil {
		return fmt.Errorf("record an act: %w", err)
	}
	return l.publisher.Publish(ctx, e)
}

// acted keeps an act of whoever runs a command on a directory that no server has open.
func (c *Core) acted(ctx context.Context, action, target string) error {
	l := &ledger{c.Publisher, c.cfg.Now}
	return l.act(ctx, access.Operator(), action, target)
}

// acted lets an administrative request through once it is recorded.
func (a *App) acted(action string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a.ledger.act(r.Context(), a.actor(r), action, r.URL.Query().Get("format")); err != nil {
			writeError(w, http.StatusServiceUnavailable, unrecorded, nil)
			return
		}
		next(w, r)
	}
}

const unrecorded = "the act could not be recorded, so it is not done"

// actor is whose act a request is that needs let through.
func (a *App) actor(r *http.Request) access.Who {
	switch t, found, err := a.bearer(r); {
	case found && err == nil && t.ID != localID:
		return access.Token(called(t), false, true)
	case !found && a.trusting():
		if who, err := a.viewingAs(r); err == nil {
			return who
		}
	}
	return access.Operator()
}
