package notify

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stewardhq/steward/training/remind"
)

const secretText = "a-secret-of-many-letters"

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfig(t *testing.T) {
	t.Setenv("TEST_NOTIFY_SECRET", secretText)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from-a-file-of-16+\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(write(t, `
site: https://steward.example.org/
reminders: {before_shift_days: [5], hour: 8}
webhooks: [{name: chat, url: "https://chat.example.org/hook/abc", secret_env: TEST_NOTIFY_SECRET}]
smtp: {host: mail.example.org, from: "Steward <steward@example.org>", user: steward, password_file: `+file+`, allow_private: [10.0.0.0/8]}
lrs: {endpoint: https://lrs.example.org/xapi/, user: u, secret_env: TEST_NOTIFY_SECRET}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := remind.Rules{BeforeShift: []int{5}, BeforeDue: []int{7, 1}, OverdueEvery: 7, Hour: 8}
	if got := c.Reminders.Rules(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v", got)
	}
	if c.Site != "https://steward.example.org" || c.SMTP.Port != 587 || c.SMTP.TLS != "starttls" || c.SMTP.password.reveal() != "from-a-file-of-16+" || c.LRS.Endpoint != "https://lrs.example.org/xapi" || c.LRS.Actor != "account" {
		t.Errorf("%+v", c)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", *c, c.Webhooks, c.LRS.secret), jsonOf(t, c.Webhooks[0].secret), slog.AnyValue(c.LRS.secret).Resolve().String()} {
		if strings.Contains(text, secretText) || strings.Contains(text, "from-a-file") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every mistake is named by its field, all at once.
func TestConfigProblems(t *testing.T) {
	t.Setenv("TEST_NOTIFY_SECRET", secretText)
	t.Setenv("TEST_NOTIFY_SHORT", "short")
	for name, c := range map[string]struct {
		text   string
		fields []string
	}{
		"all at once": {`
site: steward
reminders: {hour: 23, before_due_days: [0]}
webhooks:
- {name: "Chat!", url: "http://chat.example.org", secret_env: TEST_NOTIFY_UNSET, allow_private: [ten]}
- {name: two, url: "https://u:p@chat.example.org", secret_env: TEST_NOTIFY_SHORT, ca_file: /nonexistent}
- {name: two, url: "ftp://x", secret_env: TEST_NOTIFY_SECRET, secret_file: x}
smtp: {host: "mail:25", tls: none, from: nobody, password_env: TEST_NOTIFY_SECRET, port: 99999}
lrs: {endpoint: "http://lrs.example.org", actor: name}
`, []string{"site: ", "reminders: before_due_days: 0", "hour: 23", "webhooks[0].name: ", "webhooks[0].url: plain http", "webhooks[0].secret_env: the environment", "webhooks[0].allow_private[0]: ",
			"webhooks[1].url: must not hold a password", "webhooks[1].secret: must have at least 16", "webhooks[1].ca_file: ", "webhooks[2].name: given twice", "webhooks[2].url: ", "webhooks[2].secret_env: webhooks[2].secret_env and",
			"smtp.host: ", "smtp.tls: none is for loopback", "smtp.from: ", "smtp.user: missing", "smtp.port: ", "lrs.endpoint: plain http", "lrs.secret_env: missing", "lrs.actor: "}},
		"nothing to do":               {`site: https://steward.example.org`, []string{"webhooks: nothing would be sent"}},
		"a misspelt field":            {`webhook: []`, []string{"webhook"}},
		"no site for an LRS":          {"lrs: {endpoint: 'https://lrs.example.org', secret_env: TEST_NOTIFY_SECRET}", []string{"site: missing"}},
		"empty":                       {``, []string{"empty"}},
		"two documents":               {"site: https://a.example\nwebhooks: []\n---\nsite: https://b.example", []string{"more than one document"}},
		"a secret in place of a list": {"webhooks: " + secretText, []string{"line 1"}},
	} {
		_, err := Load(write(t, c.text))
		for _, f := range c.fields {
			if err == nil || !strings.Contains(err.Error(), f) {
				t.Errorf("%s: %q is not in %v", name, f, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), secretText) {
			t.Errorf("%s: the error repeats a secret", name)
		}
	}
}
