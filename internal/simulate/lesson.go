package simulate

// lesson is one module of the built-in curriculum, as far as the generator needs it. It may
// not import the curriculum; a test of package app holds this table against it.
type lesson struct {
	id        string
	questions int
	kind      string   // of evidence
	needs     []string // modules first
	classes   []string // of alerts, whose incidents are the reason to give it
}

// played says whether a drill ships with the product that shows it: the loader of the demo
// plays it, so nothing is said here.
func (l lesson) played() bool { return l.id == "PG4" || l.id == "FX4" || l.id == "FX5" }

// Lessons is the table, for the test that compares it: id, questions, kind of evidence and
// what comes first.
func Lessons() (out []struct {
	ID        string
	Questions int
	Kind      string
	Needs     []string
	Played    bool
}) {
	for _, l := range lessons() {
		out = append(out, struct {
			ID        string
			Questions int
			Kind      string
			Needs     []string
			Played    bool
		}{l.id, l.questions, l.kind, l.needs, l.played()})
	}
	return out
}

// lessons are in the order in which people meet them.
func lessons() []lesson {
	return []lesson{
		{"PG1", 5, "upload", nil, nil},
		{"PG2", 5, "event", []string{"PG1"}, nil},
		{"LS1", 6, "upload", []string{"PG1"}, []string{"latency-p99", "saturation"}},
		{"PG3", 6, "drill", []string{"PG2"}, []string{"probe-timeout", "memory-usage"}},
		{"PG4", 5, "drill", []string{"PG3"}, []string{"dependency-errors"}},
		{"PG5", 5, "event", []string{"PG3"}, nil},
		{"PG6", 6, "event", []string{"PG4", "PG5", "LS1"}, nil},
		{"LS2", 7, "drill", []string{"LS1"}, []string{"error-rate", "dependency-errors"}},
		{"FX1", 6, "event", []string{"LS1"}, []string{"deploy-regression", "config-drift"}},
		{"LS4", 7, "upload", []string{"LS2"}, []string{"batch-late"}},
		{"FX2", 6, "drill", []string{"FX1"}, []string{"saturation"}},
		{"FX3", 7, "drill", []string{"LS4"}, []string{"replica-lag"}},
		{"FX4", 6, "drill", []string{"LS4"}, []string{"queue-lag", "consumer-restarts"}},
		{"FX5", 7, "drill", []string{"LS4"}, []string{"disk-usage", "memory-usage", "certificate-expiry"}},
		{"LN1", 5, "upload", []string{"PG5"}, nil},
		{"IC1", 6, "upload", []string{"PG4"}, []string{"unavailable"}},
		{"LN3", 5, "event", []string{"PG3"}, []string{"probe-timeout", "consumer-restarts"}},
	}
}

// taggedAs is what a responder, asked what an incident took, says beyond what a rule would
// know from its alert.
func taggedAs(class string) string {
	switch class {
	case "error-rate", "latency-p99", "batch-late":
		return "hypothesis-debugging"
	case "deploy-regression", "config-drift":
		return "change-mitigation"
	case "unavailable", "dependency-errors":
		return "escalation-judgement"
	case "saturation":
		return "overload-capacity"
	case "queue-lag", "consumer-restarts":
		return "queue-stream-ops"
	case "replica-lag":
		return "datastore-ops"
	case "probe-timeout":
		return "slo-alert-design"
	}
	return "runbook-authoring"
}
