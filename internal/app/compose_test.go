package app

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type composeFile struct {
	Services map[string]struct {
		Image       string            `yaml:"image"`
		Build       any               `yaml:"build"`
		Command     []string          `yaml:"command"`
		Environment map[string]string `yaml:"environment"`
		Ports       []string          `yaml:"ports"`
		Volumes     []string          `yaml:"volumes"`
		NetworkMode string            `yaml:"network_mode"`
		Restart     string            `yaml:"restart"`
		Grace       string            `yaml:"stop_grace_period"`
		Ulimits     any               `yaml:"ulimits"`
		HealthCheck struct {
			Test        []string `yaml:"test"`
			Interval    string   `yaml:"interval"`
			Timeout     string   `yaml:"timeout"`
			Retries     int      `yaml:"retries"`
			StartPeriod string   `yaml:"start_period"`
		} `yaml:"healthcheck"`
		DependsOn map[string]struct {
			Condition string `yaml:"condition"`
		} `yaml:"depends_on"`
	} `yaml:"services"`
	Volumes map[string]any `yaml:"volumes"`
	Name    string         `yaml:"name"`
}

// No container engine runs the compose file here, so what can be read is held to what it
// promises: real images, health checks, volumes that exist, loopback only, and flags that
// serve accepts.
func TestComposeFile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kafka", "clickhouse", "steward"} {
		s, ok := c.Services[name]
		if !ok {
			t.Fatalf("there is no service %s", name)
		}
		if len(s.HealthCheck.Test) < 2 || s.HealthCheck.Retries == 0 {
			t.Errorf("%s has no health check", name)
		}
		if len(s.Volumes) == 0 {
			t.Errorf("%s keeps nothing", name)
		}
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[volume]; !ok {
				t.Errorf("%s uses the volume %s, which is not listed", name, volume)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is published to the world on %s", name, p)
			}
		}
	}
	if got := c.Services["kafka"].Image; got != "apache/kafka:4.4.0" {
		t.Errorf("Kafka is %s, CI runs 4.4.0", got)
	}
	if got := c.Services["clickhouse"].Image; !regexp.MustCompile(`^clickhouse/clickhouse-server:26\.`).MatchString(got) {
		t.Errorf("ClickHouse is %s, want a 26.x like the embedded engine", got)
	}

	s := c.Services["steward"]
	if s.NetworkMode != "host" || len(s.Ports) > 0 {
		t.Error("Steward listens on loopback only, which nobody could reach inside a network of its own")
	}
	for _, other := range []string{"kafka", "clickhouse"} {
		if s.DependsOn[other].Condition != "service_healthy" {
			t.Errorf("Steward does not wait for %s", other)
		}
	}
	cfg := Config{}
	for _, arg := range s.Command {
		if v, ok := strings.CutPrefix(arg, "--listen="); ok {
			cfg.Listen = v
		}
		if v, ok := strings.CutPrefix(arg, "--kafka="); ok {
			cfg.Kafka = strings.Split(v, ",")
		}
	}
	if !strings.HasPrefix(s.Environment["STEWARD_IDENTITY_KEY"], "${STEWARD_IDENTITY_KEY:?") {
		t.Error("the key of the identity table is not asked for")
	}
	cfg.IdentityKey = strings.Repeat("0a", 32)
	if err := cfg.Validate(); err != nil || cfg.Listen == "" || len(cfg.Kafka) == 0 {
		t.Errorf("serve would refuse %q: %v", s.Command, err)
	}
	published := c.Services["kafka"].Ports
	if !slices.Contains(published, cfg.Kafka[0]+":9092") {
		t.Errorf("Steward looks for Kafka at %s, which is not published: %q", cfg.Kafka[0], published)
	}
}
