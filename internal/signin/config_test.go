package signin

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

const example = `oidc:
  issuer: https://login.example.org
  client_id: steward
  client_secret_env: STEWARD_OIDC_SECRET
  redirect_url: https://steward.example.org/signin/callback
  scopes: [openid, email, profile, groups]
  groups_claim: realm_access.roles
  person_claim: email
  ca_file: /etc/ca.pem
  allow_private: [10.1.2.0/24, 10.9.9.9, "fd12::/64"]
roles:
  - {group: steward-admins, role: admin}
  - {person: ada@example.org, role: lead, teams: [payments]}
default_role: viewer
`

func load(t *testing.T, text string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "access.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestLoad(t *testing.T) {
	c, err := load(t, example)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		OIDC: &OIDC{
			Issuer: "https://login.example.org", ClientID: "steward", ClientSecretEnv: "STEWARD_OIDC_SECRET",
			RedirectURL: "https://steward.example.org/signin/callback", Scopes: []string{"openid", "email", "profile", "groups"},
			GroupsClaim: "realm_access.roles", PersonClaim: "email", CAFile: "/etc/ca.pem", AllowPrivate: []string{"10.1.2.0/24", "10.9.9.9", "fd12::/64"},
		},
		Roles:       []access.Rule{{Group: "steward-admins", Role: access.Admin}, {Person: "ada@example.org", Role: access.Lead, Teams: []string{"payments"}}},
		DefaultRole: access.Viewer,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if c, err := load(t, "proxy:\n  from: [127.0.0.1/32]\ndefault_role: viewer\n"); err != nil || c.Proxy == nil {
		t.Errorf("a proxy: %+v, %v", c, err)
	}
}

// Each fault names its line and its field, and repeats nothing that could be a secret.
func TestLoadFaults(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(example, old) {
			t.Fatalf("the example does not hold %q", old)
		}
		return strings.Replace(example, old, new, 1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":                   {replace("client_secret_env: STEWARD", "client_secret: hunter2 # STEWARD"), "line 4: oidc.client_secret: there is no such field"},
		"unknown at the top":              {example + "rolls: []\n", "line 15: rolls: there is no such field"},
		"unknown in a rule":               {replace("group: steward-admins", "grp: steward-admins"), "line 12: roles[0].grp: there is no such field"},
		"a list for a text":               {replace("client_id: steward", "client_id: [hunter2]"), "line 3: oidc.client_id: is a list, want a text"},
		"a list in a rule":                {replace("role: admin", "role: [hunter2]"), "line 12: roles[0]: is a list, want a text"},
		"a text for a list":               {replace("scopes: [openid, email, profile, groups]", "scopes: hunter2"), "line 6: oidc.scopes: is a text, want a list"},
		"a text for fields":               {"oidc: hunter2\ndefault_role: viewer\n", "line 1: oidc: is a text, want fields"},
		"twice":                           {replace("client_id: steward", "client_id: steward\n  client_id: steward"), "already defined at line 3"},
		"no YAML":                         {"oidc: [", "line 1"},
		"empty":                           {"", "the file is empty"},
		"two documents":                   {example + "---\noidc: {}\n", "more than one document"},
		"neither":                         {"default_role: viewer\n", "oidc: somebody must say who people are"},
		"both":                            {example + "proxy:\n  from: [127.0.0.1]\n", "line 15: proxy: oidc and proxy exclude"},
		"issuer over http":                {replace("https://login", "http://login"), "line 2: oidc.issuer: must be https"},
		"issuer on loopback, not allowed": {replace("https://login.example.org", "http://127.0.0.1:5556"), "line 2: oidc.issuer: must be https"},
		"issuer missing":                  {replace("  issuer: https://login.example.org\n", ""), "line 1: oidc.issuer: is missing"},
		"issuer with password":            {replace("https://login", "https://a:hunter2@login"), "line 2: oidc.issuer: must not hold a user"},
		"issuer that is none":             {replace("https://login", "hunter2:login"), "line 2: oidc.issuer: is not an address"},
		"issuer with a query":             {replace("login.example.org", "login.example.org?x=1"), "line 2: oidc.issuer: an issuer has no query"},
		"redirect over http":              {replace("https://steward", "http://steward"), "line 5: oidc.redirect_url: must be https"},
		"redirect elsewhere":              {replace("/signin/callback", "/callback"), "line 5: oidc.redirect_url: must be where Steward is"},
		"secret twice":                    {replace("client_id: steward", "client_id: steward\n  client_secret_file: /x"), "oidc.client_secret_env: give either"},
		"secret in the file":              {replace("STEWARD_OIDC_SECRET", `"a = hunter2"`), "line 4: oidc.client_secret_env: is the name of an environment variable"},
		"no openid":                       {replace("[openid, ", "["), "line 6: oidc.scopes: must contain openid"},
		"a network that is none":          {replace("10.9.9.9", "10.9.9"), `line 10: oidc.allow_private[1]: "10.9.9" is not a network`},
		"a network with bits":             {replace("10.1.2.0/24", "10.1.2.3/24"), "line 10: oidc.allow_private[0]: 10.1.2.3/24 has bits beyond its length; did you mean 10.1.2.0/24?"},
		"a rule of nobody":                {replace("group: steward-admins, ", ""), "line 12: roles[0]: a rule names either"},
		"an unknown role":                 {replace("role: admin", "role: root"), `line 12: roles[0]: role: unknown role "root"`},
		"an unknown default":              {replace("default_role: viewer", "default_role: root"), `line 14: default_role: unknown role "root"`},
		"nobody may":                      {"proxy: {from: [127.0.0.1]}\n", "roles: nobody could use Steward"},
		"a proxy anywhere":                {"proxy: {from: [0.0.0.0/0]}\ndefault_role: viewer\n", "line 1: proxy.from: 0.0.0.0/0 is everybody"},
		"a proxy nowhere":                 {"proxy: {person_header: X}\ndefault_role: viewer\n", "line 1: proxy.from: is missing"},
		"no header":                       {"proxy: {from: [127.0.0.1], person_header: 'X Y'}\ndefault_role: viewer\n", "line 1: proxy.person_header: \"X Y\" is not the name of a header"},
		"one header for two":              {"proxy: {from: [127.0.0.1], person_header: X, groups_header: x}\ndefault_role: viewer\n", "line 1: proxy.groups_header: x has another meaning"},
	} {
		_, err := load(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "signin.")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nowhere.yaml")); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

// All faults are told at once.
func TestLoadTellsAll(t *testing.T) {
	_, err := load(t, "oidc:\n  issuer: http://x.example\n  scopes: [email]\ndefault_role: root\n")
	for _, want := range []string{"line 2: oidc.issuer", "line 1: oidc.redirect_url", "line 1: oidc.client_id", "line 3: oidc.scopes", "line 4: default_role"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	file, empty := filepath.Join(dir, "secret"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{file: clientSecret + "\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := secretOf("oidc.client_secret", "", file); err != nil || s != clientSecret {
		t.Errorf("%q, %v", s, err)
	}
	c := oidcConfig("https://login.example.org", "https://steward.example.org")
	for want, change := range map[string]func(*OIDC){
		"oidc.client_secret_env: the environment variable STEWARD_NOWHERE is empty": func(o *OIDC) { o.ClientSecretEnv = "STEWARD_NOWHERE" },
		"oidc.client_secret_file: open":                                             func(o *OIDC) { o.ClientSecretEnv, o.ClientSecretFile = "", filepath.Join(dir, "nowhere") },
		"oidc.client_secret_file: the file is empty":                                func(o *OIDC) { o.ClientSecretEnv, o.ClientSecretFile = "", empty },
		"oidc.ca_file: there is no certificate":                                     func(o *OIDC) { o.ClientSecretEnv, o.ClientSecretFile, o.CAFile = "", file, file },
	} {
		o := *c.OIDC
		change(&o)
		if _, err := New(t.Context(), Config{OIDC: &o, DefaultRole: access.Viewer}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	t.Setenv(secretEnv, clientSecret)
	c.Insecure = true
	if s, err := New(t.Context(), c, Options{}); err != nil || s.sessionCookie() != "__Host-steward" {
		t.Errorf("insecure cookies for an https address: %v", err)
	}
}
