package dashboards

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of compiling
//
//  1. The form is drawn from the incident compiled without any decision of the author: its
//     cards, and its texts with known people already replaced.
//  2. Nothing is kept between the requests: what was typed comes back with what is wrong. A
//     drill that is published comes back as the form it was made with.
//  3. A drill's id follows from its incident, so that publishing again replaces it, and no
//     other incident's author can.

// authorView is the form.
type authorView struct {
	Action, Csrf             string
	Problems                 []navItem // Href leads to the field at fault
	Title, Lesson, Mitigated string
	Services, Targets        string // further ones, with commas
	Right, Skills            []choice
	Texts                    []authorText
	Cards                    []authorCard
	Astray                   []authorCard // services, as ID
	Questions                []authorQuestion
}

type authorText struct {
	Place, About, Text, Digest, With string
	Anchor                           string
	Keep, Replace, Drop              bool
}

type authorCard struct {
	ID, Clock, Summary, Herring string
	Anchor                      string
	Decisive                    bool
}

type authorQuestion struct {
	N            int
	At, Question string
	Mitigates    bool
	Further      bool // one does; the others are folded until they are wanted
	Options      []authorOption
}

type authorOption struct {
	ID, Text, Why string
	Real          bool
	Values        []choice
}

// asking bounds the form: questions, and options of each.
const asking, answers = 4, 4

// drillOf is the id of an incident's drill.
func drillOf(incident string) string {
	sum := sha256.Sum256([]byte(incident))
	return "own-" + hex.EncodeToString(sum[:6])
}

// author answers: what does this incident teach, and what of it may others read?
func (s *Server) author(c echo.Context) error {
	src, err := s.reading(c).DrillSource(c.Request().Context(), param(c, "incident"))
	if err != nil {
		return err
	}
	form := url.Values{}
	d, err := s.reading(c).Drill(c.Request().Context(), drillOf(src.ID))
	switch {
	case err == nil:
		form = formOf(d.Drill, bare(src))
	case !errors.Is(err, analytics.ErrNotFound):
		return err
	}
	return s.authorPage(c, http.StatusOK, src, form, nil)
}

// publish compiles what the form says, and publishes it if nothing is left to decide.
func (s *Server) publish(c echo.Context) error {
	ctx := c.Request().Context()
	src, err := s.reading(c).DrillSource(ctx, param(c, "incident"))
	if err != nil {
		return err
	}
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	d, problems := compileForm(src, form)
	if len(problems) > 0 {
		return s.authorPage(c, http.StatusBadRequest, src, form, problems)
	}
	if err := s.Play.Publish(ctx, who(c), d); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, at("drills", d.ID))
}

// bare is the drill before its author has said anything.
func bare(src *analytics.DrillSource) drill.Drill {
	o := src.Options
	o.ID, o.Title = drillOf(src.ID), "untitled"
	d, _ := drill.Compile(src.Events, o) // what is wrong with it is said when it is to be published
	return d
}

// compileForm is the drill of a form, or what is wrong, in the author's words where the form
// has a place for it.
func compileForm(src *analytics.DrillSource, form url.Values) (drill.Drill, []string) {
	var problems []string
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	get := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	plain := bare(src)
	o := src.Options
	o.ID, o.Title, o.Lesson, o.Service = drillOf(src.ID), get("title"), get("lesson"), get("service")
	o.Services, o.Targets, o.Decisive = commas(get("services")), commas(get("targets")), form["decisive"]
	o.Skills = nil
	for _, id := range form["skill"] {
		if _, known := skillNames()[id]; !known {
			bad("skills: %q is not known", id)
		}
		o.Skills = append(o.Skills, id)
	}
	if len(o.Skills) == 0 {
		bad("skills: at least one")
	}
	if v := get("mitigated"); v != "" {
		at, ok := offset(v)
		if !ok {
			bad("when the harm ended: %q is no time since the opening, as 14:05", v)
		}
		o.Mitigated = &at
	}
	for _, x := range plain.Cards {
		if why := get("herring-" + x.ID); why != "" {
			o.Herrings = append(o.Herrings, drill.Herring{Card: x.ID, Why: why})
		}
	}
	for _, x := range append(slices.Clone(plain.Services), o.Services...) {
		if why := get("astray-" + x); why != "" {
			o.Herrings = append(o.Herrings, drill.Herring{Service: x, Why: why})
		}
	}
	for n := 1; n <= asking; n++ {
		q, ok := questionOf(get, n, bad)
		if ok {
			o.Decisions = append(o.Decisions, q)
		}
	}
	// The numbers of responders depend on all that is written, and with them the digests: a
	// text counts as read if the one shown is still the one that would be shown.
	first, _ := drill.Compile(src.Events, o)
	o.Redactions = map[string]drill.Redaction{}
	for i, x := range plain.Texts {
		r := drill.Redaction{Decision: drill.Redact(get("redact-" + x.Place)), Text: get("with-" + x.Place)}
		switch r.Decision {
		case drill.Undecided:
			continue
		case drill.Keep:
			r.Text = ""
			if get("of-"+x.Place) == x.Digest && i < len(first.Texts) {
				r.Of = first.Texts[i].Digest
			}
		case drill.Drop:
			r.Text = ""
		}
		o.Redactions[x.Place] = r
	}
	d, err := drill.Compile(src.Events, o)
	if err != nil {
		problems = append(problems, strings.Split(err.Error(), "\n")...)
	}
	return d, append(problems, d.Unpublished()...)
}

// questionOf reads the nth question; false if nothing of it is filled in.
func questionOf(get func(string) string, n int, bad func(string, ...any)) (drill.Decision, bool) {
	name := func(s string) string { return fmt.Sprintf("q%d-%s", n, s) }
	q := drill.Decision{ID: fmt.Sprint("d", n), Question: get(name("question")), Mitigates: get(name("mitigates")) != "", Real: get(name("real"))}
	for i := range answers {
		id := string(rune('a' + i))
		o := drill.Option{ID: id, Text: get(name(id + "-text")), Why: get(name(id + "-why"))}
		if o.Text == "" && o.Why == "" {
			continue
		}
		var err error
		if o.Value, err = strconv.Atoi(get(name(id + "-value"))); err != nil {
			bad("question %d, option %s: what is it worth?", n, id)
		}
		q.Options = append(q.Options, o)
	}
	if q.Question == "" && len(q.Options) == 0 {
		return q, false
	}
	var ok bool
	if q.At, ok = offset(get(name("at"))); !ok {
		bad("question %d: when is it put? A time since the opening is wanted, as 14:05", n)
	}
	return q, true
}

// offset reads 14:05 or 1:02:03 as seconds.
func offset(s string) (int64, bool) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	out := int64(0)
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || i > 0 && n > 59 {
			return 0, false
		}
		out = out*60 + int64(n)
	}
	return out, true
}

func commas(s string) []string {
	var out []string
	for _, w := range strings.Split(s, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

func (s *Server) authorPage(c echo.Context, status int, src *analytics.DrillSource, form url.Values, problems []string) error {
	d := bare(src)
	csrf, _ := c.Get("csrf").(string)
	v := &authorView{Action: at("incidents", src.ID) + "/drill", Csrf: csrf, Title: form.Get("title"), Lesson: form.Get("lesson"), Mitigated: form.Get("mitigated"),
		Services: form.Get("services"), Targets: form.Get("targets")}
	right := or(form.Get("service"), d.Facts.Service)
	skills := form["skill"]
	if len(form) == 0 {
		skills = src.Options.Skills
	}
	ids := make([]string, 0, len(skillNames()))
	for id := range skillNames() {
		ids = append(ids, id)
	}
	for _, id := range byName(ids, skillName) {
		v.Skills = append(v.Skills, choice{id, skillName(id), slices.Contains(skills, id)})
	}
	for _, x := range d.Services {
		v.Right = append(v.Right, choice{x, x, x == right})
	}
	for _, x := range append(slices.Clone(d.Services), commas(v.Services)...) {
		if x != right && !slices.ContainsFunc(v.Astray, func(a authorCard) bool { return a.ID == x }) {
			v.Astray = append(v.Astray, authorCard{ID: x, Herring: form.Get("astray-" + x)})
		}
	}
	about := map[string]drill.Card{}
	for _, x := range d.Cards {
		about[x.ID] = x
		v.Cards = append(v.Cards, authorCard{x.ID, onClock(x.Offset - x.Before), x.Summary, form.Get("herring-" + x.ID), "card-" + x.ID, slices.Contains(form["decisive"], x.ID)})
	}
	for _, x := range d.Texts {
		r := form.Get("redact-" + x.Place)
		card := about[x.Card]
		v.Texts = append(v.Texts, authorText{x.Place, onClock(card.Offset-card.Before) + " " + card.Summary + ", " + x.Field, x.Text, x.Digest, form.Get("with-" + x.Place), "text-" + x.Place, r == "keep", r == "replace", r == "drop"})
	}
	for _, problem := range problems {
		v.Problems = append(v.Problems, v.problem(problem))
	}
	for n := 1; n <= asking; n++ {
		v.Questions = append(v.Questions, formQuestion(form, n))
	}
	p := &page{Title: "Make a drill of it", Nav: "Incidents", Author: v}
	p.Sub = say(linked("the incident", at("incidents", src.ID)))
	if len(d.Cards) == 0 {
		p.Author, p.Answer = nil, say("It cannot be made into a drill: an incident that is open, or whose opening is not known, has no end to learn from.")
		return s.draw(c, status, p)
	}
	p.Answer = say(strong(plural(float64(len(d.Cards)), "card", "cards")), " of evidence, ", strong(plural(float64(len(d.Texts)), "text", "texts")), " for you to keep, replace or drop, ", strong(plural(float64(d.Participants), "person", "people")), " under pseudonyms. Once published, everybody who signs in can play it.")
	return s.draw(c, status, p)
}

// problem says what is wrong in the words of the form, and leads there. What compiling
// complains about begins with the drill's own name of the field.
func (v *authorView) problem(p string) navItem {
	field, rest, _ := strings.Cut(p, ": ")
	for _, t := range v.Texts {
		if strings.Contains(field, "["+t.Place+"]") {
			return navItem{t.About + ": " + rest, "#" + t.Anchor}
		}
	}
	name, _, _ := strings.Cut(field, "[")
	switch name {
	case "title", "skills":
		return navItem{p, "#" + name}
	case "targets":
		return navItem{"further teams and policies to page: each " + rest, "#targets"}
	case "when the harm ended", "facts.mitigated_s":
		return navItem{p, "#mitigated"}
	case "decisive", "herrings":
		return navItem{p, "#cards"}
	case "decisions":
		return navItem{"questions" + strings.TrimPrefix(p, "decisions"), "#q1"}
	}
	for n := 1; n <= asking; n++ {
		if strings.HasPrefix(p, fmt.Sprint("question ", n)) {
			return navItem{p, fmt.Sprint("#q", n)}
		}
	}
	return navItem{Name: p}
}

func formQuestion(form url.Values, n int) authorQuestion {
	name := func(s string) string { return fmt.Sprintf("q%d-%s", n, s) }
	q := authorQuestion{N: n, At: form.Get(name("at")), Question: form.Get(name("question")), Mitigates: form.Get(name("mitigates")) != "", Further: n > 1}
	for i := range answers {
		id := string(rune('a' + i))
		o := authorOption{ID: id, Text: form.Get(name(id + "-text")), Why: form.Get(name(id + "-why")), Real: form.Get(name("real")) == id}
		for value, words := range map[int]string{3: "3 good", 2: "2", 1: "1", 0: "0 neutral", -1: "−1", -2: "−2", -3: "−3 harmful"} {
			o.Values = append(o.Values, choice{fmt.Sprint(value), words, or(form.Get(name(id+"-value")), "0") == fmt.Sprint(value)})
		}
		slices.SortFunc(o.Values, func(a, b choice) int {
			x, _ := strconv.Atoi(a.Value)
			y, _ := strconv.Atoi(b.Value)
			return y - x
		})
		q.Options = append(q.Options, o)
	}
	return q
}
