package dashboards

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// definitionView is one metric of the catalogue page.
type definitionView struct {
	Metric          analytics.Metric
	Text            []bit // the definition, with the names of columns and parameters told from words
	JSON, CSV       string
	Params, Columns *table
	Since           string // the window of Profiles
	Profiles        *table // the same incidents by each tool's rule; nil without a profile parameter
}

// definitions answers: what does this number mean?
func (s *Server) definitions(c echo.Context) error {
	f := s.filter(c)
	ask := s.asker(c, f)
	var dir *analytics.Directory
	ask.do(func(ctx context.Context) (err error) { dir, err = s.reading(c).Directory(ctx); return })
	profiles := map[string][]*result{}
	for _, m := range s.Store.Metrics() {
		for _, p := range m.Params {
			if p.Name != "profile" {
				continue
			}
			for _, name := range p.Allowed {
				profiles[m.Name] = append(profiles[m.Name], ask.metric(m.Name, "profile", name))
			}
		}
	}
	if err := ask.wait(); err != nil {
		return err
	}
	p := &page{Title: "Definitions", Nav: "Definitions", Filter: s.form(f, dir, "hours"),
		Answer: say("Every number on these pages is one of ", strong(plural(float64(len(s.metrics)), "metric", "metrics")),
			", each written down once, versioned and shown here with its source. The same incidents can give very different figures by another tool’s rule, so a profile switches to that rule to compare like with like.")}
	p.Sub = say("CSV and JSON hold the values exactly. A spreadsheet may take a key that begins with “=” for a formula: import keys as text.")
	for _, m := range s.Store.Metrics() {
		d := definitionView{Metric: m, Text: defined(m), Since: f.since(), JSON: "/api/v1/metrics/" + url.PathEscape(m.Name), CSV: "/api/v1/metrics/" + url.PathEscape(m.Name) + "?format=csv"}
		d.Columns = &table{Caption: "Columns of " + m.Name, Head: heads("column", "type", "unit")}
		for _, col := range m.Columns {
			d.Columns.add(txt(col.Name), txt(col.Type), txt(col.Unit))
		}
		d.Params = &table{Caption: "Parameters of " + m.Name, Head: heads("parameter", "default", "values", "meaning")}
		for _, par := range m.Params {
			values := strings.Join(par.Allowed, ", ")
			if par.Repeatable {
				values = strings.TrimSpace(values + " repeatable")
			}
			d.Params.add(txt(par.Name), txt(par.Default), txt(values), txt(par.Help))
		}
		if len(profiles[m.Name]) > 0 {
			d.Profiles = s.profiles(m, profiles[m.Name])
		}
		p.Definitions = append(p.Definitions, d)
	}
	return s.render(c, p)
}

// aName is what may be a name in a definition: one that a colon follows, or that has an underscore.
var aName = regexp.MustCompile(`[a-z]+_[a-z_]+|\b[a-z]+[:]`)

// defined is a metric's definition with its columns and other names in bold: "owned: paged first"
// reads as a sentence without a subject otherwise.
func defined(m analytics.Metric) []bit {
	columns := map[string]bool{}
	for _, c := range m.Columns {
		columns[c.Name] = true
	}
	var out []bit
	last := 0
	for _, at := range aName.FindAllStringIndex(m.Definition, -1) {
		from, to := at[0], at[1]
		name := strings.TrimSuffix(m.Definition[from:to], ":")
		if !strings.Contains(name, "_") && !columns[name] {
			continue
		}
		out = append(out, bit{Text: m.Definition[last:from]}, strong(name))
		last = from + len(name)
	}
	return append(out, bit{Text: m.Definition[last:]})
}

func (s *Server) profiles(m analytics.Metric, results []*result) *table {
	t := &table{Caption: m.Title + " by profile", Head: heads("profile", "#p50", "#p90", "#mean", "#n", "#never acknowledged")}
	for _, r := range results {
		w := r.one()
		name := txt(r.Params.Get("profile"))
		if msg := s.failed(r); msg != "" {
			t.add(name.with(msg), dash(), dash(), dash(), dash(), dash())
			continue
		}
		t.add(name, seconds(w, "p50"), seconds(w, "p90"), seconds(w, "mean"), counted(w.n("n")), counted(w.n("not_acked")))
	}
	return t
}
