package dashboards

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What has no name stands last, wherever "no team" would be among the names.
func TestNoTeamIsLast(t *testing.T) {
	n := newNames(nil)
	got := byName([]string{"search", "", "checkout", "search"}, n.team)
	if !slices.Equal(got, []string{"checkout", "search", ""}) {
		t.Errorf("%q", got)
	}
}

// A name that nothing knows is a 404 that costs two questions, not a page's dozen; one that
// only the window's incidents know has its page.
func TestUnknownNamesAreCheap(t *testing.T) {
	for _, kind := range []string{"teams", "services"} {
		store := newFake()
		store.empty = true
		s := boot(t, store)
		r := get(t, s, "/"+kind+"/nope")
		if r.StatusCode != http.StatusNotFound || !strings.Contains(text(t, body(t, r)), "“nope”") || len(store.asked) > 2 {
			t.Errorf("%s: status %d after %d questions", kind, r.StatusCode, len(store.asked))
		}
		if r := get(t, boot(t, newFake()), "/"+kind+"/only-in-events"); r.StatusCode != http.StatusOK {
			t.Errorf("%s of events only: status %d", kind, r.StatusCode)
		}
	}
}
