// Package app wires the product in plain Go: log, warehouse, sink, answers, pages. The
// command line runs it, and tests boot the whole of it on a free port.
//
// Theory of operation
//
//  1. New checks the configuration and does nothing else. Start brings everything up: the
//     address first, since a taken port should cost nothing; log and engine at the same
//     time, since neither waits for the other; then schema, sink, pages.
//  2. Whatever starts puts how to stop it on a stack (cleanup.go). Stop runs the stack
//     backwards: no new requests, then the sink, then what they stand on.
//  3. One process owns the data directory. While it serves, server.json there says where
//     (record.go); the command line finds the server by it, and a server that finds one
//     left behind knows that its predecessor did not end cleanly.
//  4. A command asks a Target: the running server over HTTP, or the directory opened by
//     the command itself (target.go). Both run the same Core.
package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/keys"
	"github.com/stewardhq/steward/internal/signin"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/evidence"
)

// stopWithin bounds a clean end; what is not done by then is left to the next start, which
// loses nothing by it.
const stopWithin = 20 * time.Second

// App is one Steward process. Start and Stop are called once; URL may be called from
// anywhere after Start.
type App struct {
	cfg        Config
	log        *slog.Logger
	core       *Core
	keys       *keys.Store
	ledger     *ledger
	curriculum *training.Curriculum // nil without pages and sink
	rules      *evidence.Rules      // which skills incidents take; nil likewise
	noted      noted
	policy     access.Policy
	sender     *sender        // nil: no reminders go out
	pusher     *pusher        // nil: no learning records do
	signin     *signin.SignIn // nil: nobody can, as with --dev
	pages      *dashboards.Server
	local      [sha256.Size]byte                          // hash of the token in server.json
	authorize  func(r *http.Request, source string) error // of sources that do not sign; nil: everybody may send
	may        func(*http.Request, []event.Kind) error    // whether a sender may say such facts; nil: whatever they like
	url        string
	cleanup    cleanup
	started    bool
}

// New checks the configuration. The error joins everything that is wrong with it.
func New(cfg Config) (*App, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, log: cfg.Log, cleanup: cleanup{log: cfg.Log}}
	if cfg.has(RoleWeb) || cfg.has(RoleSink) || cfg.Notify != nil {
		var err error
		if a.rules, err = loadSkillRules(cfg.SkillRules); err != nil {
			return nil, err
		}
		if a.curriculum, err = loadCurriculum(cfg.Curriculum); err != nil {
			return nil, err
		}
	}
	if c := cfg.Access; c != nil {
		a.policy = access.Policy{Rules: c.Roles, Default: c.DefaultRole, TeamSeesLoad: c.TeamSeesLoad}
	}
	if !a.trusting() {
		a.authorize, a.may = a.authorizeIngest, a.maySend
	}
	return a, nil
}

// URL is where the pages are, without a slash at the end.
func (a *App) URL() string { return a.url }

// Start returns when requests are answered. On an error nothing is left running.
func (a *App) Start(ctx context.Context) (err error) {
	a.started = true
	begin := time.Now()
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
		}
	}()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.cfg.Listen, err)
	}
	a.cleanup.add("the listener", func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if a.core, err = openCore(ctx, a.cfg); err != nil {
		return err
	}
	a.cleanup.add("the data's path", a.core.Close)
	if err := a.openKeys(); err != nil {
		return err
	}
	a.ledger = &ledger{publisher: a.core.Publisher, now: a.cfg.Now}
	if err := a.openSignIn(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	a.core.forgot = func(ids []string) {
		for _, id := range ids {
			if a.signin != nil {
				a.signin.SignOutEverywhere(id)
			}
		}
	}
	if err := a.openOutgoing(); err != nil {
		return err
	}
	local := a.newLocalToken()
	handler, err := a.handler()
	if err != nil {
		return err
	}
	a.url = "http://" + listener.Addr().String()
	a.serve(listener, handler)
	if err := a.note(local); err != nil {
		return err
	}
	a.watchKeys()
	if a.cfg.has(RoleWeb) {
		a.askAhead()
	}
	if a.core.Sink != nil {
		if err := a.core.deriveSkills(a.rules, a.curriculum); err != nil {
			return err
		}
	}
	if a.cfg.Demo {
		a.core.loadDemo()
	}
	a.log.Info("serving", "url", a.url, "roles", a.cfg.Roles, "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

// serve answers requests until the cleanup, which lets those under way finish.
func (a *App) serve(listener net.Listener, handler http.Handler) {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // imports and rebuilds lift both for themselves
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.core.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	a.cleanup.add("the server", func(ctx context.Context) error {
		// Browsers keep connections open, and an import may go on for an hour: those under
		// way get a moment, then their contexts end and with them the connections.
		short, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if err := srv.Shutdown(short); err != nil {
			return srv.Close()
		}
		return nil
	})
}

// note says in the data directory that this process serves it, after a word about a
// predecessor that could not take its own note away. Local is the token for the commands of
// this machine (tokens.go).
func (a *App) note(local string) error {
	before, err := ReadRecord(a.cfg.Data)
	if err != nil {
		return err
	}
	if before != nil {
		a.log.Warn("the previous run did not end cleanly: it was killed, ran out of memory or crashed. "+
			"The log is the source of truth; what was accepted and not yet stored is being stored now",
			"process", before.PID, "started", before.Started)
	}
	if err := rememberZone(a.cfg.Data, a.cfg.Zone); err != nil {
		return err
	}
	r := Record{URL: a.url, PID: os.Getpid(), Started: a.cfg.Now().UTC(), Version: a.cfg.Version, LocalToken: local}
	if err := writeRecord(a.cfg.Data, r); err != nil {
		return err
	}
	a.cleanup.add("the note of the running server", func(context.Context) error { return removeRecord(a.cfg.Data) })
	return nil
}

// Run serves until ctx ends, which is no error, or until a part fails that must not. It
// starts the product if Start has not, and always stops it.
func (a *App) Run(ctx context.Context) error {
	if !a.started {
		if err := a.Start(ctx); err != nil {
			return err
		}
	}
	var failure error
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case failure = <-a.core.failed:
	}
	return errors.Join(failure, a.Stop(context.WithoutCancel(ctx)))
}

// Stop ends everything in the reverse order of its start, within stopWithin. It is safe to
// call twice.
func (a *App) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	err := a.cleanup.run(ctx)
	a.log.Info("stopped")
	return err
}

// VersionText is what `steward version` prints: the product, Go, the platform.
func VersionText(version string) string {
	text := "steward " + version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				text += " (" + s.Value + ")"
			}
		}
	}
	return text + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}
