package simulate

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// world is the organisation at the moment the generator has reached.
type world struct {
	cfg      Config
	source   string
	prefix   string // of incident ids, so that two seeds never share one
	start    time.Time
	rand     *rand.Rand
	teams    []*team
	people   []*person
	services []*service

	changes   agenda
	waiting   []*queued // events that were made but are not due yet
	due       []*queued
	sequence  int // of events, which settles ties in time
	incidents int
	shadows   int
	learning  learning
	along     []along // reverse-shadow shifts, by the week they were planned
	tides     map[string]*tide
}

type queued struct {
	sequence int
	event    event.Event
}

func (w *world) seed(seed uint64) { w.rand = rand.New(rand.NewPCG(seed, 0x5745a7d)) }

func (w *world) pick(n int) int        { return w.rand.IntN(n) }
func (w *world) chance(p float64) bool { return w.rand.Float64() < p }
func (w *world) between(a, b int) int  { return a + w.rand.IntN(b-a+1) }
func (w *world) days(a, b int) time.Duration {
	return time.Duration(w.between(a*24*60, b*24*60)) * time.Minute
}

// spread is a log-normal duration: half of them are below median, and long ones happen.
func (w *world) spread(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*w.rand.NormFloat64())).Round(time.Millisecond)
}

// seconds is a uniform duration in milliseconds.
func (w *world) seconds(a, b float64) time.Duration {
	return time.Duration((a+(b-a)*w.rand.Float64())*1000) * time.Millisecond
}

func (w *world) poisson(lambda float64) int {
	if lambda > 30 { // the product below would underflow for absurd rates
		return max(0, int(math.Round(lambda+math.Sqrt(lambda)*w.rand.NormFloat64())))
	}
	limit, n, p := math.Exp(-lambda), 0, w.rand.Float64()
	for p > limit {
		n++
		p *= w.rand.Float64()
	}
	return n
}

// after is nine in the morning of a working day between two fractions of the window.
func (w *world) after(a, b float64) time.Time {
	span := float64(w.cfg.Days) * (a + (b-a)*w.rand.Float64())
	return workday(w.start.Add(time.Duration(span) * 24 * time.Hour).Truncate(24 * time.Hour).Add(9 * time.Hour))
}

// fromEnd is nine in the morning of a working day so many days before the end, or of the
// first where the window is shorter.
func (w *world) fromEnd(days int) time.Time {
	return workday(laterTime(w.cfg.End.AddDate(0, 0, -days), w.start).Truncate(24 * time.Hour).Add(9 * time.Hour))
}

// workday moves a weekend to the Monday after it.
func workday(t time.Time) time.Time {
	switch t.Weekday() {
	case time.Saturday:
		return t.Add(48 * time.Hour)
	case time.Sunday:
		return t.Add(24 * time.Hour)
	}
	return t
}

// add makes an event that happens at at, possibly in the future; past the end of the
// window it does not happen.
func (w *world) add(kind event.Kind, subject, key string, at time.Time, data payload) {
	if !at.Before(w.cfg.End) {
		return
	}
	w.queue(kind, subject, key, at, at.Add(w.delay()), data)
}

// fact is add for what a catalog knows: facts older than its connection, ten days before
// the window, are learned then.
func (w *world) fact(kind event.Kind, thing string, at time.Time, data payload) {
	if !at.Before(w.cfg.End) {
		return
	}
	learned := laterTime(at, w.start.Add(-10*24*time.Hour)).Add(w.seconds(1, 900))
	w.queue(kind, thing, fmt.Sprintf("%s/%d", thing, w.sequence), at, learned, data)
}

func (w *world) queue(kind event.Kind, subject, key string, at, seen time.Time, data payload) {
	w.sequence++
	subject = "simulate:" + w.source[len("/simulate/"):] + ":" + subject
	w.waiting = append(w.waiting, &queued{w.sequence, makeEvent(w.source, kind, subject, key, at, minTime(seen, w.cfg.End), data)})
}

// delay is how long the way to Steward takes: mostly a second or two, sometimes the hours
// of a retried webhook, rarely the days of a later import.
func (w *world) delay() time.Duration {
	switch u := w.rand.Float64(); {
	case u < 0.002:
		return w.days(1, 10)
	case u < 0.014:
		return w.seconds(600, 36*3600)
	default:
		return w.seconds(0.15, 2.5)
	}
}

// flush emits what happened before until, in order of time.
func (w *world) flush(until time.Time, emit func(event.Event) error) error {
	due, rest := w.due[:0], w.waiting[:0]
	for _, q := range w.waiting {
		if q.event.At.Before(until) {
			due = append(due, q)
		} else {
			rest = append(rest, q)
		}
	}
	clear(w.waiting[len(rest):])
	w.waiting = rest
	slices.SortFunc(due, func(a, b *queued) int {
		if c := a.event.At.Compare(b.event.At); c != 0 {
			return c
		}
		return cmp.Compare(a.sequence, b.sequence)
	})
	for _, q := range due {
		if err := emit(q.event); err != nil {
			return err
		}
	}
	clear(due)
	w.due = due[:0]
	return nil
}

// live is one day: rotas for the weeks ahead, then changes and incidents in the order of
// their moments, so that an incident meets the organisation of its own minute.
func (w *world) live(day time.Time) {
	for _, t := range w.teams {
		w.planRota(t, day)
	}
	w.reorganise(day)
	w.tides = nil
	for _, a := range w.arrivals(day) {
		w.changes.apply(a.at)
		w.play(a)
	}
	w.changes.apply(day.Add(24*time.Hour - time.Nanosecond))
	w.teach(day)
}

// agenda holds the changes of the organisation that are still to come, earliest first.
type agenda struct{ heap changeHeap }

type change struct {
	at    time.Time
	order int
	do    func()
}

func (w *world) plan(at time.Time, do func()) {
	w.sequence++
	heap.Push(&w.changes.heap, change{at, w.sequence, do})
}

func (a *agenda) apply(until time.Time) {
	for len(a.heap) > 0 && !a.heap[0].at.After(until) {
		heap.Pop(&a.heap).(change).do()
	}
}

type changeHeap []change

func (h changeHeap) Len() int { return len(h) }
func (h changeHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}
func (h changeHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *changeHeap) Push(x any)   { *h = append(*h, x.(change)) }
func (h *changeHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = change{}
	*h = old[:len(old)-1]
	return last
}
