package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Theory of operation of settling
//
//  1. What is derived is compared with what was published, by what it says and not by ids:
//     people are those behind their aliases, which may have been learned since.
//  2. What is missing is published. Its id follows from what it says and when it happened,
//     so two processes, or one that was killed and does it again, publish one event.
//  3. What the rules said and do not derive any more is voided or untagged. What people
//     said is not touched: their tags and attestations stand, and what they voided or took
//     back stays so, whatever the rules derive of the same occasion later.
//  4. What the rules took back themselves and derive again, as when an incident is reopened
//     and resolved as before, is published once more under the next number, which makes it
//     another event: the first stays voided for ever.
//  5. Only what was looked at is settled. Whoever reads a part of history says so by what
//     they hand in: evidence of an occasion that is not among the published ones handed in
//     is neither void nor missing.

// Source is whose facts derived evidence and tags are.
const Source = event.OwnSource

// ByRules stands where a fact wants to know who says it; no id of a person looks like that.
const ByRules = "(rules)"

// Published is a piece of evidence in the log.
type Published struct {
	Piece
	ID     string
	Own    bool   // derived by these rules, not somebody's word
	Voided string // by what: "", UndoneByRules or UndoneByPeople
}

type evidencedData struct {
	Person      string `json:"person"`
	Skill       string `json:"skill"`
	Kind        string `json:"kind"`
	Ref         string `json:"ref"`
	Occasion    string `json:"occasion,omitempty"`
	Basis       string `json:"basis"`
	Rule        string `json:"rule,omitempty"`
	RuleVersion string `json:"rule_version"`
	By          string `json:"by,omitempty"`
	Note        string `json:"note,omitempty"`
}

type voidedData struct {
	Evidence    string `json:"evidence"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
	RuleVersion string `json:"rule_version,omitempty"`
}

type taggedData struct {
	Incident    string `json:"incident"`
	Skill       string `json:"skill"`
	Basis       string `json:"basis"`
	By          string `json:"by,omitempty"`
	Rule        string `json:"rule,omitempty"`
	RuleVersion string `json:"rule_version,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// digest makes a key that holds nobody's id in plain.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s/", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// number tells the first event that says something from those that say it again; the first
// bears none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint("/", n)
}

// Evidenced is a derived piece as an event. n is how often the rules said it before.
func Evidenced(p Piece, version string, n int) (event.Event, error) {
	at := fmt.Sprint(p.At.UnixMilli())
	return event.New(Source, event.SkillEvidenced, "skill:"+p.Skill, digest(p.Person, p.Skill, p.Kind, p.Ref, p.Occasion, at)+number(n), p.At,
		evidencedData{Person: p.Person, Skill: p.Skill, Kind: p.Kind, Ref: p.Ref, Occasion: p.Occasion, Basis: ByRule, Rule: p.Rule, RuleVersion: version})
}

// Attest is a peer's word that somebody showed a skill in an incident. One peer says it of
// one skill of one person once for an incident; the caller looks whether they did.
func Attest(p Piece, by, note string) (event.Event, error) {
	return event.New(Source, event.SkillEvidenced, "skill:"+p.Skill, digest(p.Person, p.Skill, Attested, p.Ref, by), p.At,
		evidencedData{Person: p.Person, Skill: p.Skill, Kind: Attested, Ref: p.Ref, Basis: "peer", RuleVersion: Version, By: by, Note: note})
}

// Void takes a piece out because somebody says it shows nothing. by is a person, or ByRules
// with the version of the rules.
func Void(id, reason, by, version string, at time.Time) (event.Event, error) {
	return event.New(Source, event.EvidenceVoided, "evidence:"+id, id+"/"+digest(by), at, voidedData{id, reason, by, version})
}

// TagAs is that somebody says what an incident took.
func TagAs(incident, skill, basis, by string, at time.Time) (event.Event, error) {
	return event.New(Source, event.SkillTagged, "tag:"+incident, digest(incident, skill, basis, by), at, taggedData{Incident: incident, Skill: skill, Basis: basis, By: by})
}

// Untag is that somebody says it did not; an empty basis is all of them.
func Untag(incident, skill, basis, by, reason, version string, at time.Time) (event.Event, error) {
	return event.New(Source, event.SkillUntagged, "tag:"+incident, digest(incident, skill, basis, by), at,
		taggedData{Incident: incident, Skill: skill, Basis: basis, By: by, RuleVersion: version, Reason: reason})
}

// Settle compares derived evidence with what was published of the same occasions. Voids are
// said at now. The events are in no order that matters.
func Settle(derived []Piece, published []Published, version string, now time.Time) ([]event.Event, error) {
	contested := map[thing]bool{}
	times := map[key]map[int64]int{} // how often the rules said it of a moment
	standing := map[key]Published{}
	var out []event.Event
	add := func(e event.Event, err error) error {
		out = append(out, e)
		return err
	}
	for _, p := range published {
		if !p.Own {
			continue
		}
		if p.Voided == UndoneByPeople {
			contested[p.thing()] = true
		}
		k := p.key()
		if times[k] == nil {
			times[k] = map[int64]int{}
		}
		times[k][p.At.UnixMilli()]++
	}
	wanted := map[key]Piece{}
	for _, p := range derived {
		if first, twice := wanted[p.key()]; !contested[p.thing()] && (!twice || p.At.Before(first.At)) {
			wanted[p.key()] = p
		}
	}
	for _, p := range published {
		if !p.Own || p.Voided != "" {
			continue
		}
		w, ok := wanted[p.key()]
		_, twice := standing[p.key()]
		if ok && !twice && w.At.Equal(p.At) {
			standing[p.key()] = p
			continue
		}
		reason := "the rules do not derive it any more"
		if ok {
			reason = "it happened at another time, or was said twice"
		}
		if err := add(Void(p.ID, reason, ByRules, version, now)); err != nil {
			return nil, err
		}
	}
	missing := make([]Piece, 0, len(wanted))
	for k, p := range wanted {
		if _, ok := standing[k]; !ok {
			missing = append(missing, p)
		}
	}
	slices.SortFunc(missing, func(a, b Piece) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Person, b.Person), strings.Compare(a.Skill, b.Skill), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Ref, b.Ref), strings.Compare(a.Occasion, b.Occasion))
	})
	for _, p := range missing {
		if err := add(Evidenced(p, version, times[p.key()][p.At.UnixMilli()])); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SettleTags compares the skills that rules find in an incident with its tags: Tags of the
// incident in order of (at, id). A tag is said at the moment the incident was over; said
// again, it is said now, since it must come after what took it back.
func SettleTags(i Incident, found []Ruled, version string, now time.Time) ([]event.Event, error) {
	var out []event.Event
	add := func(e event.Event, err error) error {
		out = append(out, e)
		return err
	}
	end, _, over := i.Ended()
	own := map[string]Tag{}
	times := map[string]int{}
	for _, t := range i.Tags {
		if t.Own {
			own[t.Skill] = t
			times[t.Skill]++
		}
	}
	for skill, t := range own {
		if t.Stands && !slices.ContainsFunc(found, func(r Ruled) bool { return r.Skill == skill }) {
			if err := add(Untag(i.ID, skill, ByRule, ByRules, "the rules do not find it any more", version, now)); err != nil {
				return nil, err
			}
		}
	}
	for _, r := range found {
		t, said := own[r.Skill]
		at := end
		switch {
		case said && (t.Stands || t.Undone == UndoneByPeople), !over:
			continue
		case said:
			if at = now; !at.After(t.UndoneAt) {
				at = t.UndoneAt.Add(time.Millisecond)
			}
		}
		e, err := event.New(Source, event.SkillTagged, "tag:"+i.ID, digest(i.ID, r.Skill, ByRule)+number(times[r.Skill]), at,
			taggedData{Incident: i.ID, Skill: r.Skill, Basis: ByRule, Rule: strings.Join(r.Rules, ", "), RuleVersion: version})
		if err := add(e, err); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b event.Event) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Skills are those that working on an incident shows: what people say it took, and what the
// rules find and nobody took back.
func (i Incident) Skills(found []Ruled) []string {
	var out []string
	for _, t := range i.Tags {
		if t.Stands && !t.Own {
			out = append(out, t.Skill)
		}
	}
	for _, r := range found {
		denied := slices.ContainsFunc(i.Tags, func(t Tag) bool { return t.Skill == r.Skill && t.Own && t.Undone == UndoneByPeople })
		again := slices.ContainsFunc(i.Tags, func(t Tag) bool { return t.Skill == r.Skill && t.Own && t.Stands })
		if r.Shows && (!denied || again) {
			out = append(out, r.Skill)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Pieces are what an incident shows, by itself and beside the shifts that ran through it. A
// person shows a skill in it once: watched rather than alone, acting rather than watching.
func (i Incident) Pieces(found []Ruled, shifts []Shift) []Piece {
	shown := map[string]Showing{}
	for _, s := range i.Showings() {
		shown[s.Person] = s
	}
	var taught []Beside
	for _, s := range shifts {
		for _, b := range s.Beside(i, shifts) {
			_, acted := shown[b.Person]
			switch {
			case b.Kind == Taught:
				taught = append(taught, b)
			case b.Kind == ReverseShadow, !acted:
				shown[b.Person] = b.Showing
			}
		}
	}
	var out []Piece
	for _, skill := range i.Skills(found) {
		for _, s := range shown {
			out = append(out, Piece{s.Person, skill, s.Kind, i.ID, "", s.At, s.Kind})
		}
		for _, b := range taught {
			out = append(out, Piece{b.Person, skill, Taught, b.Shift, "", b.At, "hosted"})
		}
	}
	return unique(out)
}
