package signin

import (
	"net/url"
	"path"
	"strings"
	"unicode"
)

// longestNext keeps the ticket, which holds it, well under the 4 KiB that browsers give a
// cookie. Bytes.
const longestNext = 1500

// local is where to go after signing in: a path of this server, or / for anything that is
// not plainly one. Browsers read \ as / and skip tabs and line ends, so that what looks
// like a path may be another host; some servers decode a path once more than they should.
func local(next string) string {
	if len(next) > longestNext || !rooted(next) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Opaque != "" || u.Host != "" || u.User != nil {
		return "/"
	}
	for decoded := u.Path; ; {
		if !rooted(decoded) {
			return "/"
		}
		again, err := url.PathUnescape(decoded)
		if err != nil || again == decoded {
			break
		}
		decoded = again
	}
	switch clean := path.Clean(u.Path); {
	case clean == "/signin", strings.HasPrefix(clean, "/signin/"), clean == "/signout":
		return "/" // signing in again would be all that one sees
	}
	return next
}

// rooted says whether a path starts at the root of this server and nowhere else.
func rooted(p string) bool {
	return strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "//") && !strings.Contains(p, `\`) &&
		!strings.ContainsFunc(p, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
		})
}
