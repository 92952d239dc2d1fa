package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The rhythms an alert class follows through day and week.
type rhythm int

const (
	flat    rhythm = iota // any hour
	traffic               // as customers come: evenings and weekends too, few at night
	work                  // while people change things: weekdays, office hours
	batch                 // the nightly jobs, 02:00 to 04:00 UTC
	rhythms
)

// class is one kind of alert of one service.
type class struct {
	name, words string // the title is "<service>: <words>"
	rhythm      rhythm
	rate        float64 // per day
	high        float64 // share of high urgency
	auto        float64 // share that clears by itself
	repeats     int     // at most so many re-firings within minutes
	noise       bool    // verdicts will say so
	tuned       bool    // somebody raises the threshold late in the window
}

func classes() []class {
	return []class{
		{name: "error-rate", words: "error rate above 2 %", rhythm: traffic, rate: 1.2, high: 0.9, auto: 0.3},
		{name: "latency-p99", words: "p99 latency above objective", rhythm: traffic, rate: 1.1, high: 0.7, auto: 0.45},
		{name: "queue-lag", words: "queue lag growing for 15 minutes", rhythm: traffic, rate: 0.8, high: 0.6, auto: 0.5, repeats: 1},
		{name: "disk-usage", words: "disk more than 85 % full", rhythm: flat, rate: 0.5, high: 0.25, auto: 0.1},
		{name: "memory-usage", words: "memory close to its limit", rhythm: flat, rate: 0.6, high: 0.4, auto: 0.6, repeats: 1},
		{name: "batch-late", words: "nightly batch later than planned", rhythm: batch, rate: 0.9, high: 0.5, auto: 0.25},
		{name: "replica-lag", words: "replica more than 60 s behind", rhythm: batch, rate: 0.6, high: 0.5, auto: 0.65, repeats: 1},
		{name: "certificate-expiry", words: "certificate expires within 14 days", rhythm: work, rate: 0.15, high: 0, auto: 0},
		{name: "config-drift", words: "configuration differs from the repository", rhythm: work, rate: 0.35, high: 0.05, auto: 0.2},
		{name: "saturation", words: "worker pool saturated", rhythm: work, rate: 0.5, high: 0.7, auto: 0.4},
	}
}

// The classes that follow from something else than a rate.
func deployClass() class {
	return class{name: "deploy-regression", words: "error budget burning after a deployment", high: 0.95, auto: 0.05}
}
func stormClass(root *service) class {
	return class{name: "dependency-errors", words: "errors from " + root.id, high: 1}
}
func drillClass() class { return class{name: "test-page", words: "test of the paging path", high: 1} }

// classesOf draws a service's alert classes. The rates are spread widely between services
// and make about 0.37 alerts a day on average, the very noisy services left out.
func (w *world) classesOf(s *service) []class {
	all := classes()
	w.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	mine := all[:w.between(3, 6)]
	total := 0.0
	for _, c := range mine {
		total += c.rate
	}
	scale := min(float64(w.spread(time.Second, 0.7))/float64(time.Second), 2.5) * 0.32 / total
	for i := range mine {
		mine[i].rate *= scale
	}
	switch s.index % 40 {
	case firstNoisy:
		mine = append(mine, class{name: "probe-timeout", words: "probe did not answer in time", rhythm: flat, rate: 0.55,
			high: 0.7, auto: 0.75, repeats: 3, noise: true, tuned: true})
	case secondNoisy:
		mine = append(mine, class{name: "consumer-restarts", words: "consumer restarted more than 3 times", rhythm: batch, rate: 0.5,
			high: 0.7, auto: 0.7, repeats: 3, noise: true})
	}
	return slices.Clip(mine)
}

// weight is how much of a class's weekday comes in this local hour; over a weekday the
// weights sum to about one.
func (r rhythm) weight(l, utc time.Time) float64 {
	h, weekend := l.Hour(), l.Weekday() == time.Saturday || l.Weekday() == time.Sunday
	switch r {
	case traffic:
		w := 0.012
		switch {
		case h >= 9 && h < 18:
			w = 0.062
		case h >= 18 && h < 23:
			w = 0.055
		case h >= 7 && h < 9:
			w = 0.03
		}
		if weekend {
			w *= 0.75
		}
		return w
	case work:
		if weekend || h < 8 || h >= 19 {
			return 0.004
		}
		w := 0.07
		if h == 10 || h == 11 || h == 14 || h == 15 {
			w = 0.12
		}
		if l.Weekday() == time.Friday && h >= 14 {
			w *= 0.4
		}
		return w
	case batch:
		if h := utc.Hour(); h == 2 || h == 3 {
			return 0.4
		}
		return 0.009
	}
	return 1.0 / 24
}

// tide is the weights of one zone's day, by hour of the UTC day.
type tide struct {
	weight [rhythms][24]float64
	sum    [rhythms]float64
}

func (w *world) tide(zone *time.Location, day time.Time) *tide {
	if w.tides == nil {
		w.tides = map[string]*tide{}
	}
	if t := w.tides[zone.String()]; t != nil {
		return t
	}
	t := &tide{}
	for h := range 24 {
		utc := day.Add(time.Duration(h) * time.Hour)
		for r := range rhythms {
			t.weight[r][h] = r.weight(utc.In(zone), utc)
			t.sum[r] += t.weight[r][h]
		}
	}
	w.tides[zone.String()] = t
	return t
}

// moment draws a moment of the day by the weights of a rhythm.
func (w *world) moment(t *tide, r rhythm, day time.Time) time.Time {
	u, h := w.rand.Float64()*t.sum[r], 0
	for h < 23 && u >= t.weight[r][h] {
		u -= t.weight[r][h]
		h++
	}
	return day.Add(time.Duration(h)*time.Hour + w.seconds(0, 3600))
}

// arrival is one alert, one storm of them, or one test page.
type arrival struct {
	at      time.Time
	service *service
	class   class
	victims []*service // of a storm
	drill   bool
}

// arrivals draws the alerts of a day in order of time, and deploys what causes some.
func (w *world) arrivals(day time.Time) []arrival {
	var out []arrival
	late := day.After(w.start.Add(time.Duration(w.cfg.Days) * 24 * time.Hour * 7 / 10))
	for _, s := range w.services {
		t := w.tide(s.home(), day)
		for _, c := range s.classes {
			rate := c.rate
			if c.tuned && late {
				rate /= 6
			}
			for range w.poisson(rate * t.sum[c.rhythm]) {
				at := w.moment(t, c.rhythm, day)
				out = append(out, arrival{at: at, service: s, class: c})
				for range w.pick(c.repeats + 1) {
					at = at.Add(w.seconds(240, 1500))
					if !at.Before(day.Add(24 * time.Hour)) {
						break
					}
					out = append(out, arrival{at: at, service: s, class: c})
				}
			}
		}
		for range w.poisson(s.deploys * t.sum[work]) {
			at := w.moment(t, work, day)
			w.deploy(s, at)
			if then := at.Add(w.seconds(120, 2400)); w.chance(0.06) && then.Before(day.Add(24*time.Hour)) {
				out = append(out, arrival{at: then, service: s, class: deployClass()})
			}
		}
	}
	for range w.poisson(0.04 * float64(len(w.services)) / 40) {
		out = append(out, w.storm(day))
	}
	for _, t := range w.teams {
		if w.chance(1.0/75) && len(t.paged) > 0 && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			s := t.paged[w.pick(len(t.paged))]
			out = append(out, arrival{at: day.Add(10*time.Hour + w.seconds(0, 4*3600)), service: s, class: drillClass(), drill: true})
		}
	}
	slices.SortStableFunc(out, func(a, b arrival) int { return a.at.Compare(b.at) })
	return out
}

// storm picks a service and up to fourteen that suffer with it, those that depend on it first.
func (w *world) storm(day time.Time) arrival {
	root := w.services[w.pick(len(w.services))]
	n := min(w.between(4, 14), len(w.services)-1)
	var victims []*service
	// The neighbours in the list stand for hidden dependencies, so that a storm reaches
	// several teams without a search through the whole organisation.
	for k := 1; k <= n; k++ {
		victims = append(victims, w.services[(root.index+k)%len(w.services)])
	}
	slices.SortStableFunc(victims, func(a, b *service) int { return b.needs(root) - a.needs(root) })
	at := w.moment(w.tide(root.home(), day), traffic, day)
	c := class{name: "unavailable", words: "requests fail across several services", high: 1}
	return arrival{at: at, service: root, class: c, victims: victims}
}

func (s *service) needs(on *service) int {
	if slices.Contains(s.depends, on) {
		return 1
	}
	return 0
}

// home is the zone whose day a service follows: that of the first person of its team.
func (s *service) home() *time.Location {
	t := s.owner
	if t == nil {
		t = s.routed
	}
	if len(t.members) == 0 {
		return time.UTC
	}
	return t.members[0].person.zone
}

func (w *world) deploy(s *service, at time.Time) {
	s.version++
	d := deployData{Service: s.id, Environment: "production", Version: fmt.Sprintf("1.%d.0", s.version)}
	w.add(event.ChangeDeployed, s.id, s.id+"/"+d.Version, at, d)
}
