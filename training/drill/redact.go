package drill

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Redact is an author's decision on a text.
type Redact string

// The decisions.
const (
	Undecided Redact = ""
	Keep      Redact = "keep"    // as it stands, with known people replaced
	Replace   Redact = "replace" // the author's words instead
	Drop      Redact = "drop"
)

// Redaction is the decision on the text of one place. To keep a text means to have read it,
// so Of repeats its digest: if an event that arrives later puts another text into the place,
// the decision no longer holds, and compiling says so.
type Redaction struct {
	Decision Redact `json:"decision"`
	Of       string `json:"of,omitempty"`   // to keep: Text.Digest of what was read
	Text     string `json:"text,omitempty"` // to replace
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// redact applies the author's decisions. A decision on a place that does not exist is an
// error, since it was meant for something.
func redact(texts []Text, decisions map[string]Redaction, people *cast, c *complaints) []Text {
	out := slices.Clone(texts)
	for i := range out {
		t := &out[i]
		t.Digest = digest(t.Text)
		r, ok := decisions[t.Place]
		if !ok {
			continue
		}
		field := "redactions[" + t.Place + "]"
		switch r.Decision {
		case Keep:
			if r.Of != t.Digest {
				c.add(field+".of", "the text is another than the one that was read; decide again")
				continue
			}
		case Replace:
			if strings.TrimSpace(r.Text) == "" {
				c.add(field+".text", "required to replace; to leave nothing, drop")
				continue
			}
			t.Text = people.text(r.Text)
		case Drop:
			t.Text = ""
		default:
			c.add(field+".decision", "%q; the decisions are keep, replace, drop", r.Decision)
			continue
		}
		// The digest of a dropped text would let its guess be confirmed.
		t.Decision, t.Digest = r.Decision, ""
	}
	var unknown []string
	for place := range decisions {
		if !slices.ContainsFunc(texts, func(t Text) bool { return t.Place == place }) {
			unknown = append(unknown, place)
		}
	}
	slices.Sort(unknown)
	for _, place := range unknown {
		c.add("redactions["+place+"]", "there is no such text")
	}
	return out
}

// Redactions counts the decisions, for drill.compiled: "3 kept, 1 replaced, 2 dropped".
func (d Drill) Redactions() string {
	n := map[Redact]int{}
	for _, t := range d.Texts {
		n[t.Decision]++
	}
	return fmt.Sprintf("%d kept, %d replaced, %d dropped", n[Keep], n[Replace], n[Drop])
}
