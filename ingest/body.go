package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// maxDropped is how much of an oversize body is read for the sake of its sender.
const maxDropped = 8 << 20

// bodyBudget is how many bytes of bodies may be in memory at once, buffers' room not
// counted: 256 of the largest, or some hundred thousand ordinary deliveries.
const bodyBudget = 128 << 20

// read takes a request's body into buf, under the limit and the budget.
func (in *intake) read(w http.ResponseWriter, r *http.Request, buf *bytes.Buffer) (err error) {
	large := &refusal{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("a request may have %d bytes", in.cfg.MaxBody)}
	// Who writes all before reading would meet a closed connection and never see the
	// answer, so some of what is too much is taken and dropped.
	defer func() {
		if err == large && r.Header.Get("Expect") == "" { // who expects a word first gets it
			io.CopyN(io.Discard, r.Body, maxDropped)
		}
	}()
	if r.ContentLength > in.cfg.MaxBody {
		return large
	}
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, 16<<10)) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(&counted{http.MaxBytesReader(w, r.Body, in.cfg.MaxBody), &in.held}); err != nil {
		if errors.Is(err, errBudget) {
			return &refusal{status: http.StatusServiceUnavailable, text: "too many large deliveries at once"}
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return large
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || r.Context().Err() != nil {
			return &refusal{status: http.StatusBadRequest, text: "the body ended early"}
		}
		return &refusal{status: http.StatusBadRequest, text: "the body could not be read"}
	}
	return nil
}

var errBudget = errors.New("the budget for bodies is spent")

// counted adds what is read to held, and stops when that is over the budget.
type counted struct {
	from io.Reader
	held *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	if c.held.Add(int64(n)) > bodyBudget && n > 0 {
		return n, errBudget
	}
	return n, err
}
