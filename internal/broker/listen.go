package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxRequestBytes is Kafka's own default for socket.request.max.bytes.
const maxRequestBytes = 100 << 20

// listen binds a loopback port. Port 0 takes a free one. A remembered port that
// somebody else has taken meanwhile is given up for a free one, unless clients
// already hold the address.
func listen(ctx context.Context, port int, samePort bool) (net.Listener, error) {
	for {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		switch {
		case err == nil:
			return &guardedListener{l}, nil
		case !errors.Is(err, syscall.EADDRINUSE) || port == 0:
			return nil, err
		case !samePort:
			port = 0
			continue
		}
		select { // the old listener's port may take a moment to be free
		case <-ctx.Done():
			return nil, fmt.Errorf("port %d is taken: %w", port, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// guardedListener closes connections that do not speak Kafka. kfake allocates
// whatever size the first four bytes claim and dereferences nil for a request it
// does not know, so one stray byte sequence from another program on this machine
// would end the whole process.
type guardedListener struct{ net.Listener }

func (l *guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: c}, nil
}

// guardedConn checks the head of every request before it passes it on. Only one
// goroutine at a time reads from it.
type guardedConn struct {
	net.Conn
	head [8]byte // size, request key, version
	have int     // bytes of head not yet passed on, at its end
	rest int64   // bytes of the request behind head not yet passed on
}

func (c *guardedConn) Read(p []byte) (int, error) {
	if c.have == 0 && c.rest == 0 {
		if _, err := io.ReadFull(c.Conn, c.head[:]); err != nil {
			return 0, err
		}
		size := int64(binary.BigEndian.Uint32(c.head[:4]))
		key := int16(binary.BigEndian.Uint16(c.head[4:6]))
		if size < 10 || size > maxRequestBytes || kmsg.RequestForKey(key) == nil {
			return 0, fmt.Errorf("not a Kafka request: %d bytes for key %d", size, key)
		}
		c.have, c.rest = len(c.head), size-4
	}
	if c.have > 0 {
		n := copy(p, c.head[len(c.head)-c.have:])
		c.have -= n
		return n, nil
	}
	if int64(len(p)) > c.rest {
		p = p[:c.rest]
	}
	n, err := c.Conn.Read(p)
	c.rest -= int64(n)
	return n, err
}
