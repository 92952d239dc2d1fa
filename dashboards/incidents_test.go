package dashboards

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The list of what is open holds nothing that was resolved by the moment asked for.
func TestOpenIncidents(t *testing.T) {
	s := boot(t, newFake()) // its incidents were opened three hours ago and resolved one hour ago
	rows := func(path string) int {
		r := get(t, s, path)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", path, r.StatusCode)
		}
		return strings.Count(body(t, r), `href="/incidents/`)
	}
	if n := rows("/incidents"); n != len(hostile) {
		t.Errorf("%d of %d incidents listed", n, len(hostile))
	}
	if n := rows("/incidents?state=open"); n != 0 {
		t.Errorf("%d resolved incidents are listed as open", n)
	}
	if n := rows("/incidents?state=open&as_of=" + testNow.Add(-2*time.Hour).Format(time.RFC3339)); n != len(hostile) {
		t.Errorf("%d incidents listed as open at a moment at which %d were", n, len(hostile))
	}
	if page := text(t, body(t, get(t, s, "/incidents?paged=a"))); !strings.Contains(page, "paged people of a in") {
		t.Error("the list does not say what it lists")
	}
	if page := body(t, get(t, s, at("teams", hostile[0]))); !strings.Contains(page, "incidents that paged the team") || !strings.Contains(page, "/incidents?paged=") {
		t.Error("a team's interruptions do not lead to the incidents behind them")
	}
	if r := get(t, s, "/incidents?state=mad"); r.StatusCode != http.StatusBadRequest || !strings.Contains(text(t, body(t, r)), "state: ") {
		t.Errorf("an unknown state: status %d", r.StatusCode)
	}
}

// Hour classes keep their colours to themselves: a timeline's dots are none of them.
func TestTimelineHasItsOwnColours(t *testing.T) {
	page := body(t, get(t, boot(t, newFake()), at("incidents", hostile[0])))
	for _, class := range []string{"sleep", "off", "business"} {
		if strings.Contains(page, `class="`+class+`"`) {
			t.Errorf("a dot has the colour of %s hours", class)
		}
	}
}

// On a phone a list's rows are blocks; they keep headings, and stay a table to a reader.
func TestListsNameTheirCells(t *testing.T) {
	page := body(t, get(t, boot(t, newFake()), "/incidents"))
	for _, want := range []string{`class="list" role="table"`, `role="cell" data-label="opened"`, `role="cell" data-label="acknowledged after"`, `role="rowheader"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if page := body(t, get(t, boot(t, newFake()), at("services", hostile[0]))); strings.Contains(page, `data-label="service"`) {
		t.Error("a service's page repeats its name in every row")
	}
}
