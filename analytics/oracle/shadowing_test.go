package oracle

import (
	"math/rand"
	"testing"
)

// Random histories must reach what they are there to compare: trainees on both sides of the
// bound, with and without taps.
func TestHistoriesHaveTrainees(t *testing.T) {
	trainees, graduated, unrated, notYet := 0, 0, 0, 0
	for seed := range 60 {
		events := History(rand.New(rand.NewSource(int64(seed))), 60)
		r, err := Answer(events, "graduation", Params{}, Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			trainees++
			n, rated := row[2].(int64), row[3].(int64)
			if rated < n {
				unrated++
			}
			switch {
			case row[6] != nil:
				graduated++
			case n >= 10:
				notYet++
			}
		}
	}
	if trainees < 60 || graduated < 5 || unrated < 20 || notYet < 4 {
		t.Errorf("%d trainees, %d graduated, %d with an alert that nobody rated, %d with ten alerts and not graduated", trainees, graduated, unrated, notYet)
	}
	t.Logf("%d trainees, %d graduated, %d with an alert that nobody rated, %d with ten alerts and not graduated", trainees, graduated, unrated, notYet)
}
