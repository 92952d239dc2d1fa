package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// secretPrefix marks the secrets that Steward makes, for scanners of source code.
const secretPrefix = "stws_"

// Bounds of a secret that a vendor made. A shorter one can be guessed from one signed
// delivery, without asking anybody.
const (
	minSecret = 16
	maxSecret = 512
	// maxAdded bounds the HMACs that one delivery can cost. A tool has one secret a
	// subscription, and a few subscriptions.
	maxAdded = 16
)

// keptByRotation is how many of the secrets that Steward made for one place are valid at
// a time: the newest, and the one that the tool may still sign with.
const keptByRotation = 2

// Secret is what a list shows of an ingest secret.
type Secret struct {
	ID      string    `json:"id"`
	Source  string    `json:"source"`
	Account string    `json:"account,omitempty"` // "": for every account of the source
	Created time.Time `json:"created"`
	Made    bool      `json:"made"` // by RotateSecret, not by the vendor
	Last4   string    `json:"-"`    // the text's last four characters
}

// storedSecret keeps the text, which HMAC needs; the file's mode is its only protection.
type storedSecret struct {
	Secret
	Text string `json:"text"`
}

func (x storedSecret) of(source, account string) bool {
	return x.Source == source && x.Account == account
}

// RotateSecret makes a secret for a source, or for one account of it, and answers its
// text: show it once. The one made before stays valid until the next rotation, so that
// the tool can be told in between; the one before that ends now. Secrets that a vendor
// made are not touched: each belongs to a subscription, and only RetireSecret ends it.
func (s *Store) RotateSecret(source, account string) (text string, made Secret, err error) {
	text = secretPrefix + random62()
	made, err = s.addSecret(source, account, text, true)
	if err != nil {
		return "", Secret{}, err
	}
	return text, made, nil
}

// AddSecret takes a secret that the vendor made, as PagerDuty does for each subscription.
// Several are valid side by side.
func (s *Store) AddSecret(source, account, text string) (Secret, error) {
	if len(text) < minSecret || len(text) > maxSecret || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) {
		return Secret{}, fmt.Errorf("secret: it has %d to %d printable characters and no spaces", minSecret, maxSecret)
	}
	return s.addSecret(source, account, text, false)
}

func (s *Store) addSecret(source, account, text string, made bool) (Secret, error) {
	if !plainName(source) {
		return Secret{}, errors.New("source: a name has letters, digits, dot, dash and underscore, at most 64")
	}
	if account != "" && !plainName(account) {
		return Secret{}, errors.New("account: a name has letters, digits, dot, dash and underscore, at most 64")
	}
	x := storedSecret{Secret: Secret{Source: source, Account: account, Created: s.now().UTC().Truncate(time.Second), Made: made}, Text: text}
	err := s.change(func(d *document) error {
		x.ID = newID(func(id string) bool {
			return slices.ContainsFunc(d.Secrets, func(o storedSecret) bool { return o.ID == id })
		})
		alike := 0
		for _, o := range d.Secrets {
			if o.of(source, account) && o.Text == text {
				return errors.New("secret: it is there already, as " + o.ID)
			}
			if o.of(source, account) && o.Made == made {
				alike++
			}
		}
		if !made && alike >= maxAdded {
			return fmt.Errorf("secret: there are %d already; retire those that nobody signs with", alike)
		}
		if made {
			d.Secrets = slices.DeleteFunc(d.Secrets, func(o storedSecret) bool {
				if o.Made && o.of(source, account) && alike >= keptByRotation {
					alike--
					return true // the oldest come first
				}
				return false
			})
		}
		d.Secrets = append(d.Secrets, x)
		return nil
	})
	return x.shown(), err
}

// RetireSecret ends one secret of a place at once.
func (s *Store) RetireSecret(source, account, id string) error {
	return s.change(func(d *document) error {
		before := len(d.Secrets)
		d.Secrets = slices.DeleteFunc(d.Secrets, func(o storedSecret) bool { return o.of(source, account) && o.ID == id })
		if len(d.Secrets) == before {
			return fmt.Errorf("secret: %w", ErrNoID) // what was given may be the text of one
		}
		return nil
	})
}

// Secrets answers the texts that a delivery for an account of a source may be signed
// with: those of the account, then those of the source in general, the newest first.
func (s *Store) Secrets(source, account string) []string {
	s.refresh(false)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var own, general []string
	for _, x := range slices.Backward(s.file.Secrets) {
		switch {
		case x.Source != source:
		case x.Account == "":
			general = append(general, x.Text)
		case x.Account == account:
			own = append(own, x.Text)
		}
	}
	return append(own, general...)
}

// ListSecrets answers every secret without its text, the oldest first.
func (s *Store) ListSecrets() []Secret {
	s.refresh(true)
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Secret, 0, len(s.file.Secrets))
	for _, x := range s.file.Secrets {
		out = append(out, x.shown())
	}
	return out
}

func (x storedSecret) shown() Secret {
	v := x.Secret
	v.Last4 = x.Text[max(0, len(x.Text)-4):]
	return v
}
