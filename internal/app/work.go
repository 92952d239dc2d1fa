package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest"
)

// UsageError means that something was asked for that does not exist: a metric, a
// parameter, a format. Allowed lists what does.
type UsageError struct {
	Message string
	Allowed []string
}

func (e *UsageError) Error() string {
	if len(e.Allowed) == 0 {
		return e.Message
	}
	return e.Message + "; allowed: " + strings.Join(e.Allowed, ", ")
}

// Formats lists what import reads.
func Formats() []string { return ingest.Formats() }

// CheckFormat is nil or a *UsageError.
func CheckFormat(name string) error {
	if name == "" {
		return &UsageError{Message: "the format is missing", Allowed: Formats()}
	}
	if !slices.Contains(Formats(), name) {
		return &UsageError{Message: fmt.Sprintf("there is no format %q", name), Allowed: Formats()}
	}
	return nil
}

// ImportRequest is one file to read.
type ImportRequest struct {
	Format   string
	Account  string
	Reader   io.Reader
	Progress func(ImportProgress) // may be nil; called from the goroutine of Import
}

// ImportProgress is how far an import is, or how it ended.
type ImportProgress = ingest.ImportStats

// Import reads a file into the log and returns when all of it can be queried.
func (c *Core) Import(ctx context.Context, req ImportRequest) (ImportProgress, error) {
	if err := CheckFormat(req.Format); err != nil {
		return ImportProgress{}, err
	}
	// What is still on its way to the warehouse could not be told from new events.
	if err := c.Sink.Drain(ctx); err != nil {
		return ImportProgress{}, err
	}
	done, err := ingest.Import(ctx, ingest.ImportConfig{
		Format: req.Format, Account: req.Account, Reader: req.Reader,
		Publisher: c.Publisher, Sink: c.Sink, DB: c.DB, Vault: c.Vault, Now: c.cfg.Now, Log: c.log.With("part", "import"),
		Progress: req.Progress,
	})
	// What is imported may have been learned long ago, so it would not be looked at as new.
	return done, errors.Join(err, c.skillsUnknown())
}

// answer runs one metric.
func (c *Core) answer(ctx context.Context, metric string, params url.Values) (*analytics.Answer, error) {
	a, err := c.Store.For(access.Operator(), "").Query(ctx, metric, params)
	var param *analytics.ParamError
	var unknown *analytics.UnknownMetricError
	if errors.As(err, &param) || errors.As(err, &unknown) {
		return nil, &UsageError{Message: err.Error()} // it lists what is allowed
	}
	return a, err
}
