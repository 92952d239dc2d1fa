package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"strings"
	"sync"
)

// KeySize is the length of a vault's key in bytes.
const KeySize = 32

// A token is tokenPrefix and tokenBody characters of base32. Its length is fixed, so that
// tokens are found inside other text without asking what stands around them.
const (
	tokenPrefix = "~p"
	tokenBody   = 24
	tokenLen    = len(tokenPrefix) + tokenBody
)

// formerPrefix begins what is shown in place of a forgotten text.
const formerPrefix = "former-"

var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// IsToken says whether s is a token and nothing else. It does not say whose.
func IsToken(s string) bool {
	if len(s) != tokenLen || s[:len(tokenPrefix)] != tokenPrefix {
		return false
	}
	for i := len(tokenPrefix); i < len(s); i++ {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '2' && c <= '7') {
			return false
		}
	}
	return true
}

// former is what stands for a token whose text is not known any more: enough of it to tell
// two people apart on a page.
func former(token string) string { return formerPrefix + token[len(tokenPrefix):len(tokenPrefix)+8] }

// IsFormer says whether a text has the form that Reveal puts for a forgotten token.
func IsFormer(s string) bool {
	rest, ok := strings.CutPrefix(s, formerPrefix)
	return ok && len(rest) == 8 && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// canonical is the form of an identity text that its token is made of: e-mail addresses
// compare in lower case, every other id is opaque. It is the rule of event.PersonID.
func canonical(text string) string {
	if strings.IndexByte(text, '@') >= 0 {
		return strings.ToLower(text)
	}
	return text
}

// tokenizer makes tokens under one key. HMAC and not a bare digest: the addresses of an
// organisation can be guessed, and whoever guessed one could find its person in the log.
type tokenizer struct{ macs sync.Pool }

func newTokenizer(key []byte) *tokenizer {
	key = append([]byte(nil), key...)
	t := &tokenizer{}
	t.macs.New = func() any { return hmac.New(sha256.New, key) }
	return t
}

// id is the token of an id.
func (t *tokenizer) id(text string) string { return t.of(canonical(text)) }

// name is the token of what the owner of a token is called. Two people of one name have
// two tokens, so that one of them can be forgotten.
func (t *tokenizer) name(owner, text string) string { return t.of("name\x00" + owner + "\x00" + text) }

func (t *tokenizer) of(text string) string {
	mac := t.macs.Get().(hash.Hash)
	mac.Reset()
	mac.Write([]byte(text))
	var sum [sha256.Size]byte
	mac.Sum(sum[:0])
	t.macs.Put(mac)
	var out [tokenLen]byte
	copy(out[:], tokenPrefix)
	alphabet.Encode(out[len(tokenPrefix):], sum[:tokenBody*5/8])
	return string(out[:])
}
