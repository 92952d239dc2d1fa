package app

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stewardhq/steward"

// arrows says which of our packages each of our packages may import, the package itself
// and its subpackages written as one path. What is not listed imports nothing of ours.
var arrows = map[string][]string{
	"cmd/steward":        {"internal/app"},
	"internal/app":       {"*"},
	"access":             nil,
	"dashboards":         {"access", "analytics", "identity", "training", "training/drill", "training/evidence", "training/recall", "training/rollout"},
	"training":           {"access", "analytics", "ingest/event"},
	"training/drill":     {"ingest/event"},
	"training/evidence":  {"ingest/event", "training", "training/drill"},
	"training/rollout":   {"ingest/event"},
	"training/recall":    {"ingest/event"},
	"identity":           nil,
	"analytics":          {"access", "identity", "ingest/event", "internal/warehouse", "training/drill", "training/recall", "training/rollout"}, // a stored drill or draw is read as what it is
	"analytics/oracle":   {"ingest/event"},                                                                                                      // the slow reading that tests compare with: nobody's import outside tests
	"ingest":             {"identity", "ingest/event", "ingest/source", "internal/warehouse"},
	"ingest/source":      {"ingest/event"},
	"internal/simulate":  {"ingest/event"},
	"ingest/event":       nil,
	"internal/signin":    {"access", "internal/outbound"},
	"internal/outbound":  nil,
	"internal/notify":    {"internal/outbound", "training"},
	"internal/broker":    nil,
	"internal/warehouse": nil,
	"internal/bench":     nil,
	"internal/chromium":  nil, // nobody's import outside tests
	"internal/keys":      nil,
	"internal/limit":     nil,
}

// walls says which one of our packages may import a big dependency, tests included: what
// stands behind a wall can be replaced without looking anywhere else.
var walls = map[string]string{
	"github.com/segmentio/kafka-go":       "ingest",
	"github.com/ClickHouse/clickhouse-go": "internal/warehouse",
	"github.com/ClickHouse/ch-go":         "internal/warehouse",
	"github.com/ebitengine/purego":        "internal/warehouse",
	"github.com/twmb/franz-go":            "internal/broker",
	"github.com/labstack/echo":            "dashboards",
	"github.com/go-echarts/go-echarts":    "dashboards",
	"github.com/spf13/cobra":              "cmd/steward",
	"github.com/schollz/progressbar":      "cmd/steward",
	"github.com/prometheus/client_golang": "internal/app",
	"github.com/coreos/go-oidc":           "internal/signin",
	"golang.org/x/oauth2":                 "internal/signin",
	"github.com/go-jose/go-jose":          "internal/signin", // its tests forge tokens
	"github.com/zitadel/oidc":             "internal/signin", // the provider its tests run
	"github.com/yuin/goldmark":            "training",
	"github.com/open-spaced-repetition":   "training/recall",
	"github.com/wneessen/go-mail":         "internal/notify",
	"github.com/emersion":                 "internal/notify", // the mail server its tests run
	"github.com/arran4/golang-ical":       "training",        // the reader its tests check with
}

// pure packages may import the standard library and nothing else.
var pure = []string{"identity", "ingest/event", "access"}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Standard     bool
}

func TestArrows(t *testing.T) {
	packages := list(t)
	if len(packages) < 8 {
		t.Fatalf("go list found %d packages; this test would prove nothing", len(packages))
	}
	for _, broken := range check(packages) {
		t.Error(broken)
	}
}

// The check itself must be able to fail.
func TestArrowsCanBreak(t *testing.T) {
	for _, c := range []struct {
		name string
		pkg  listed
	}{
		{"an arrow upwards", listed{ImportPath: module + "/analytics", Imports: []string{module + "/dashboards"}}},
		{"an arrow upwards from a subpackage", listed{ImportPath: module + "/internal/warehouse/internal/x", Imports: []string{module + "/ingest"}}},
		{"a dependency outside its wall", listed{ImportPath: module + "/ingest", Imports: []string{"github.com/labstack/echo/v4"}}},
		{"a dependency outside its wall, in a test", listed{ImportPath: module + "/analytics", TestImports: []string{"github.com/segmentio/kafka-go/sasl"}}},
		{"the vocabulary with a dependency", listed{ImportPath: module + "/ingest/event", Imports: []string{"github.com/goccy/go-json"}}},
		{"a package that nobody drew", listed{ImportPath: module + "/pkg/utils"}},
	} {
		if len(check([]listed{c.pkg})) == 0 {
			t.Errorf("%s is not noticed", c.name)
		}
	}
}

// check answers a sentence for every import that breaks a rule.
func check(packages []listed) []string {
	var broken []string
	for _, p := range packages {
		place, drawn := owner(strings.TrimPrefix(p.ImportPath, module+"/"))
		if !drawn {
			broken = append(broken, p.ImportPath+" has no place among the arrows: add it to arrows, or put the code where it belongs")
			continue
		}
		for _, imp := range p.Imports {
			if rest, ours := strings.CutPrefix(imp, module+"/"); ours {
				target, _ := owner(rest)
				if target != place && !slices.Contains(arrows[place], target) && !slices.Contains(arrows[place], "*") {
					broken = append(broken, p.ImportPath+" must not import "+rest)
				}
			} else if slices.Contains(pure, place) && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				broken = append(broken, p.ImportPath+" may import the standard library only, not "+imp)
			}
		}
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for dependency, home := range walls {
				if (imp == dependency || strings.HasPrefix(imp, dependency+"/")) && place != home {
					broken = append(broken, p.ImportPath+" must not import "+imp+": only "+home+" does")
				}
			}
		}
	}
	return broken
}

// owner is the longest listed path that holds a package.
func owner(path string) (string, bool) {
	for p := path; p != ""; {
		if _, ok := arrows[p]; ok {
			return p, true
		}
		cut := strings.LastIndexByte(p, '/')
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	return path, false
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for dec := json.NewDecoder(out); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v: %s", err, complaint.String())
	}
	return packages
}
