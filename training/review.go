package training

import (
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Verdict is what a page turned out to be, by one tap.
type Verdict struct {
	ID     string // as in the vocabulary
	Words  string
	Action bool // whether somebody did something
}

var verdicts = []Verdict{
	{"service", "fixed the service", true},
	{"service-inappropriate-hour", "fixed it, could have waited", true},
	{"view", "looked, and it was worth it", true},
	{"inappropriate-hour", "could have waited", false},
	{"downtime-expired", "planned downtime ran over", false},
	{"downtime-not-set", "planned downtime not set", false},
	{"threshold", "wrong threshold", false},
	{"check-faulty", "the check is faulty", false},
	{"not-needed", "not needed", false},
}

// Verdicts are all of them, those with an action first.
func Verdicts() []Verdict { return slices.Clone(verdicts) }

// FindVerdict is the verdict of an id; false if there is none.
func FindVerdict(id string) (Verdict, bool) {
	i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.ID == id })
	if i < 0 {
		return Verdict{}, false
	}
	return verdicts[i], true
}

// Review is one tap: what its giver says of a page, or of all pages of an incident, as a
// whole. A later one of theirs takes its place.
type Review struct {
	Page      string `json:"page,omitempty"`
	Incident  string `json:"incident,omitempty"`
	By        string `json:"by"`
	Verdict   string `json:"verdict"`
	MadeSense *bool  `json:"made_sense,omitempty"` // nil: not said
	Note      string `json:"note,omitempty"`
}

// Reviewed is that a verdict was given. The same tap of one person at one moment is one event.
func Reviewed(r Review, at time.Time) (event.Event, error) {
	if _, known := FindVerdict(r.Verdict); !known {
		return event.Event{}, fmt.Errorf("verdict: %q is none", r.Verdict)
	}
	subject := "page:" + r.Page
	if r.Page == "" {
		subject = "incident:" + r.Incident
	}
	sense := ""
	if r.MadeSense != nil {
		sense = fmt.Sprint(*r.MadeSense)
	}
	key := fmt.Sprintf("%d:%s/%d:%s/%s/%s/%s", len(r.Page), r.Page, len(r.By), r.By, r.Verdict, sense, r.Note)
	return event.New(source, event.PageReviewed, subject, key, at, r)
}
