package dashboards

import (
	"context"
	"net/url"
	"strings"

	"github.com/stewardhq/steward/training"
)

// askedOf is the demand by skill of the one team that a form is about; nil when it is about
// none or several, which may not be asked for the same most.
func (s *Server) askedOf(ctx context.Context, read Reading, form url.Values) (map[string]int64, error) {
	team := form.Get("team")
	for _, to := range form["for"] {
		of := strings.TrimPrefix(to, "team:")
		if r, ok := rotaOf(to); ok {
			of = r.Team
		} else if of == to {
			continue // a person, whose team the address names
		}
		if team != "" && team != of {
			return nil, nil
		}
		team = of
	}
	if team == "" {
		return nil, nil
	}
	rows, err := read.Demand(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, r := range rows {
		if r.Team == team {
			out[r.Skill] = r.Demand
		}
	}
	return out, nil
}

// stageModules are a stage's, with the one that the team's incidents ask for.
func stageModules(st training.Stage, asked map[string]int64) []*training.Module {
	out := st.Modules
	if m := st.Asked(asked); m != nil {
		out = append(append([]*training.Module{}, out...), m)
	}
	return out
}

// stageText says what a stage holds, in a line to choose from.
func stageText(st training.Stage, asked map[string]int64) string {
	modules, who, more := stageModules(st, asked), "everybody", ""
	if st.People > 0 {
		who = plural(float64(st.People), "person", "people")
	}
	total := 0
	for _, m := range modules {
		total += m.Minutes
	}
	if st.Demanded != nil {
		switch m := st.Asked(asked); {
		case m != nil:
			more = ", with " + m.ID + ", which the team’s incidents took most"
		case asked == nil:
			more = ", and for one team alone the module of " + st.Demanded.ID + " that its incidents took most"
		}
	}
	return st.When + ": " + plural(float64(len(modules)), "module", "modules") + ", " + minutes(total) + ", " + who + more
}
