package keys

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DefaultExpiry is how long a token lives when nothing else is asked for: long enough for
// a quarter's work, short enough that a forgotten one dies.
const DefaultExpiry = 90 * 24 * time.Hour

// maxDays keeps the arithmetic of dates far from its ends.
const maxDays = 36500

// ParseExpiry reads how long a token shall live: 30d, never, a date (its first moment in
// UTC) or a moment by RFC 3339; "" is DefaultExpiry. The zero time means never.
func ParseExpiry(text string, now time.Time) (time.Time, error) {
	now = now.UTC().Truncate(time.Second)
	switch text {
	case "":
		return now.Add(DefaultExpiry), nil
	case "never":
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > maxDays {
			return time.Time{}, fmt.Errorf("expires: %q is not a number of days from 1d to %dd", text, maxDays)
		}
		return now.AddDate(0, 0, n), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("expires: %q is none of 30d, never, 2027-01-31, 2027-01-31T09:00:00Z", text)
	}
	if !at.After(now) {
		return time.Time{}, fmt.Errorf("expires: %q is past", text)
	}
	return at.UTC(), nil
}
