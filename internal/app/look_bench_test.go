package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkFirstLook opens the pages of a lead of the demo organisation three ways: when
// nothing is kept, once more at once, and first after what pages ask was asked ahead. Each
// page's -ms is the first way's time; the ratios are of processor time to that of the first
// way, in one process, medians of three rounds. The clock is moved on so that nothing is kept
// from the page before.
func BenchmarkFirstLook(b *testing.B) {
	const lead = "person:chloe.cohen@example.org"
	pages := []struct{ name, path string }{
		{"overview", "/"}, {"team", "/teams/checkout"}, {"skills", "/skills"}, {"me", "/me"}, {"training", "/training"},
		{"assignments", "/assignments"}, {"drills", "/drills"}, {"recommendations", "/recommendations"}, {"readiness", "/readiness"},
	}
	a, later := startDemo(b)
	open := func(path string) (wall, cpu time.Duration) {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, a.URL()+path, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Steward-View-As", lead)
		begin, before := time.Now(), processor()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || resp.Request.URL.Path != path {
			b.Fatal(path, resp.Status, resp.Request.URL, err)
		}
		return time.Since(begin), processor() - before
	}
	for b.Loop() {
		wall, nothing, kept, asked := make([][]time.Duration, len(pages)), make([][]time.Duration, len(pages)), make([][]time.Duration, len(pages)), make([][]time.Duration, len(pages))
		for range 3 {
			for i, p := range pages {
				later(6 * time.Minute)
				took, first := open(p.path)
				_, again := open(p.path)
				wall[i], nothing[i], kept[i] = append(wall[i], took), append(nothing[i], first), append(kept[i], again)
			}
			later(6 * time.Minute)
			if err := a.core.Store.Warm(b.Context(), a.windows()...); err != nil {
				b.Fatal(err)
			}
			for i, p := range pages {
				later(31 * time.Second) // answers are kept for 30 s, what was asked ahead for five minutes
				_, ahead := open(p.path)
				asked[i] = append(asked[i], ahead)
			}
		}
		var first, again, ahead float64
		for i, p := range pages {
			n, k, w := median(nothing[i]), median(kept[i]), median(asked[i])
			b.ReportMetric(1000*median(wall[i]), p.name+"-ms")
			b.ReportMetric(k/n, p.name+"-again/first")
			b.ReportMetric(w/n, p.name+"-ahead/first")
			first, again, ahead = first+n, again+k, ahead+w
		}
		b.ReportMetric(again/first, "again/first")
		b.ReportMetric(ahead/first, "ahead/first")
	}
}

// startDemo serves the demo organisation with its skills derived, and gives what moves its
// clock on.
func startDemo(b *testing.B) (*App, func(time.Duration)) {
	b.Helper()
	var moved atomic.Int64
	a, err := New(Config{
		Data: b.TempDir(), Listen: "127.0.0.1:0", Demo: true, aheadEvery: 24 * time.Hour, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) },
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	for begin := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if note, err := a.core.deriver.note(); err == nil && !note.All.IsZero() {
			return a, func(d time.Duration) { moved.Add(int64(d)) }
		}
		if time.Since(begin) > 5*time.Minute {
			b.Fatal("the demo organisation was not loaded and derived in five minutes")
		}
	}
}
