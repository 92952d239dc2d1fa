package outbound

import (
	"errors"
	"fmt"
	"net/http"
)

// follow judges a redirect before it is followed; where it leads is judged again by the
// dialer.
func follow(limit int) func(*http.Request, []*http.Request) error {
	return func(to *http.Request, via []*http.Request) error {
		from := via[len(via)-1]
		switch {
		case len(via) > limit:
			return fmt.Errorf("more than %d redirects", max(limit, 0))
		case to.URL.Scheme != "https" && to.URL.Scheme != "http":
			return errors.New("a redirect to something that is neither https nor http")
		case from.URL.Scheme == "https" && to.URL.Scheme != "https":
			return errors.New("a redirect from https to http")
		case via[0].Method != http.MethodGet && via[0].Method != http.MethodHead:
			return fmt.Errorf("a redirect of a %s, whose body is for the first host alone", via[0].Method)
		case to.URL.User != nil:
			return errors.New("a redirect that brings a user and a password along")
		}
		return nil
	}
}
