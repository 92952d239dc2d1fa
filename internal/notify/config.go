package notify

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stewardhq/steward/internal/outbound"
	"github.com/stewardhq/steward/training/remind"
)

// Config is the file of --notify. It holds no secret, only where secrets are.
type Config struct {
	Site      string    `yaml:"site"` // address of Steward as people open it
	Reminders Reminders `yaml:"reminders"`
	Webhooks  []Webhook `yaml:"webhooks"`
	SMTP      *SMTP     `yaml:"smtp"`
	LRS       *LRS      `yaml:"lrs"`
}

// Reminders say how early; what is left out is as remind.Defaults.
type Reminders struct {
	BeforeShift  []int `yaml:"before_shift_days"`
	BeforeDue    []int `yaml:"before_due_days"`
	OverdueEvery *int  `yaml:"overdue_every_days"`
	Hour         *int  `yaml:"hour"`
}

// Rules are the reminders' rules.
func (r Reminders) Rules() remind.Rules {
	out := remind.Defaults()
	if r.BeforeShift != nil {
		out.BeforeShift = r.BeforeShift
	}
	if r.BeforeDue != nil {
		out.BeforeDue = r.BeforeDue
	}
	if r.OverdueEvery != nil {
		out.OverdueEvery = *r.OverdueEvery
	}
	if r.Hour != nil {
		out.Hour = *r.Hour
	}
	return out
}

// Reach says how an address is reached.
type Reach struct {
	CAFile       string   `yaml:"ca_file"`       // PEM, instead of the system's authorities
	AllowPrivate []string `yaml:"allow_private"` // networks in which it may be although they are not public

	allow []netip.Prefix
	roots *x509.CertPool
}

// Webhook is an address that reminders are posted to.
type Webhook struct {
	Name       string `yaml:"name"`
	URL        string `yaml:"url"`
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	Reach      `yaml:",inline"`

	secret Secret
}

// SMTP is a mail server.
type SMTP struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"` // default 587, with tls: implicit 465
	TLS          string `yaml:"tls"`  // starttls (default), implicit, or none, which is for loopback
	From         string `yaml:"from"` // an address, or a name with one
	User         string `yaml:"user"` // empty: without signing in
	PasswordEnv  string `yaml:"password_env"`
	PasswordFile string `yaml:"password_file"`
	Reach        `yaml:",inline"`

	password Secret
}

// LRS is a store of learning records.
type LRS struct {
	Endpoint   string `yaml:"endpoint"` // without /statements
	User       string `yaml:"user"`     // for Basic; empty: the secret is a bearer token
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	Actor      string `yaml:"actor"` // account (default): an opaque name; mbox: the e-mail address
	Reach      `yaml:",inline"`

	secret Secret
}

// longest is more than any such file needs, in bytes.
const longest = 1 << 20

// Load reads and validates a configuration file and the secrets that it names. Its errors
// are joined, and each names the field; none repeats a secret.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("notify configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, longest+1))
	if err != nil {
		return nil, fmt.Errorf("notify configuration: %w", err)
	}
	if len(b) > longest {
		return nil, fmt.Errorf("notify configuration %s: longer than %d bytes", path, longest)
	}
	c, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("notify configuration %s:\n%w", path, err)
	}
	return c, nil
}

var quoted = regexp.MustCompile("`[^`]*`")

func parse(b []byte) (*Config, error) {
	c := &Config{}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		// The decoder quotes values, and one could be a secret in the wrong place.
		return nil, errors.New(quoted.ReplaceAllString(err.Error(), "(hidden)"))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one document")
	}
	return c, c.resolve()
}

// Sends says whether anybody is told anything.
func (c *Config) Sends() bool { return c != nil && (len(c.Webhooks) > 0 || c.SMTP != nil) }

// resolve checks everything, fills in what is left out, and reads the secrets.
func (c *Config) resolve() error {
	var errs []error
	say := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	c.Site = strings.TrimRight(c.Site, "/")
	if c.Site != "" {
		if u, err := url.Parse(c.Site); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
			say("site", "must be an address like https://steward.example.org")
		}
	} else if c.LRS != nil {
		say("site", "missing: accounts and activities in learning records are named by it")
	} else if c.SMTP != nil {
		say("site", "missing: mail says where to switch it off")
	}
	if err := c.Reminders.Rules().Validate(); err != nil {
		errs = append(errs, fmt.Errorf("reminders: %w", err))
	}
	if len(c.Webhooks) == 0 && c.SMTP == nil && c.LRS == nil {
		say("webhooks", "nothing would be sent: give webhooks, smtp or lrs")
	}
	names := map[string]bool{}
	for i := range c.Webhooks {
		w, at := &c.Webhooks[i], fmt.Sprintf("webhooks[%d].", i)
		if !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(w.Name) {
			say(at+"name", "must have 1 to 32 small letters, digits or dashes")
		} else if names[w.Name] {
			say(at+"name", "given twice")
		}
		names[w.Name] = true
		w.reach(at, w.URL, at+"url", say)
		w.secret = secretOf(at+"secret", w.SecretEnv, w.SecretFile, say)
		if _, err := key(w.secret); err != nil && w.secret.reveal() != "" {
			say(at+"secret", "%v", err)
		}
	}
	if c.SMTP != nil {
		c.SMTP.resolve(say)
	}
	if c.LRS != nil {
		c.LRS.resolve(say)
	}
	return errors.Join(errs...)
}

type sayer = func(field, format string, args ...any)

func (s *SMTP) resolve(say sayer) {
	if s.Host == "" || strings.ContainsAny(s.Host, ":/ ") {
		say("smtp.host", "must be the name or address of a host")
	}
	if s.TLS == "" {
		s.TLS = "starttls"
	}
	switch s.TLS {
	case "starttls", "implicit":
	case "none":
		if ip := net.ParseIP(s.Host); s.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			say("smtp.tls", "none is for loopback alone: mail names people and what they have to learn")
		}
	default:
		say("smtp.tls", "must be starttls, implicit or none")
	}
	if s.Port == 0 {
		s.Port = map[string]int{"implicit": 465, "none": 25}[s.TLS]
		if s.Port == 0 {
			s.Port = 587
		}
	}
	if s.Port < 1 || s.Port > 65535 {
		say("smtp.port", "must be from 1 to 65535")
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		say("smtp.from", `must be an address, or a name with one: Steward <steward@example.org>`)
	}
	switch given := s.PasswordEnv != "" || s.PasswordFile != ""; {
	case s.User != "":
		s.password = secretOf("smtp.password", s.PasswordEnv, s.PasswordFile, say)
	case given:
		say("smtp.user", "missing: there is a password and nobody whose it is")
	}
	s.open("smtp.", say)
}

func (l *LRS) resolve(say sayer) {
	l.Endpoint = strings.TrimRight(l.Endpoint, "/")
	l.reach("lrs.", l.Endpoint, "lrs.endpoint", say)
	l.secret = secretOf("lrs.secret", l.SecretEnv, l.SecretFile, say)
	if l.Actor == "" {
		l.Actor = "account"
	}
	if !slices.Contains([]string{"account", "mbox"}, l.Actor) {
		say("lrs.actor", "must be account or mbox")
	}
}

// reach checks an address of HTTP. Plain http is for loopback: elsewhere it would show what
// is sent, and the signature would keep nobody from reading.
func (r *Reach) reach(at, address, field string, say sayer) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "":
		say(field, "must be an address that begins with https://")
	case u.User != nil:
		say(field, "must not hold a password: it would stand in logs")
	case u.Scheme == "http":
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			say(field, "plain http is for loopback alone")
		}
	}
	r.open(at, say)
}

func (r *Reach) open(at string, say sayer) {
	r.allow, r.roots = nil, nil
	for i, text := range r.AllowPrivate {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			say(fmt.Sprintf("%sallow_private[%d]", at, i), "must be a network like 10.0.0.0/8")
			continue
		}
		r.allow = append(r.allow, p)
	}
	if r.CAFile != "" {
		pem, err := os.ReadFile(r.CAFile)
		if err != nil {
			say(at+"ca_file", "%v", err)
		} else if r.roots = x509.NewCertPool(); !r.roots.AppendCertsFromPEM(pem) {
			say(at+"ca_file", "holds no certificate in PEM")
		}
	}
}

func (r *Reach) outbound() outbound.Config {
	return outbound.Config{Allow: r.allow, Roots: r.roots, Timeout: timeout, MaxBody: 1 << 20}
}

// client does not follow redirects: an answer that is one is the answer.
func (r *Reach) client() *http.Client {
	c := outbound.New(r.outbound())
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// secretOf reads a secret from where the configuration says it is. What it says names the
// field, never what was found there.
func secretOf(field, env, file string, say sayer) Secret {
	switch {
	case env != "" && file != "":
		say(field+"_env", "%s_env and %s_file exclude each other", field, field)
		return Secret{}
	case env != "":
		s := os.Getenv(env)
		if s == "" {
			say(field+"_env", "the environment variable %s is empty", env)
		}
		return secret(s)
	case file == "":
		say(field+"_env", "missing: name an environment variable, or a file with %s_file", field)
		return Secret{}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		say(field+"_file", "%v", err)
		return Secret{}
	}
	s := strings.TrimRight(string(b), "\r\n") // editors and echo end a file with a line
	if s == "" {
		say(field+"_file", "the file is empty")
	}
	return secret(s)
}

// keyPrefix begins a secret whose rest is base64, as the convention of signed webhooks has it.
const keyPrefix = "whsec_"

// shortest is in bytes: a shorter secret can be guessed from one delivery.
const shortest = 16

// key is the bytes that a secret signs with.
func key(s Secret) ([]byte, error) {
	text, encoded := strings.CutPrefix(s.reveal(), keyPrefix)
	out := []byte(text)
	if encoded {
		var err error
		if out, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("what follows " + keyPrefix + " is not base64")
		}
	}
	if len(out) < shortest {
		return nil, fmt.Errorf("must have at least %d bytes", shortest)
	}
	return out, nil
}
