package event

import (
	"strings"
	"time"
)

// ParseTime reads an RFC 3339 time. The standard library refuses two things that RFC 3339
// §5.6 and §5.7 allow: "t" and "z" as small letters, and a leap second, which is counted
// as the first instant of the next minute, as Unix time does.
func ParseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil {
		return t, nil
	}
	big := strings.ToUpper(text)
	if len(big) > len("2006-01-02T15:04:60") && strings.HasPrefix(big[13:], ":59:60") {
		if t, lerr := time.Parse(time.RFC3339Nano, big[:17]+"59"+big[19:]); lerr == nil {
			return t.Add(time.Second).Truncate(time.Second), nil
		}
		return t, err
	}
	if big == text {
		return t, err
	}
	return time.Parse(time.RFC3339Nano, big)
}
