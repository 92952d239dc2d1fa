package recall

import (
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

type answeredData struct {
	Question string `json:"question"`
	Incident string `json:"incident"`
	Person   string `json:"person"`
	Week     string `json:"week"`
	Correct  bool   `json:"correct"`
	Grade    int    `json:"grade"`
}

// Answered is an answer as a fact of the log. Which option was chosen is not kept: nobody's
// wrong answers are worth storing. Its id follows from who answered what in which week and
// when, and tells nobody's name.
func Answered(person string, q Question, week Week, correct bool, at time.Time) (event.Event, error) {
	key := hash(event.PersonID(person), q.ID, week.Name)
	return event.New(event.OwnSource, event.QuestionAnswered, "question:"+hash(q.ID)[:32], key, at,
		answeredData{q.ID, q.Incident, person, week.Name, correct, Grade(correct)})
}
