package dashboards

import (
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// A name stays as it is wherever it stands in the sentence; only "you" has two forms.
func TestCarriesNames(t *testing.T) {
	f := &filter{zone: time.UTC, from: testNow.AddDate(0, 0, -90), to: testNow}
	columns := []string{"bucket", "key", "interruptions", "sleep", "nights", "total"}
	a := &result{Answer: &analytics.Answer{Rows: [][]any{{"2026-11-01", "", int64(3), int64(1), int64(1), 7.0}}}, index: map[string]int{}}
	for i, c := range columns {
		a.Answer.Columns, a.index[c] = append(a.Answer.Columns, analytics.Column{Name: c}), i
	}
	read := func(self bool, name string) string {
		var out strings.Builder
		for _, b := range carriesAnswer(f, self, name, a, a) {
			out.WriteString(b.Text)
		}
		return out.String()
	}
	if got := read(false, "Élodie Roux"); !strings.Contains(got, ", Élodie Roux was interrupted 3 times, 1 of them asleep") {
		t.Error(got)
	}
	if got := read(true, "Élodie Roux"); !strings.Contains(got, ", you were interrupted 3 times") {
		t.Error(got)
	}
}
