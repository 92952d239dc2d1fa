package drill

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// source is who says what happens in drills.
const source = "/steward"

type compiledData struct {
	Drill      string          `json:"drill"`
	Incident   string          `json:"incident"`
	By         string          `json:"by"`
	Redactions string          `json:"redactions"`
	Content    json.RawMessage `json:"content"`
}

// Compiled is the publication of a drill, with all of it in the event: the log holds what
// was played. A drill with undecided texts has no event.
func Compiled(d Drill, by string, at time.Time) (event.Event, error) {
	if left := d.Unpublished(); len(left) > 0 {
		return event.Event{}, fmt.Errorf("drill: not ready to publish: %s", left[0])
	}
	if len(d.Skills) == 0 { // of one published before this was asked for the event may stand
		return event.Event{}, fmt.Errorf("drill: not ready to publish: skills: at least one")
	}
	content, err := d.Encode()
	if err != nil {
		return event.Event{}, err
	}
	return event.New(source, event.DrillCompiled, "steward:drill:"+d.ID, d.ID, at, compiledData{d.ID, d.Incident, by, d.Redactions(), content})
}

// ReadCompiled is the drill in the data of a drill.compiled event.
func ReadCompiled(data []byte) (Drill, error) {
	var c compiledData
	if err := json.Unmarshal(data, &c); err != nil {
		return Drill{}, fmt.Errorf("drill.compiled: %w", err)
	}
	if len(c.Content) == 0 {
		return Drill{}, fmt.Errorf("drill.compiled: content: required")
	}
	return Decode(c.Content)
}

// Player is whose attempt at which drill.
type Player struct {
	Drill   string `json:"drill"`
	Attempt string `json:"attempt"`
	Person  string `json:"person"`
}

func (p Player) event(kind event.Kind, key string, at time.Time, data any) (event.Event, error) {
	return event.New(source, kind, "steward:attempt:"+p.Attempt, p.Attempt+key, at, data)
}

// Started, Acted and Finished are the facts of an attempt. Their ids follow from the attempt,
// the step's number and the moment. N is in the data because two steps can share a moment.
func Started(p Player, at time.Time) (event.Event, error) {
	return p.event(event.DrillStarted, "", at, p)
}

type actedData struct {
	Player
	Step
}

// Acted is one step. The handler has checked it with Attempt.Act; here only its form is.
func Acted(p Player, s Step, at time.Time) (event.Event, error) {
	if _, err := Parse(s.Action); err != nil {
		return event.Event{}, err
	}
	return p.event(event.DrillActed, fmt.Sprint("/", s.N), at, actedData{p, s})
}

type finishedData struct {
	Player
	Parts []Part  `json:"parts"`
	Score float64 `json:"score"`
}

// Finished is the end with its score. A reader may compute it again from the steps.
func Finished(p Player, parts Parts, at time.Time) (event.Event, error) {
	return p.event(event.DrillFinished, "", at, finishedData{p, parts.Parts, parts.Score})
}

// Steps reads the steps of one attempt from the data of drill.acted events, in order of
// their numbers; copies count once.
func Steps(attempt string, data [][]byte) ([]Step, error) {
	var out []Step
	for i, b := range data {
		var a actedData
		if err := json.Unmarshal(b, &a); err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
		if a.Attempt == attempt {
			out = append(out, a.Step)
		}
	}
	slices.SortStableFunc(out, func(x, y Step) int { return x.N - y.N })
	return slices.Compact(out), nil
}
