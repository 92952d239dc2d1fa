package analytics

import (
	"context"
	"time"
)

// Theory of operation of what is asked ahead
//
//  1. A team page, /skills, /me and /recommendations are made of the same few slow rows, which
//     are read for everybody at once and cost more than all else of a first look. So they are
//     asked before anybody does: when one that is kept would soon be too old, or no longer
//     holds because something that moves them arrived.
//  2. One statement at a time, so that a page that is asked meanwhile has the other processors.
//  3. While a history is being read in, each round would be for nothing: what moved since the
//     last look is left to settle, for warmPatience rounds at most.
//  4. A program that nobody has looked at for a day rests.

// WarmEvery is how often KeepWarm looks, unless something else is wanted.
const WarmEvery = 15 * time.Second

const (
	warmAt       = 4 * time.Minute // the age at which rows are asked again, under slowFor by some rounds
	warmPatience = 4
	warmRest     = 24 * time.Hour
)

// KeepWarm looks every so often, and asks ahead, until ctx ends. Since are the starts of
// windows, up to now, that pages ask for beside the year of the metrics. What fails is told to
// failed, and asked in the next round.
func (s *Store) KeepWarm(ctx context.Context, every time.Duration, since func() []time.Time, failed func(error)) {
	s.kept.asked.Store(time.Now().UnixMilli())
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last slowMark
	waited := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(time.UnixMilli(s.kept.asked.Load())) > warmRest {
			continue
		}
		m, err := s.slowMark(ctx)
		if err == nil && m != last && waited < warmPatience {
			last, waited = m, waited+1
			continue
		}
		waited = 0
		if err == nil {
			err = s.Warm(ctx, since()...)
		}
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// Warm asks those slow rows that no longer hold or are older than warmAt: gaps of the year up to
// now, and since each moment given.
func (s *Store) Warm(ctx context.Context, since ...time.Time) error {
	for _, from := range append([]time.Time{{}}, since...) {
		if _, err := s.keptGaps(ctx, SkillFilter{From: from}, warmAt); err != nil {
			return err
		}
	}
	for _, read := range []func() error{
		func() error { _, err := s.keptBehind(ctx, warmAt); return err },
		func() error { _, err := s.keptPieces(ctx, warmAt); return err },
		func() error { _, err := s.keptTurns(ctx, warmAt); return err },
		func() error { _, err := s.keptGraduations(ctx, warmAt); return err },
		func() error { _, err := s.keptStanding(ctx, warmAt); return err },
		func() error { _, err := s.keptDemand(ctx, warmAt); return err },
		func() error { _, _, err := s.keptStints(ctx, warmAt); return err },
	} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}
