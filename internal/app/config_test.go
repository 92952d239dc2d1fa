package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/signin"
)

func TestListening(t *testing.T) {
	for addr, loopback := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:0": true, "[::1]:8080": true, "localhost:8080": true,
		"0.0.0.0:8080": false, ":8080": false, "[::]:8080": false, "192.168.1.4:80": false,
		"example.org:80": false, "localhost.example.org:80": false,
	} {
		behind := &signin.Config{Proxy: &signin.Proxy{From: []string{"10.0.0.1/32"}}, DefaultRole: access.Viewer}
		for name, c := range map[string]struct {
			cfg      Config
			ok, open bool // whether it may start; whether whoever connects is trusted
		}{
			"plain":                   {Config{}, loopback, false},
			"dev":                     {Config{Dev: true}, loopback, true},
			"demo":                    {Config{Demo: true}, loopback, true},
			"tokens":                  {Config{TokensOnly: true}, true, false},
			"a demo behind tokens":    {Config{Demo: true, TokensOnly: true}, true, false},
			"behind a proxy":          {Config{Access: behind}, true, false},
			"development, signing in": {Config{Dev: true, Access: behind}, true, false},
			"both":                    {Config{Access: behind, TokensOnly: true}, false, false},
		} {
			c.cfg.Listen = addr
			err := c.cfg.Validate()
			if (err == nil) != c.ok {
				t.Errorf("%s on %q: %v", name, addr, err)
			}
			if c.cfg.trusting() != c.open {
				t.Errorf("%s trusts whoever connects: %v", name, !c.open)
			}
			if err != nil && name == "plain" && !(strings.Contains(err.Error(), "--access") && strings.Contains(err.Error(), "--tokens-only")) {
				t.Errorf("the refusal does not say what to do: %v", err)
			}
		}
	}
	for _, addr := range []string{"8080", "x"} {
		if (Config{Listen: addr, TokensOnly: true}).Validate() == nil {
			t.Errorf("%q is no address", addr)
		}
	}
}

func TestValidateJoinsEverything(t *testing.T) {
	err := Config{Listen: "0.0.0.0:1", Roles: []string{"web", "cook"}, KafkaSASL: "PLAIN"}.Validate()
	for _, want := range []string{"say first who they are", `unknown role "cook"`, "needs both --kafka and --clickhouse", "TLS and SASL are for a real Kafka"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if err := (Config{Kafka: []string{"k:9092"}}).Validate(); err == nil || !strings.Contains(err.Error(), "STEWARD_IDENTITY_KEY") {
		t.Errorf("a cluster without a key for identities: %v", err)
	}
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if err := (Config{Roles: []string{"ingest"}, Kafka: []string{"k:9092"}, ClickHouse: "clickhouse://c:9000", IdentityKey: strings.Repeat("0a", 32)}).Validate(); err != nil {
		t.Errorf("a role of a cluster is refused: %v", err)
	}
}

func TestCleanupRunsBackwardsAndOnce(t *testing.T) {
	var order []string
	broken := errors.New("broken")
	c := cleanup{log: slog.New(slog.DiscardHandler)}
	for _, name := range []string{"a", "b", "c"} {
		c.add(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return broken
			}
			return nil
		})
	}
	err := c.run(t.Context())
	if got := strings.Join(order, ""); got != "cba" {
		t.Errorf("stopped in the order %s", got)
	}
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "stopping b") {
		t.Errorf("the failure is not named: %v", err)
	}
	if err := c.run(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("a second run did something: %v, %v", order, err)
	}
}

func TestLoopbackHost(t *testing.T) {
	for host, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.0.0.1": true, "localhost:1": true, "LOCALHOST": true, "[::1]:8080": true, "[::1]": true,
		"evil.example": false, "evil.example:8080": false, "127.0.0.1.evil.example": false, "": false, "10.0.0.1": false,
	} {
		if loopbackHost(host) != ok {
			t.Errorf("%q: want %v", host, ok)
		}
	}
}
