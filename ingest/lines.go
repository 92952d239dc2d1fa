package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
)

// maxLine bounds the memory one line of a file can take. A longer one goes to quarantine
// with its beginning, and the line behind it is read as usual.
const maxLine = 2 << 20

// cloudEventsFile is the import format "cloudevents": one structured event a line, plain
// or gzip. Its Decode keeps a recordedtime that an event carries.
func cloudEventsFile() source.Format {
	return source.Format{
		Name: cloudEvents, Title: "CloudEvents, one a line",
		Decode: func(d source.Delivery) ([]event.Event, error) {
			if len(d.Body) > maxLine {
				return nil, &source.Undecodable{Reason: fmt.Sprintf("a line longer than %d bytes", maxLine)}
			}
			e, _, err := ParseCloudEvent(bytes.Clone(d.Body))
			if err != nil {
				return nil, err
			}
			if e.At.IsZero() {
				if e.At = e.Seen; e.At.IsZero() {
					e.At = d.Received
				}
			}
			return []event.Event{e}, nil
		},
		Open: func(r io.Reader) (source.Lines, error) { return openLines(r) },
	}
}

// lines reads a file line by line in bounded memory.
type lines struct {
	counted *counter
	r       *bufio.Reader
	line    []byte
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func openLines(r io.Reader) (*lines, error) {
	l := &lines{counted: &counter{r: r}}
	plain := bufio.NewReaderSize(l.counted, 64<<10)
	l.r = plain
	if magic, err := plain.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(plain)
		if err != nil {
			return nil, fmt.Errorf("reading gzip: %w", err)
		}
		l.r = bufio.NewReaderSize(z, 64<<10)
	}
	if mark, err := l.r.Peek(3); err == nil && string(mark) == "\ufeff" { // what some editors put before the first line
		_, _ = l.r.Discard(3) // it has been seen
	}
	return l, nil
}

// Offset is how many bytes of the file have been taken.
func (l *lines) Offset() int64 { return l.counted.n }

// Next answers the next line that is not blank. The body is valid until the next call; of
// a line that is too long it holds one byte more than maxLine.
func (l *lines) Next() (source.Delivery, error) {
	for {
		l.line = l.line[:0]
		for {
			part, err := l.r.ReadSlice('\n')
			if room := maxLine + 1 - len(l.line); len(part) > room {
				part = part[:room]
			}
			l.line = append(l.line, part...)
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return source.Delivery{}, fmt.Errorf("reading the file: %w", err)
			}
			if err != nil && len(l.line) == 0 {
				return source.Delivery{}, io.EOF
			}
			break
		}
		if line := bytes.TrimRight(l.line, "\r\n"); len(bytes.TrimSpace(line)) > 0 {
			return source.Delivery{Body: line}, nil
		}
	}
}
