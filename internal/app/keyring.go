package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/source"
	"github.com/stewardhq/steward/internal/keys"
	"github.com/stewardhq/steward/internal/limit"
)

// Keyring is the tokens and secrets of a data directory, for a command. It works whether a
// server has the directory open or not: both notice what the other changes.
type Keyring struct {
	*keys.Store
	now func() time.Time
}

// Token and Secret are what a Keyring lists: neither holds its text.
type (
	Token  = keys.Token
	Secret = keys.Secret
)

// AllowedScopes is what a token's scope may be.
const AllowedScopes = keys.AllowedScopes

// OpenKeyring opens the keys of the data directory dir. With create it may be a directory
// that is still to be made, since tokens can come before the first start.
func OpenKeyring(dir string, create bool) (*Keyring, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, fmt.Errorf("there is no data directory %s: name it with --data", dir)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	store, err := keys.Open(keysPath(dir), time.Now)
	if err != nil {
		return nil, err
	}
	return &Keyring{Store: store, now: time.Now}, nil
}

// NewToken makes a token; expires is as on the command line. What is asked for wrongly is
// a *UsageError.
func (k *Keyring) NewToken(name string, scopes []string, expires, by string) (text string, t Token, err error) {
	end, err := keys.ParseExpiry(expires, k.now())
	if err != nil {
		return "", Token{}, &UsageError{Message: err.Error()}
	}
	if scopes, err = keys.ParseScopes(scopes); err != nil {
		return "", Token{}, &UsageError{Message: err.Error()}
	}
	for _, scope := range scopes {
		if name, one := strings.CutPrefix(scope, keys.ScopeIngest+":"); one && !slices.Contains(sourceNames(false), name) {
			return "", Token{}, &UsageError{Message: fmt.Sprintf("scope: there is no source %q", name), Allowed: sourceNames(false)}
		}
	}
	return k.Issue(name, scopes, end, by)
}

// CheckSigning is nil for a source whose deliveries are signed, else a *UsageError.
func CheckSigning(name string) error {
	if slices.Contains(sourceNames(true), name) {
		return nil
	}
	return &UsageError{Message: fmt.Sprintf("%q is no source that signs its deliveries; others show a token", name), Allowed: sourceNames(true)}
}

// sourceNames lists what sends to the intake.
func sourceNames(signing bool) []string {
	var names []string
	if !signing {
		names = append(names, "cloudevents")
	}
	for _, f := range source.Webhooks() {
		if !signing || f.Verify != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// ParseProxies reads the networks of --trusted-proxies.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	proxies, err := limit.ParseProxies(list)
	if err != nil {
		return nil, &UsageError{Message: err.Error()}
	}
	return proxies, nil
}
