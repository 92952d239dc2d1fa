package signin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// stray is an answer that this browser did not ask for, as far as can be told.
func (s *SignIn) stray(cause error) error {
	home := ""
	if u, err := url.Parse(s.oidc.RedirectURL); err == nil {
		home = u.Scheme + "://" + u.Host
	}
	return &outcome{http.StatusBadRequest, "This sign-in did not start here",
		"The sign-in was not started in this browser, took longer than ten minutes, or was used already. " +
			"Cookies must be allowed, and Steward must be opened at " + home + ". Please start again at /signin.", cause}
}

func unavailable(cause error) error {
	return &outcome{http.StatusServiceUnavailable, "Sign-in is not possible right now",
		"The sign-in provider cannot be reached or does not answer as it should. " +
			"Who is signed in stays so. Please try again in a moment; the log of the server says more.", cause}
}

// unproven is what the provider or somebody in its place says and cannot prove.
func unproven(cause error) error {
	return &outcome{http.StatusBadGateway, "The sign-in could not be verified",
		"The answer of the sign-in provider could not be verified, and so nobody was signed in. " +
			"Please start again at /signin; the log of the server says more.", cause}
}

// providerSays words an error code of the provider. The address that brings it can be
// written by anybody, so neither code nor description are shown.
func providerSays(code string) error {
	cause := errors.New("the provider answered with the error " + strconv.Quote(clip(code)))
	switch code {
	case "access_denied":
		return &outcome{http.StatusForbidden, "Not signed in",
			"The sign-in was cancelled, or the provider does not let you use Steward. Start again at /signin.", cause}
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return &outcome{http.StatusForbidden, "Not signed in",
			"The provider needs something of you first. Start again at /signin and follow what it asks.", cause}
	case "temporarily_unavailable", "server_error":
		return unavailable(cause)
	}
	return &outcome{http.StatusBadGateway, "The provider refused the sign-in",
		"The provider refused the way in which Steward asks; how Steward is registered there may be at fault. " +
			"The log of the server says more.", cause}
}

// clip keeps what others wrote from filling the log.
func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}
