package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stewardhq/steward/internal/app"
)

// The test binary is also the program, for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("STEWARD_TEST_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// result of a command run in this process.
type result struct {
	code     int
	out, err string
}

func steward(t testing.TB, env map[string]string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &out, &errs, func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	r := result{code, out.String(), errs.String()}
	if strings.Contains(r.err, "make engine") && os.Getenv("STEWARD_CI") == "" {
		t.Skip(r.err)
	}
	return r
}

func TestExitCodesAndSentences(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"version"}, exitDone, ""},
		{[]string{"bake"}, exitUsage, `unknown command "bake"`},
		{[]string{"serve", "--colour"}, exitUsage, "unknown flag: --colour"},
		{[]string{"serve", "extra"}, exitUsage, "extra"},
		{[]string{"serve", "--listen", "0.0.0.0:1"}, exitUsage, "--tokens-only"},
		{[]string{"serve", "--tz", "Mars/Olympus"}, exitUsage, "Europe/Berlin"},
		{[]string{"serve", "--roles", "web"}, exitUsage, "--kafka and --clickhouse"},
		{[]string{"serve", "--log-level", "loud"}, exitUsage, "debug, info, warn, error"},
		{[]string{"import", "--format", "telegram", "f"}, exitUsage, "uci-incident-log"},
		{[]string{"import", "f"}, exitUsage, "format is missing"},
		{[]string{"import", "--format", "cloudevents"}, exitUsage, "1 arg"},
		{[]string{"import", "--format", "cloudevents", filepath.Join(empty, "none")}, exitFailed, "no such file"},
		{[]string{"import", "--format", "cloudevents", empty}, exitFailed, "is a directory"},
		{[]string{"query"}, exitUsage, "one METRIC"},
		{[]string{"query", "a", "b"}, exitUsage, "one METRIC"},
		{[]string{"query", "incidents", "--format", "xml"}, exitUsage, "table, csv, json"},
		{[]string{"query", "incidents", "--by"}, exitUsage, "--by needs a value"},
		{[]string{"query", "incidents", "--server", "nowhere"}, exitUsage, "http://127.0.0.1:8080"},
		{[]string{"query", "incidents", "--server", "http://127.0.0.1:1", "--data", "x"}, exitUsage, "exclude each other"},
		{[]string{"rebuild", "--server", "http://127.0.0.1:1", "--data", "x"}, exitUsage, "exclude each other"},
		{[]string{"query", "incidents", "--server", "http://127.0.0.1:1"}, exitFailed, "does not answer"},
		{[]string{"query", "incidents", "--data", filepath.Join(empty, "none")}, exitFailed, "no data directory"},
		{[]string{"rebuild", "--data", filepath.Join(empty, "none")}, exitFailed, "no data directory"},
		{[]string{"simulate", "--end", "soon"}, exitUsage, "2026-01-31"},
		{[]string{"simulate", "--teams", "0"}, exitUsage, "teams"},
	} {
		got := steward(t, nil, c.args...)
		if got.code != c.code || !strings.Contains(got.err, c.want) {
			t.Errorf("steward %s: exit %d (want %d), said %q (want %q)", strings.Join(c.args, " "), got.code, c.code, got.err, c.want)
		}
	}
}

// Every flag of every command has its variable, and the command line wins.
func TestEveryFlagHasAVariable(t *testing.T) {
	env := map[string]string{}
	c := &command{env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
	for _, make := range []func() *cobra.Command{c.serve, c.importFile, c.query, c.simulate, c.rebuild, c.tokenCreate, c.tokenList, c.tokenRevoke, c.secretRotate, c.secretAdd, c.secretList, c.secretRetire} {
		var names []string
		make().Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		for _, name := range names {
			cmd := make() // a fresh one: --server and --data exclude each other
			f := cmd.Flags().Lookup(name)
			value := map[string]string{"bool": "true", "int": "7", "uint64": "7"}[f.Value.Type()]
			if value == "" {
				value = "something"
			}
			clear(env)
			env[envName(name)] = value
			if err := c.fromEnvironment(cmd); err != nil {
				t.Errorf("%s %s: %v", cmd.Name(), envName(name), err)
			}
			if got := strings.Trim(f.Value.String(), "[]"); got != value {
				t.Errorf("%s: %s=%s leaves --%s at %s", cmd.Name(), envName(name), value, name, got)
			}
			env[envName(name)] = "other"
			if err := c.fromEnvironment(cmd); err != nil || strings.Trim(f.Value.String(), "[]") != value {
				t.Errorf("%s: the variable overrides --%s, which was given", cmd.Name(), name)
			}
		}
	}
	got := steward(t, map[string]string{"STEWARD_DEMO": "perhaps"}, "serve")
	if got.code != exitUsage || !strings.Contains(got.err, "STEWARD_DEMO") {
		t.Errorf("a variable that is no bool: exit %d, %s", got.code, got.err)
	}
	got = steward(t, map[string]string{"STEWARD_LISTEN": "0.0.0.0:1"}, "serve", "--listen", "0.0.0.0:2")
	if !strings.Contains(got.err, "0.0.0.0:2") {
		t.Errorf("the command line does not win: %s", got.err)
	}
}

// A flag that is given wins over the variable of the one that excludes it, for query too.
func TestGivenFlagWins(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"query", "incidents", "--data", none}, {"rebuild", "--data", none}} {
		got := steward(t, map[string]string{"STEWARD_SERVER": "http://127.0.0.1:1"}, args...)
		if got.code != exitFailed || !strings.Contains(got.err, "no data directory") {
			t.Errorf("%v: exit %d, %q", args, got.code, got.err)
		}
	}
}

func TestSplit(t *testing.T) {
	c := &command{env: func(string) (string, bool) { return "", false }}
	for _, d := range []struct {
		args   string
		own    string
		params string
	}{
		{"incidents --auto-resolved include", "incidents", "auto_resolved=include"},
		{"--auto_resolved=include incidents", "incidents", "auto_resolved=include"},
		{"incidents --team a --team b --format csv", "incidents --format csv", "team=a&team=b"},
		{"incidents --data d --service=--odd", "incidents --data d", "service=--odd"},
		{"--server http://x incidents --as-of 2026-01-01", "--server http://x incidents", "as_of=2026-01-01"},
		{"incidents -h", "incidents -h", ""},
		{"incidents --help --by team", "incidents --help", "by=team"},
		{"incidents -- --by", "incidents -- --by", ""},
	} {
		own, params, err := split(c.query().Flags(), strings.Fields(d.args))
		if err != nil || strings.Join(own, " ") != d.own || params.Encode() != d.params {
			t.Errorf("%s: %q, %s, %v", d.args, own, params.Encode(), err)
		}
	}
}

func TestTable(t *testing.T) {
	const body = `{"metric":"m","title":"Hostile \u001b[31mtitle","unit":"seconds","definition":"d","params":{"from":"F","to":"T"},"as_of":"A","watermark":null,
		"columns":[{"name":"bucket","type":"string","unit":""},{"name":"key","type":"string","unit":""},{"name":"n","type":"integer","unit":"incidents"},{"name":"p50","type":"number","unit":"seconds"}],
		"rows":[{"bucket":"","key":"zoë","n":9,"p50":1.25},{"bucket":"","key":"a\u001b]0;x","n":12345678901234567,"p50":null}],
		"assumed":{"owner":3,"team":0},"withheld":[{"key":"k","reason":"too few"}]}`
	var out bytes.Buffer
	if err := writeTable(&out, []byte(body)); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		"key         n [incidents]  p50 [seconds]", "zoë                     9           1.25", "12345678901234567",
		"3 rest on an assumed owner", "withheld: k: too few", "window F to T, as of A",
	} {
		if !strings.Contains(strings.Join(strings.FieldsFunc(got, func(r rune) bool { return r == '\n' }), "\n"), want) {
			t.Errorf("%q is missing in:\n%s", want, got)
		}
	}
	if strings.ContainsRune(got, '\x1b') || strings.Contains(got, "bucket") || strings.Contains(got, "team") {
		t.Errorf("the table shows what it should not:\n%q", got)
	}
}

// The whole way through the command line: make history, import it twice, ask in each format.
func TestImportAndQuery(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	file := filepath.Join(dir, "events.json")
	made := steward(t, nil, "simulate", "--teams", "2", "--services", "4", "--people", "8", "--days", "30", "--end", "2026-06-01")
	if made.code != exitDone || made.out != steward(t, nil, "simulate", "--teams", "2", "--services", "4", "--people", "8", "--days", "30", "--end", "2026-06-01").out {
		t.Fatalf("the same seed gives other bytes: exit %d %s", made.code, made.err)
	}
	lines := strings.Count(made.out, "\n")
	if lines < 100 {
		t.Fatalf("%d events in a month", lines)
	}
	bad := made.out + "{\"specversion\":\"1.0\"}\n"
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	first := steward(t, nil, "import", "--format", "cloudevents", "--data", data, file)
	want := "imported " + itoa(lines) + " events, 0 duplicates, 1 quarantined\n"
	if first.code != exitDone || first.out != want {
		t.Fatalf("exit %d, %q (want %q) %s", first.code, first.out, want, first.err)
	}
	if !strings.Contains(first.err, "opened it directly") {
		t.Errorf("standard error does not say where it went: %q", first.err)
	}
	again := steward(t, map[string]string{"STEWARD_DATA": data, "STEWARD_FORMAT": "cloudevents", "STEWARD_STRICT": "true"}, "import", file)
	if again.code != exitFailed || again.out != "imported 0 events, "+itoa(lines)+" duplicates, 1 quarantined\n" {
		t.Errorf("--strict: exit %d, %q %s", again.code, again.out, again.err)
	}

	window := []string{"--data", data, "--from", "2026-05-01", "--to", "2026-06-01", "--as-of", "2026-06-01"}
	csv := steward(t, nil, append([]string{"query", "incidents", "--by", "team", "--format", "csv"}, window...)...)
	js := steward(t, nil, append([]string{"query", "incidents", "--by", "team", "--format", "json"}, window...)...)
	table := steward(t, map[string]string{"STEWARD_BY": "team"}, append([]string{"query", "incidents"}, window...)...)
	var a answer
	if err := json.Unmarshal([]byte(js.out), &a); err != nil || len(a.Rows) != 2 {
		t.Fatalf("%v: %s %s", err, js.out, js.err)
	}
	if n := strings.Count(csv.out, "\n"); n != 3 || !strings.HasPrefix(csv.out, "bucket,key,incidents,") {
		t.Errorf("csv: %q %s", csv.out, csv.err)
	}
	for _, r := range a.Rows {
		if !strings.Contains(table.out, r["key"].(string)) || !strings.Contains(csv.out, r["key"].(string)) {
			t.Errorf("team %v is not in table or csv:\n%s\n%s", r["key"], table.out, csv.out)
		}
	}
	for args, allowed := range map[string]string{"--by colour": "team", "--lens owner": "owner_then", "--shoe-size 9": "auto_resolved"} {
		got := steward(t, nil, append(append([]string{"query", "incidents"}, strings.Fields(args)...), window...)...)
		if got.code != exitUsage || !strings.Contains(got.err, allowed) {
			t.Errorf("%s: exit %d, %s", args, got.code, got.err)
		}
	}
	if got := steward(t, nil, "rebuild", "--data", data); got.code != exitDone || !strings.HasPrefix(got.out, "rebuilt every projection") {
		t.Errorf("rebuild: exit %d %s %s", got.code, got.out, got.err)
	}
	if after := steward(t, nil, append([]string{"query", "incidents", "--by", "team", "--format", "csv"}, window...)...); after.out != csv.out {
		t.Errorf("a rebuild changes the answer:\n%s\n%s", csv.out, after.out)
	}
}

func TestFormatsAreInTheHelp(t *testing.T) {
	help := steward(t, nil, "import", "--help")
	for _, f := range app.Formats() {
		if !strings.Contains(help.out, f) {
			t.Errorf("%s is not in the help", f)
		}
	}
	if !slices.Contains(app.Formats(), "cloudevents") || len(app.Formats()) < 4 {
		t.Errorf("formats: %q", app.Formats())
	}
}

func TestInterruptedIsSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"simulate", "--days", "3650", "--teams", "50", "--services", "500", "--people", "500"}, strings.NewReader(""), &out, &errs, func(string) (string, bool) { return "", false })
	if code != exitFailed || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit %d, %q", code, errs.String())
	}
}
