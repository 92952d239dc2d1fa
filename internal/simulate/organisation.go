package simulate

import (
	"fmt"
	"time"
)

// What is peculiar about a team, by its place in the list modulo eight. The other
// places are ordinary: a weekly rota with a primary and a secondary.
const (
	followsTheSun  = 1 // three regions hand over every eight hours
	weekendGap     = 3 // nobody is level 1 from Friday evening to Monday morning
	personInPolicy = 4 // level 2 of the policy is a person, not a schedule
	withoutOnCall  = 6 // owns services, but the platform team is paged for them
	formedLater    = 7 // exists from the middle of the window, with people and services of others
	peculiarities  = 8
)

type team struct {
	index    int
	id       string
	peculiar int
	zones    []string
	members  []*membership // all there ever are; a handful per team
	policy   string
	timeouts [3]int // minutes per level
	paged    []*service
	rota     rota
	formed   time.Time
}

type membership struct {
	team     *team
	person   *person
	role     string
	from, to time.Time // to is zero if they stay
}

func (m *membership) active(t time.Time) bool {
	return !t.Before(m.from) && (m.to.IsZero() || t.Before(m.to))
}

type person struct {
	index    int
	id, name string
	zone     *time.Location
	zoneName string
	hours    map[string][][2]string
	holidays []string
	manager  string
	aliases  []string
	speed    float64 // factor on the time to answer
	style    int     // which channels ring, see notify
	teams    []*membership
}

type service struct {
	index     int
	id        string
	about     thing
	tier      int
	owner     *team // nil: unowned
	previous  *team
	movedAt   time.Time // of the last change of owner inside the window
	routed    *team     // whose policy is paged; behind the owner for weeks after a move
	classes   []class
	depends   []*service
	deploys   float64 // per working day
	version   int
	dashboard bool
	lifecycle string
}

// newWorld draws the organisation; nothing is emitted yet.
func newWorld(cfg Config) (*world, error) {
	w := &world{cfg: cfg, source: Source(cfg.Seed), start: cfg.End.AddDate(0, 0, -cfg.Days).Truncate(24 * time.Hour)}
	w.seed(cfg.Seed)
	w.learning = newLearning(cfg.Seed)
	w.prefix = fmt.Sprintf("sim%d-", cfg.Seed)
	all := domains()
	for i := range cfg.Teams {
		w.teams = append(w.teams, w.newTeam(all, i))
	}
	if err := w.hire(); err != nil {
		return nil, err
	}
	w.assignPeople()
	for j := range cfg.Services {
		w.services = append(w.services, w.newService(all, j))
	}
	for j, s := range w.services {
		for range 1 + w.pick(3) {
			// Only on services with a smaller number, so that dependencies have no cycle.
			if j > 0 {
				s.depend(w.services[w.pick(j)])
			}
		}
	}
	return w, nil
}

func (s *service) depend(on *service) {
	for _, d := range s.depends {
		if d == on {
			return
		}
	}
	s.depends = append(s.depends, on)
}

func (w *world) newTeam(all []domain, i int) *team {
	homes := [][]string{
		{"Europe/Berlin"}, {"Asia/Kolkata", "Europe/London", "America/Los_Angeles"}, {"America/New_York", "America/Toronto"},
		{"Europe/Lisbon", "America/Sao_Paulo"}, {"America/Chicago"}, {"Europe/Warsaw", "Africa/Nairobi"},
		{"Asia/Singapore", "Asia/Tokyo"}, {"Europe/Paris", "Europe/Helsinki"},
	}
	t := &team{index: i, id: teamName(all, i), peculiar: i % peculiarities, zones: homes[i%len(homes)]}
	t.policy = t.id + "-escalation"
	t.timeouts = [3]int{[]int{5, 10, 10, 15}[w.pick(4)], 15, 30}
	t.rota = rota{team: t}
	if t.peculiar == formedLater {
		t.formed = w.after(0.45, 0.55)
	}
	return t
}

// hire draws the people. Addresses are made unique by a number, as companies do.
func (w *world) hire() error {
	given, family := givenNames(), familyNames()
	taken := map[string]int{}
	zones := map[string]*time.Location{}
	for i := range w.cfg.People {
		g, f := given[(i*37+w.pick(3))%len(given)], family[w.pick(len(family))]
		address := plain(g) + "." + plain(f)
		taken[address]++
		if n := taken[address]; n > 1 {
			address = fmt.Sprintf("%s%d", address, n)
		}
		home := w.teams[i%len(w.teams)].zones
		p := &person{index: i, id: address + "@example.org", name: g + " " + f, style: w.pick(4)}
		p.zoneName = home[(i/len(w.teams))%len(home)]
		if i%len(w.teams)%peculiarities != followsTheSun && w.chance(0.12) {
			p.zoneName = []string{"Asia/Tokyo", "Europe/Dublin", "America/Denver", "Australia/Sydney", "Africa/Lagos"}[w.pick(5)]
		}
		if zones[p.zoneName] == nil {
			z, err := time.LoadLocation(p.zoneName)
			if err != nil {
				return fmt.Errorf("simulate: the time zone database is needed: %w", err)
			}
			zones[p.zoneName] = z
		}
		p.zone = zones[p.zoneName]
		p.speed = 0.7 + 0.8*w.rand.Float64()
		p.aliases = []string{"slack:U0" + code(i), "pagerduty:demo:P" + code(i+100)}
		p.hours, p.holidays = w.calendar(i)
		w.people = append(w.people, p)
	}
	return nil
}

// calendar gives some people described working hours and some their holidays.
func (w *world) calendar(i int) (map[string][][2]string, []string) {
	var hours map[string][][2]string
	week := []string{"mon", "tue", "wed", "thu", "fri"}
	switch i % 7 {
	case 2:
		hours = map[string][][2]string{}
		for _, d := range week {
			hours[d] = [][2]string{{"07:30", "12:00"}, {"13:00", "16:30"}}
		}
	case 5: // part time
		hours = map[string][][2]string{}
		for _, d := range week[:4] {
			hours[d] = [][2]string{{"09:00", "15:30"}}
		}
	}
	var holidays []string
	if i%3 != 1 {
		// At most ten years of them: the list belongs to the person, not to the history.
		for year := max(w.start.Year(), w.cfg.End.Year()-9); year <= w.cfg.End.Year(); year++ {
			holidays = append(holidays, fmt.Sprintf("%d-01-01", year), fmt.Sprintf("%d-05-01", year),
				fmt.Sprintf("%d-08-%02d", year, 3+i%20), fmt.Sprintf("%d-12-25", year), fmt.Sprintf("%d-12-26", year))
		}
	}
	return hours, holidays
}

// assignPeople settles who is in which team when. One in ten joins and one in twelve
// leaves inside the window; of those meant for a team formed later most move to it on
// its first day, and a few stay in both.
func (w *world) assignPeople() {
	n := len(w.teams)
	for i, p := range w.people {
		t := w.teams[i%n]
		from := w.start.Add(-w.days(60, 365*(prehistoryYears-1))).Truncate(24 * time.Hour).Add(9 * time.Hour)
		founder := i < 2*n
		if !founder && i%10 == 7 {
			from = w.after(0.1, 0.8)
		}
		switch i { // and two so lately that they are not on their own yet
		case 37:
			from = w.fromEnd(33)
		case 57:
			from = w.fromEnd(9)
		}
		if t.peculiar == formedLater {
			donor := w.teams[t.index-7+[]int{0, 2, 4}[(i/n)%3]]
			old := w.join(donor, p, minTime(from, w.start.Add(-60*24*time.Hour)), "engineer")
			if i/n%4 != 3 {
				old.to = t.formed
			}
			w.join(t, p, t.formed, roleOf(i, n))
			continue
		}
		m := w.join(t, p, from, roleOf(i, n))
		if !founder && i%12 == 5 {
			if to := w.after(0.2, 0.9); to.After(from.Add(90 * 24 * time.Hour)) {
				m.to = to
			}
		}
		if n > 2 && i%20 == 9 {
			also := w.teams[(i+2)%n]
			w.join(also, p, laterTime(from, also.formed), "engineer").to = m.to
		}
	}
	for _, t := range w.teams {
		for k, m := range t.members {
			if k > 0 && m.person.manager == "" {
				m.person.manager = t.members[0].person.id
			}
		}
	}
	for i := 1; i < min(n, len(w.people)); i++ {
		w.people[i].manager = w.people[0].id
	}
	w.people[0].manager = ""
}

func roleOf(i, teams int) string {
	if i < teams {
		return "lead"
	}
	return "engineer"
}

func (w *world) join(t *team, p *person, from time.Time, role string) *membership {
	m := &membership{team: t, person: p, role: role, from: from}
	t.members = append(t.members, m)
	p.teams = append(p.teams, m)
	return m
}

// leadLevel is the level of the policy that names the lead rather than a schedule.
func (t *team) leadLevel() int {
	if t.peculiar == personInPolicy {
		return 2
	}
	return 3
}

// handle is what the paging tool calls somebody: for some only by its own id, which
// person.described lists as an alias.
func (p *person) handle() string {
	if p.index%9 == 3 {
		return p.aliases[1]
	}
	return p.id
}

// lead is the first active member, nil if there is none.
func (t *team) lead(at time.Time) *person {
	for _, m := range t.members {
		if m.active(at) {
			return m.person
		}
	}
	return nil
}

func (w *world) newService(all []domain, j int) *service {
	i := j % len(w.teams)
	t := w.teams[i]
	s := &service{index: j, about: serviceName(all, i, j/len(w.teams)), lifecycle: "production"}
	s.id = s.about.name
	s.tier = []int{1, 2, 2, 3, 2, 3, 1, 3}[(j+j/8)%8]
	s.deploys = 0.05 + 0.35*w.rand.Float64()
	s.version = 20 + w.pick(300)
	s.dashboard = j%4 != 3
	s.owner = t
	if t.peculiar == formedLater {
		s.owner = w.teams[t.index-7+[]int{4, 5, 0}[(j/len(w.teams))%3]]
	}
	if j%40 == neverOwned {
		s.owner = nil
	}
	if s.owner == nil || s.owner.peculiar == withoutOnCall {
		s.route(w.platform(s))
	} else {
		s.route(s.owner)
	}
	s.classes = w.classesOf(s)
	return s
}

// Places in the list of services, modulo forty, with a story of their own.
const (
	neverOwned    = 37
	abandoned     = 26 // unowned for a stretch, then adopted by another team
	firstNoisy    = 3
	secondNoisy   = 18
	lateOwner     = 6  // modulo 11: its owner is recorded only after its first incidents
	lateDescribed = 4  // modulo 9: likewise its description
	deprecated    = 13 // modulo 17: described as deprecated later on
)

// platform is the team that is paged for what has no rota of its own: the follow-the-sun
// team of the same eight, else the first team.
func (w *world) platform(s *service) *team {
	i := s.index % len(w.teams)
	i = i - i%peculiarities + followsTheSun
	if i >= len(w.teams) {
		i = followsTheSun
	}
	if i >= len(w.teams) {
		i = 0
	}
	return w.teams[i]
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func laterTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
