package dashboards

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// Days to come are cut at 08:00 and 22:00 of the page's zone, the bounds of hour class sleep,
// so that "the next night shift" is one field. A night belongs to the day it begins on.

const dayBegins, nightBegins = 8, 22

// part is a day or a night to come; the one that runs begins now.
type part struct {
	from, to time.Time
	day      time.Time // midnight of the day it belongs to
	night    bool
}

// parts are those of the running day, or night, and days more.
func (f *filter) parts(days int) []part {
	now := f.now.In(f.zone)
	y, m, d := now.Date()
	clock := func(day, hour int) time.Time { return time.Date(y, m, day, hour, 0, 0, 0, f.zone) }
	var out []part
	for i := d - 1; i < d+days; i++ {
		for _, p := range []part{{clock(i, dayBegins), clock(i, nightBegins), clock(i, 0), false}, {clock(i, nightBegins), clock(i+1, dayBegins), clock(i, 0), true}} {
			if !p.to.After(now) {
				continue
			}
			if p.from.Before(now) {
				p.from = now
			}
			out = append(out, p)
		}
	}
	return out
}

// shift is a part in a sentence: "Thursday night’s shift".
func (p part) shift() string {
	if p.night {
		return p.day.Format("Monday") + " night’s shift"
	}
	return p.day.Format("Monday") + "’s day shift"
}

// words are a part in a table: "Thu 3 Dec, night".
func (p part) words() string {
	if p.night {
		return p.day.Format("Mon 2 Jan") + ", night"
	}
	return p.day.Format("Mon 2 Jan") + ", day"
}

func (p part) hours() float64 { return p.to.Sub(p.from).Hours() }

// cover is how many hours of a part a team has somebody on call, and somebody current. Of a
// team too small to say so, hidden is true.
type cover struct {
	onCall, covered float64
	hidden          bool
}

func (p part) cover(pieces []analytics.Piece, team, skill string) (out cover) {
	for _, x := range pieces {
		from, to := x.From, x.To
		if p.from.After(from) {
			from = p.from
		}
		if p.to.Before(to) {
			to = p.to
		}
		if x.Team != team || !from.Before(to) {
			continue
		}
		h := to.Sub(from).Hours()
		out.onCall += h
		out.hidden = out.hidden || x.Hidden
		if slices.Contains(x.Skills, skill) {
			out.covered += h
		}
	}
	return out
}

// lacks says that somebody is on call and nobody of them is current.
func (c cover) lacks() bool { return c.onCall > 0 && !c.hidden && c.covered == 0 }

// whole says that every hour on call is covered.
func (c cover) whole() bool { return c.covered > c.onCall-1e-9 }
