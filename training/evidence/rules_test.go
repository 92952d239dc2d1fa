package evidence

import (
	"fmt"
	"strings"
	"testing"
)

// The alert classes of the invented organisation, and names that are common in rules for
// Prometheus and Kubernetes, each with what fixing it takes.
func TestBuiltinRules(t *testing.T) {
	rules, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for class, want := range map[string]string{
		"error-rate": "logs-and-traces", "latency-p99": "metrics-reading", "queue-lag": "queue-stream-ops", "disk-usage": "host-debugging", "memory-usage": "host-debugging",
		"batch-late": "hypothesis-debugging", "replica-lag": "datastore-ops", "certificate-expiry": "network-dns-tls", "config-drift": "change-mitigation", "saturation": "overload-capacity",
		"deploy-regression": "change-mitigation", "dependency-errors": "logs-and-traces", "probe-timeout": "alert-triage", "consumer-restarts": "container-platform queue-stream-ops", "test-page": "",
		"KubePodCrashLooping": "container-platform", "KubePersistentVolumeFillingUp": "host-debugging", "NodeFilesystemSpaceFillingUp": "host-debugging", "HostOutOfMemory": "host-debugging",
		"PostgresqlReplicationLag": "datastore-ops", "MysqlSlowQueries": "datastore-ops", "KafkaConsumersGroup": "queue-stream-ops", "RabbitmqTooManyUnackMessages": "queue-stream-ops",
		"BlackboxSslCertificateWillExpireSoon": "network-dns-tls", "CoreDNSDown": "network-dns-tls", "KubeHpaMaxedOut": "container-platform overload-capacity", "CPUThrottlingHigh": "container-platform overload-capacity",
		"KubeAPIErrorBudgetBurn": "metrics-reading", "TargetDown": "alert-triage", "VeleroBackupFailed": "backup-restore", "Watchdog": "", "FalcoTerminalShell": "security-response",
		"KubeDeploymentGenerationMismatch": "change-mitigation container-platform", "HighRequestLatency": "metrics-reading", "disk full": "host-debugging",
	} {
		var got []string
		for _, r := range rules.Match(Incident{Class: class}) {
			got = append(got, r.Skill)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s takes %v, want %s", class, got, want)
		}
	}
	major := Incident{Priority: "p1", Verdicts: []string{"threshold"}, Factors: []string{"late Rollback", "Runbook out of date"}}
	for _, c := range []struct {
		found []Ruled
		want  string
	}{
		{rules.Match(major), "change-mitigation true runbook-authoring false "},
		{rules.Likely(major), "change-mitigation true incident-command true runbook-authoring false slo-alert-design true stakeholder-comms true "},
	} {
		got := ""
		for _, r := range c.found {
			got += fmt.Sprint(r.Skill, " ", r.Shows, " ")
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

const ownRules = `version: "7"
mode: add
rules:
  - id: queue
    when: {service: ["orders-*"], title: ["lag"], tier: [1, 2], severity: [critical]}
    skills: [datastore-ops]
`

func TestOwnRules(t *testing.T) {
	r, err := ReadRules("own.yaml", []byte(ownRules))
	if err != nil {
		t.Fatal(err)
	}
	base, _ := Builtin()
	if len(r.List) != len(base.List) || !strings.HasPrefix(r.Version, "7-") {
		t.Errorf("%d rules, version %s: a rule of the same id replaces", len(r.List), r.Version)
	}
	full := Incident{Service: "Orders-api", Title: "Consumer LAG: growing", Tier: 2, Severity: "Critical", Class: "queue-lag"}
	for _, c := range []struct {
		name  string
		spoil func(*Incident)
		n     int
	}{
		{"all hold", func(*Incident) {}, 1}, {"another service", func(i *Incident) { i.Service = "x-orders-api" }, 0}, {"a flag is no lag", func(i *Incident) { i.Title = "a flag" }, 0},
		{"no tier", func(i *Incident) { i.Tier = 0 }, 0}, {"another severity", func(i *Incident) { i.Severity = "" }, 0},
	} {
		i := full
		if c.spoil(&i); len(r.Match(i)) != c.n {
			t.Errorf("%s: %v", c.name, r.Match(i))
		}
	}
	other, err := ReadRules("own.yaml", []byte(strings.Replace(ownRules, "mode: add", "mode: replace", 1)))
	if err != nil || len(other.List) != 1 || other.Version == r.Version {
		t.Errorf("%v, %d rules, version %s", err, len(other.List), other.Version)
	}
}

// Whoever writes a rule is told where it is wrong.
func TestRulesAreChecked(t *testing.T) {
	for change, want := range map[[2]string]string{
		{`version: "7"`, ``}:                                                  "own.yaml:1: version: missing",
		{"mode: add", "mode: both"}:                                           "own.yaml:2: mode: must be add",
		{"id: queue", "id: Queue one"}:                                        "own.yaml:4: rules[0].id: must be lower-case",
		{"[datastore-ops]", "[datastores]"}:                                   `own.yaml:6: rules[0].skills[0]: no skill is called "datastores"`,
		{"skills: [datastore-ops]", "skills: []"}:                             "own.yaml:6: rules[0].skills: missing",
		{"tier: [1, 2]", "tier: [4]"}:                                         "own.yaml:5: rules[0].when.tier[0]: must be 1, 2 or 3",
		{`title: ["lag"]`, `title: ["--"]`}:                                   "own.yaml:5: rules[0].when.title[0]: is empty",
		{`title: ["lag"]`, `verdict: [bad]`}:                                  "own.yaml:5: rules[0].when.verdict[0]: no verdict",
		{`service: ["orders-*"]`, `services: [x]`}:                            "own.yaml:5: rules[0].when.services: unknown",
		{"skills: [datastore-ops]", "skills: [datastore-ops, datastore-ops]"}: "is there twice",
		{`when: {service: ["orders-*"], title: ["lag"], tier: [1, 2], severity: [critical]}`, "when: {}"}: "own.yaml:5: rules[0].when: names no condition",
		{"rules:", "rules: 3\nx:"}: "own.yaml:3: rules: must be a list",
	} {
		_, err := ReadRules("own.yaml", []byte(strings.Replace(ownRules, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", change[1], err, want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		ok            bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a*b", "ab", true}, {"a*b", "axxb", true}, {"a*b", "axxbc", false}, {"*lag*", "consumer-lag", true},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*a*a*a*b", strings.Repeat("a", 200), false}, {"*ab", "aab", true}, {"a/b*", "a/b/c", true}, {"é*", "été", true},
	} {
		if glob(c.pattern, c.text) != c.ok {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, !c.ok)
		}
	}
}
