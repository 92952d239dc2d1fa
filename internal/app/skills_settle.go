package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/evidence"
)

// everything derives all of history, newest month first.
func (d *deriver) everything(ctx context.Context, out *derived) error {
	if err := d.learned(ctx, out); err != nil {
		return err
	}
	first, last, err := d.read().SkillsSpan(ctx)
	if err != nil || last.IsZero() {
		return err
	}
	// What is left of a month goes into the next one's batches: every batch is an insert, and
	// makes the pages ask anew.
	var taught []evidence.Piece
	var left []string
	for to := last.Add(time.Millisecond); to.After(first); to = to.AddDate(0, -1, 0) {
		ids, err := d.read().SkillsResolved(ctx, to.AddDate(0, -1, 0), to)
		if err != nil {
			return err
		}
		left = append(left, ids...)
		full := len(left) / deriveBatch * deriveBatch
		_, some, err := d.batches(ctx, left[:full], out)
		if err != nil {
			return err
		}
		taught, left = append(taught, some...), left[full:]
	}
	_, some, err := d.batches(ctx, left, out)
	if err != nil {
		return err
	}
	taught = append(taught, some...)
	all, err := d.read().SkillShifts(ctx, first.AddDate(0, -1, 0), d.c.cfg.Now())
	if err != nil {
		return err
	}
	return d.hosted(ctx, along(shiftsOf(all)), taught, out)
}

// touched derives what something was learned of since.
func (d *deriver) touched(ctx context.Context, since time.Time, out *derived) error {
	ids, learning, shadows, err := d.read().SkillsTouched(ctx, since)
	if err != nil {
		return err
	}
	if out.Learning = learning; learning {
		if err := d.learned(ctx, out); err != nil {
			return err
		}
	}
	beside := shiftsOf(shadows)
	for _, s := range beside {
		within, err := d.read().SkillsResolved(ctx, s.Start, s.End.Add(evidence.Late))
		if err != nil {
			return err
		}
		ids = append(ids, within...)
	}
	slices.Sort(ids)
	during, _, err := d.batches(ctx, slices.Compact(ids), out)
	if err != nil {
		return err
	}
	for _, s := range during {
		if !slices.ContainsFunc(beside, func(x evidence.Shift) bool { return x.ID == s.ID }) {
			beside = append(beside, s)
		}
	}
	return d.shifts(ctx, beside, out)
}

// batches settles incidents. It says during which shifts of somebody who goes along they were,
// and what of these incidents their hosts taught: all of what they taught only if these are
// all incidents there were.
func (d *deriver) batches(ctx context.Context, ids []string, out *derived) (during []evidence.Shift, taught []evidence.Piece, err error) {
	for batch := range slices.Chunk(ids, deriveBatch) {
		start := time.Now()
		some, pieces, err := d.incidents(ctx, batch, out)
		if err != nil {
			return nil, nil, err
		}
		during, taught = append(during, some...), append(taught, pieces...)
		d.rest(ctx, time.Since(start))
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(during, func(a, b evidence.Shift) int { return a.Start.Compare(b.Start) })
	return slices.CompactFunc(during, func(a, b evidence.Shift) bool { return a.ID == b.ID }), taught, nil
}

// incidents settles the tags of some incidents and what those who acted or watched showed.
func (d *deriver) incidents(ctx context.Context, ids []string, out *derived) (during []evidence.Shift, taught []evidence.Piece, err error) {
	all, err := d.facts(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	out.Incidents += len(all)
	var from, to time.Time
	for _, i := range all {
		if n := len(i.Acts); n > 0 {
			if a := i.Acts[0].At; from.IsZero() || a.Before(from) {
				from = a
			}
			if z := i.Acts[n-1].At; z.After(to) {
				to = z
			}
		}
	}
	raw, err := d.read().SkillShifts(ctx, from, to.Add(time.Millisecond))
	if err != nil {
		return nil, nil, err
	}
	shifts, now := shiftsOf(raw), d.c.cfg.Now()
	for _, s := range along(shifts) {
		if slices.ContainsFunc(all, func(i evidence.Incident) bool {
			n := len(i.Acts)
			return n > 0 && i.Acts[0].At.Before(s.End) && !i.Acts[n-1].At.Before(s.Start)
		}) {
			during = append(during, s)
		}
	}
	var events []event.Event
	var pieces []evidence.Piece
	for _, i := range all {
		var found []evidence.Ruled
		if i.Counts() {
			found = d.rules.Match(i)
		}
		tags, err := evidence.SettleTags(i, found, d.version(), now)
		if err != nil {
			return nil, nil, err
		}
		events = append(events, tags...)
		if i.Counts() {
			pieces = append(pieces, i.Pieces(found, shifts)...)
		}
	}
	for _, p := range pieces {
		if p.Kind == evidence.Taught {
			taught = append(taught, p)
		}
	}
	pieces = slices.DeleteFunc(pieces, func(p evidence.Piece) bool { return p.Kind == evidence.Taught })
	shown, err := d.compare(ctx, pieces, ids, d.version(), evidence.Solo, evidence.ReverseShadow, evidence.Led, evidence.Assist, evidence.Shadow)
	if err != nil {
		return nil, nil, err
	}
	return during, taught, d.publish(ctx, out, append(events, shown...))
}

// shifts settles what the primaries taught whom somebody went along with.
func (d *deriver) shifts(ctx context.Context, beside []evidence.Shift, out *derived) error {
	if len(beside) == 0 {
		return nil
	}
	var pieces []evidence.Piece
	for _, s := range beside {
		raw, err := d.read().SkillShifts(ctx, s.Start, s.End)
		if err != nil {
			return err
		}
		shifts := shiftsOf(raw)
		people := []string{s.Person}
		for _, h := range shifts {
			if h.Schedule == s.Schedule && !h.Along() {
				people = append(people, h.Person)
			}
		}
		ids, err := d.read().SkillsActed(ctx, people, s.Start, s.End)
		if err != nil {
			return err
		}
		during, err := d.facts(ctx, ids)
		if err != nil {
			return err
		}
		for _, i := range during {
			for _, b := range s.Beside(i, shifts) {
				if b.Kind != evidence.Taught {
					continue
				}
				for _, skill := range i.Skills(d.rules.Match(i)) {
					pieces = append(pieces, evidence.Piece{Person: b.Person, Skill: skill, Kind: b.Kind, Ref: s.ID, At: b.At, Rule: "hosted"})
				}
			}
		}
	}
	return d.hosted(ctx, beside, pieces, out)
}

// hosted settles what was taught in some shifts.
func (d *deriver) hosted(ctx context.Context, beside []evidence.Shift, pieces []evidence.Piece, out *derived) error {
	var refs []string
	for _, s := range beside {
		refs = append(refs, s.ID)
	}
	events, err := d.compare(ctx, pieces, refs, d.version(), evidence.Taught)
	if err != nil {
		return err
	}
	return d.publish(ctx, out, events)
}

// learned settles quizzes, modules and drills. Modules and drills that are not known at the
// moment are left as they are: a file that is missing for an hour takes nothing from anybody.
func (d *deriver) learned(ctx context.Context, out *derived) error {
	rows, err := d.read().SkillsLearned(ctx)
	if err != nil {
		return err
	}
	drills, err := d.read().Drills(ctx)
	if err != nil {
		return err
	}
	taught, exercises := map[string][]string{}, map[string][]string{}
	var modules, games []string
	for _, m := range d.curriculum.Modules() {
		for _, s := range m.Skills {
			taught[m.ID] = append(taught[m.ID], s.ID)
		}
		modules = append(modules, m.ID)
	}
	for _, g := range drills {
		exercises[g.ID] = g.Skills
		games = append(games, g.ID)
	}
	var lessons []evidence.Learned
	var attempts []evidence.Played
	for _, r := range rows {
		if r.Kind == string(event.DrillFinished) {
			attempts = append(attempts, evidence.Played{Person: r.Person, Drill: r.Drill, Attempt: r.Attempt, Skills: exercises[r.Drill], Score: r.Score, At: r.At, Author: r.Author})
		} else {
			lessons = append(lessons, evidence.Learned{Person: r.Person, Module: r.Module, Assignment: r.Assignment, Skills: taught[r.Module], Done: r.Kind == string(event.TrainingCompleted), At: r.At})
		}
	}
	events, err := d.compare(ctx, evidence.Lessons(lessons), modules, evidence.Version, evidence.Quiz, evidence.Module)
	if err != nil {
		return err
	}
	played, err := d.compare(ctx, evidence.Drills(attempts), games, evidence.Version, evidence.Drill)
	if err != nil {
		return err
	}
	return d.publish(ctx, out, append(events, played...))
}

// compare settles pieces with what the log holds of the same things and kinds. Nothing is said
// of who is forgotten: they have no page to contest it on, and their totals do not change.
func (d *deriver) compare(ctx context.Context, pieces []evidence.Piece, refs []string, version string, kinds ...string) ([]event.Event, error) {
	rows, err := d.read().SkillEvidence(ctx, refs, kinds)
	if err != nil {
		return nil, err
	}
	var published []evidence.Published
	for _, r := range rows {
		if identity.IsFormer(r.Person) {
			continue
		}
		p := evidence.Published{Piece: evidence.Piece{Person: r.Person, Skill: r.Skill, Kind: r.Kind, Ref: r.Ref, Occasion: r.Occasion, At: r.At, Rule: r.Rule}, ID: r.ID, Own: r.Own}
		switch {
		case r.Voided.IsZero():
		case r.VoidedBy == analytics.ByRules:
			p.Voided = evidence.UndoneByRules
		default:
			p.Voided = evidence.UndoneByPeople
		}
		published = append(published, p)
	}
	pieces = slices.DeleteFunc(pieces, func(p evidence.Piece) bool {
		return identity.IsFormer(p.Person) || !d.skills[p.Skill] || !slices.Contains(refs, p.Ref)
	})
	return evidence.Settle(pieces, published, version, d.c.cfg.Now())
}

// facts are incidents as the rules read them.
func (d *deriver) facts(ctx context.Context, ids []string) ([]evidence.Incident, error) {
	var out []evidence.Incident
	dir, err := d.read().Directory(ctx)
	if err != nil {
		return nil, err
	}
	tier := map[string]int{}
	for _, s := range dir.Services {
		tier[s.ID] = s.Tier
	}
	for batch := range slices.Chunk(ids, deriveBatch) {
		rows, err := d.read().SkillIncidents(ctx, batch)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, incidentOf(r, tier[r.Service]))
		}
	}
	return out, nil
}

func incidentOf(r analytics.SkillIncident, tier int) evidence.Incident {
	i := evidence.Incident{ID: r.ID, Service: r.Service, Class: r.AlertClass, Title: r.Title, Severity: r.Severity, Priority: r.Priority, Tier: tier,
		Drill: r.Drill, Merged: r.Merged, Factors: r.Factors, Verdicts: r.Verdicts}
	for _, a := range r.Acts {
		i.Acts = append(i.Acts, evidence.Act{Kind: event.Kind(a.Kind), At: a.At, Person: a.Person, User: a.User, To: a.To, Cause: a.Cause, State: a.State})
	}
	for _, t := range r.Tags {
		if !t.Untags {
			i.Tags = append(i.Tags, evidence.Tag{Skill: t.Skill, Basis: t.Basis, At: t.At, Rules: t.Rule, Own: t.Own && t.Basis == evidence.ByRule, Stands: true})
			continue
		}
		ruled := false
		for k := range i.Tags {
			x := &i.Tags[k]
			ruled = ruled || x.Own && x.Skill == t.Skill
			if x.Skill != t.Skill || t.Basis != "" && t.Basis != x.Basis {
				continue
			}
			x.Stands = false
			switch {
			case t.Own && x.Undone == "":
				x.Undone, x.UndoneAt = evidence.UndoneByRules, t.At
			case !t.Own:
				x.Undone, x.UndoneAt = evidence.UndoneByPeople, t.At
			}
		}
		// Somebody said so before the rules did: they do not say it afterwards.
		if !t.Own && !ruled && (t.Basis == "" || t.Basis == evidence.ByRule) {
			i.Tags = append(i.Tags, evidence.Tag{Skill: t.Skill, Basis: evidence.ByRule, Own: true, Undone: evidence.UndoneByPeople, UndoneAt: t.At})
		}
	}
	return i
}

func shiftsOf(rows []analytics.SkillShift) []evidence.Shift {
	var out []evidence.Shift
	for _, r := range rows {
		// A shift's id is made of a person's, and a reference must not be.
		id := sha256.Sum256([]byte(r.ID))
		out = append(out, evidence.Shift{ID: "shift-" + hex.EncodeToString(id[:8]), Schedule: r.Schedule, Person: r.Person, Role: r.Role, Level: r.Level, Start: r.Start, End: r.End, Worked: r.Worked})
	}
	return out
}

func along(all []evidence.Shift) []evidence.Shift {
	return slices.DeleteFunc(slices.Clone(all), func(s evidence.Shift) bool { return !s.Along() })
}
