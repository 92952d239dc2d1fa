package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// connectTimeout bounds Start on a real cluster when ctx has no deadline.
const connectTimeout = 20 * time.Second

// connect reaches the cluster and creates the topics that are missing.
func (b *Broker) connect(ctx context.Context) error {
	opts := []kgo.Opt{
		kgo.SeedBrokers(b.cfg.Addrs...),
		kgo.ClientID("steward"),
		kgo.DialTimeout(5 * time.Second),
		kgo.RequestRetries(3),
		kgo.RetryTimeout(10 * time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if b.cfg.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(b.cfg.TLS))
	}
	if s := b.cfg.SASL; s != nil {
		opts = append(opts, kgo.SASL(s.mechanism()))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	ctx, cancel := withTimeout(ctx, connectTimeout)
	defer cancel()
	b.client = client
	// The client does not let go of a connection that accepts and then says
	// nothing when ctx ends, but it does when it is closed.
	undo := context.AfterFunc(ctx, client.Close)
	err = client.Ping(ctx)
	if !undo() && err != nil {
		err = ctx.Err()
	}
	if err != nil {
		client.Close()
		return b.explain("connecting", err)
	}
	if err := b.createTopics(ctx); err != nil {
		client.Close()
		return err
	}
	b.log.Info("connected to the cluster", "addrs", b.cfg.Addrs)
	return nil
}

func (s *SASL) mechanism() sasl.Mechanism {
	switch s.Mechanism {
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()
	default:
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()
	}
}

// createTopics looks first and creates only what is missing, so that an account
// that may not create topics works once somebody else has made them. The cluster
// decides replication and retention by its defaults.
func (b *Broker) createTopics(ctx context.Context) error {
	have, err := b.metadata(ctx)
	if err != nil {
		return b.explain("reading the topics", err)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 10_000
	for _, t := range b.cfg.Topics {
		if m, ok := have[t.Name]; ok {
			if len(m.Partitions) != t.Partitions {
				b.log.Warn("the topic keeps its number of partitions", "topic", t.Name, "has", len(m.Partitions), "configured", t.Partitions)
			}
			continue
		}
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic, rt.NumPartitions, rt.ReplicationFactor = t.Name, int32(t.Partitions), -1
		size := fmt.Sprint(MaxMessageBytes)
		rt.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "max.message.bytes", Value: &size}}
		if slices.Contains(b.cfg.Compacted, t.Name) {
			compact, hour := "compact", "3600000"
			rt.Configs = append(rt.Configs,
				kmsg.CreateTopicsRequestTopicConfig{Name: "cleanup.policy", Value: &compact},
				// The newest segment is left alone by compaction unless it is this old.
				kmsg.CreateTopicsRequestTopicConfig{Name: "max.compaction.lag.ms", Value: &hour})
		}
		req.Topics = append(req.Topics, rt)
	}
	if len(req.Topics) > 0 {
		resp, err := req.RequestWith(ctx, b.client)
		if err != nil {
			return b.explain("creating topics", err)
		}
		for _, rt := range resp.Topics {
			err := kerr.ErrorForCode(rt.ErrorCode)
			if err == nil {
				b.log.Info("created topic", "topic", rt.Topic, "partitions", rt.NumPartitions)
			} else if !errors.Is(err, kerr.TopicAlreadyExists) {
				if rt.ErrorMessage != nil {
					err = fmt.Errorf("%w (%s)", err, *rt.ErrorMessage)
				}
				return b.explain("creating topic "+rt.Topic, err)
			}
		}
	}
	return b.waitLeaders(ctx)
}

// waitLeaders waits until the leader of every partition answers for it. The
// metadata names a leader some moments before it does, and refuses writes.
func (b *Broker) waitLeaders(ctx context.Context) error {
	for {
		err := b.checkCluster(ctx)
		for _, t := range b.cfg.Topics {
			if err == nil {
				_, _, err = b.clusterBounds(ctx, t.Name)
			}
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// metadata answers the configured topics that exist.
func (b *Broker) metadata(ctx context.Context, more ...string) (map[string]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, t := range b.cfg.Topics {
		more = append(more, t.Name)
	}
	req.Topics = []kmsg.MetadataRequestTopic{} // none configured means none asked for
	for _, name := range more {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return nil, err
	}
	topics := make(map[string]kmsg.MetadataResponseTopic)
	for _, t := range resp.Topics {
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case err == nil || errors.Is(err, kerr.LeaderNotAvailable):
			topics[*t.Topic] = t
		case errors.Is(err, kerr.UnknownTopicOrPartition):
		default:
			return nil, fmt.Errorf("topic %s: %w", *t.Topic, err)
		}
	}
	return topics, nil
}

func (b *Broker) checkCluster(ctx context.Context) error {
	ctx, cancel := withTimeout(ctx, connectTimeout)
	defer cancel()
	have, err := b.metadata(ctx)
	if err != nil {
		return b.explain("reading the topics", err)
	}
	var errs []error
	for _, t := range b.cfg.Topics {
		m, ok := have[t.Name]
		if !ok || len(m.Partitions) == 0 {
			errs = append(errs, fmt.Errorf("broker: topic %s is missing", t.Name))
		}
		for _, p := range m.Partitions {
			if p.Leader < 0 {
				errs = append(errs, fmt.Errorf("broker: %s/%d has no leader", t.Name, p.Partition))
			}
		}
	}
	return errors.Join(errs...)
}

func (b *Broker) clusterBounds(ctx context.Context, topic string) (starts, ends map[int32]int64, err error) {
	ctx, cancel := withTimeout(ctx, connectTimeout)
	defer cancel()
	have, err := b.metadata(ctx, topic)
	if err != nil {
		return nil, nil, b.explain("reading the topics", err)
	}
	m, ok := have[topic]
	if !ok {
		return nil, nil, fmt.Errorf("broker: there is no topic %s", topic)
	}
	list := func(at int64) (map[int32]int64, error) {
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID = -1
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = topic
		for _, p := range m.Partitions {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = p.Partition, at
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
		resp, err := req.RequestWith(ctx, b.client)
		if err != nil {
			return nil, b.explain("reading the offsets of "+topic, err)
		}
		offsets := make(map[int32]int64)
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, b.explain(fmt.Sprintf("reading the offsets of %s/%d", topic, p.Partition), err)
				}
				offsets[p.Partition] = p.Offset
			}
		}
		return offsets, nil
	}
	if starts, err = list(-2); err != nil {
		return nil, nil, err
	}
	ends, err = list(-1)
	return starts, ends, err
}

func (b *Broker) clusterTopicID(ctx context.Context, topic string) (string, error) {
	ctx, cancel := withTimeout(ctx, connectTimeout)
	defer cancel()
	have, err := b.metadata(ctx, topic)
	if err != nil {
		return "", b.explain("reading the topics", err)
	}
	m, ok := have[topic]
	if !ok {
		return "", fmt.Errorf("broker: there is no topic %s", topic)
	}
	return fmt.Sprintf("%x", m.TopicID[:]), nil
}

// explain wraps an error of the cluster with what a person can do about it.
func (b *Broker) explain(doing string, err error) error {
	hint := ""
	var (
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		dns     *net.DNSError
	)
	user := ""
	if b.cfg.SASL != nil {
		user = " of user " + b.cfg.SASL.User
	}
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		hint = "the cluster refuses the user or the password" + user
	case errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		hint = "the cluster does not offer this SASL mechanism at this address"
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		hint = "the account" + user + " lacks the right to do this; grant CREATE, DESCRIBE, READ and WRITE on the topic, or create the topic by hand"
	case errors.Is(err, kerr.InvalidReplicationFactor):
		hint = "the cluster has fewer nodes than its default.replication.factor"
	case errors.As(err, &record):
		hint = "the address does not speak TLS; turn TLS off or use the TLS listener's port"
	case errors.As(err, &unknown):
		hint = "the cluster's certificate is not signed by a known authority; configure its CA"
	case errors.As(err, &host):
		hint = "the cluster's certificate is for another host name"
	case errors.As(err, &dns):
		hint = "the host name is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		hint = "nothing listens at the address"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		hint = "the other side closed the connection, as a listener does that wants TLS or SASL"
		if b.cfg.SASL != nil {
			hint = "the other side closed the connection, as a listener does that wants TLS or refuses the sign-in" + user
		}
	case errors.Is(err, context.DeadlineExceeded):
		hint = "no answer in time; is the address reachable, and do the addresses the cluster advertises resolve from here?"
	}
	at := strings.Join(b.cfg.Addrs, ", ")
	if hint == "" {
		return fmt.Errorf("broker: %s at %s: %w", doing, at, err)
	}
	return fmt.Errorf("broker: %s at %s: %s: %w", doing, at, hint, err)
}
