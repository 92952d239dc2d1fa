package identity

import "strings"

// Text is what a token stands for. ok is false when it is forgotten, or none of this
// vault's. What is no token is its own text.
func (v *Vault) Text(token string) (text string, ok bool) {
	if v == nil || !IsToken(token) {
		return token, true
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	r := v.rows[token]
	return r.text, r.text != ""
}

// Reveal replaces every token inside s by its text, or by "former-" and eight characters
// where there is none. Without a token in it, s costs a search and comes back as it is.
func (v *Vault) Reveal(s string) string {
	return v.reveal(s, func(b *strings.Builder, text string) { b.WriteString(text) })
}

// RevealJSON is Reveal for a JSON document: tokens only ever stand inside its strings, and
// the texts are escaped for there.
func (v *Vault) RevealJSON(data string) string { return v.reveal(data, writeEscaped) }

func (v *Vault) reveal(s string, write func(*strings.Builder, string)) string {
	if v == nil {
		return s
	}
	at := strings.Index(s, tokenPrefix)
	if at < 0 {
		return s
	}
	var b strings.Builder
	done := 0
	for at >= 0 {
		if end := at + tokenLen; end <= len(s) && IsToken(s[at:end]) {
			if b.Len() == 0 {
				b.Grow(len(s) + 32)
			}
			b.WriteString(s[done:at])
			text, ok := v.Text(s[at:end])
			if !ok {
				text = former(s[at:end])
			}
			write(&b, text)
			done, at = end, end
		} else {
			at += len(tokenPrefix)
		}
		next := strings.Index(s[at:], tokenPrefix)
		if next < 0 {
			break
		}
		at += next
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

const hexDigits = "0123456789abcdef"

func writeEscaped(b *strings.Builder, text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20:
			b.WriteString(`\u00`)
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		default:
			b.WriteByte(c)
		}
	}
}
