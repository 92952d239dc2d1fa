package dashboards

// step is one way to begin, with a command to copy.
type step struct{ What, Why, Command string }

// firstSteps are the ways to send something to a server that has nothing yet; base is its
// address as the reader reached it. Where people sign in, programs show a token.
func firstSteps(base string, trusting bool) []step {
	token, how := "", ""
	if !trusting {
		token, how = ` \
  -H "authorization: Bearer $STEWARD_TOKEN"`, " It takes a token from STEWARD_TOKEN; an admin makes one under Tokens."
	}
	return []step{
		{"Look around first", "A year of an invented organisation, in a directory of its own.", "steward serve --demo --data demo-data --listen 127.0.0.1:8081"},
		{"Load what has happened", "A file of PagerDuty log entries, of captured webhooks, of CloudEvents or of an incident log. Loading it twice counts nothing twice." + how, "steward import --format pagerduty-log-entries \\\n  --server " + base + " FILE"},
		{"Connect PagerDuty", "Give its signing secret to the server (--pagerduty-secrets), and point a V3 webhook subscription here.", base + "/ingest/pagerduty"},
		{"Send events of your own", "Who owns what, who is in which team, shifts, pages: one CloudEvent each, or many at once.", `curl ` + base + `/ingest/cloudevents \
  -H 'content-type: application/cloudevents+json'` + token + ` -d '{
  "specversion": "1.0", "id": "1", "source": "/catalog",
  "type": "dev.steward.service.owned.v1", "subject": "ledger",
  "time": "2026-01-01T00:00:00Z",
  "data": {"service": "ledger", "team": "payments"}}'`},
	}
}
