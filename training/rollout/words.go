package rollout

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Words writes a result in sentences, in the order in which they are to be read:
//
//  1. the interval, with n, before the point
//  2. p, with what the draw could have given at all
//  3. what follows, which is nothing unless the draw can bear it
//  4. the weeks before the first start
//  5. what was decided before looking
//
// name is the metric in running words, "pages per week". No sentence speaks of a person, and
// none of improvement where Claim is empty.
func Words(r Result, name string) []string {
	return []string{r.interval(name), r.test(), r.meaning(name), r.before(), r.decided()}
}

func (r Result) interval(name string) string {
	n := fmt.Sprintf("%s, %s after training against %s without", counted(r.Teams, "team", "teams"), counted(r.TrainedWeeks, "team-week", "team-weeks"), strconv.Itoa(r.NotYetWeeks))
	if r.Low == nil || r.High == nil { // one end alone says little, and reads like a bound
		return fmt.Sprintf("No %d %% interval can be given (%s): %s possible draws are too few. The best estimate of the change in %s is %s.", r.Level, n, grouped(r.Draws), name, r.amount(r.Effect))
	}
	return fmt.Sprintf("%s to %s (%d %% interval; %s). The best estimate of the change in %s is %s.", r.amount(*r.Low), r.amount(*r.High), r.Level, n, name, r.amount(r.Effect))
}

func (r Result) test() string {
	how := "all of them computed"
	if !r.Exact {
		how = grouped(strconv.Itoa(r.Computed)) + " of them computed"
	}
	return fmt.Sprintf("p = %s from %s possible draws, %s; the smallest p this draw could give is %s.", probability(r.P), grouped(r.Draws), how, probability(r.SmallestP))
}

func (r Result) meaning(name string) string {
	switch claim := r.Claim(); {
	case r.SmallestP > 1.0/alphaIn:
		return "This draw is too small for any result: more teams are needed before a difference could be told from chance."
	case claim == "" && (r.Drawn.Expect == Lower && r.Low != nil && *r.Low > 0 || r.Drawn.Expect == Higher && r.High != nil && *r.High < 0):
		return fmt.Sprintf("Teams moved against what was hoped for in %s; the test was for the other direction, so this is a reason to look, not a result.", name)
	case claim == "":
		return fmt.Sprintf("A difference in %s is not shown, and neither is its absence: the interval says what remains possible.", name)
	default:
		return fmt.Sprintf("Trained teams had %s %s than teams not yet trained, by more than chance explains; a roll-out without any effect says so in at most 5 of 100 cases.", claim, name)
	}
}

func (r Result) before() string {
	text := fmt.Sprintf("Before the first start, %s are compared", counted(r.PreWeeks, "week", "weeks"))
	if r.PreDrift == nil {
		return text + "; too few to see whether the teams already moved apart."
	}
	return fmt.Sprintf("%s, in which the first teams moved by %s against the others, by chance alone.", text, r.amount(*r.PreDrift))
}

func (r Result) decided() string {
	var steps []string
	for _, s := range r.Drawn.Steps {
		steps = append(steps, fmt.Sprintf("%d from %s", s.Teams, s.Week.Format("2006-01-02")))
	}
	expect := map[Direction]string{Lower: "that it falls", Higher: "that it rises", Either: "that it changes"}[r.Drawn.Expect]
	return fmt.Sprintf("Decided before looking: metric %s, window %s, the test %s, measured as a %s, teams drawn by seed %d: %s.",
		r.Drawn.Metric, strings.Replace(r.Drawn.Window, "/", " to ", 1), expect, r.Drawn.Scale, r.Drawn.Seed, strings.Join(steps, ", "))
}

// amount is an effect as a share, with its sign. A difference is a share of the metric before
// the first start, and stands in the metric's unit where that was not above zero.
func (r Result) amount(effect float64) string {
	switch {
	case r.Drawn.Scale == Ratio:
		return signed(effect)
	case r.Base > 0:
		return signed(effect / r.Base)
	}
	return sign(effect) + strconv.FormatFloat(math.Abs(effect), 'g', 2, 64)
}

// signed is a share in percent with a true minus sign, in whole ones from 1 % on.
func signed(share float64) string {
	p := 100 * share
	if math.Abs(p) < 1 {
		p = math.Round(10*p) / 10
		return sign(p) + strconv.FormatFloat(math.Abs(p), 'f', -1, 64) + " %"
	}
	p = math.Round(p)
	return sign(p) + grouped(strconv.FormatFloat(math.Abs(p), 'f', 0, 64)) + " %"
}

func sign(v float64) string {
	switch {
	case v < 0:
		return "−"
	case v > 0:
		return "+"
	}
	return ""
}

// probability never rounds to 0 or across 0.05: it is rounded upwards.
func probability(p float64) string {
	digits := 2
	for v := p; v > 0 && v < 0.0999 && digits < 6; v *= 10 {
		digits++
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Ceil(p*scale-1e-9)/scale, 'f', -1, 64)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(strconv.Itoa(n)) + " " + many
}

// grouped writes 12870 as 12,870.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Probability writes a p as the words do.
func Probability(p float64) string { return probability(p) }
