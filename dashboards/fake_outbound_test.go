package dashboards

import (
	"context"
	"net/http"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/remind"
	"github.com/stewardhq/steward/training/xapi"
)

func (s *fake) Duties(context.Context, analytics.DutyFilter) ([]analytics.DutyRow, error) {
	if s.empty {
		return nil, s.broken
	}
	return []analytics.DutyRow{{Person: hostile[2], Schedule: hostile[1], Level: 1, Start: s.now.AddDate(0, 0, 4), End: s.now.AddDate(0, 0, 5)}}, s.broken
}

func (s *fake) Reminders(context.Context, time.Time) ([]analytics.ReminderRow, error) {
	return nil, s.broken
}

func (s *fake) ReminderChoices(context.Context) (map[string]bool, error) { return nil, s.broken }

func (s *fake) CalendarAddresses(context.Context) (map[string]bool, error) { return nil, s.broken }

func (s *fake) LearningFacts(context.Context, bool, []string) ([]analytics.LearningFact, error) {
	return nil, s.broken
}

// out is what goes out, written down instead.
type out struct {
	channels []string
	states   []ChannelState
	acts     []string
	exported []xapi.Exported
}

func (o *out) Rules() remind.Rules    { return remind.Defaults() }
func (o *out) Channels() []string     { return o.channels }
func (o *out) States() []ChannelState { return o.states }
func (o *out) Site() string           { return "" }

func (o *out) Choose(_ context.Context, _ access.Who, on bool) error {
	o.acts = append(o.acts, map[bool]string{true: "on", false: "off"}[on])
	return nil
}

func (o *out) OpenCalendar(context.Context, access.Who) (string, error) {
	o.acts = append(o.acts, "open")
	return "secret", nil
}

func (o *out) CloseCalendar(context.Context, access.Who) error {
	o.acts = append(o.acts, "close")
	return nil
}

func (o *out) Calendar(w http.ResponseWriter, _ *http.Request, secret, home string) {
	o.acts = append(o.acts, "calendar "+secret+" "+home)
	w.WriteHeader(http.StatusNotFound)
}

func (o *out) Statements([]analytics.LearningFact, string) ([]xapi.Exported, error) {
	return o.exported, nil
}
