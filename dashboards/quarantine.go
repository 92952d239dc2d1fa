package dashboards

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

const (
	quarantinePage = 100
	rawShown       = 16 << 10 // bytes of a record that a page shows
)

// recordView is a quarantined record's page.
type recordView struct {
	Facts        []fact
	CanRedrive   bool
	Action       string
	Token        string
	Size, Cut    string
	Escaped, Hex string
	Headers      *table
}

// quarantine answers: what did not fit?
func (s *Server) quarantine(c echo.Context) error {
	f := s.filter(c)
	offset, err := strconv.Atoi(or(f.get("offset"), "0"))
	if err != nil || offset < 0 {
		return &analytics.ParamError{Param: "offset", Reason: "a number from 0 on is wanted"}
	}
	rows, total, err := s.reading(c).Quarantine(c.Request().Context(), quarantinePage, offset)
	if err != nil {
		return err
	}
	p := &page{Title: "Quarantine", Nav: "Quarantine"}
	cd := card{ID: "records", Title: "What did not fit, and why?", Wide: "w12", N: plural(float64(total), "record", "records")}
	if total == 0 {
		p.Answer = say(strong("Nothing."), " Everything that arrived could be understood.")
		cd.Empty = say("What cannot be decoded is kept here with its bytes and the reason, and can be tried again, for instance after an upgrade. Nothing is ever dropped.")
		p.Cards = []card{cd}
		return s.render(c, p)
	}
	p.Answer = say(strong(plural(float64(total), "record", "records")), " could not be understood and ", verbN(float64(total), "is", "are"), " kept with ", verbN(float64(total), "its", "their"), " bytes. Nothing was dropped; each can be tried again.")
	cd.Say = say("Newest first.")
	t := &table{List: true, Caption: "Quarantined records, newest first", Head: heads("received", "source", "account", "reason", "field", "#size", "tried again")}
	for _, r := range rows {
		again := txt("not yet")
		if !r.Redriven.IsZero() {
			again = f.moment(r.Redriven).with(r.Outcome)
		}
		t.add(ref(f.stamp(r.Received), at("quarantine", r.ID)), txt(r.Source), txt(r.Account), txt(clip(r.Reason, 200)), txt(r.Field), num(bytesText(r.Bytes)), again)
	}
	cd.Body = t
	if next := offset + len(rows); uint64(next) < total && len(rows) > 0 {
		cd.Say = append(cd.Say, say(" ", linked("Older ones", f.link("/quarantine", "offset", strconv.Itoa(next))))...)
	}
	if offset > 0 {
		cd.Say = append(cd.Say, say(" ", linked("Newer ones", f.link("/quarantine", "offset", strconv.Itoa(max(0, offset-quarantinePage)))))...)
	}
	p.Cards = []card{cd}
	return s.render(c, p)
}

func bytesText(n int) string {
	if n < 10000 {
		return plural(float64(n), "byte", "bytes")
	}
	return decimal(float64(n)/1024) + " KiB"
}

// quarantined shows one record: its reason, its bytes, and a way to try them again.
func (s *Server) quarantined(c echo.Context) error {
	f := s.filter(c)
	r, err := s.reading(c).QuarantineItem(c.Request().Context(), param(c, "id"))
	if err != nil {
		return err
	}
	// The bytes may hold anything, people included.
	if err := s.audit(c, "quarantine.viewed", r.ID); err != nil {
		return err
	}
	token, _ := c.Get("csrf").(string)
	v := &recordView{CanRedrive: s.Redriver != nil, Action: at("quarantine", r.ID) + "/redrive", Token: token, Size: bytesText(len(r.Raw))}
	add := func(name, text string) {
		if text != "" {
			v.Facts = append(v.Facts, fact{Name: name, Text: text})
		}
	}
	add("received", f.stamp(r.Received))
	add("source", r.Source)
	add("account", r.Account)
	add("field", r.Field)
	add("place in the log", fmt.Sprintf("partition %d, offset %d", r.Partition, r.Offset))
	if !r.Redriven.IsZero() {
		add("tried again", f.stamp(r.Redriven)+": "+r.Outcome)
	}
	raw := r.Raw
	if len(raw) > rawShown {
		raw, v.Cut = raw[:rawShown], bytesText(rawShown)
	}
	v.Escaped, v.Hex = escaped(raw), hex.Dump(raw[:min(len(raw), 4<<10)])
	if len(r.Headers) > 0 {
		v.Headers = &table{Caption: "Headers that decoding needs", Head: heads("header", "value")}
		var names []string
		for k := range r.Headers {
			names = append(names, k)
		}
		sort.Strings(names)
		for _, k := range names {
			v.Headers.add(txt(k), txt(clip(r.Headers[k], 500)))
		}
	}
	p := &page{Title: "Quarantined record", Nav: "Quarantine", Record: v}
	p.Sub = say(linked("all records", "/quarantine"), " · ", r.ID)
	p.Answer = say("It could not be understood: ", strong(strings.TrimPrefix(r.Field+": "+r.Reason, ": ")), ".")
	if f.get("done") != "" {
		p.Notice = "The bytes were read again."
		if r.Outcome != "" {
			p.Notice += " Outcome: " + r.Outcome
		}
	}
	return s.render(c, p)
}

// redrive sends a record's bytes through decoding again and shows its page. Bytes that
// still cannot be read are an outcome, which the record's page tells, and no error.
func (s *Server) redrive(c echo.Context) error {
	if s.Redriver == nil {
		return echo.ErrNotFound
	}
	id, ctx := param(c, "id"), c.Request().Context()
	before, err := s.reading(c).QuarantineItem(ctx, id)
	if err != nil {
		return err
	}
	if err := s.audit(c, "quarantine.redriven", id); err != nil {
		return err
	}
	if err := s.Redriver.Redrive(ctx, id); err != nil {
		after, again := s.reading(c).QuarantineItem(ctx, id)
		if again != nil || after.Redriven.Equal(before.Redriven) {
			return err
		}
	}
	return c.Redirect(http.StatusSeeOther, at("quarantine", id)+"?done=1")
}

// escaped writes bytes as text: lines stay lines, what cannot be printed or is no UTF-8 is
// written as an escape.
func escaped(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			out.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&out, `\x%02x`, r)
		default:
			fmt.Fprintf(&out, `\u{%x}`, r)
		}
		b = b[n:]
	}
	return out.String()
}
