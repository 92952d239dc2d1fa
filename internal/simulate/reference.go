package simulate

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The names of the reference scenario.
const (
	ReferenceSource  = "/import/reference"
	ReferenceService = "S"
	ReferenceTeamA   = "A"
	ReferenceTeamB   = "B"
	ReferenceU1      = "u1@example.org"
	ReferenceU2      = "u2@example.org"
)

// Reference is the reference scenario of METRICS as events, in order of time: eight
// incidents i1 … i8 of June 2025 on one service, which moves from team A to team B on
// 15 June 12:00 UTC. Every printed figure of that section follows from these events.
//
// What the section leaves open is settled so that the ownership answers are plain:
// U1 and U2 work in America/New_York, belong to A from 1 May and go with the service to
// B, so that nobody of another team is ever paged; i1, i2, i6, i7, i8 are then "owned"
// and i3, i4, i5 "untouched". Each incident is opened in the team that owned the
// service, and each first page is a push to U1 at the moment of the opening. i6 is the
// only one with a second page: U1 does not answer for five minutes, so it goes to U2,
// who acknowledges and resolves it. U1 acknowledges and resolves the others. Only
// i3, i4, i5 have an alert class. Steward learns everything one second later.
func Reference() []event.Event {
	r := &reference{}
	may := time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC)
	handover := time.Date(2025, 6, 15, 12, 0, 0, 0, time.UTC)

	r.add(event.TeamDescribed, ReferenceTeamA, may, teamData{Team: ReferenceTeamA, Name: "Team A"})
	r.add(event.TeamDescribed, ReferenceTeamB, may, teamData{Team: ReferenceTeamB, Name: "Team B"})
	r.person(ReferenceU1, "U1", may)
	r.person(ReferenceU2, "U2", may)
	r.add(event.ServiceDescribed, ReferenceService, may,
		serviceData{Service: ReferenceService, Name: "Service S", Tier: 1, Description: "the service of the reference scenario"})
	r.add(event.ServiceOwned, ReferenceService, may, ownedData{Service: ReferenceService, Team: ReferenceTeamA})

	r.incident("i1", at(2, 7, 0), ReferenceTeamA, "high", "")
	r.acknowledged("i1", at(2, 7, 4), ReferenceU1)
	r.resolved("i1", at(2, 8, 4), ReferenceU1)

	r.incident("i2", at(3, 18, 0), ReferenceTeamA, "high", "")
	r.acknowledged("i2", at(3, 18, 6), ReferenceU1)
	r.resolved("i2", at(3, 18, 30), ReferenceU1)

	for i, minute := range []int{10, 14, 18} {
		id := fmt.Sprintf("i%d", 3+i)
		r.incident(id, at(5, 6, minute), ReferenceTeamA, "high", "disk-usage")
		r.resolved(id, at(5, 6, minute+2), "")
	}

	for _, person := range []string{ReferenceU1, ReferenceU2} {
		r.add(event.MemberLeft, ReferenceTeamA+"/"+person, handover, memberData{Team: ReferenceTeamA, Person: person})
		r.add(event.MemberJoined, ReferenceTeamB+"/"+person, handover, memberData{Team: ReferenceTeamB, Person: person})
	}
	r.add(event.ServiceOwned, ReferenceService, handover, ownedData{Service: ReferenceService, Team: ReferenceTeamB})

	r.incident("i6", at(16, 3, 30), ReferenceTeamB, "high", "")
	r.add(event.IncidentEscalated, "i6", at(16, 3, 35), escalatedData{
		Incident: "i6", To: []string{"person:" + ReferenceU2}, From: "person:" + ReferenceU1, Level: 2, Cause: "timeout", ActorKind: "service"})
	r.page("i6", "i6-page-2", at(16, 3, 35), ReferenceU2, 2, "high")
	r.acknowledged("i6", at(16, 3, 42), ReferenceU2)
	r.resolved("i6", at(16, 4, 20), ReferenceU2)

	r.incident("i7", at(17, 14, 0), ReferenceTeamB, "high", "")
	r.acknowledged("i7", at(17, 14, 3), ReferenceU1)

	r.incident("i8", at(18, 19, 0), ReferenceTeamB, "low", "")
	r.resolved("i8", at(18, 29, 0), ReferenceU1)
	return r.events
}

// at is a moment of June 2025; an hour past 23 runs into the next day.
func at(day, hour, minute int) time.Time {
	return time.Date(2025, 6, day, hour, minute, 0, 0, time.UTC)
}

type reference struct{ events []event.Event }

// add appends one event. Its own key is its place in the list, which is fixed.
func (r *reference) add(kind event.Kind, thing string, at time.Time, data payload) {
	r.events = append(r.events, makeEvent(ReferenceSource, kind, "reference:june:"+thing,
		fmt.Sprintf("%s/%d", thing, len(r.events)), at, at.Add(time.Second), data))
}

func (r *reference) person(id, name string, at time.Time) {
	r.add(event.PersonDescribed, id, at, personData{Person: id, Name: name, TimeZone: "America/New_York", Aliases: []string{name}})
	r.add(event.MemberJoined, ReferenceTeamA+"/"+id, at, memberData{Team: ReferenceTeamA, Person: id})
}

func (r *reference) incident(id string, at time.Time, team, urgency, class string) {
	r.add(event.IncidentOpened, id, at, openedData{
		Incident: id, Title: "Service S: " + id, Service: ReferenceService, Team: team, Urgency: urgency, AlertClass: class})
	r.page(id, id+"-page-1", at, ReferenceU1, 1, urgency)
}

func (r *reference) page(incident, page string, at time.Time, person string, level int, urgency string) {
	r.add(event.PageSent, page, at, pageData{
		Page: page, Incident: incident, Person: person, Level: level, Channel: "push", Urgency: urgency})
}

func (r *reference) acknowledged(id string, at time.Time, person string) {
	r.add(event.IncidentAcknowledged, id, at, actionData{Incident: id, Person: person, ActorKind: "user"})
}

// resolved without a person is the service's own doing.
func (r *reference) resolved(id string, at time.Time, person string) {
	d := resolvedData{Incident: id, Person: person, ActorKind: "user"}
	if person == "" {
		d.ActorKind, d.Auto, d.Reason = "service", true, "the alert cleared"
	}
	r.add(event.IncidentResolved, id, at, d)
}
