package recommend

import (
	"errors"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// dismissedData is the data of recommendation.dismissed. Rule, module and skill are there for
// whoever reads the log; what is dismissed follows from the id alone.
type dismissedData struct {
	Recommendation string `json:"recommendation"`
	By             string `json:"by"`
	Reason         string `json:"reason"`
	Person         string `json:"person,omitempty"`
	Team           string `json:"team,omitempty"`
	Rule           string `json:"rule"`
	Module         string `json:"module,omitempty"`
	Skill          string `json:"skill,omitempty"`
}

// Dismiss is the event that somebody does not want a recommendation, for a reason.
func Dismiss(r Recommendation, by, reason string, at time.Time) (event.Event, error) {
	switch {
	case r.ID == "" || (r.Team == "") == (r.Person == ""):
		return event.Event{}, errors.New("recommendation: it is for a team or for a person")
	case by == "":
		return event.Event{}, errors.New("by: missing: who does not want it?")
	case reason == "":
		return event.Event{}, errors.New("reason: missing: why is it not wanted?")
	}
	d := dismissedData{r.ID, by, reason, r.Person, r.Team, r.Rule.ID, r.Module, r.Skill}
	return event.New(event.OwnSource, event.RecommendationDismissed, "recommendation:"+r.ID, r.ID, at, d)
}
