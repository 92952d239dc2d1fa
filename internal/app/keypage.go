package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/internal/keys"
)

// keyPage is the tokens and secrets as the page of admins handles them.
//
// What is made or ended, here or by the command line beside a running server, stands in the
// audit log: noteKeys makes an event of whatever the file holds and was not noted yet. The
// key and the moment of a change are in the file, so noting it twice is noting it once.
type keyPage struct{ a *App }

func (k keyPage) Tokens() []dashboards.TokenRow {
	var out []dashboards.TokenRow
	now := k.a.cfg.Now()
	for _, t := range k.a.keys.List() {
		out = append(out, dashboards.TokenRow{ID: t.ID, Name: t.Name, By: t.CreatedBy, Scopes: t.Scopes, Created: t.Created, Expires: t.Expires, LastUsed: t.LastUsed, State: t.State(now)})
	}
	return out
}

func (k keyPage) Scopes() []string {
	out := []string{keys.ScopeRead, keys.ScopeAdmin, keys.ScopeDirectory, keys.ScopeIngest}
	for _, s := range sourceNames(false) {
		out = append(out, keys.ScopeIngest+":"+s)
	}
	return out
}

func (k keyPage) Sources() []string { return sourceNames(true) }

func (k keyPage) Issue(ctx context.Context, who access.Who, name string, scopes []string, expires string) (string, error) {
	ring := &Keyring{Store: k.a.keys, now: k.a.cfg.Now}
	text, t, err := ring.NewToken(name, scopes, expires, who.By())
	if err != nil {
		return "", asKeyError(err)
	}
	if err := k.a.noteKeys(ctx); err != nil { // unrecorded it must not exist
		return "", errors.Join(err, k.a.keys.Revoke(t.ID))
	}
	return text, nil
}

func (k keyPage) Revoke(ctx context.Context, who access.Who, id string) error {
	if err := k.a.ledger.act(ctx, who, "token.revoke", id); err != nil {
		return err
	}
	return asKeyError(k.a.keys.Revoke(id))
}

func (k keyPage) Secrets() []dashboards.SecretRow {
	var out []dashboards.SecretRow
	for _, x := range k.a.keys.ListSecrets() {
		out = append(out, dashboards.SecretRow{ID: x.ID, Source: x.Source, Account: x.Account, Ends: x.Last4, Created: x.Created})
	}
	return out
}

func (k keyPage) Rotate(ctx context.Context, who access.Who, source, account string) (string, error) {
	if err := CheckSigning(source); err != nil {
		return "", &dashboards.KeyError{Field: "source", Reason: err.Error()}
	}
	if err := k.a.ledger.act(ctx, who, "secret.rotate", strings.TrimSuffix(source+"/"+account, "/")); err != nil {
		return "", err
	}
	text, _, err := k.a.keys.RotateSecret(source, account)
	return text, asKeyError(err)
}

func (k keyPage) Retire(ctx context.Context, who access.Who, id string) error {
	for _, x := range k.a.keys.ListSecrets() {
		if x.ID != id {
			continue
		}
		if err := k.a.ledger.act(ctx, who, "secret.retire", x.Source+"/"+x.ID); err != nil {
			return err
		}
		return asKeyError(k.a.keys.RetireSecret(x.Source, x.Account, id))
	}
	return &dashboards.KeyError{Field: "id", Reason: "there is no such secret"}
}

// asKeyError turns the asking's errors, whose words begin with a field, into the page's.
func asKeyError(err error) error {
	var usage *UsageError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keys.ErrNoID):
		return &dashboards.KeyError{Field: "id", Reason: "there is no such token"}
	case errors.As(err, &usage):
		field, reason, ok := strings.Cut(usage.Error(), ": ")
		if !ok {
			field, reason = "token", usage.Error()
		}
		return &dashboards.KeyError{Field: field, Reason: reason}
	}
	if field, reason, ok := strings.Cut(err.Error(), ": "); ok && (field == "name" || field == "scope" || field == "expires" || field == "source" || field == "account" || field == "secret") {
		return &dashboards.KeyError{Field: field, Reason: reason}
	}
	return err
}

// noted is what noteKeys has noted since the start.
type noted struct {
	mu   sync.Mutex
	keys map[string]bool
}

// noteKeysEvery is how soon what the command line did stands in the audit log.
const noteKeysEvery = 2 * time.Second

func (a *App) noteKeys(ctx context.Context) error {
	a.noted.mu.Lock()
	defer a.noted.mu.Unlock()
	if a.noted.keys == nil {
		a.noted.keys = map[string]bool{}
	}
	note := func(by, action, target string, at time.Time) error {
		key := fmt.Sprint(action, "/", target, "/", at.UnixMilli())
		if at.IsZero() || a.noted.keys[key] {
			return nil
		}
		if err := a.ledger.note(ctx, by, action, target, key, at); err != nil {
			return err
		}
		a.noted.keys[key] = true
		return nil
	}
	for _, t := range a.keys.List() {
		if err := errors.Join(
			note(t.CreatedBy, "token.created", t.ID+" ("+strings.Join(t.Scopes, ", ")+")", t.Created),
			note("keys", "token.revoked", t.ID, t.Revoked)); err != nil {
			return err
		}
	}
	for _, x := range a.keys.ListSecrets() {
		if err := note("keys", "secret.created", x.Source+"/"+x.ID, x.Created); err != nil {
			return err
		}
	}
	return nil
}

// watchKeys notes what the command line changes.
func (a *App) watchKeys() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(noteKeysEvery)
		defer tick.Stop()
		for {
			if err := a.noteKeys(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("a change of tokens or secrets could not be recorded; it will be tried again", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	a.cleanup.add("the audit of tokens and secrets", func(ctx context.Context) error {
		cancel()
		return waitFor(ctx, &done)
	})
}
