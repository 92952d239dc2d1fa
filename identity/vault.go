// Package identity keeps the names of people apart from what they did.
//
// Theory of operation
//
//  1. Events never hold an e-mail address, an alias or a name of a person: in their place
//     stands a token, the keyed digest of the text. The same text always gives the same
//     token, so grouping, joining and filtering work on tokens as they did on texts.
//  2. The vault is the only place that knows which text a token stands for, and whose it
//     is: a name and an alias belong to a person. It is a table in memory, small as an
//     organisation is, in front of a journal that is durable before Register returns.
//     Register comes before the event is written, so no token is ever without its text
//     unless it was forgotten.
//  3. Forgetting a person removes the texts of everything that is theirs, however they are
//     named: the chain of owners is climbed, then everything below its end goes. The log
//     and the warehouse are not touched; their tokens now lead nowhere, every number that
//     is counted over them stays.
//  4. A tombstone stays with the token. The same address in a later event gives the same
//     token, so history stays joined, and the text is not taken in again. There is no way
//     back: what would bring the person back is exactly what had to go.
//  5. The first claim of an alias stands. Two people who claim one alias would otherwise be
//     forgotten together.
//  6. A nil *Vault passes everything through unchanged.
package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

var (
	// ErrUnknown says that no person goes by that text.
	ErrUnknown = errors.New("nobody is known by that")
	// ErrAmbiguous says that several people are called that; their ids tell them apart.
	ErrAmbiguous = errors.New("several people are called that: give the person's id")
)

// Entry is an identity text and whose it is, both in plain.
type Entry struct {
	Text  string // an e-mail address, a tool's id, an alias, a name
	Owner string // id of the person it belongs to; "" or Text: it is a person's id by itself
	Name  bool   // Text is what Owner is called; its token is NameToken(Owner, Text)
}

// Record is one line of a journal. A later record of the same token replaces an earlier
// one, except that Forgotten is for ever.
type Record struct {
	Token     string `json:"token"`
	Text      string `json:"text,omitempty"`
	Owner     string `json:"owner,omitempty"` // token
	Forgotten bool   `json:"forgotten,omitempty"`
}

// Journal is where a vault's table outlives the process. The vault calls Load once, before
// anything else, and never two methods at a time.
type Journal interface {
	// Load hands over every record, oldest first.
	Load(ctx context.Context, each func(Record) error) error
	// Append returns nil only when the records are durable.
	Append(ctx context.Context, records []Record) error
	// Erase removes the texts of tokens and leaves tombstones. It returns nil only when
	// that is durable. Repeating it is harmless.
	Erase(ctx context.Context, tokens []string) error
}

// Vault maps tokens to texts. All methods are goroutine-safe.
type Vault struct {
	tokens  *tokenizer
	journal Journal
	writing sync.Mutex // held over the journal's methods

	mu     sync.RWMutex
	byText map[textKey]string // to token
	rows   map[string]row     // by token

	forgotten atomic.Uint64
}

// textKey finds the token of a text without computing it. owner is the plain id of a name's
// owner, empty for ids.
type textKey struct{ owner, text string }

type row struct {
	text      string
	owner     string // token
	forgotten bool
}

// Open loads the journal. It fails when the key is not the one that the journal was written
// under, since every token would then be a stranger.
func Open(ctx context.Context, journal Journal, key []byte) (*Vault, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key of the identity table has %d bytes, not %d", len(key), KeySize)
	}
	v := &Vault{tokens: newTokenizer(key), journal: journal, byText: make(map[textKey]string), rows: make(map[string]row)}
	if err := journal.Load(ctx, func(r Record) error { v.put(r); return nil }); err != nil {
		return nil, fmt.Errorf("load the identity table: %w", err)
	}
	if !v.fits() {
		return nil, errors.New("the key does not fit the identity table: put back the key the table was written with, or start with a new data directory")
	}
	v.index()
	return v, nil
}

// fits says whether a record of the journal was made under the key.
func (v *Vault) fits() bool {
	for token, r := range v.rows {
		if r.text != "" {
			return v.tokens.id(r.text) == token || v.tokens.name(r.owner, r.text) == token
		}
	}
	return true
}

// index fills byText from rows. A name is found by its owner's text, which may come later in
// the journal than the name.
func (v *Vault) index() {
	for token, r := range v.rows {
		v.enter(token, r)
	}
}

func (v *Vault) enter(token string, r row) {
	if r.text == "" {
		return
	}
	if v.tokens.id(r.text) == token {
		v.byText[textKey{text: r.text}] = token
	} else if owner, ok := v.rows[r.owner]; ok && owner.text != "" {
		v.byText[textKey{owner.text, r.text}] = token
	}
}

// put takes a record into rows and says whether it changed anything.
func (v *Vault) put(r Record) (row, bool) {
	was, known := v.rows[r.Token]
	switch {
	case !IsToken(r.Token), known && was.forgotten:
		return was, false
	case r.Forgotten:
		v.rows[r.Token] = row{forgotten: true}
		return row{forgotten: true}, true
	case known && (was.owner != "" || r.Owner == ""):
		return was, false
	}
	now := row{text: strings.Clone(r.Text), owner: strings.Clone(r.Owner)}
	v.rows[strings.Clone(r.Token)] = now
	return now, true
}

// Apply takes in what another process wrote to the same journal. It says whether the record
// holds the text of a token that is forgotten, which the journal must then erase once more.
func (v *Vault) Apply(r Record) (stale bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	was := v.rows[r.Token]
	if was.forgotten {
		return r.Text != ""
	}
	if r.Forgotten {
		v.drop([]string{r.Token})
		return false
	}
	if now, changed := v.put(r); changed {
		v.enter(r.Token, now)
	}
	return false
}

// IsForgotten says whether a token's text was forgotten.
func (v *Vault) IsForgotten(token string) bool {
	if v == nil {
		return false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.rows[token].forgotten
}

// Forgotten counts the texts that were forgotten since the vault was opened. Whoever keeps
// texts that Reveal gave compares it.
func (v *Vault) Forgotten() uint64 {
	if v == nil {
		return 0
	}
	return v.forgotten.Load()
}

// drop replaces rows by tombstones. Several at once cost one pass over the texts.
func (v *Vault) drop(tokens []string) {
	v.forgotten.Add(uint64(len(tokens)))
	gone := make(map[string]bool, len(tokens))
	for _, t := range tokens {
		gone[t] = true
		v.rows[strings.Clone(t)] = row{forgotten: true}
	}
	for k, t := range v.byText {
		if gone[t] {
			delete(v.byText, k)
		}
	}
}

// Token is the token of an id: an e-mail address, a tool's id, an alias. It registers
// nothing. A token is its own token, and an empty text stays empty.
func (v *Vault) Token(text string) string {
	if v == nil || text == "" || IsToken(text) {
		return text
	}
	text = canonical(text)
	v.mu.RLock()
	token, ok := v.byText[textKey{text: text}]
	v.mu.RUnlock()
	if ok {
		return token
	}
	return v.tokens.id(text)
}

// NameToken is the token of what a person is called; owner is the person's id. A name that
// is nobody's is an id.
func (v *Vault) NameToken(owner, name string) string {
	if v == nil || name == "" || IsToken(name) {
		return name
	}
	if owner == "" {
		return v.Token(name)
	}
	owner = canonical(owner)
	v.mu.RLock()
	token, ok := v.byText[textKey{owner, name}]
	v.mu.RUnlock()
	if ok {
		return token
	}
	return v.tokens.name(v.Token(owner), name)
}

// Digest is the keyed digest of a text that is nobody's id but may hold one: as many
// characters as a token has after its prefix. It is never a token's of an id or a name, case
// counts, and nothing leads back from it.
func (v *Vault) Digest(text string) string {
	return v.tokens.of("digest\x00" + text)[len(tokenPrefix):]
}

// Lookup is the token of an entry, and whether registering it would change nothing. It is
// the hot path: nearly every text is known, and costs one look into a map then.
func (v *Vault) Lookup(e Entry) (token string, known bool) {
	if v == nil || e.Text == "" || IsToken(e.Text) {
		return e.Text, true
	}
	key, owner := e.key()
	v.mu.RLock()
	token, ok := v.byText[key]
	linked := owner == "" || e.Name || ok && v.rows[token].owner != ""
	v.mu.RUnlock()
	if ok && linked {
		return token, true
	}
	r := v.record(e)
	v.mu.RLock()
	defer v.mu.RUnlock()
	_, _, change := v.judge(r)
	return r.Token, !change
}

// key is where an entry's token would be, and the canonical id of its owner, "" for none.
func (e Entry) key() (textKey, string) {
	owner := canonical(e.Owner)
	if e.Name && owner != "" {
		return textKey{owner, e.Text}, owner
	}
	text := canonical(e.Text)
	if owner == text {
		owner = ""
	}
	return textKey{text: text}, owner
}

// record is the entry as the journal has it.
func (v *Vault) record(e Entry) Record {
	key, owner := e.key()
	r := Record{Text: key.text, Owner: v.Token(owner)}
	if key.owner != "" {
		r.Token = v.NameToken(key.owner, key.text)
	} else {
		r.Token = v.Token(key.text)
	}
	return r
}

// judge says what a record would change: nothing, an append, or, where it ties a text to a
// person who is forgotten, an erasure.
func (v *Vault) judge(r Record) (appends, erases, changes bool) {
	was, known := v.rows[r.Token]
	if known && was.forgotten {
		return false, false, false
	}
	if r.Owner != "" && v.rows[r.Owner].forgotten && was.owner == "" {
		return false, true, true
	}
	appends = !known || was.owner == "" && r.Owner != ""
	return appends, false, appends
}

// Register makes texts known, durably before it returns. What is known already costs a
// look; what is forgotten, or belongs to somebody who is, is not taken in.
func (v *Vault) Register(ctx context.Context, entries ...Entry) error {
	if v == nil {
		return nil
	}
	fresh := make([]Record, 0, len(entries))
	for _, e := range entries {
		if _, known := v.Lookup(e); !known {
			fresh = append(fresh, v.record(e))
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	appends, erases := v.sort(fresh)
	if len(appends) > 0 {
		if err := v.journal.Append(ctx, appends); err != nil {
			return fmt.Errorf("write the identity table: %w", err)
		}
		v.mu.Lock()
		for _, r := range appends {
			if now, changed := v.put(r); changed {
				v.enter(r.Token, now)
			}
		}
		v.mu.Unlock()
	}
	return v.erase(ctx, erases)
}

// sort looks again, now that nobody else writes: another call may have been first.
func (v *Vault) sort(fresh []Record) (appends []Record, erases []string) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	seen := make(map[string]bool, len(fresh))
	for _, r := range fresh {
		add, erase, _ := v.judge(r)
		if add && !seen[r.Token+r.Owner] {
			seen[r.Token+r.Owner] = true
			appends = append(appends, r)
		}
		if erase {
			erases = append(erases, r.Token)
		}
	}
	return appends, erases
}

// erase is called with writing held.
func (v *Vault) erase(ctx context.Context, tokens []string) error {
	if len(tokens) == 0 {
		return nil
	}
	if err := v.journal.Erase(ctx, tokens); err != nil {
		return fmt.Errorf("erase from the identity table: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drop(tokens)
	return nil
}
