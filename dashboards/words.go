package dashboards

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// count writes a whole number with thousands apart: 12,345.
func count(n float64) string {
	s := strconv.FormatInt(int64(math.Round(math.Abs(n))), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if n < 0 {
		s = "−" + s
	}
	return s
}

// capital begins a text as a sentence begins.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 || first == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// plural writes a number with its noun.
func plural(n float64, one, many string) string {
	if math.Round(n) == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// decimal writes a rate: one digit below ten unless it is 0, none above.
func decimal(v float64) string {
	if math.Abs(v) < 9.95 {
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	return count(v)
}

// decimal2 writes a mean of small counts: 0.34.
func decimal2(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// duration writes seconds as a reader would say them: 42 s, 6.3 min, 2.4 h, 3.1 d.
func duration(seconds float64) string {
	switch {
	case seconds < 59.5:
		return strconv.FormatFloat(seconds, 'f', 0, 64) + " s"
	case seconds < 59.95*60:
		return decimal(math.Round(seconds/6)/10) + " min"
	case seconds < 47.95*3600:
		return decimal(math.Round(seconds/360)/10) + " h"
	}
	return decimal(math.Round(seconds/8640)/10) + " d"
}

// took writes the time between two moments.
func took(from, to time.Time) string {
	return duration(math.Max(0, to.Sub(from).Seconds()))
}

// share is k of n in per cent; ok only where n is large enough to say so (METRICS: 10).
func share(k, n float64) (text string, ok bool) {
	if n < 10 {
		return "", false
	}
	return fmt.Sprintf("%.0f %%", 100*k/n), true
}

// wilson is the 95 % interval of a share (Wilson 1927), in per cent.
func wilson(k, n float64) (low, high float64) {
	const z = 1.959964
	p := k / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return 100 * math.Max(0, mid-half), 100 * math.Min(1, mid+half)
}

// gini is the Gini coefficient of loads: 0 is shared evenly, towards 1 is one person's.
func gini(v []float64) float64 {
	var sum, diff float64
	for _, a := range v {
		sum += a
		for _, b := range v {
			diff += math.Abs(a - b)
		}
	}
	if sum == 0 {
		return 0
	}
	return diff / (2 * float64(len(v)) * sum)
}

// list joins names: "a, b and c".
func list(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
