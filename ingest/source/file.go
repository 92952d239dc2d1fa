package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

const (
	// maxValue bounds what one value or one row of a file may take in memory.
	maxValue = 64 << 20
	// maxEvidence is how much of an undecodable part is handed on: quarantine records
	// travel on the same log as events.
	maxEvidence = 256 << 10
)

// counter counts the bytes read of the file as it is stored.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// window is a file's text with a movable start: a scanner looks ahead in it as far as it
// must, then takes a part or starts again at another place.
type window struct {
	count *counter
	r     io.Reader
	buf   []byte
	pos   int
	eof   bool
}

// newWindow opens a file, plain or gzip, and skips a byte order mark.
func newWindow(r io.Reader) (*window, error) {
	c := &counter{r: r}
	b := bufio.NewReaderSize(c, 64<<10)
	w := &window{count: c, r: b}
	magic, err := b.Peek(2)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read the file's beginning: %w", err)
	}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("open as gzip: %w", err)
		}
		w.r = z
	}
	for w.len() < 3 && !w.eof {
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
	if bytes.HasPrefix(w.rest(), []byte("\ufeff")) {
		w.pos += 3
	}
	return w, nil
}

func (w *window) len() int     { return len(w.buf) - w.pos }
func (w *window) rest() []byte { return w.buf[w.pos:] }

// fill reads on, or sets eof. A compressed file that is cut off is an error, not an end.
func (w *window) fill() error {
	if w.eof {
		return nil
	}
	if w.pos > 0 {
		w.buf = append(w.buf[:0], w.rest()...)
		w.pos = 0
	}
	if cap(w.buf)-len(w.buf) < 64<<10 {
		w.buf = append(make([]byte, 0, 2*cap(w.buf)+128<<10), w.buf...)
	}
	n, err := w.r.Read(w.buf[len(w.buf):cap(w.buf)])
	w.buf = w.buf[:len(w.buf)+n]
	if err == io.EOF {
		w.eof = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return nil
}

// line is the length of the line at the given distance from the start, its newline
// included; 0 at the end of the file. long means that it exceeds maxValue and is not whole.
func (w *window) line(from int) (n int, long bool, err error) {
	scanned := from
	for {
		if i := bytes.IndexByte(w.rest()[scanned:], '\n'); i >= 0 {
			return scanned + i + 1 - from, false, nil
		}
		scanned = w.len()
		switch {
		case w.eof:
			return scanned - from, false, nil
		case scanned-from > maxValue:
			return scanned - from, true, nil
		}
		if err := w.fill(); err != nil {
			return 0, false, err
		}
	}
}

// take copies the next n bytes out and moves the start behind them.
func (w *window) take(n int) []byte {
	out := bytes.Clone(w.buf[w.pos : w.pos+n])
	w.pos += n
	return out
}

// reject takes the line at the start as evidence, cut to what quarantine should hold. An
// endless line is dropped up to its end without being held in memory.
func (w *window) reject() ([]byte, error) {
	n, long, err := w.line(0)
	if err != nil {
		return nil, err
	}
	out := bytes.Clone(evidence(bytes.TrimRight(w.rest()[:n], "\r\n")))
	w.pos += n
	for long {
		if n, long, err = w.line(0); err != nil {
			return nil, err
		}
		w.pos += n
	}
	return out, nil
}

func evidence(b []byte) []byte {
	if len(b) > maxEvidence {
		return b[:maxEvidence]
	}
	return b
}
