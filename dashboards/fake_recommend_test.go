package dashboards

import (
	"context"
	"strings"
	"sync"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/recommend"
)

// fakeAdvise suggests a module with a way, a drill, and practice without one; a fourth was
// dismissed. Its texts try to be code.
type fakeAdvise struct {
	store *fake
	mu    *sync.Mutex
	acts  *[]string
	err   *error
}

func newAdvise(s *fake) fakeAdvise {
	return fakeAdvise{s, new(sync.Mutex), new([]string), new(error)}
}

func (a fakeAdvise) list(team, person string) (recommend.List, error) {
	if a.store.empty || a.store.broken != nil {
		return recommend.List{}, a.store.broken
	}
	r := func(id string, rule recommend.Rule, skill, module, drill string, path ...string) recommend.Recommendation {
		return recommend.Recommendation{ID: id, Rule: rule, Team: team, Person: person, Skill: skill, Module: module, Path: path, Drill: drill, Because: "because " + hostile[0], N: 7, Cites: []string{hostile[6], "i2"}}
	}
	out := recommend.List{Open: []recommend.Recommendation{
		r("1", recommend.LargestGap, "queue-stream-ops", "FX4", "", "LS4", "FX4"),
		r("2", recommend.ComingShift, "datastore-ops", "", "the-padlock-at-midnight"),
		r("3", recommend.Fading, "network-dns-tls", "", ""),
		r("4", recommend.NextShift, "metrics-reading", "LS1", "", "LS1"),
	}, Dismissed: []recommend.Recommendation{r("5", recommend.Fading, "incident-command", "", "")}}
	out.Open[0].By, out.Open[0].Also = a.store.now.AddDate(0, 0, 5), []string{"another reason"}
	out.Dismissed[0].Dismissed = &recommend.Dismissal{Recommendation: "5", By: hostile[2], Reason: hostile[4], At: a.store.now.AddDate(0, 0, -3)}
	out.Dismissed[0].Back = a.store.now.AddDate(0, 0, 87)
	return out, nil
}

func (a fakeAdvise) Team(_ context.Context, who access.Who, team string) (recommend.List, error) {
	if err := who.Advised(team); err != nil {
		return recommend.List{}, err
	}
	return a.list(team, "")
}

func (a fakeAdvise) Own(_ context.Context, who access.Who) (recommend.List, error) {
	if err := who.Learns(); err != nil {
		return recommend.List{}, err
	}
	return a.list("", who.Person)
}

func (a fakeAdvise) Dismiss(_ context.Context, _ access.Who, team, id, reason string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if *a.err == nil {
		*a.acts = append(*a.acts, strings.Join([]string{team, id, reason}, "|"))
	}
	return *a.err
}
