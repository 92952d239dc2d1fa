package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// importType is the content type of a file sent to a running server. A browser cannot
// send it to another site without asking first, which the server never allows.
const importType = "application/vnd.steward.import"

// NewImportHandler serves POST /import/{format}?account=NAME: the body is the file, of any
// size, and the answer comes when its events are queryable: ImportStats as JSON, with
// "error" beside them if the import ended early. Format, Account, Reader and Progress of
// the configuration are taken from the request.
func NewImportHandler(cfg ImportConfig) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /import/{format}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != importType {
			refuse(w, &refusal{status: http.StatusUnsupportedMediaType, text: "files are sent as " + importType})
			return
		}
		// A large file outlasts any timeout that is good for other requests.
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Time{})
		_ = rc.SetWriteDeadline(time.Time{})
		one := cfg
		one.Format, one.Account = r.PathValue("format"), r.URL.Query().Get("account")
		one.Reader, one.Progress = r.Body, nil
		stats, err := Import(r.Context(), one)
		answer := importAnswer{ImportStats: stats}
		status := http.StatusOK
		switch {
		case errors.Is(err, ErrUnknownFormat):
			status = http.StatusNotFound
		case errors.Is(err, ErrUnavailable):
			status = http.StatusServiceUnavailable
		case err != nil:
			status = http.StatusUnprocessableEntity
		}
		if err != nil {
			answer.Error = err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // the sender has gone; a second run tells it the rest
	})
	return mux
}

type importAnswer struct {
	ImportStats
	Error string `json:"error,omitempty"`
}

// ImportTo sends a file to a running server and waits for its answer. Progress sees only
// the bytes sent; the counts come at the end.
func ImportTo(ctx context.Context, client *http.Client, server string, cfg ImportConfig) (ImportStats, error) {
	address := strings.TrimRight(server, "/") + "/import/" + url.PathEscape(cfg.Format)
	if cfg.Account != "" {
		address += "?account=" + url.QueryEscape(cfg.Account)
	}
	body := &progressReader{counter: counter{r: cfg.Reader}, report: cfg.Progress}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, io.NopCloser(body))
	if err != nil {
		return ImportStats{}, fmt.Errorf("import: %w", err)
	}
	req.Header.Set("Content-Type", importType)
	res, err := client.Do(req)
	if err != nil {
		return ImportStats{}, fmt.Errorf("import: %w", err)
	}
	defer res.Body.Close()
	var answer importAnswer
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answer); err != nil {
		return ImportStats{}, fmt.Errorf("import: the server answered %s", res.Status)
	}
	if answer.Error != "" || res.StatusCode != http.StatusOK {
		return answer.ImportStats, fmt.Errorf("import: the server answered %s: %s", res.Status, answer.Error)
	}
	return answer.ImportStats, nil
}

type progressReader struct {
	counter
	report func(ImportStats)
	last   time.Time
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.counter.Read(b)
	if p.report != nil && (err != nil || time.Since(p.last) >= 200*time.Millisecond) {
		p.last = time.Now()
		p.report(ImportStats{Bytes: p.n})
	}
	return n, err
}
