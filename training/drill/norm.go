package drill

import (
	"fmt"
	"slices"
)

// NormSize is the smallest number of people whose times make a norm.
const NormSize = 5

// Past is one incident that a real responder resolved, and how long it took.
type Past struct {
	Person     string
	Service    string
	AlertClass string
	Seconds    int64
}

// norm fills in the norm group and the reference. Each person counts once, by their own
// median, so that who is on call most is not the norm alone; quartiles are sorted[int(p·n)],
// as everywhere. Nobody can be picked out of it: it is n and three numbers.
func (f *Facts) norm(past []Past, class string) {
	times := map[string][]int64{}
	for _, p := range past {
		if p.Person != "" && p.Seconds > 0 && p.Service == f.Service && p.AlertClass == class {
			times[p.Person] = append(times[p.Person], p.Seconds)
		}
	}
	var each []int64
	for _, own := range times {
		slices.Sort(own)
		each = append(each, own[len(own)/2])
	}
	slices.Sort(each)
	n := len(each)
	f.Norm = Norm{N: n}
	f.Reference = f.Resolved
	if f.Mitigated != nil && *f.Mitigated > 0 {
		f.Reference = *f.Mitigated
	}
	switch {
	case class == "":
		f.Norm = Norm{Reason: "the incident has no alert class, so nothing says which others were alike"}
	case n < NormSize:
		f.Norm.Reason = fmt.Sprintf("%s resolved incidents of this service and alert class; fewer than %d are no norm", counted(n, "person", "people"), NormSize)
	default:
		f.Norm.Q1, f.Norm.Median, f.Norm.Q3 = each[n/4], each[n/2], each[3*n/4]
		f.Reference = f.Norm.Median
	}
}
