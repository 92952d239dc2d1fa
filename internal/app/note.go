package app

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/remind"
)

// note is a message as a channel takes it.
func (s *sender) note(m remind.Message, p addressee) notify.Note {
	subject, text := m.Words(s.title, s.cfg.Site, p.Zone, s.home)
	n := notify.Note{ID: m.Key, At: m.At, Person: p.ID, Name: p.name, Address: p.address, Subject: subject, Text: text}
	for _, it := range m.Items {
		x := notify.Item{Assignment: it.Assignment, Module: it.Module, Title: s.title(it.Module)}
		if s.cfg.Site != "" {
			x.URL = s.cfg.Site + "/training/" + it.Module
		}
		if !it.Due.IsZero() {
			x.Due = it.Due.UTC().Format(time.RFC3339)
		}
		for _, o := range it.Occasions {
			x.Overdue = x.Overdue || o.Kind == remind.Overdue
			if o.Kind == remind.BeforeShift {
				x.NextShift = o.At.UTC().Format(time.RFC3339)
			}
		}
		n.Items = append(n.Items, x)
	}
	return n
}

func (s *sender) title(module string) string { return titleOf(s.curriculum, module) }

// zoneOf is the zone somebody lives in; the organisation's where none is known.
func zoneOf(name string, home *time.Location) *time.Location {
	if z, err := time.LoadLocation(name); err == nil && name != "" {
		return z
	}
	return home
}

func titleOf(c *training.Curriculum, module string) string {
	if m, ok := c.Module(module); ok {
		return m.ID + " " + m.Title
	}
	return module
}

// taughtOf leaves out work on modules that are not taught: the name of one is whatever a tool
// wrote, and a message from Steward must not say it for somebody else.
func taughtOf(c *training.Curriculum, rows []analytics.AssignmentRow) []analytics.AssignmentRow {
	return slices.DeleteFunc(rows, func(r analytics.AssignmentRow) bool {
		_, taught := c.Module(r.Module)
		return !taught
	})
}

func tracksOf(c *training.Curriculum) map[string][]string {
	out := map[string][]string{}
	for _, t := range c.Tracks {
		for _, m := range t.Modules {
			out[t.ID] = append(out[t.ID], m.ID)
		}
	}
	return out
}

// nameOfChannels are the channels' names of a configuration, sorted.
func nameOfChannels(cfg *notify.Config) []string {
	var out []string
	if cfg != nil {
		for _, w := range cfg.Webhooks {
			out = append(out, "webhook:"+w.Name)
		}
		if cfg.SMTP != nil {
			out = append(out, "mail")
		}
	}
	slices.Sort(out)
	return out
}
