package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stewardhq/steward/internal/app"
)

// typed runs a command with something on standard input.
func typed(t *testing.T, input string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(input), &out, &errs, func(string) (string, bool) { return "", false })
	return result{code, out.String(), errs.String()}
}

var tokenText = regexp.MustCompile(`^stw_[0-9A-Za-z]{49}\n$`)

func TestTokenCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"token", "list", "--data", data}, exitFailed, "no data directory"},
		{[]string{"token", "bake"}, exitUsage, `unknown command "bake"`},
		{[]string{"token", "create", "--scope", "read", "--data", data}, exitUsage, "1 arg"},
		{[]string{"token", "create", "n", "--data", data}, exitUsage, "allowed: ingest, ingest:SOURCE, directory, read, admin"},
		{[]string{"token", "create", "n", "--scope", "write", "--data", data}, exitUsage, "allowed: ingest, ingest:SOURCE, directory, read, admin"},
		{[]string{"token", "create", "n", "--scope", "ingest:nagios", "--data", data}, exitUsage, "allowed: cloudevents, pagerduty"},
		{[]string{"token", "create", "n", "--scope", "read", "--expires", "soon", "--data", data}, exitUsage, "30d, never"},
		{[]string{"token", "create", "n\x1b", "--scope", "read", "--data", data}, exitFailed, "name: "},
		{[]string{"token", "revoke", "nothing", "--data", data}, exitFailed, "steward token list"},
		{[]string{"secret", "rotate", "cloudevents", "--data", data}, exitUsage, "allowed: pagerduty"},
		{[]string{"secret", "add", "pagerduty", "--data", data}, exitUsage, "holds no secret"},
		{[]string{"secret", "add", "pagerduty", "a-secret-in-the-arguments", "--data", data}, exitUsage, "1 arg"},
		{[]string{"secret", "retire", "nothing", "--data", data}, exitFailed, "steward secret list"},
		{[]string{"serve", "--trusted-proxies", "proxy.example"}, exitUsage, "10.0.0.0/8"},
		{[]string{"rebuild", "--token", "x"}, exitUsage, "unknown flag: --token"},
	} {
		got := steward(t, nil, c.args...)
		if got.code != c.code || !strings.Contains(got.err, c.want) {
			t.Errorf("steward %q: exit %d (want %d), said %q (want %q)", c.args, got.code, c.code, got.err, c.want)
		}
	}

	made := steward(t, nil, "token", "create", "deploy hook", "--scope", "ingest,read", "--expires", "30d", "--data", data)
	if made.code != exitDone || !tokenText.MatchString(made.out) || strings.Contains(made.err, strings.TrimSpace(made.out)) {
		t.Fatalf("exit %d, standard output %d bytes, said %q", made.code, len(made.out), made.err)
	}
	text := strings.TrimSpace(made.out)
	list := steward(t, nil, "token", "list", "--data", data)
	if list.code != exitDone || !strings.Contains(list.out, "deploy hook") || !strings.Contains(list.out, "ingest,read") || !strings.Contains(list.out, "not yet") || strings.Contains(list.out, text[4:20]) {
		t.Errorf("exit %d:\n%s%s", list.code, list.out, list.err)
	}
	if got := steward(t, nil, "token", "revoke", text, "--data", data); got.code != exitFailed || strings.Contains(got.err, text) {
		t.Errorf("revoking the text: exit %d, said it again: %v", got.code, strings.Contains(got.err, text))
	}
	id := strings.Fields(strings.Split(list.out, "\n")[1])[0]
	if got := steward(t, nil, "token", "revoke", id, "--data", data); got.code != exitDone {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	if list := steward(t, nil, "token", "list", "--data", data); !strings.Contains(list.out, "revoked") {
		t.Errorf("after revoking:\n%s", list.out)
	}
}

func TestSecretCommands(t *testing.T) {
	data := t.TempDir()
	first := steward(t, nil, "secret", "rotate", "pagerduty", "--account", "acme", "--data", data)
	if first.code != exitDone || !strings.HasPrefix(first.out, "stws_") || !strings.Contains(first.err, "pagerduty/acme") {
		t.Fatalf("exit %d, %s", first.code, first.err)
	}
	const vendor = "a-secret-that-pagerduty-made"
	if got := typed(t, vendor+"\n", "secret", "add", "pagerduty", "--data", data); got.code != exitDone || strings.Contains(got.out+got.err, vendor) {
		t.Fatalf("exit %d, %s", got.code, got.err)
	}
	k, err := app.OpenKeyring(data, false)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if got := k.Secrets("pagerduty", "acme"); len(got) != 2 || got[0] != strings.TrimSpace(first.out) || got[1] != vendor {
		t.Errorf("%d secrets are kept, or others", len(got))
	}
	list := steward(t, nil, "secret", "list", "--data", data)
	if strings.Contains(list.out, vendor) || strings.Contains(list.out, strings.TrimSpace(first.out)) || !strings.Contains(list.out, "made") || !strings.Contains(list.out, "(all)") {
		t.Errorf("the list:\n%s", list.out)
	}
	id := strings.Fields(strings.Split(list.out, "\n")[2])[0]
	if got := steward(t, nil, "secret", "retire", id, "--data", data); got.code != exitDone || !strings.Contains(got.out, id) {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	k.ListSecrets() // looks at the file at once, where Secrets may be a second behind
	if got := k.Secrets("pagerduty", "other"); len(got) != 0 {
		t.Error("a retired secret is still valid")
	}
}

// Two processes: a plain server that wants tokens, and commands that find theirs in the
// directory or in the environment.
func TestCommandsProveThemselves(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	event := `{"specversion":"1.0","id":"e1","source":"/s","type":"dev.steward.incident.opened.v1","time":"2025-06-02T09:00:00Z","data":{"incident":"i1","title":"t"}}` + "\n"
	if got := typed(t, event, "import", "--format", "cloudevents", "--data", data, "-"); got.code != exitDone || got.out != "imported 1 events, 0 duplicates, 0 quarantined\n" {
		t.Fatalf("import by the directory: exit %d, %q %s", got.code, got.out, got.err)
	}
	if got := steward(t, nil, "rebuild", "--data", data); got.code != exitDone {
		t.Errorf("rebuild by the directory: exit %d, %s", got.code, got.err)
	}
	if got := steward(t, nil, "rebuild", "--server", s.url); got.code != exitFailed || !strings.Contains(got.err, "set STEWARD_TOKEN") {
		t.Errorf("rebuild by the address: exit %d, %s", got.code, got.err)
	}
	token := strings.TrimSpace(steward(t, nil, "token", "create", "ci", "--scope", "admin", "--data", data).out)
	env := map[string]string{"STEWARD_TOKEN": token + "\n"}
	if got := steward(t, env, "rebuild", "--server", s.url); got.code != exitDone {
		t.Errorf("rebuild with a token: exit %d, %s", got.code, got.err)
	}
	// One made for sending events, straight into a request.
	sender := strings.TrimSpace(steward(t, nil, "token", "create", "sender", "--scope", "ingest:cloudevents", "--data", data).out)
	req, err := http.NewRequest("POST", s.url+"/ingest/cloudevents", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Authorization", "Bearer "+sender)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("a fresh token for sending: %s", resp.Status)
	}
	// A wrong one is said without its text, here and in the server's log.
	env["STEWARD_TOKEN"] = "stw_" + strings.Repeat("Q", 49)
	if got := steward(t, env, "rebuild", "--server", s.url); got.code != exitFailed || !strings.Contains(got.err, "does not accept the token") || strings.Contains(got.err, "QQQ") {
		t.Errorf("rebuild with a wrong token: exit %d, %s", got.code, got.err)
	}
	if got := steward(t, env, "rebuild", "--server", "http://steward.example"); got.code != exitUsage || !strings.Contains(got.err, "without encryption") {
		t.Errorf("a token without encryption: exit %d, %s", got.code, got.err)
	}
	note, err := os.ReadFile(filepath.Join(data, "server.json"))
	if err != nil {
		t.Fatal(err)
	}
	var record app.Record
	if err := json.Unmarshal(note, &record); err != nil || record.LocalToken == "" {
		t.Fatalf("the note: %v", err)
	}
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatalf("%v\n%s", err, s.log.String())
	}
	for _, secret := range []string{token, sender, "QQQ", record.LocalToken} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the server's log holds a token")
		}
	}
	// Written at the latest when the server ends.
	list := steward(t, nil, "token", "list", "--data", data)
	if strings.Contains(list.out, "not yet") {
		t.Errorf("last uses are lost:\n%s", list.out)
	}
}
