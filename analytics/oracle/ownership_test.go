package oracle

import (
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

const cy = "cy@example.org"

// organisation has api owned by core, with ana in core and apex, bo in apex, cy nowhere.
func organisation(t *testing.T) *history {
	h := &history{t: t}
	h.owned("2025-01-01T00:00:00Z", "api", "core")
	h.joined("2025-01-01T00:00:00Z", "apex", ana)
	h.joined("2025-01-01T00:00:00Z", "core", ana)
	h.joined("2025-01-01T00:00:00Z", "apex", bo)
	return h
}

// TestTeamChoice: the owning team if the person is in it, else the first alphabetically.
func TestTeamChoice(t *testing.T) {
	h := organisation(t)
	h.owned("2025-01-01T00:00:00Z", "db", "bolt")
	h.opened("2025-05-05T10:00:00Z", "i", data{"service": "api"})
	h.opened("2025-05-05T10:00:00Z", "j", data{"service": "db"})
	h.paged("2025-05-05T10:00:00Z", ana, data{"incident": "i"}) // core
	h.paged("2025-05-05T10:00:00Z", ana, data{"incident": "j"}) // apex
	h.paged("2025-05-05T10:00:00Z", ana, nil)                   // apex
	h.paged("2025-05-05T10:00:00Z", cy, data{"incident": "i"})  // none
	h.add("2025-05-05T11:00:00Z", event.PageUnanswered, data{"incident": "i"})
	p := year(t)
	p.By = "team"
	want(t, "responder", rows(t, h.answer("pages", p), "pages", "people", "unanswered"), "||1|1|1", "|apex|2|1|0", "|core|1|1|0")
	p.Lens = "owner_then"
	want(t, "owner", rows(t, h.answer("pages", p), "pages", "people", "unanswered"), "||1|1|0", "|bolt|1|1|0", "|core|2|2|1")
	h.left("2025-05-05T09:00:00Z", "core", ana)
	p.Lens = "responder_team"
	want(t, "left", rows(t, h.answer("pages", p), "pages", "unanswered"), "||1|1", "|apex|3|0")
}

// TestOwnerOfItsTime: the service at the first page, its owner then and at each page, its
// owner now; before the first owner that one is assumed, in the future of as_of nothing.
func TestOwnerOfItsTime(t *testing.T) {
	h := &history{t: t}
	h.opened("2025-02-01T10:00:00Z", "i", data{"service": "db"})
	h.add("2025-02-01T10:30:00Z", event.IncidentUpdated, data{"incident": "i", "service": "api"})
	h.paged("2025-02-01T11:00:00Z", ana, data{"incident": "i"})
	h.add("2025-02-01T12:00:00Z", event.IncidentUpdated, data{"incident": "i", "service": "edge"})
	h.owned("2025-03-01T00:00:00Z", "api", "core")
	h.paged("2025-03-01T00:00:00Z", ana, data{"incident": "i"})
	h.owned("2025-04-01T00:00:00Z", "api", "bolt")
	h.owned("2025-04-01T00:00:00Z", "edge", "dune")
	h.paged("2025-04-01T00:00:00Z", ana, data{"incident": "i"})
	h.owned("2025-05-01T00:00:00Z", "api", "")
	h.paged("2025-05-01T00:00:00Z", ana, data{"incident": "i"})
	p := year(t)
	p.By = "team"
	res := h.answer("incidents", p)
	want(t, "then", rows(t, res, "incidents"), "|core|1")
	if res.Assumed["owner"] != 1 {
		t.Errorf("assumed %v, want an owner", res.Assumed)
	}
	p.Lens = "owner_now"
	want(t, "now", rows(t, h.answer("incidents", p), "incidents"), "||1")
	p.AsOf = ts(t, "2025-04-15T00:00:00Z")
	want(t, "now, of then", rows(t, h.answer("incidents", p), "incidents"), "|bolt|1")
	p.Lens, p.AsOf = "owner_then", ts(t, "2025-02-15T00:00:00Z")
	want(t, "nothing from the future", rows(t, h.answer("incidents", p), "incidents"), "||1")
	p = year(t)
	p.By, p.Lens = "team", "owner_then"
	want(t, "pages", rows(t, h.answer("pages", p), "pages"), "||1", "|bolt|1", "|core|2")
	p.Assume = "none"
	want(t, "pages, nothing assumed", rows(t, h.answer("pages", p), "pages"), "||2", "|bolt|1", "|core|1")
	p.By = "service"
	want(t, "service", rows(t, h.answer("pages", p), "pages"), "|edge|4")
}

// TestServiceKnownLater: none known at the first page, the first one known later stands.
func TestServiceKnownLater(t *testing.T) {
	h := organisation(t)
	h.paged("2025-05-05T10:00:00Z", ana, data{"incident": "i"})
	h.opened("2025-05-05T10:01:00Z", "i", data{"service": "api"})
	h.add("2025-05-05T10:02:00Z", event.IncidentUpdated, data{"incident": "i", "service": "edge"})
	p := year(t)
	p.By = "team"
	want(t, "owner", rows(t, h.answer("incidents", p), "incidents"), "|core|1")
}

// TestQuadrant: first paged against resolver, and what takes the place of either.
func TestQuadrant(t *testing.T) {
	for name, c := range map[string]struct {
		service string
		tell    func(h *history)
		want    string // the one place
	}{
		"owned":                    {"api", func(h *history) { page(h, ana); h.resolved("2025-05-05T12:00:00Z", "i", ana) }, "owned"},
		"escalated away":           {"api", func(h *history) { page(h, ana); h.resolved("2025-05-05T12:00:00Z", "i", bo) }, "escalated_away"},
		"misrouted":                {"api", func(h *history) { page(h, bo); h.resolved("2025-05-05T12:00:00Z", "i", ana) }, "misrouted"},
		"on paper":                 {"api", func(h *history) { page(h, bo); h.resolved("2025-05-05T12:00:00Z", "i", cy) }, "owned_on_paper"},
		"unowned":                  {"db", func(h *history) { page(h, bo); h.resolved("2025-05-05T12:00:00Z", "i", ana) }, "unowned"},
		"unowned before untouched": {"db", func(h *history) {}, "unowned"},
		"untouched": {"api", func(h *history) {
			page(h, ana)
			h.add("2025-05-05T12:00:00Z", event.IncidentResolved, data{"incident": "i", "actor_kind": "service"})
			h.add("2025-05-05T13:00:00Z", event.IncidentNoted, data{"incident": "i", "person": ana}) // after the end
		}, "untouched"},
		"e-mail pages nobody first": {"api", func(h *history) {
			h.paged("2025-05-05T10:00:00Z", bo, data{"incident": "i", "channel": "email"})
			page(h, ana)
			h.resolved("2025-05-05T12:00:00Z", "i", ana)
		}, "owned"},
		"no page: first team assigned": {"api", func(h *history) {
			h.add("2025-05-05T10:05:00Z", event.IncidentReassigned, data{"incident": "i", "to": "team:apex"})
			h.resolved("2025-05-05T12:00:00Z", "i", ana)
		}, "misrouted"},
		"no page nor team: first to act": {"api", func(h *history) {
			h.acked("2025-05-05T10:05:00Z", "i", ana)
			h.resolved("2025-05-05T12:00:00Z", "i", bo)
		}, "escalated_away"},
		"resolved by a machine: last to act": {"api", func(h *history) {
			page(h, ana)
			h.add("2025-05-05T11:00:00Z", event.ResponderResponded, data{"incident": "i", "person": bo, "state": "accepted"})
			h.add("2025-05-05T11:10:00Z", event.ResponderResponded, data{"incident": "i", "person": ana, "state": "declined"})
			h.add("2025-05-05T12:00:00Z", event.IncidentResolved, data{"incident": "i", "actor_kind": "service"})
		}, "escalated_away"},
		"open: last to act": {"api", func(h *history) { page(h, bo); h.acked("2025-05-05T10:05:00Z", "i", ana) }, "misrouted"},
		"membership as of the action": {"api", func(h *history) {
			page(h, ana)
			h.left("2025-05-05T11:00:00Z", "core", ana)
			h.resolved("2025-05-05T12:00:00Z", "i", ana)
		}, "escalated_away"},
	} {
		h := organisation(t)
		h.opened("2025-05-05T10:00:00Z", "i", data{"service": c.service})
		c.tell(h)
		res := h.answer("ownership_quadrant", year(t))
		want(t, name, rows(t, res, "n", c.want), "||1|1")
	}
}

func page(h *history, person string) {
	h.paged("2025-05-05T10:01:00Z", person, data{"incident": "i"})
}

// TestHops: the sequence of teams, what each target stands for, and ping-pong.
func TestHops(t *testing.T) {
	for name, c := range map[string]struct {
		to   []string
		want string // hops, ping_pong
	}{
		"none":                      {nil, "||0|0"},
		"itself":                    {[]string{"team:bolt"}, "||0|0"},
		"away":                      {[]string{"team:apex"}, "||1|0"},
		"away and back":             {[]string{"team:apex", "team:bolt"}, "||2|1"},
		"undescribed team":          {[]string{"team:nobody knows"}, "||1|0"},
		"a person, owner preferred": {[]string{"person:Ana@Example.org", "team:core"}, "||1|0"},
		"a person of one team":      {[]string{"person:bo@example.org", "team:apex"}, "||1|0"},
		"one without team":          {[]string{"person:cy@example.org", "team:bolt"}, "||0|0"},
		"a policy of one owner":     {[]string{"policy:P1", "team:core"}, "||1|0"},
		"a policy of two owners":    {[]string{"policy:P2"}, "||0|0"},
		"unknown targets":           {[]string{"policy:P9", "schedule:x", "team:", "bolt"}, "||0|0"},
	} {
		h := organisation(t)
		h.owned("2025-01-01T00:00:00Z", "edge", "apex")
		h.add("2025-12-01T00:00:00Z", event.PolicyPublished, data{"policy": "P1", "services": []string{"api", "unheard of"}})
		h.add("2025-01-01T00:00:00Z", event.PolicyPublished, data{"policy": "P2", "services": []string{"api", "edge"}})
		h.opened("2025-05-05T10:00:00Z", "i", data{"service": "api", "team": "bolt"})
		if len(c.to) > 0 {
			h.add("2025-05-05T10:05:00Z", event.IncidentEscalated, data{"incident": "i", "cause": "manual", "to": c.to})
		}
		want(t, name, rows(t, h.answer("hops", year(t)), "hops", "ping_pong"), c.want)
	}
}

// TestTimeToOwner runs from the first page, else the opening; before it is zero.
func TestTimeToOwner(t *testing.T) {
	h := organisation(t)
	h.opened("2025-05-05T10:00:00Z", "a", data{"service": "api"})
	h.paged("2025-05-05T10:10:00Z", bo, data{"incident": "a"})
	h.acked("2025-05-05T10:20:00Z", "a", bo)
	h.acked("2025-05-05T10:30:00Z", "a", ana) // 20 min
	h.opened("2025-05-05T10:00:00Z", "b", data{"service": "api"})
	h.acked("2025-05-05T10:07:00Z", "b", ana) // 7 min
	h.opened("2025-05-05T10:00:00Z", "c", data{"service": "api"})
	h.acked("2025-05-05T10:01:00Z", "c", ana) // before the page: 0
	h.paged("2025-05-05T10:10:00Z", bo, data{"incident": "c"})
	h.opened("2025-05-05T10:00:00Z", "d", data{"service": "api"})
	h.acked("2025-05-05T10:01:00Z", "d", bo)
	want(t, "to owner", rows(t, h.answer("hops", year(t)), "n", "hops", "hops_mean", "hops_p90", "owner_acted",
		"to_owner_p50", "to_owner_p90"), "||4|0|0|0|3|420|1200")
}

// TestAliases: chains, the later of two claims, circles, capitals, and as_of of no
// importance, known_at of all.
func TestAliases(t *testing.T) {
	alias := func(h *history, at, person string, ids ...string) { h.described(at, person, data{"aliases": ids}) }
	for name, c := range map[string]struct {
		tell func(h *history)
		want string
	}{
		"chain": {func(h *history) {
			alias(h, "2025-03-01T00:00:00Z", "W1", "U1")
			alias(h, "2025-02-01T00:00:00Z", "Ana@Example.org", "W1")
		}, ana},
		"the later claim": {func(h *history) {
			alias(h, "2025-03-01T00:00:00Z", ana, "U1")
			alias(h, "2025-02-01T00:00:00Z", bo, "U1")
		}, ana},
		"a claim of the same instant, larger id": {func(h *history) {
			alias(h, "2025-02-01T00:00:00Z", bo, "U1")
			alias(h, "2025-02-01T00:00:00Z", ana, "U1")
		}, ana},
		"oneself": {func(h *history) {
			alias(h, "2025-03-01T00:00:00Z", "U1", "U1")
			alias(h, "2025-02-01T00:00:00Z", ana, "U1")
		}, ana},
		"a circle: the earlier claim gives way": {func(h *history) {
			alias(h, "2025-03-01T00:00:00Z", ana, "U1")
			alias(h, "2025-02-01T00:00:00Z", "U1", ana)
		}, ana},
		"said after as_of": {func(h *history) { alias(h, "2025-11-01T00:00:00Z", ana, "U1") }, ana},
		"known too late":   {func(h *history) { alias(h, "2025-11-01T00:00:00.001Z", ana, "U1") }, "U1"},
	} {
		h := &history{t: t}
		h.paged("2025-05-05T10:00:00Z", "U1", nil)
		c.tell(h)
		p := year(t)
		p.By, p.AsOf, p.KnownAt = "person", ts(t, "2025-06-01T00:00:00Z"), ts(t, "2025-11-01T00:00:00Z")
		p.Person = []string{"U1"}
		want(t, name, rows(t, h.answer("pages", p), "pages"), "|"+c.want+"|1")
	}
}

// TestResponderLens of an incident: the team of its resolver at that action.
func TestResponderLens(t *testing.T) {
	h := organisation(t)
	h.opened("2025-05-05T10:00:00Z", "a", data{"service": "api"})
	h.acked("2025-05-05T10:20:00Z", "a", bo)
	h.resolved("2025-05-05T11:00:00Z", "a", ana)
	h.opened("2025-05-05T10:00:00Z", "b", data{"service": "db"})
	h.acked("2025-05-05T10:20:00Z", "b", ana)
	h.opened("2025-05-05T10:00:00Z", "c", data{"service": "api"})
	p := year(t)
	p.By, p.Lens = "team", "responder_team"
	want(t, "resolvers", rows(t, h.answer("incidents", p), "incidents"), "||1", "|apex|1", "|core|1")
	p.By, p.Team = "service", []string{"apex", "nobody"}
	want(t, "filter", rows(t, h.answer("incidents", p), "incidents"), "|db|1")
}

// TestFirstTeamReachesBack: before the first joining, all teams of that instant.
func TestFirstTeamReachesBack(t *testing.T) {
	h := &history{t: t}
	h.owned("2025-01-01T00:00:00Z", "api", "dune")
	h.opened("2025-02-01T10:00:00Z", "i", data{"service": "api"})
	h.paged("2025-02-01T10:00:00Z", ana, data{"incident": "i"})
	h.paged("2025-02-01T10:00:00Z", ana, nil)
	h.joined("2025-03-01T00:00:00Z", "dune", ana)
	h.joined("2025-03-01T00:00:00Z", "bolt", ana)
	h.joined("2025-04-01T00:00:00Z", "apex", ana)
	p := year(t)
	p.By = "team"
	res := h.answer("pages", p)
	want(t, "first", rows(t, res, "pages"), "|bolt|1", "|dune|1")
	if res.Assumed["team"] != 2 {
		t.Errorf("assumed %v, want two teams", res.Assumed)
	}
	p.Assume = "none"
	want(t, "none", rows(t, h.answer("pages", p), "pages"), "||2")
}

// TestUrgency: a page's is its own, else its incident's, and never becomes the incident's.
func TestUrgency(t *testing.T) {
	h := &history{t: t}
	h.opened("2025-05-05T10:00:00Z", "i", data{"urgency": "low"})
	h.paged("2025-05-05T10:01:00Z", ana, data{"incident": "i", "urgency": "high"})
	h.paged("2025-05-05T10:02:00Z", ana, data{"incident": "i"})
	h.paged("2025-05-05T10:03:00Z", ana, nil)
	h.add("2025-05-05T10:04:00Z", event.PageUnanswered, data{"incident": "i"})
	p := year(t)
	p.By = "urgency"
	want(t, "pages", rows(t, h.answer("pages", p), "pages", "unanswered"), "||1|0", "|high|1|0", "|low|1|1")
	want(t, "incidents", rows(t, h.answer("incidents", p), "incidents"), "|low|1")
}
