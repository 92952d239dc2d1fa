package broker

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fault makes the embedded broker answer requests wrongly. It is for the tests of
// what talks to the broker, and does not survive Restart.
type Fault struct {
	Key   int16  // kind of request by its number in the protocol: 0 produce, 1 fetch, 8 offset commit, …
	Topic string // "" means all
	Group string // "" means all
	Code  int16  // the error to answer, by its number in the protocol
	Times int    // how often; negative until removed
	// Lost lets the request take effect and then answers that it timed out, as
	// when a reply is lost. Code is ignored.
	Lost bool
}

// Inject installs faults on the embedded broker and answers how to remove them.
func (b *Broker) Inject(faults ...Fault) (remove func(), err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.cluster == nil {
		return nil, ErrStopped
	}
	var in []kfake.Fault
	for _, f := range faults {
		k := kfake.Fault{Keys: []kmsg.Key{kmsg.Key(f.Key)}, Topic: f.Topic, Group: f.Group, Count: f.Times, Err: kerr.TypedErrorForCode(f.Code)}
		if f.Lost {
			k.Err = kerr.RequestTimedOut
		}
		in = append(in, k)
	}
	return b.cluster.Fault(in...).Remove, nil
}
