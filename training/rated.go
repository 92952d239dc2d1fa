package training

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Rating is whether a module helped, asked after it or after a page.
type Rating struct {
	Module string `json:"module"`
	Person string `json:"person"`
	Helped bool   `json:"helped"`
	After  string `json:"after"` // module or page
}

// Rated is that somebody said whether a module helped. The last they say about it counts.
func Rated(r Rating, at time.Time) (event.Event, error) {
	if r.After != "module" && r.After != "page" {
		return event.Event{}, fmt.Errorf("after: must be module or page")
	}
	return event.New(source, event.TrainingRated, "module:"+r.Module, framed(r.Module, event.PersonID(r.Person), r.After), at, r)
}
