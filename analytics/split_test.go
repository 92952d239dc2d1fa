package analytics_test

import (
	"context"
	"math/rand"
	"net/url"
	"reflect"
	"testing"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/analytics/oracle"
)

// TestSplits asks each metric by everything at once and one at a time: the answers are the
// same, what they assume included.
func TestSplits(t *testing.T) {
	r := rand.New(rand.NewSource(int64(number("STEWARD_SEED", 1)) + 9))
	together, db := openStore(t, oracle.Now())
	insert(t, db, oracle.History(r, 300))
	ctx := context.Background()
	another, err := analytics.Open(ctx, db, analytics.Config{Now: oracle.Now}) // with a cache of its own
	if err != nil {
		t.Fatal(err)
	}
	one := another.For(access.Operator(), "tests")
	for _, m := range together.Metrics() {
		var splits []analytics.Split
		rows := 0
		allowed := map[string][]string{}
		for _, p := range m.Params {
			allowed[p.Name] = p.Allowed
		}
		for i, by := range allowed["by"] {
			splits = append(splits, analytics.Split{Bucket: allowed["bucket"][i%len(allowed["bucket"])], By: by})
		}
		params := url.Values{"from": {"2025-01-01"}, "tz": {"Asia/Kolkata"}}
		answers, err := together.QueryEach(ctx, m.Name, params, splits...)
		if err != nil {
			t.Fatal(m.Name, err)
		}
		for i, s := range splits {
			v := url.Values{"from": {"2025-01-01"}, "tz": {"Asia/Kolkata"}, "bucket": {s.Bucket}, "by": {s.By}}
			alone, err := one.Query(ctx, m.Name, v)
			if err != nil {
				t.Fatal(m.Name, err)
			}
			if !reflect.DeepEqual(alone, answers[i]) {
				t.Errorf("%s %v\n  alone    %v %v %v\n  together %v %v %v", m.Name, s, alone.Params, alone.Assumed, alone.Rows, answers[i].Params, answers[i].Assumed, answers[i].Rows)
			}
			rows += len(alone.Rows)
		}
		if rows < 2*len(splits) && m.Name != "graduation" { // few of a random history walk along
			t.Errorf("%s: %d rows compare little", m.Name, rows)
		}
	}
	if _, err := together.QueryEach(ctx, "hops", nil, analytics.Split{By: "team"}, analytics.Split{By: "person"}); err == nil {
		t.Error("a split that the metric does not have is accepted")
	}
}
