package analytics

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of evidence as people read it
//
//  1. A piece of evidence is an event, and so is what takes it out. Somebody reads their own,
//     voided ones too, with what each was derived from; a people admin reads somebody's, and
//     the look is recorded. Nobody else does: it is what a person can do.
//  2. What is voided counts nowhere, from the first moment on. Whether a rule or somebody
//     voided it is told apart, since the rules do not say again what a person contested.

// EvidenceRow is one piece of evidence.
type EvidenceRow struct {
	ID, Person, Skill, Kind string
	Ref                     string // incident, drill, module or shift
	Occasion                string // attempt or assignment
	Rule, RuleVersion       string // Rule is empty of what people said
	By, Note                string // of an attestation
	At                      time.Time
	Own                     bool // derived by Steward's rules
	Voided                  time.Time
	VoidedBy, Why           string // VoidedBy: a person, or ByRules
}

// ByRules is who voids and untags in the rules' name.
const ByRules = "(rules)"

// Evidence is a person's, newest first. *access.Denied for others than they and people admins.
func (v *View) Evidence(ctx context.Context, person string) ([]EvidenceRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	person = v.s.canonical(alias, person)
	pass, err := v.who.Decide(access.Ask{Skills: true, Persons: []string{person}})
	if err != nil {
		return nil, err
	}
	ids, err := v.s.idsOf(ctx, []string{person})
	if err != nil {
		return nil, err
	}
	rows, err := v.evidence(ctx, pass, "person IN {persons:Array(String)}", []warehouse.Param{{Name: "persons", Value: ids}})
	if err != nil {
		return nil, err
	}
	slices.Reverse(rows)
	if len(rows) == 0 {
		return nil, nil
	}
	return rows, v.record(ctx, pass, []string{person})
}

// EvidenceByID is one piece, for whoever may void it: they and people admins. ErrNotFound for
// everybody else, as for one that does not exist.
func (v *View) EvidenceByID(ctx context.Context, id string) (*EvidenceRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	rows, err := v.evidence(ctx, access.Working(), "id = {of:String}", []warehouse.Param{{Name: "of", Value: id}})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if v.who.Voids(r.Person) == nil {
			return &r, nil
		}
	}
	return nil, ErrNotFound
}

// evidence reads pieces in order of (at, id); where is about the projection skill.
func (v *View) evidence(ctx context.Context, pass access.Pass, where string, params []warehouse.Param) ([]EvidenceRow, error) {
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	var out []EvidenceRow
	index := map[string][]int{}
	var ids []string
	err = v.s.look(ctx, pass, "evidence", v.s.present(), nil, `
SELECT at, id, source, person, data
FROM (SELECT at, id, toString(source) AS source, person, data FROM events
    WHERE kind = 'skill.evidenced' AND at <= {as_of:DateTime64(3, 'UTC')}
      AND (at, id) IN (SELECT at, id FROM skill WHERE voids = '' AND `+where+`)
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, params,
		func(r *warehouse.Rows) error {
			var e EvidenceRow
			var source, data string
			if err := r.Scan(&e.At, &e.ID, &source, &e.Person, &data); err != nil {
				return err
			}
			var d struct {
				Skill, Kind, Occasion, Rule, By, Note string
				Ref                                   json.RawMessage
				Version                               json.RawMessage `json:"rule_version"`
			}
			if json.Unmarshal([]byte(v.s.revealJSON(data)), &d) != nil {
				return nil
			}
			e.Person = v.s.reveal(alias.person(e.Person))
			e.Skill, e.Kind, e.Occasion, e.Rule, e.By, e.Note = d.Skill, d.Kind, d.Occasion, d.Rule, d.By, d.Note
			e.Ref, e.RuleVersion = plainText(d.Ref), plainText(d.Version)
			e.Own = source == "/steward" && e.Rule != ""
			index[e.ID] = append(index[e.ID], len(out))
			out, ids = append(out, e), append(ids, e.ID)
			return nil
		})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	err = v.s.look(ctx, pass, "voided evidence", v.s.present(), nil, `
SELECT at, source, data
FROM (SELECT at, id, toString(source) AS source, data FROM events
    WHERE kind = 'evidence.voided' AND at <= {as_of:DateTime64(3, 'UTC')} AND JSONExtractString(data, 'evidence') IN {evidence:Array(String)}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, []warehouse.Param{{Name: "evidence", Value: ids}},
		func(r *warehouse.Rows) error {
			var at time.Time
			var source, data string
			if err := r.Scan(&at, &source, &data); err != nil {
				return err
			}
			var d struct{ Evidence, Reason, By string }
			if json.Unmarshal([]byte(v.s.revealJSON(data)), &d) != nil {
				return nil
			}
			byRules := source == "/steward" && d.By == ByRules
			for _, i := range index[d.Evidence] {
				// What a person says of it weighs more than what the rules do.
				if e := &out[i]; e.Voided.IsZero() || e.VoidedBy == ByRules && !byRules {
					e.Voided, e.VoidedBy, e.Why = at, d.By, d.Reason
				}
			}
			return nil
		})
	return out, err
}

// plainText is a JSON string's text, or what else stands there.
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// TagRow is one skill that an incident was said to take, by one basis, with who said it last.
type TagRow struct {
	Skill, Basis string
	By           string // a person, or Somebody; empty of a rule
	Rule         string
	At           time.Time
	Stands       bool
	UntaggedBy   string // a person, or ByRules
	Reason       string
}

// Took is what an incident took, as the asker may read and say it.
type Took struct {
	Tags  []TagRow // by skill, then basis
	Acted []string // people who acted in it and whom the asker reads by name, sorted
	Self  bool     // the asker acted
	Says  bool     // the asker may tag
	Reads bool     // false: nothing of this is for them
}

// Took is what an incident took and who acted in it; ErrNotFound.
func (v *View) Took(ctx context.Context, incident string) (*Took, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	inc, err := v.s.incident(ctx, access.Working(), incident)
	if err != nil {
		return nil, err
	}
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	st.of(inc.IncidentRow)
	out := &Took{}
	var people []string
	for _, e := range inc.Events {
		if e.Person == "" || e.Actor != "user" || e.Kind == "incident.opened" || len(e.Kind) < 9 || e.Kind[:9] != "incident." {
			continue
		}
		p := v.s.canonical(st.alias, e.Person)
		if !slices.Contains(people, p) {
			people = append(people, p)
		}
		out.Self = out.Self || v.who.Is(p)
	}
	reads, err := v.who.Tells([]string{inc.OwnerThen, inc.OwnerNow}, out.Self)
	out.Reads, out.Says = reads, err == nil
	if !reads {
		return &Took{}, nil
	}
	for _, p := range people {
		if !isFormer(p) && st.sees(p) {
			out.Acted = append(out.Acted, p)
		}
	}
	slices.Sort(out.Acted)
	for _, e := range inc.Events {
		out.tell(v.s, st.alias, e)
	}
	// Who is here only because they acted reads no names and no words of the teams concerned,
	// as in the story (story.go).
	if !v.who.IsOperator() && !st.open(nil) {
		hide := func(by *string) {
			if *by != "" && *by != ByRules && !st.sees(*by) {
				*by = Somebody
			}
		}
		for i := range out.Tags {
			hide(&out.Tags[i].By)
			hide(&out.Tags[i].UntaggedBy)
			out.Tags[i].Reason = ""
		}
	}
	slices.SortStableFunc(out.Tags, func(a, b TagRow) int {
		if a.Skill != b.Skill {
			if a.Skill < b.Skill {
				return -1
			}
			return 1
		}
		return a.At.Compare(b.At)
	})
	return out, st.record(ctx)
}

// tell puts one event, in order of (at, id), into the tags.
func (t *Took) tell(s *Store, alias aliases, e EventRow) {
	if e.Kind != "skill.tagged" && e.Kind != "skill.untagged" {
		return
	}
	var d struct{ Skill, Basis, By, Rule, Reason string }
	if json.Unmarshal([]byte(e.Data), &d) != nil || d.Skill == "" {
		return
	}
	if d.By != "" && d.By != ByRules {
		d.By = s.canonical(alias, d.By)
	}
	if e.Kind == "skill.untagged" {
		for i := range t.Tags {
			if r := &t.Tags[i]; r.Skill == d.Skill && (d.Basis == "" || d.Basis == r.Basis) && r.Stands {
				r.Stands, r.UntaggedBy, r.Reason = false, d.By, d.Reason
			}
		}
		return
	}
	row := TagRow{Skill: d.Skill, Basis: d.Basis, By: d.By, Rule: d.Rule, At: e.At, Stands: true}
	if i := slices.IndexFunc(t.Tags, func(r TagRow) bool { return r.Skill == d.Skill && r.Basis == d.Basis }); i >= 0 {
		t.Tags[i] = row
		return
	}
	t.Tags = append(t.Tags, row)
}
