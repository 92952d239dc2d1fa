package identity

import (
	"context"
	"slices"
	"strings"
)

// Person is everything the vault knows a person by.
type Person struct {
	Token     string   // of the person's own id
	IDs       []string // the ids and aliases in plain, sorted; none when forgotten
	Names     []string // what they are called, sorted
	Forgotten bool
}

// Find looks a person up by id, alias, name or token. Errors: ErrUnknown, ErrAmbiguous.
func (v *Vault) Find(text string) (Person, error) {
	if v == nil {
		return Person{}, ErrUnknown
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	p, _, err := v.find(text)
	return p, err
}

// find also gives the tokens of everything that is the person's.
func (v *Vault) find(text string) (Person, []string, error) {
	start, err := v.named(text)
	if err != nil {
		return Person{}, nil, err
	}
	p := Person{Token: v.root(start)}
	p.Forgotten = v.rows[p.Token].forgotten
	tokens := []string{p.Token}
	for token := range v.rows {
		if token != p.Token && v.root(token) == p.Token {
			tokens = append(tokens, token)
		}
	}
	for _, token := range tokens {
		switch r := v.rows[token]; {
		case r.text == "":
		case v.tokens.id(r.text) == token:
			p.IDs = append(p.IDs, r.text)
		default:
			p.Names = append(p.Names, r.text)
		}
	}
	slices.Sort(p.IDs)
	slices.Sort(p.Names)
	return p, tokens, nil
}

// named is the token of somebody's id or alias, else of the one person of that name.
func (v *Vault) named(text string) (string, error) {
	token := text
	if !IsToken(text) {
		token = v.tokens.id(text)
	}
	if _, ok := v.rows[token]; ok {
		return token, nil
	}
	found := ""
	for of, r := range v.rows {
		if r.owner == token { // never seen by itself, only as the owner of a name
			return token, nil
		}
		if r.text == "" || r.owner == "" || !strings.EqualFold(r.text, text) {
			continue
		}
		root := v.root(of)
		if found != "" && found != root {
			return "", ErrAmbiguous
		}
		found = root
	}
	if found == "" {
		return "", ErrUnknown
	}
	return found, nil
}

// root climbs from a text to the person it belongs to. Two people who claim each other are
// one, whose token is the smallest of the circle.
func (v *Vault) root(token string) string {
	path := []string{token}
	for {
		owner := v.rows[token].owner
		if owner == "" {
			return token
		}
		if i := slices.Index(path, owner); i >= 0 {
			return slices.Min(path[i:])
		}
		path = append(path, owner)
		token = owner
	}
}

// Forget makes a person unreadable, whichever id, alias or name of theirs is given, and
// says how many texts went. It returns nil only when that is durable. Forgetting twice is
// no error. Errors: ErrUnknown, ErrAmbiguous, the journal's.
func (v *Vault) Forget(ctx context.Context, text string) (n int, err error) {
	if v == nil {
		return 0, ErrUnknown
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	v.mu.RLock()
	p, tokens, err := v.find(text)
	v.mu.RUnlock()
	if err != nil {
		return 0, err
	}
	return len(p.IDs) + len(p.Names), v.erase(ctx, tokens)
}
