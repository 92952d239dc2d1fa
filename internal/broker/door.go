package broker

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// door is the way into one run of kfake, and closes it in an order that kfake
// does not keep by itself. Its Close saves the state in the one loop that handles
// requests, but that loop also runs it while a request waits for the gate's
// answer, and handles the request afterwards: the batch is appended behind what
// was saved, and a commit is only acknowledged, while the next run already reads
// the same files and gives the same offsets again.
//
// So close first refuses what would write, then waits until the loop has
// finished what it had let in. A run stays closed for good: kfake's loop may take
// one more request after its end, when the gate serves the next run.
type door struct {
	gate    *gate
	cluster *kfake.Cluster
	closed  atomic.Bool
	// bell is a connection to the cluster for close alone. It is opened at the
	// start, since a stop must not need a free descriptor.
	bell net.Conn
}

// hang puts the gate, behind a door, in front of a new kfake. If it fails the
// cluster is closed.
func hang(g *gate, c *kfake.Cluster) (*door, error) {
	d := &door{gate: g, cluster: c}
	bell, err := net.Dial("tcp", c.ListenAddrs()[0])
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	d.bell = bell
	d.control(kmsg.Produce, g.produce)
	d.control(kmsg.OffsetCommit, g.commit)
	d.control(kmsg.TxnOffsetCommit, refuseTransactions)
	d.control(kmsg.InitProducerID, refuseTransactions)
	return d, nil
}

// control runs answer before every request of one kind; nil lets kfake go on.
// kfake keeps one request, with its records, for every connection a control has
// ever seen, so the control replaces itself from time to time.
func (d *door) control(key kmsg.Key, answer func(kmsg.Request) (kmsg.Response, bool)) {
	left := 256
	d.cluster.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.KeepControl()
		if left--; left == 0 {
			d.cluster.DropControl()
			d.control(key, answer)
		}
		if d.closed.Load() {
			return refuseStopping(req), nil, true
		}
		resp, handled := answer(req)
		return resp, nil, handled
	})
}

// close refuses appends and commits, waits for those in flight, and stops kfake.
// It takes as long as the write in flight does.
func (d *door) close() error {
	d.closed.Store(true)
	err := d.ring()
	d.bell.Close()
	d.cluster.Close()
	return err
}

// ring sends a request that kfake answers only when its loop is done with every
// request before it: ApiVersions, version 0, without a client's name.
func (d *door) ring() error {
	req := binary.BigEndian.AppendUint32(nil, 10)
	req = binary.BigEndian.AppendUint16(req, uint16(kmsg.ApiVersions))
	req = append(req, 0, 0, 0, 0, 0, 0, 0xff, 0xff) // version, correlation, no name
	if _, err := d.bell.Write(req); err != nil {
		return fmt.Errorf("broker: waiting for requests in flight: %w", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(d.bell, head[:]); err != nil {
		return fmt.Errorf("broker: waiting for requests in flight: %w", err)
	}
	return nil
}

// refuseStopping answers a request that came while the broker stops with an error
// that clients retry. A produce request that wants no answer gets none.
func refuseStopping(kreq kmsg.Request) kmsg.Response {
	switch req := kreq.(type) {
	case *kmsg.ProduceRequest:
		return refuseProduce(req, kerr.NotLeaderForPartition, "the broker is stopping")
	case *kmsg.OffsetCommitRequest:
		return refuseCommit(req, kerr.NotCoordinator)
	case *kmsg.InitProducerIDRequest:
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
		return resp
	}
	resp, _ := refuseTransactions(kreq)
	return resp
}
