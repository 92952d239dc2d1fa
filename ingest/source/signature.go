package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// maxSignatures bounds the work that an unauthenticated header can ask for. A rotation
// has two.
const maxSignatures = 32

// verifyPagerDuty checks X-PagerDuty-Signature: a comma-separated list of versions and
// values, of which v1 is the hex HMAC-SHA256 of the raw body. During a rotation several
// are sent, and we may hold several secrets; any fit passes, unknown versions are
// skipped. Comparison takes the same time whatever differs. Without a secret nothing fits.
func verifyPagerDuty(h http.Header, body []byte, secrets []string) error {
	given := signatures(h.Values("X-PagerDuty-Signature"))
	if len(given) == 0 {
		return ErrSignature
	}
	fit := false
	for _, secret := range secrets {
		if secret == "" {
			continue // anybody can sign with the empty secret
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, g := range given {
			if hmac.Equal(g[:], want) {
				fit = true
			}
		}
	}
	if !fit {
		return ErrSignature
	}
	return nil
}

// signatures reads the v1 values of the header's lines.
func signatures(lines []string) [][sha256.Size]byte {
	var out [][sha256.Size]byte
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(part), "v1=")
			if !ok || len(text) != hex.EncodedLen(sha256.Size) {
				continue
			}
			var sum [sha256.Size]byte
			if _, err := hex.Decode(sum[:], []byte(text)); err != nil {
				continue
			}
			if out = append(out, sum); len(out) == maxSignatures {
				return out
			}
		}
	}
	return out
}
