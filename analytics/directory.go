package analytics

import "time"

// Directory is who and what there is, as of now: names for ids, for pages and filters.
type Directory struct {
	Teams    []Team
	Services []Service
	People   []Person // those whom the reader may know by name
	Size     int      // how many people there are
}

// Team is a team that owns, has members or was described. Name is the id if undescribed.
type Team struct {
	ID, Name, Parent, Contact string
	Members                   []string // canonical person ids, sorted; those whom the reader may know by name
	Leads                     []string // of these, who joined as lead or manager
	Size                      int      // how many members there are
	Services                  []string // owned now, sorted
}

// Service is a service that was described, owned or named by an incident.
type Service struct {
	ID, Name, Description, Owner, Lifecycle, RunbookURL string
	Tier                                                int // 0: not described
}

// Person is somebody who was described, is a member, was paged or acted. Their burden is not here.
type Person struct {
	ID, Name, Zone string
	Teams          []string
}

// OwnershipSpan is one stretch of ownership of a service: [From, To), To zero if it lasts.
type OwnershipSpan struct {
	Team     string // empty: unowned
	From, To time.Time
}

// EventRow is one stored event as pages and /api/v1/events show it.
type EventRow struct {
	Kind        string    `json:"kind"`
	At          time.Time `json:"at"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Subject     string    `json:"subject"`
	Incident    string    `json:"incident"`
	Service     string    `json:"service"`
	Team        string    `json:"team"`
	Person      string    `json:"person"`
	Actor       string    `json:"actor_kind"`
	Seen        time.Time `json:"seen"`
	TimeQuality string    `json:"time_quality,omitempty"`
	Data        string    `json:"-"` // raw JSON; the API embeds it as an object
	Extensions  string    `json:"-"` // CloudEvents extension attributes, likewise; empty for none
}

// EventFilter selects events. Zero times mean now.
type EventFilter struct {
	Incident      string
	Limit         int // default 1,000, at most 10,000
	AsOf, KnownAt time.Time
}

// IncidentRow is one incident in a list.
type IncidentRow struct {
	ID, Title, Service, Urgency, Priority, AlertClass string
	Opened                                            time.Time
	Acked, Resolved                                   time.Time // zero: not
	OwnerThen, OwnerNow, Resolver                     string
	Auto, Merged, Drill                               bool
	Over                                              bool // merged or resolved
	Withheld                                          bool // when it was acknowledged and resolved is its team's to know
	Pages                                             uint64
}

// IncidentFilter selects incidents by their opening in [From, To). Team is the owner then.
type IncidentFilter struct {
	From, To      time.Time
	Team, Service []string
	Paged         []string // teams: instead, the incidents with a page in [From, To) to somebody of theirs, whoever owns the service
	Limit         int
}

// Incident is one incident with every event behind it, in (at, id) order.
type Incident struct {
	IncidentRow
	Events  []EventRow
	Outside bool // the reader is told nothing of who was woken
}

// QuarantineRow is one record that did not fit. Raw is nil in lists.
type QuarantineRow struct {
	ID, Source, Account, Reason, Field string
	Received                           time.Time
	Partition                          int32
	Offset                             int64
	Bytes                              int
	Raw                                []byte
	Headers                            map[string]string
	Redriven                           time.Time // zero: not yet
	Outcome                            string
}

// placed are the teams and the name of each person.
func (d *Directory) placed() (teams map[string][]string, names map[string]string) {
	teams, names = make(map[string][]string, len(d.People)), make(map[string]string, len(d.People))
	for _, p := range d.People {
		teams[p.ID], names[p.ID] = p.Teams, p.Name
	}
	return teams, names
}
