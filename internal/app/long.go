package app

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// Long work over HTTP: POST /api/v1/import and /api/v1/rebuild answer with one JSON object
// a line while they work, the last of which has "done" or "error".

type outcome struct {
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

type importLine struct {
	ImportProgress
	outcome
}

type rebuildProgress struct {
	Projection string `json:"projection,omitempty"`
	Rows       uint64 `json:"rows"`
	outcome
}

// writeError answers as the rest of the API does.
func writeError(w http.ResponseWriter, code int, message string, allowed []string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(code)
	body, err := json.Marshal(struct {
		Error   string   `json:"error"`
		Allowed []string `json:"allowed,omitempty"`
	}{message, allowed})
	if err == nil {
		_, _ = w.Write(append(body, '\n')) // the client may be gone
	}
}

// reporter sends lines, at most five a second besides the last.
type reporter struct {
	w    http.ResponseWriter
	ctl  *http.ResponseController
	last time.Time
}

// report lifts the server's deadlines and starts the answer.
func report(w http.ResponseWriter) *reporter {
	ctl := http.NewResponseController(w)
	// An answer is written while the request is still being read. Where the connection
	// cannot do one of these, the work goes on and shows its progress late.
	_ = errors.Join(ctl.EnableFullDuplex(), ctl.SetReadDeadline(time.Time{}), ctl.SetWriteDeadline(time.Time{}))
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	_ = ctl.Flush()
	return &reporter{w: w, ctl: ctl}
}

func (r *reporter) line(v any, always bool) {
	if !always && time.Since(r.last) < 200*time.Millisecond {
		return
	}
	r.last = time.Now()
	text, err := json.Marshal(v)
	if err != nil {
		return
	}
	// A client that went away is noticed through the request's context.
	_, _ = r.w.Write(append(text, '\n'))
	_ = r.ctl.Flush()
}

func ended(err error) outcome {
	if err != nil {
		return outcome{Error: err.Error()}
	}
	return outcome{Done: true}
}

func (c *Core) serveImport(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for name := range q {
		if allowed := []string{"account", "format"}; !slices.Contains(allowed, name) {
			writeError(w, http.StatusBadRequest, "unknown parameter "+name, allowed)
			return
		}
	}
	var usage *UsageError
	if err := CheckFormat(q.Get("format")); errors.As(err, &usage) {
		writeError(w, http.StatusBadRequest, usage.Message, usage.Allowed)
		return
	}
	out := report(w)
	stats, err := c.Import(r.Context(), ImportRequest{
		Format: q.Get("format"), Account: q.Get("account"), Reader: r.Body,
		Progress: func(p ImportProgress) { out.line(importLine{ImportProgress: p}, false) },
	})
	if err != nil {
		c.log.Warn("import ended early", "format", q.Get("format"), "events", stats.Events, "error", err)
	} else {
		c.log.Info("imported", "format", q.Get("format"), "events", stats.Events, "duplicates", stats.Duplicates, "quarantined", stats.Quarantined)
	}
	out.line(importLine{stats, ended(err)}, true)
}

func (c *Core) serveRebuild(w http.ResponseWriter, r *http.Request) {
	// Nothing is expected, but a body that net/http finds unread after an answer in full
	// duplex makes it panic on the connection.
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
		writeError(w, http.StatusBadRequest, "a rebuild takes no body", nil)
		return
	}
	out := report(w)
	var last rebuildProgress
	err := c.Store.Rebuild(r.Context(), func(name string, rows uint64) {
		if last.Projection != "" && last.Projection != name {
			out.line(last, true) // its final number
		}
		last = rebuildProgress{Projection: name, Rows: rows}
		out.line(last, false)
	})
	if last.Projection != "" {
		out.line(last, true)
	}
	out.line(rebuildProgress{outcome: ended(err)}, true)
}
