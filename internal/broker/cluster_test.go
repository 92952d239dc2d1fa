package broker

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// guardedCluster is a cluster of three nodes that asks for TLS and a sign-in, as
// production does; in memory, since only the way in is tried here.
func guardedCluster(t *testing.T, opts ...kfake.Opt) []string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// certificate answers a server's configuration and the one of its clients.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

func TestSignInOverTLS(t *testing.T) {
	server, trusted := certificate(t)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			addrs := guardedCluster(t, kfake.TLS(server), kfake.EnableSASL(), kfake.Superuser(mechanism, "steward", "sesame"))
			cfg := Config{Addrs: addrs, TLS: trusted, SASL: &SASL{mechanism, "steward", "sesame"}, Topics: []Topic{{"a", 5}, {"b", 0}}}
			b := start(t, cfg)
			if err := b.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			for topic, want := range map[string]int{"a": 5, "b": DefaultPartitions} {
				if ends, err := b.Ends(t.Context(), topic); err != nil || len(ends) != want {
					t.Fatalf("%s has %d partitions, want %d: %v", topic, len(ends), want, err)
				}
			}
			// What is handed on is enough for another client.
			c := producer(t, b.Addrs(), kgo.DialTLSConfig(b.TLS()), kgo.SASL(b.SASL().mechanism()))
			mustSend(t, c, "a", 3, "x")
			if ends, err := b.Ends(t.Context(), "a"); err != nil || ends[3] != 1 {
				t.Fatalf("ends %v, %v", ends, err)
			}
			if err := b.Trim(t.Context(), "a", map[int32]int64{3: 1}); err != nil {
				t.Fatal(err)
			}
			if starts, _, err := b.bounds(t.Context(), "a"); err != nil || starts[3] != 0 {
				t.Fatalf("a cluster's topic was trimmed: %v, %v", starts, err)
			}
			if err := b.Restart(t.Context()); err == nil {
				t.Fatal("a real cluster was restarted")
			}

			cfg.SASL = &SASL{mechanism, "steward", "guessed"}
			refused(t, cfg, nil, "refuses the sign-in of user steward")
		})
	}
}

// TestSignInAtARealCluster is the same at Kafka itself, whose answers differ.
func TestSignInAtARealCluster(t *testing.T) {
	realKafka(t)
	addr := os.Getenv("STEWARD_KAFKA_SASL_ADDR")
	if addr == "" {
		missing(t, "STEWARD_KAFKA_SASL_ADDR names no listener that asks for a sign-in; .ci/kafka.sh has one")
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			topic := fmt.Sprintf("steward.test.sasl.%s.%d", mechanism, time.Now().UnixNano())
			cfg := Config{Addrs: []string{addr}, SASL: &SASL{mechanism, "steward", "sesame"}, Topics: []Topic{{topic, 2}}}
			b := start(t, cfg)
			mustSend(t, producer(t, b.Addrs(), kgo.SASL(b.SASL().mechanism())), topic, 1, "x")
			if ends, err := b.Ends(t.Context(), topic); err != nil || ends[1] != 1 {
				t.Fatalf("ends %v, %v", ends, err)
			}
			cfg.SASL = &SASL{mechanism, "steward", "guessed"}
			refused(t, cfg, kerr.SaslAuthenticationFailed, "refuses the user or the password of user steward")
			cfg.SASL = nil
			refused(t, cfg, nil, "wants TLS or SASL")
		})
	}
}

// refused starts and expects an error that is found by errors.Is and says what.
func refused(t *testing.T, cfg Config, is error, says string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	b, err := Start(ctx, cfg)
	if err == nil {
		stop(t, b)
		t.Fatalf("started, though %s", says)
	}
	if !strings.Contains(err.Error(), says) || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), cfg.Addrs[0]) {
		t.Fatalf("refused with %v, want %q", err, says)
	}
	for _, secret := range []string{"guessed", "sesame"} {
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("the password is in %v", err)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	server, trusted := certificate(t)
	_, other := certificate(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	plain := guardedCluster(t)
	secure := guardedCluster(t, kfake.TLS(server))
	signed := guardedCluster(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "admin", "sesame"))
	for _, c := range []struct {
		name string
		cfg  Config
		is   error
		says string
	}{
		{"nobody there", Config{Addrs: []string{nobody}}, nil, "nothing listens at the address"},
		{"nobody answers", Config{Addrs: []string{silent.Addr().String()}}, context.DeadlineExceeded, "no answer in time"},
		{"TLS to a plain port", Config{Addrs: plain, TLS: trusted}, context.DeadlineExceeded, "no answer in time"},
		{"no TLS to a TLS port", Config{Addrs: secure}, nil, "wants TLS or SASL"},
		{"a foreign certificate", Config{Addrs: secure, TLS: other}, nil, "not signed by a known authority"},
		{"another host's certificate", Config{Addrs: secure, TLS: &tls.Config{RootCAs: trusted.RootCAs, ServerName: "kafka.example"}}, nil, "for another host name"},
		{"no sign-in", Config{Addrs: signed}, nil, "wants TLS or SASL"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.cfg, c.is, c.says) })
	}
}

func TestAnAccountThatMayNotCreateTopics(t *testing.T) {
	allow := func(op kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "*", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
	}
	addrs := guardedCluster(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.SeedTopics(3, "there"),
		kfake.Superuser("PLAIN", "admin", "sesame"),
		kfake.User("PLAIN", "limited", "sesame", allow(kmsg.ACLOperationDescribe), allow(kmsg.ACLOperationRead), allow(kmsg.ACLOperationWrite)))
	cfg := Config{Addrs: addrs, SASL: &SASL{"PLAIN", "limited", "sesame"}, Topics: []Topic{{"there", 3}}}
	start(t, cfg)
	cfg.Topics = append(cfg.Topics, Topic{"missing", 3})
	refused(t, cfg, kerr.TopicAuthorizationFailed, "user limited lacks the right")
}
