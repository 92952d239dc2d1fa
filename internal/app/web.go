package app

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/keys"
)

// handler puts the roles of this process behind one address.
func (a *App) handler() (http.Handler, error) {
	c := a.core
	var intake http.Handler
	if a.cfg.has(RoleIngest) {
		intake = ingest.NewIntake(ingest.IntakeConfig{
			Publisher:  c.Publisher,
			SecretsFor: a.secretsFor, Authorize: a.authorize, May: a.may,
			Now: a.cfg.Now, Log: a.log.With("part", "intake"), Observe: c.metrics.delivery,
		})
	}
	mux := http.NewServeMux()
	if c.Sink != nil {
		mux.HandleFunc("POST /api/v1/import", a.needs(keys.ScopeAdmin, a.acted("import", c.serveImport)))
		mux.HandleFunc("POST /api/v1/rebuild", a.needs(keys.ScopeAdmin, a.acted("rebuild", c.serveRebuild)))
		mux.HandleFunc("POST /api/v1/forget", a.needs(keys.ScopeAdmin, a.serveForget))
	}
	if a.cfg.has(RoleWeb) {
		learn, play := newLearner(c, a.curriculum), newPlayer(c)
		play.over = learn.Played
		deps := dashboards.Deps{
			Store: dashboards.Over(c.Store), Gate: a.who, Ingest: intake, Redriver: redriver{c}, Keys: keyPage{a}, Play: play, Audit: a.ledger.act,
			Learn: learn, Showing: shower{learn, a.rules, a.ledger.act}, Shadow: shadower{learn}, Advise: adviser{learn}, Outgoing: newOutgoing(a),
			Ready: c.ready, Metrics: c.metrics.handler(),
			Zone: a.cfg.Zone, Now: a.cfg.Now, Log: a.log.With("part", "pages"), Version: a.cfg.Version,
			Dev: a.trusting(), ViewAs: a.trusting(), Insecure: a.insecure(),
		}
		deps.Deriving = c.skillsBehind
		deps.Rollouts, deps.Questions = newRoller(newLearner(c, a.curriculum), a.ledger.act), questioner{newLearner(c, a.curriculum)}
		if a.signin != nil {
			deps.SignIn = a.signin.Routes()
		}
		var err error
		if a.pages, err = dashboards.New(deps); err != nil {
			return nil, err
		}
		mux.Handle("/", a.pages.Handler())
	} else {
		a.bare(mux, intake)
	}
	return guard(a.limited(a.named(mux)), c.metrics, a.trusting()), nil
}

// bare is what a process without pages answers: its intake, and how it is.
func (a *App) bare(mux *http.ServeMux, intake http.Handler) {
	if intake != nil {
		mux.Handle("/ingest/", intake)
	}
	mux.Handle("GET /metrics", a.core.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": a.cfg.Version})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ready := a.core.ready(r.Context())
		code := http.StatusOK
		if !ready.Ready {
			code = http.StatusServiceUnavailable
		}
		writeJSON(w, code, map[string]any{
			"ready": ready.Ready, "version": a.cfg.Version, "parts": ready.Parts,
			"sink": map[string]any{"lag_records": ready.LagRecords, "lag_seconds": ready.LagOldest.Seconds()},
		})
	})
}

// named lets a command know that the process behind an address is the one it looks for.
func (a *App) named(next http.Handler) http.Handler {
	pid := strconv.Itoa(os.Getpid())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.Header().Set(processHeader, pid)
		}
		next.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		writeError(w, http.StatusInternalServerError, "the answer could not be written", nil)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

// redriver sends quarantined bytes through decoding again.
type redriver struct{ c *Core }

func (r redriver) Redrive(ctx context.Context, id string) error {
	if err := ingest.Redrive(ctx, r.c.DB, r.c.Publisher, id); err != nil {
		return err
	}
	if r.c.Sink == nil {
		return nil
	}
	// The next page should show it; if the sink is behind, it shows later.
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := r.c.Sink.Drain(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// ready asks each part that this process has.
func (c *Core) ready(ctx context.Context) dashboards.Readiness {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r := dashboards.Readiness{Ready: true, Parts: map[string]string{}}
	say := func(part string, err error) {
		r.Parts[part] = "ok"
		if err != nil {
			r.Parts[part] = err.Error()
			r.Ready = false
		}
	}
	say("log", c.Broker.Writable())
	if c.DB != nil {
		say("warehouse", c.ping(ctx))
	}
	if c.Sink != nil {
		lag, err := c.Sink.Lag(ctx)
		if err == nil {
			err = c.Sink.Health()
		}
		say("sink", err)
		r.LagRecords, r.LagOldest = lag.Records, lag.Oldest
	}
	return r
}

func (c *Core) ping(ctx context.Context) error {
	rows, err := c.DB.Query(ctx, "ready", "SELECT 1")
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}
