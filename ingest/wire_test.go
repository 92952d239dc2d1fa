package ingest

import (
	"context"
	"net"
	"sync"
)

// wire is the network of one member, which a test can freeze (half open: nothing arrives,
// nothing is refused) or cut (as when the process was killed).
type wire struct {
	mu    sync.Mutex
	thaw  chan struct{} // nil while data flows
	dead  bool
	conns []net.Conn
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := w.wait(); err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		c.Close()
		return nil, errCut
	}
	w.conns = append(w.conns, c)
	return &wireConn{Conn: c, w: w}, nil
}

func (w *wire) wait() error {
	w.mu.Lock()
	thaw, dead := w.thaw, w.dead
	w.mu.Unlock()
	if dead {
		return errCut
	}
	if thaw != nil {
		<-thaw
	}
	return nil
}

func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.thaw == nil {
		w.thaw = make(chan struct{})
	}
}

func (w *wire) unfreeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.thaw != nil {
		close(w.thaw)
		w.thaw = nil
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for _, c := range w.conns {
		c.Close()
	}
}

type wireConn struct {
	net.Conn
	w *wire
}

func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if werr := c.w.wait(); werr != nil {
		return 0, werr
	}
	return n, err
}

func (c *wireConn) Write(b []byte) (int, error) {
	if err := c.w.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
