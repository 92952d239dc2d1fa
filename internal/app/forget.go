package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest"
)

// ForgetResult says what forgetting a person came to.
type ForgetResult struct {
	Person      string `json:"person"`      // the token that stays
	Texts       int    `json:"texts"`       // ids, aliases and names that are gone
	Quarantined int    `json:"quarantined"` // quarantined records that held one of them, deleted
	Plain       uint64 `json:"plain"`       // stored events that still hold an id in plain
}

// Warning is a sentence about what could not be forgotten, "" when everything was.
func (r ForgetResult) Warning() string {
	if r.Plain == 0 {
		return ""
	}
	return fmt.Sprintf("%d stored events still hold an id of this person in plain: those stored before there was an identity table, and titles or contacts that somebody wrote it into. They cannot be changed in place; a fresh import into a new data directory leaves the former out", r.Plain)
}

// Forget makes a person unreadable, whichever of their ids, aliases or names is given, and
// keeps every number. The order lets a crash at any point be repaired by asking again: the
// texts go last, since they are what finds the rest. Whom nobody knows is a *UsageError.
func (c *Core) Forget(ctx context.Context, person string) (ForgetResult, error) {
	p, err := c.Vault.Find(person)
	if errors.Is(err, identity.ErrUnknown) || errors.Is(err, identity.ErrAmbiguous) {
		return ForgetResult{}, &UsageError{Message: err.Error()}
	}
	if err != nil {
		return ForgetResult{}, err
	}
	done := ForgetResult{Person: p.Token}
	if !p.Forgotten {
		e, err := ingest.Forgotten(p.Token, c.cfg.Now().UTC().Truncate(time.Millisecond))
		if err != nil {
			return done, err
		}
		if err := c.Publisher.Publish(ctx, e); err != nil {
			return done, err
		}
	}
	// What was accepted before is looked through too.
	if err := c.Sink.Drain(ctx); err != nil {
		return done, err
	}
	ids := p.IDs
	if len(ids) == 0 && !identity.IsToken(person) {
		ids = []string{person} // forgotten before: a record may have come in since
	}
	if done.Quarantined, err = ingest.ForgetQuarantined(ctx, c.DB, append(ids[:len(ids):len(ids)], p.Names...)); err != nil {
		return done, err
	}
	if done.Plain, err = ingest.CountPlain(ctx, c.DB, ids); err != nil {
		return done, err
	}
	done.Texts, err = c.Vault.Forget(ctx, p.Token)
	if c.forgot != nil {
		c.forgot(p.IDs)
	}
	return done, err
}

// serveForget answers POST /api/v1/forget with a ForgetResult.
func (c *Core) serveForget(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Person string `json:"person"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ask); err != nil || ask.Person == "" {
		writeError(w, http.StatusBadRequest, `the body must be {"person":"…"}`, nil)
		return
	}
	done, err := c.Forget(r.Context(), ask.Person)
	var usage *UsageError
	switch {
	case errors.As(err, &usage):
		writeError(w, http.StatusNotFound, usage.Message, nil)
	case err != nil:
		c.log.Error("a person could not be forgotten", "token", done.Person, "error", err)
		writeError(w, http.StatusServiceUnavailable, "not everything is forgotten yet, ask again: "+err.Error(), nil)
	default:
		c.log.Info("forgot a person", "token", done.Person, "texts", done.Texts, "quarantined", done.Quarantined, "plain", done.Plain)
		writeJSON(w, http.StatusOK, done)
	}
}

func (l *local) Forget(ctx context.Context, person string) (ForgetResult, error) {
	if err := l.core.acted(ctx, "forget", ""); err != nil {
		return ForgetResult{}, err
	}
	return l.core.Forget(ctx, person)
}
