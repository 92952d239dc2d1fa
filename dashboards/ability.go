package dashboards

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/evidence"
)

// abilityAsk asks what one person can do, where the page is somebody's who reads it.
type abilityAsk struct {
	s      *Server
	shown  bool
	person string
	levels *result
	team   string           // one of theirs, whose incidents say what there was to show
	took   map[string]int64 // incidents of the team in a year, by skill
	rows   []analytics.EvidenceRow
}

func (s *Server) abilityAsk(shown bool, person string) *abilityAsk {
	return &abilityAsk{s: s, shown: shown && s.Learn != nil, person: person}
}

func (a *abilityAsk) ask(ask *asker) {
	if !a.shown {
		return
	}
	a.levels = ask.metric("skill_levels", "by", "skill", "person", a.person)
	if a.team != "" { // of the year that a gap is measured over, whatever the page's window
		ask.do(func(ctx context.Context) error {
			all, err := ask.read.Demand(ctx)
			a.took = map[string]int64{}
			for _, d := range all {
				if d.Team == a.team {
					a.took[d.Skill] = d.Incidents
				}
			}
			return err
		})
	}
	ask.do(func(ctx context.Context) (err error) { a.rows, err = ask.read.Evidence(ctx, a.person); return })
}

// abilityView is what somebody can do: each skill with its level, how current it is, what
// shows it and what the next level wants.
type abilityView struct {
	Title, Action, Csrf string
	Say                 []bit
	Err                 string
	Skills              []abilityLine
	None                []string // without any evidence
	Others              []string // of these, that the team's incidents took
	Metric              *analytics.Metric
	CSV                 string
	N                   string
	May                 bool // taking evidence out is offered
}

type abilityLine struct {
	ID, Name, Definition string
	Level                int
	LevelText            string
	State, Class, Last   string // current, fading, lapsed; colour; when last shown
	Retention            string
	Sign, Missing        string // of the next level
	Evidence             []evidenceLine
	Gone                 []evidenceLine // taken out
}

type evidenceLine struct {
	ID, When, ISO, Kind, Weight string
	Ref, Href                   string
	Rests                       string // on which rule, or whose word
	Gone                        string
}

var levelWords = []string{"none yet", "aware", "assisted", "independent", "makes others better"}

var kindWords = map[string]string{
	evidence.Solo: "resolved alone", evidence.ReverseShadow: "handled it, watched by who held the pager", evidence.Led: "led, with help called in", evidence.Assist: "called in and acted",
	evidence.Drill: "drill passed", evidence.Quiz: "quiz passed", evidence.Shadow: "shadowed", evidence.Taught: "taught", evidence.Module: "module completed", evidence.Attested: "attested by a peer",
}

func (s *Server) ability(c echo.Context, f *filter, n *names, a *abilityAsk) *abilityView {
	if !a.shown {
		return nil
	}
	csrf, _ := c.Get("csrf").(string)
	mine := who(c).Is(a.person)
	v := &abilityView{Title: "What can I do?", Action: "/me/skills", Csrf: csrf, May: s.Showing != nil}
	if !mine {
		v.Title, v.Action = "What can they do?", at("people", a.person)+"/skills"
	}
	if v.Err = s.failed(a.levels); v.Err != "" {
		return v
	}
	cd := card{}
	cd.sourced(f, a.levels, "", "")
	v.Metric, v.CSV = cd.Metric, cd.CSV
	v.N = plural(float64(standing(a.rows)), "piece of evidence", "pieces of evidence")
	levels := a.levels.byKey()
	byLevel, fading := make([]int, 5), 0
	for _, k := range s.Learn.Curriculum().Skills {
		var rows []analytics.EvidenceRow
		for _, r := range a.rows {
			if r.Skill == k.ID {
				rows = append(rows, r)
			}
		}
		w, has := levels[k.ID]
		if !has && len(rows) == 0 {
			if n := float64(a.took[k.ID]); n > 0 {
				v.Others = append(v.Others, k.Name+" ("+plural(n, "incident", "incidents")+")")
			} else {
				v.None = append(v.None, k.Name)
			}
			continue
		}
		l := s.abilityLine(f, n, k, w, has, rows)
		v.Skills = append(v.Skills, l)
		byLevel[l.Level]++
		if l.Level > 0 && l.Class != "good" {
			fading++
		}
	}
	v.Say = abilitySay(mine, byLevel, fading, len(v.Skills))
	return v
}

func standing(rows []analytics.EvidenceRow) (n int) {
	for _, r := range rows {
		if r.Voided.IsZero() {
			n++
		}
	}
	return n
}

func abilitySay(mine bool, byLevel []int, fading, shown int) []bit {
	subject, have := "They are", "They have shown"
	if mine {
		subject, have = "You are", "You have shown"
	}
	independent := byLevel[3] + byLevel[4]
	if shown == 0 {
		return say("Nothing is shown yet, which is no fault: it comes from incidents, drills, quizzes and shadowed shifts. ", linked("A drill", "/drills"), " or ", linked("a module", "/training"), " is where to begin.")
	}
	out := say(subject, " independent in ", strong(plural(float64(independent), "skill", "skills")))
	if rest := byLevel[1] + byLevel[2]; rest > 0 {
		out = append(out, say("; ", strings.ToLower(have[:1])+have[1:], " something of ", strong(plural(float64(rest), "other", "others")))...)
	}
	if fading > 0 {
		out = append(out, say("; ", strong(plural(float64(fading), "is", "are")), " no longer current, and a drill restores that")...)
	}
	return append(out, say(". Only ", map[bool]string{true: "you and people admins read", false: "they and people admins read"}[mine], " this; a look of theirs is recorded.")...)
}

func (s *Server) abilityLine(f *filter, n *names, k training.Skill, w row, has bool, rows []analytics.EvidenceRow) abilityLine {
	l := abilityLine{ID: k.ID, Name: k.Name, Definition: k.Definition, Class: "none", State: "nothing stands", Level: int(w.n("level"))}
	l.LevelText = levelWords[min(max(l.Level, 0), 4)]
	if has {
		r := w.n("retention")
		l.Retention = fmt.Sprintf("%.0f %%", 100*r)
		switch {
		case r >= 0.7:
			l.State, l.Class = "current", "good"
		case r >= 0.5:
			l.State, l.Class = "fading", "warn"
		default:
			l.State, l.Class = "lapsed", "bad"
		}
		if text, _ := w.cell("last_evidence").(string); text != "" {
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				l.Last = t.In(f.zone).Format("2 Jan 2006")
			}
		}
	}
	if l.Level < 4 {
		l.Sign = k.Sign(l.Level + 1)
	}
	l.Missing = nextLevel(l.Level, rows, s.Zone)
	for _, r := range rows {
		e := s.evidenceLine(f, n, r)
		if r.Voided.IsZero() {
			l.Evidence = append(l.Evidence, e)
		} else if r.VoidedBy != analytics.ByRules { // what the rules corrected themselves is nobody's reading
			l.Gone = append(l.Gone, e)
		}
	}
	return l
}

func (s *Server) evidenceLine(f *filter, n *names, r analytics.EvidenceRow) evidenceLine {
	e := evidenceLine{ID: r.ID, When: r.At.In(f.zone).Format("2 Jan 2006"), ISO: r.At.UTC().Format(time.RFC3339), Kind: or(kindWords[r.Kind], clip(r.Kind, 60)),
		Weight: decimal2(float64(evidence.Weight(r.Kind)) / 100), Ref: clip(r.Ref, 120)}
	switch r.Kind {
	case evidence.Drill:
		e.Href = at("drills", r.Ref)
	case evidence.Quiz, evidence.Module:
		e.Href = at("training", r.Ref)
	case evidence.Taught:
		e.Ref = "hosted a shadow shift"
	default:
		e.Href = at("incidents", r.Ref)
	}
	switch {
	case r.By != "":
		e.Rests = "the word of " + n.person(r.By)
	case r.Rule != "":
		e.Rests = "rule " + clip(r.Rule, 60) + ", version " + clip(r.RuleVersion, 60)
	default:
		e.Rests = "another tool’s rule, version " + clip(r.RuleVersion, 60)
	}
	if r.Note != "" {
		e.Rests += ": " + clip(r.Note, 300)
	}
	if !r.Voided.IsZero() {
		e.Gone = "taken out on " + r.Voided.In(f.zone).Format("2 Jan 2006")
		if r.VoidedBy != "" {
			e.Gone += " by " + n.person(r.VoidedBy)
		}
		e.Gone += ": " + clip(r.Why, 300)
	}
	return e
}

// nextLevel says what the next level wants and how far somebody is, as skill_levels counts.
func nextLevel(level int, rows []analytics.EvidenceRow, zone *time.Location) string {
	count, days, drills := map[string]int{}, map[string]bool{}, map[string]bool{}
	points := 0
	for _, r := range rows {
		if !r.Voided.IsZero() {
			continue
		}
		count[r.Kind]++
		switch r.Kind {
		case evidence.Quiz, evidence.Module:
			continue
		case evidence.Solo:
			days[r.At.In(zone).Format(time.DateOnly)] = true
		case evidence.Drill:
			drills[r.Ref] = true
		}
		points += evidence.Weight(r.Kind)
	}
	beside := count[evidence.Shadow] + count[evidence.ReverseShadow] + count[evidence.Assist] + count[evidence.Led] + count[evidence.Solo]
	switch level {
	case 0:
		return "a module completed and its quiz passed, or anything shown in an incident"
	case 1:
		return fmt.Sprintf("two incidents worked on or shadowed (%d so far), or a drill passed", beside)
	case 2:
		var wants []string
		if d := 2 - len(days); d > 0 {
			wants = append(wants, plural(float64(d), "more resolved alone on another day", "resolved alone on different days"))
		}
		if p := 300 - points; p > 0 {
			wants = append(wants, decimal2(math.Max(0, float64(p))/100)+" points")
		}
		out := list(wants)
		if d := 2 - len(drills); count[evidence.Solo] >= 1 && d > 0 {
			out += "; or " + plural(float64(d), "different drill", "different drills")
		} else if count[evidence.Solo] == 0 && len(drills) >= 2 {
			out += "; or one resolved alone"
		} else if count[evidence.Solo] == 0 {
			out += "; or one resolved alone and two different drills"
		}
		return out
	case 3:
		return fmt.Sprintf("two teaching events, such as hosting a shadow (%d so far)", count[evidence.Taught])
	}
	return ""
}

// evidenceShown is how many pieces stand open; the rest is one tap away.
const evidenceShown = 5

// First and Rest split them.
func (l abilityLine) First() []evidenceLine { return l.Evidence[:min(evidenceShown, len(l.Evidence))] }

// Rest are the older ones.
func (l abilityLine) Rest() []evidenceLine { return slices.Clone(l.Evidence[len(l.First()):]) }
