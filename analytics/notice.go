package analytics

import (
	"context"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of notices
//
//  1. What was sent, who wants none, and whose a calendar's address is, are Steward's own facts:
//     they are read from its source and no other, or anybody could silence somebody or take
//     their calendar.
//  2. They are between Steward and one person, and read by nobody else.
//  3. The address of a calendar is kept as the digest of its secret. CalendarOf answers whose it
//     is to whoever has the secret, before anybody has said who they are.

// ReminderRow is one reminder that went out.
type ReminderRow struct {
	Person, Channel, Reminder string
	At                        time.Time // when it was planned for
	Covers                    []string
}

// Reminders are those that went out since a moment, oldest first: one's own.
func (v *View) Reminders(ctx context.Context, since time.Time) ([]ReminderRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	var out []ReminderRow
	err = v.s.look(ctx, access.Working(), "reminders", v.s.present(), nil, `
SELECT at, person, JSONExtractString(data, 'channel') AS channel, JSONExtractString(data, 'reminder') AS reminder, JSONExtract(data, 'covers', 'Array(String)') AS covers
FROM (SELECT at, id, person, data FROM events WHERE kind = 'reminder.sent' AND source = '/steward' AND at >= {since:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, id`, []warehouse.Param{{Name: "since", Value: since.UTC()}},
		func(r *warehouse.Rows) error {
			var x ReminderRow
			if err := r.Scan(&x.At, &x.Person, &x.Channel, &x.Reminder, &x.Covers); err != nil {
				return err
			}
			if x.Person = v.s.reveal(alias.person(x.Person)); v.who.Told(x.Person) {
				out = append(out, x)
			}
			return nil
		})
	return out, err
}

// ReminderChoices says who wants no reminders, as far as it is the asker's to know.
func (v *View) ReminderChoices(ctx context.Context) (off map[string]bool, err error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	said, err := v.s.lastSaid(ctx, access.Working(), "reminder.chosen", "reminders")
	if err != nil {
		return nil, err
	}
	off = map[string]bool{}
	for person, choice := range said {
		if v.who.Told(person) && choice == "off" {
			off[person] = true
		}
	}
	return off, nil
}

// CalendarAddresses says since when somebody has a secret address for their calendar.
func (v *View) CalendarAddresses(ctx context.Context) (map[string]bool, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	said, err := v.s.calendars(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for person, digest := range said {
		if v.who.Told(person) && digest != NoAddress {
			out[person] = true
		}
	}
	return out, nil
}

// NoAddress stands for an address that was taken back.
const NoAddress = "none"

func (s *Store) calendars(ctx context.Context) (map[string]string, error) {
	return s.lastSaid(ctx, access.Working(), "calendar.addressed", "address")
}

// CalendarOf is whose calendar an address opens, by the SHA-256 of its secret in hexadecimal:
// somebody who is in a team now. Whoever left, or is forgotten, has none.
func (s *Store) CalendarOf(ctx context.Context, digest string) (person string, teams []string, found bool, err error) {
	// Kept until anything arrives: anybody may ask, and who guesses must not cost a statement each.
	said, err := remember(ctx, s, "calendars", s.calendars)
	if err != nil {
		return "", nil, false, err
	}
	_, of, err := s.belonging(ctx)
	if err != nil {
		return "", nil, false, err
	}
	for p, d := range said {
		if d == digest && digest != NoAddress && len(of[p]) > 0 && !isFormer(p) {
			return p, of[p], true, nil
		}
	}
	return "", nil, false, nil
}

// lastSaid is the latest of one member that Steward's own events of a kind say of each person.
// Two things that somebody said within a millisecond stand in the order in which they were
// seen: their ids are random, and an address that was taken back must not open.
func (s *Store) lastSaid(ctx context.Context, pass access.Pass, kind, member string) (map[string]string, error) {
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	err = s.look(ctx, pass, kind, s.present(), nil, `
SELECT person, JSONExtractString(data, {field:String})
FROM (SELECT at, seen, id, person, data FROM events WHERE kind = {kind:String} AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, seen, id`, []warehouse.Param{{Name: "kind", Value: kind}, {Name: "field", Value: member}},
		func(r *warehouse.Rows) error {
			var person, text string
			err := r.Scan(&person, &text)
			out[s.reveal(alias.person(person))] = text
			return err
		})
	return out, err
}

// Addresses are the e-mail addresses of people, for whoever sends them what is theirs: the
// id itself, or the first alias that is one. It is the operator's.
func (v *View) Addresses(ctx context.Context) (map[string]string, error) {
	if !v.who.IsOperator() {
		return nil, &access.Denied{Reason: "addresses are for sending and not for reading"}
	}
	alias, teams, err := v.s.belonging(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i := 1; i < len(alias.from) && i < len(alias.to); i++ {
		id, person := v.s.reveal(alias.from[i]), v.s.reveal(alias.to[i])
		if strings.Contains(id, "@") && (out[person] == "" || id < out[person]) {
			out[person] = id
		}
	}
	for p := range teams {
		if strings.Contains(p, "@") {
			out[p] = p
		}
	}
	for p := range out {
		if isFormer(p) || isFormer(out[p]) {
			delete(out, p)
		}
	}
	return out, nil
}
