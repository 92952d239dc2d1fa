package outbound

import (
	"fmt"
	"io"
	"net/http"
)

// TooLongError says that an answer is longer than the client reads.
type TooLongError struct{ Limit int64 } // bytes

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the answer is longer than %d bytes", e.Limit)
}

// bounded limits the bodies of answers.
type bounded struct {
	next  http.RoundTripper
	limit int64
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > b.limit {
		_ = resp.Body.Close() // nothing of it is wanted
		return nil, &TooLongError{b.limit}
	}
	resp.Body = &limited{ReadCloser: resp.Body, left: b.limit, limit: b.limit}
	return resp, nil
}

func (b bounded) CloseIdleConnections() {
	if c, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// limited fails where io.LimitReader would end: half a key set must not pass for a whole.
type limited struct {
	io.ReadCloser
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, &TooLongError{l.limit}
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one byte more tells too long from just fitting
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, &TooLongError{l.limit}
	}
	return n, err
}
