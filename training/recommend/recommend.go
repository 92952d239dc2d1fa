// Package recommend says what a team or a person should learn next, by rules that anybody can
// check by hand.
//
// Theory of operation
//
//  1. The rules are pure. They are handed facts, each of which somebody may read, and give
//     recommendations: a module, why in words with numbers, the incidents that show it, and
//     until when it is needed. Nothing is learned from what others chose, and nothing is
//     weighed that is not said.
//  2. A module that wants others first is suggested with its way: what is not known yet, each
//     after what it wants itself, and the module last. Where no module is left that leads
//     further, practice is: a drill of the skill.
//  3. What is being learned, was done and has not grown old, or was waived is not suggested.
//  4. Rules are asked in an order. Where a later one would suggest what an earlier one does,
//     its reason is put beside the earlier's: one thing to do is one line.
//  5. A dismissal holds for its rule, module and team or person, until an incident that is
//     severe or left the team has come after it, or 90 days have passed.
//  6. What a team of one or two people can do is what each of them can, so of such a team the
//     rules are handed no such facts and go by what its incidents took.
package recommend

import (
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Bounds of the rules. docs/recommendations.md says them in words.
const (
	gapsShown   = 3                   // of a team, by the largest gap
	aheadShown  = 3                   // of a team, by coming time on call
	needsShown  = 3                   // of a person, by the next shift; likewise by fading and by what was escalated
	demandedTop = 5                   // so many of a team's skills, those most demanded, are looked for on a shift
	demandedMin = 3                   // and only those that so many incidents took
	citesMost   = 5                   // incidents of a recommendation
	awayFor     = 90 * 24 * time.Hour // how long one's own incident that left the team counts
	DismissFor  = 90 * 24 * time.Hour // how long a dismissal holds at most
	AheadFor    = 14 * 24 * time.Hour // how far a team's coming time on call is looked at
	GroupSize   = 3                   // people from whom on a team is a group
	current     = 0.7                 // retention from which on somebody is current, as in skill_levels
	fading      = 0.5                 // below it currency has lapsed
	independent = 3                   // the level that covers a shift
	assisted    = 2                   // the level from which on currency can fade
)

// Incident is one that took a skill.
type Incident struct {
	ID     string
	Opened time.Time
	Severe bool // counts three times in demand
	Away   bool // escalated away from the team that owned it
}

// telling orders incidents: those that left the team first, then severe ones, then the newest.
func telling(a, b Incident) int {
	rank := func(i Incident) (n int) {
		if i.Away {
			n += 2
		}
		if i.Severe {
			n++
		}
		return -n
	}
	if c := rank(a) - rank(b); c != 0 {
		return c
	}
	if c := b.Opened.Compare(a.Opened); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Need is what a team's incidents of the last 365 days took of one skill, and who there is.
type Need struct {
	Skill     string
	Incidents []Incident
	Demand    int     // incidents with their weight
	Supply    int     // people at level 3 and current; of a small team not told
	Wanted    int     // people it takes
	Away      float64 // share of demand that left the team, shrunk
	Gap       float64 // of a small team not told
}

// Stretch is coming time on call, with the skills that somebody on call has then.
type Stretch struct {
	From, To time.Time
	Skills   []string
}

// Drill is one that can be played.
type Drill struct {
	ID, Title string
	Skills    []string
	Done      bool // the person played it to its end
}

// Team is what the rules go by for a team.
type Team struct {
	ID, Name  string
	Now       time.Time
	Zone      *time.Location // of the moments in words
	Members   int
	Small     bool // fewer than GroupSize at some moment of the window: Supply, Gap and Ahead are not told
	Veiled    bool // Supply and Gap are not told for another reason
	Needs     []Need
	Ahead     []Stretch      // coming time on call, in order
	Held      map[string]int // module → people who have it to do or have done it
	Dismissed []Dismissal
}

// Level is what somebody showed of a skill.
type Level struct {
	Level     int
	Retention float64
	Last      time.Time
}

// State is how far a person is with a module.
type State struct {
	Open   bool      // to be done
	Known  bool      // what it teaches may be taken for known
	Waived bool      // and not to be asked for again
	Done   time.Time // completed; zero: not
}

// Shift is a coming shift of the person.
type Shift struct {
	Team, TeamName string
	From, To       time.Time
}

// Person is what the rules go by for a person. It is theirs and nobody else's.
type Person struct {
	ID        string
	Now       time.Time
	Zone      *time.Location
	Levels    map[string]Level
	Next      *Shift            // nil: none is planned
	OnCall    bool              // was on call before; shadowing does not count
	Needs     map[string][]Need // of each of their teams; supply and gap are not looked at
	Away      map[string][]Incident
	Modules   map[string]State
	Dismissed []Dismissal
}

// Recommendation is one thing to do.
type Recommendation struct {
	ID           string
	Rule         Rule
	Team, Person string // one of them
	Skill        string // empty: of no single one
	Module       string // empty: practice, by a drill
	Path         []string
	Drill        string // one that practises the skill; may be empty
	Because      string
	Also         []string // reasons of other rules
	N            int      // incidents it rests on
	Cites        []string // of them, the most telling first
	By           time.Time
	Dismissed    *Dismissal // who did not want it; nil: it stands
	Back         time.Time  // until when that holds at most
}

// Dismissal is that somebody does not want a recommendation.
type Dismissal struct {
	Recommendation string
	By, Reason     string
	At             time.Time
}

// List is what stands and what was dismissed, each in the order of the rules.
type List struct{ Open, Dismissed []Recommendation }

// Find is the recommendation of an id, whether it stands or not.
func (l List) Find(id string) (Recommendation, bool) {
	for _, r := range slices.Concat(l.Open, l.Dismissed) {
		if r.ID == id {
			return r, true
		}
	}
	return Recommendation{}, false
}

// id follows from rule, module or skill, and whom it is for, and tells nobody's name. The
// rule's version is not in it: what somebody did not want they still do not when the rule
// is worded better.
func (r Recommendation) id() string {
	what := r.Module
	if what == "" {
		what = "practise " + r.Skill
	}
	return event.NewID(event.OwnSource, event.RecommendationDismissed, framed(r.Rule.ID, what, r.Team, event.PersonID(r.Person)), time.UnixMilli(0))
}

func framed(parts ...string) string {
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(strings.ReplaceAll(p, "/", "//"))
		out.WriteString(" / ")
	}
	return out.String()
}

// collector puts recommendations into a list, each thing to do once.
type collector struct {
	now       time.Time
	dismissed map[string]Dismissal
	all       []Recommendation
	at        map[string]int // what is suggested already → its place
}

func newCollector(now time.Time, dismissed []Dismissal) *collector {
	c := &collector{now: now, dismissed: map[string]Dismissal{}, at: map[string]int{}}
	for _, d := range dismissed {
		if old, ok := c.dismissed[d.Recommendation]; (!ok || d.At.After(old.At)) && !d.At.After(now) {
			c.dismissed[d.Recommendation] = d
		}
	}
	return c
}

// add takes a recommendation with the incidents it rests on, and says whether it is new.
func (c *collector) add(r Recommendation, rests []Incident) bool {
	what := r.Module
	if what == "" {
		what = "practise " + r.Skill
	}
	if i, there := c.at[what]; there {
		c.all[i].Also = append(c.all[i].Also, r.Because)
		return false
	}
	r.ID, r.N = r.id(), len(rests)
	rests = slices.Clone(rests)
	slices.SortFunc(rests, telling)
	for _, i := range rests[:min(citesMost, len(rests))] {
		r.Cites = append(r.Cites, i.ID)
	}
	if d, ok := c.dismissed[r.ID]; ok && c.holds(d, rests) {
		r.Dismissed, r.Back = &d, d.At.Add(DismissFor)
	}
	c.at[what] = len(c.all)
	c.all = append(c.all, r)
	return true
}

// holds says whether nothing has happened since a dismissal that would change it.
func (c *collector) holds(d Dismissal, rests []Incident) bool {
	return c.now.Before(d.At.Add(DismissFor)) && !slices.ContainsFunc(rests, func(i Incident) bool {
		return (i.Severe || i.Away) && i.Opened.After(d.At)
	})
}

func (c *collector) list() List {
	var out List
	for _, r := range c.all {
		if r.Dismissed != nil {
			out.Dismissed = append(out.Dismissed, r)
		} else {
			out.Open = append(out.Open, r)
		}
	}
	return out
}
