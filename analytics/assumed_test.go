package analytics_test

import (
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// A row found by a team that was assumed rests on that assumption, whatever the metric
// counts: here nobody owns the service, so nothing else of hops and quadrant needs a team.
func TestAssumedTeamOfTheLens(t *testing.T) {
	s := &tale{t: t}
	s.tell(event.MemberJoined, "bob", 48, 0, m{"team": "alpha", "person": "bob"})
	s.tell(event.IncidentAcknowledged, "i", 1, 0, m{"incident": "i", "person": "bob", "actor_kind": "user"})
	store, db := openStore(t, june.Add(30*24*time.Hour))
	insert(t, db, s.events)
	for _, metric := range []string{"incidents", "time_to_ack", "hops", "ownership_quadrant"} {
		for _, c := range []struct {
			params []string
			want   uint64
		}{
			{[]string{"by=team", "lens=responder_team"}, 1}, {[]string{"team=alpha", "lens=responder_team"}, 1},
			{[]string{"lens=responder_team"}, 0}, {[]string{"by=team", "lens=owner_then"}, 0},
		} {
			if got := ask(t, store, metric, c.params...).Assumed["team"]; got != c.want {
				t.Errorf("%s %v: %d rest on an assumed team, want %d", metric, c.params, got, c.want)
			}
		}
	}
}
