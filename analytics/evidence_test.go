package analytics_test

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/evidence"
)

// One piece of each kind weighs the same in the metric and in package evidence; it is read by
// whose it is and by people admins, under every alias, with what voided it.
func TestEvidence(t *testing.T) {
	now := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	s, db := openStore(t, now)
	ctx := t.Context()
	var events []event.Event
	tell := func(source string, kind event.Kind, data map[string]any) string {
		at := now.Add(-time.Duration(100-len(events)) * time.Hour)
		e, err := event.New(source, kind, "x", fmt.Sprint(len(events)), at, data)
		if err != nil {
			t.Fatal(err)
		}
		e.Seen = at
		events = append(events, e)
		return e.ID
	}
	kinds := []string{"solo", "reverse_shadow", "led", "taught", "drill", "assist", "attested", "quiz", "shadow", "module", "rumour"}
	for _, k := range kinds {
		tell("/steward", event.SkillEvidenced, map[string]any{"person": k + "@example.org", "skill": "datastore-ops", "kind": k, "ref": "i", "rule_version": "e1", "rule": k})
	}
	tell("/steward", event.PersonDescribed, map[string]any{"person": "ana@example.org", "aliases": []string{"chat:A"}})
	one := tell("/steward", event.SkillEvidenced, map[string]any{"person": "chat:A", "skill": "datastore-ops", "kind": "solo", "ref": "i1", "rule_version": "e1", "rule": "solo"})
	two := tell("/other", event.SkillEvidenced, map[string]any{"person": "ana@example.org", "skill": "datastore-ops", "kind": "attested", "ref": 7, "rule_version": 1, "by": "bo@example.org", "note": "saw it"})
	tell("/steward", event.EvidenceVoided, map[string]any{"evidence": one, "reason": "not derived", "by": analytics.ByRules, "rule_version": "e1"})
	tell("/steward", event.EvidenceVoided, map[string]any{"evidence": one, "reason": "it healed itself", "by": "ana@example.org"})
	insert(t, db, events)

	a := ask(t, s, "skill_levels", "skill=datastore-ops")
	for _, k := range kinds {
		want := float64(evidence.Weight(k)) / 100
		got, _ := cellOf(t, a, k+"@example.org", "weight").(float64)
		if got != want {
			t.Errorf("%s weighs %v in the metric and %v in package evidence", k, got, want)
		}
	}
	as := func(person string, roles ...access.Role) *analytics.View {
		return s.For(access.As(access.Identity{Person: person}, access.Membership{Person: person, Teams: []string{"t"}, Leads: []string{"t"}}, append(roles, access.Viewer, access.Member)...), "tests")
	}
	s.Keep(&heard{})
	for _, person := range []string{"ana@example.org", "chat:A"} {
		rows, err := as("ana@example.org").Evidence(ctx, person)
		if err != nil || len(rows) != 2 {
			t.Fatalf("%s: %v, %v", person, rows, err)
		}
		if r := rows[0]; r.ID != two || r.Own || r.By != "bo@example.org" || r.Note != "saw it" || r.Ref != "7" || r.RuleVersion != "1" || !r.Voided.IsZero() {
			t.Errorf("the newest: %+v", r)
		}
		if r := rows[1]; r.ID != one || !r.Own || r.Person != "ana@example.org" || r.VoidedBy != "ana@example.org" || r.Why != "it healed itself" {
			t.Errorf("what was voided twice: %+v", r)
		}
	}
	for name, c := range map[string]struct {
		v  *analytics.View
		ok bool
	}{"a people admin": {as("pam@example.org", access.PeopleAdmin), true}, "a lead": {as("lee@example.org", access.Lead), false}, "the peer": {as("bo@example.org"), false}, "an admin": {as("x@example.org", access.Admin), false}} {
		_, err := c.v.Evidence(ctx, "ana@example.org")
		var denied *access.Denied
		if (err == nil) != c.ok || err != nil && !errors.As(err, &denied) {
			t.Errorf("%s reads it: %v", name, err)
		}
		r, err := c.v.EvidenceByID(ctx, two)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("%s finds %v: %v", name, r, err)
		}
		if _, err := c.v.SkillEvidence(ctx, []string{"i1"}, nil); err == nil {
			t.Errorf("%s reads as the rules do", name)
		}
		if _, err := c.v.SkillIncidents(ctx, []string{"i1"}); err == nil {
			t.Errorf("%s reads incidents as the rules do", name)
		}
	}
	if rows, err := s.SkillEvidence(ctx, []string{"i1", strconv.Itoa(7)}, []string{"attested"}); err != nil || len(rows) != 1 || rows[0].ID != two {
		t.Errorf("the rules read %v, %v", rows, err)
	}
}
