package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a zone must be known wherever the static binary runs

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/internal/signin"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Roles a process can take. The embedded broker and engine live in one process, so
// splitting the roles needs a real Kafka and a real ClickHouse.
const (
	RoleWeb    = "web"    // pages and API
	RoleIngest = "ingest" // POST /ingest
	RoleSink   = "sink"   // log to warehouse
)

// AllRoles is what one process does by itself.
func AllRoles() []string { return []string{RoleWeb, RoleIngest, RoleSink} }

// Config says how Steward runs. The zero value of a field means its default.
type Config struct {
	Listen string // host:port; beyond loopback only with Access or TokensOnly; default 127.0.0.1:8080
	Data   string // data directory; default ./data

	Kafka      []string // host:port of a real cluster; empty: the embedded broker
	KafkaTLS   bool
	KafkaSASL  string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; empty: no sign-in
	KafkaUser  string
	KafkaPass  string
	Topic      string // default steward.events
	Partitions int    // of the topic, when it is created; default broker.DefaultPartitions

	// IdentityKey seals who somebody is: 64 hexadecimal digits, the same in every process of
	// a cluster and for ever. The embedded log has its own, in the data directory.
	IdentityKey string

	ClickHouse        string // DSN; empty: the embedded engine
	ClickHouseCluster string // schema statements become ON CLUSTER with Replicated engines

	Roles            []string // default AllRoles
	Zone             *time.Location
	PagerDutySecrets []string
	Dev              bool // developer conveniences; whoever can connect is trusted
	Demo             bool // load the demo organisation when there is nothing yet; as trusting as Dev

	// Access says who proves who people are and which roles they have. Without it there are
	// API tokens alone, unless Dev or Demo trust whoever connects.
	Access *signin.Config
	// TokensOnly says that API tokens alone are meant, also beyond loopback.
	TokensOnly bool

	// TrustedProxies are the networks whose X-Forwarded-For is believed; none: the address
	// of the connection is the caller's.
	TrustedProxies []netip.Prefix

	SkillRules string // an organisation's own file of tagging rules; empty: the built-in ones
	// Notify says where reminders and learning records go. Without it nothing goes out.
	Notify      *notify.Config
	noticeEvery time.Duration // how often what is to go out is looked for; default a minute
	aheadEvery  time.Duration // how often what pages ask first is looked after; default analytics.WarmEvery

	Curriculum string // an organisation's own directory of modules, laid over the built-in ones

	Version string
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default: none
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.Data == "" {
		c.Data = "data"
	}
	if c.Topic == "" {
		c.Topic = broker.EventsTopic
	}
	if len(c.Roles) == 0 {
		c.Roles = AllRoles()
	}
	if c.noticeEvery == 0 {
		c.noticeEvery = time.Minute
	}
	if c.aheadEvery == 0 {
		c.aheadEvery = analytics.WarmEvery
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Version == "" {
		c.Version = "unknown"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate reports everything that is wrong with the configuration, joined.
func (c Config) Validate() error {
	c = c.withDefaults()
	errs := []error{c.checkListen()}
	if c.Access != nil {
		if err := c.Access.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("access: %w", err))
		}
		if c.TokensOnly {
			errs = append(errs, errors.New("--tokens-only and --access exclude each other"))
		}
	}
	for _, r := range c.Roles {
		if !slices.Contains(AllRoles(), r) {
			errs = append(errs, fmt.Errorf("unknown role %q: the roles are %s", r, strings.Join(AllRoles(), ", ")))
		}
	}
	if !c.all() && (len(c.Kafka) == 0 || c.ClickHouse == "") {
		errs = append(errs, errors.New("a part of the roles needs both --kafka and --clickhouse: the embedded broker and engine live inside the one process that does everything"))
	}
	if c.Demo && !c.has(RoleSink) {
		errs = append(errs, errors.New("the demo organisation is loaded by the process that has the role sink"))
	}
	if len(c.Kafka) == 0 && (c.KafkaTLS || c.KafkaSASL != "") {
		errs = append(errs, errors.New("TLS and SASL are for a real Kafka: give its addresses with --kafka"))
	}
	if len(c.Kafka) > 0 {
		if _, err := identity.ParseKey(c.IdentityKey); err != nil {
			errs = append(errs, fmt.Errorf("--kafka needs STEWARD_IDENTITY_KEY, the same in every process and for ever (make one with: openssl rand -hex 32): %w", err))
		}
	}
	for _, a := range c.Kafka {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("the Kafka address %q is not HOST:PORT", a))
		}
	}
	if c.Demo && len(c.Kafka) > 0 && c.ClickHouse != "" {
		c.Log.Warn("the demo organisation will be written to the cluster if it holds no events")
	}
	return errors.Join(errs...)
}

// identityTopic is beside the events' topic: "steward.identities" of "steward.events".
func (c Config) identityTopic() string {
	return strings.TrimSuffix(c.Topic, ".events") + ".identities"
}

func (c Config) has(role string) bool { return slices.Contains(c.Roles, role) }

// all says whether this process does everything.
func (c Config) all() bool {
	for _, r := range AllRoles() {
		if !c.has(r) {
			return false
		}
	}
	return true
}

// trusting says whether whoever connects needs to prove nothing.
func (c Config) trusting() bool { return (c.Dev || c.Demo) && c.Access == nil && !c.TokensOnly }

// checkListen refuses addresses that others could reach while nothing says who they are.
func (c Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("the listen address %q is not HOST:PORT", c.Listen)
	}
	ip := net.ParseIP(host)
	switch {
	case host == "localhost", ip != nil && ip.IsLoopback(), c.Access != nil, c.TokensOnly:
		return nil
	case c.Dev || c.Demo:
		return fmt.Errorf("refusing to listen on %q: --dev and --demo trust whoever can connect, so they are for a loopback address (127.0.0.1, [::1] or localhost); add --access FILE or --tokens-only to let others come", c.Listen)
	}
	return fmt.Errorf("refusing to listen on %q, where others could come: say first who they are, with --access FILE for OpenID Connect or a reverse proxy that signs people in, or with --tokens-only for API tokens alone", c.Listen)
}

func (c Config) brokerConfig() broker.Config {
	b := broker.Config{
		Addrs:  c.Kafka,
		Topics: []broker.Topic{{Name: c.Topic, Partitions: c.Partitions}},
		Log:    c.Log,
	}
	if len(c.Kafka) == 0 {
		b.Dir = filepath.Join(c.Data, "log")
	} else {
		b.Topics = append(b.Topics, broker.Topic{Name: c.identityTopic(), Partitions: 1})
		b.Compacted = []string{c.identityTopic()}
	}
	if c.KafkaTLS {
		b.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.KafkaSASL != "" {
		b.SASL = &broker.SASL{Mechanism: c.KafkaSASL, User: c.KafkaUser, Password: c.KafkaPass}
	}
	return b
}

func (c Config) warehouseConfig(observe func(warehouse.Stat)) warehouse.Config {
	w := warehouse.Config{DSN: c.ClickHouse, Cluster: c.ClickHouseCluster, Observe: observe, Log: c.Log.With("part", "warehouse")}
	if c.ClickHouse == "" {
		w.Dir = filepath.Join(c.Data, "engine")
		// The engine does not see Go's heap: together they must fit the machine.
		if m := machineMemory(); m > 0 {
			w.MaxMemory = max(m/2, 1<<30)
			w.QueryMemory = max(m/4, 512<<20)
		}
	}
	return w
}
