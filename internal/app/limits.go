package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/stewardhq/steward/internal/limit"
)

// How much one caller may ask for, so that none takes what belongs to all.
//
// Theory of operation
//
//  1. A caller with a valid token is counted by the token, every other by its address. The
//     two are kept apart: a flood of strangers' addresses leaves tokens their buckets.
//  2. What fails to prove itself is counted by its address, wherever in the product the
//     401 is written, and over the limit the answer becomes 429. What proves itself is
//     never refused for what its neighbours behind one address did: a forger behind the
//     same proxy must not be able to stop a tool's deliveries. Tools send again after 429.
//  3. Nothing is counted with --dev and --demo, of probes, and of the commands of this
//     machine.
const (
	ingestPerSecond, ingestBurst = 20_000, 40_000
	askPerSecond, askBurst       = 100, 400        // pages and API
	failPerSecond, failBurst     = 10.0 / 60.0, 20 // proofs that fail
)

// budget is what callers of one kind of address may do.
type budget struct{ tokens, strangers *limit.Limiter }

// limited puts the limits before next.
func (a *App) limited(next http.Handler) http.Handler {
	if a.trusting() {
		return next
	}
	limiter := func(perSecond float64, burst int) *limit.Limiter {
		return limit.New(limit.Config{PerSecond: perSecond, Burst: burst, Now: a.cfg.Now})
	}
	ingest := budget{limiter(ingestPerSecond, ingestBurst), limiter(ingestPerSecond, ingestBurst)}
	ask := budget{limiter(askPerSecond, askBurst), limiter(askPerSecond, askBurst)}
	failures := limiter(failPerSecond, failBurst)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := part(r.URL.Path)
		if p == partProbes {
			next.ServeHTTP(w, r)
			return
		}
		which := ask
		if p == partIngest {
			which = ingest
		}
		address := limit.ClientKey(limit.ClientIP(r, a.cfg.TrustedProxies))
		counted, key := which.strangers, address
		if t, found, err := a.bearer(r); found && err == nil {
			counted, key = which.tokens, t.ID
		}
		if key != localID {
			if wait, ok := counted.Take(key); !ok {
				retryAfter(w, wait)
				writeError(w, http.StatusTooManyRequests, "too many requests", nil)
				return
			}
		}
		next.ServeHTTP(&charged{ResponseWriter: w, failures: failures, address: address}, r)
	})
}

func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
}

// charged counts a 401 for an address and turns one too many into 429. The words stay.
// Unwrap keeps deadlines, flushing and full duplex reachable.
type charged struct {
	http.ResponseWriter
	failures *limit.Limiter
	address  string
}

func (c *charged) WriteHeader(code int) {
	if code == http.StatusUnauthorized {
		if wait, ok := c.failures.Take(c.address); !ok {
			retryAfter(c.ResponseWriter, wait)
			code = http.StatusTooManyRequests
		}
	}
	c.ResponseWriter.WriteHeader(code)
}

func (c *charged) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Flush is here for code that asks for an http.Flusher in the old way.
func (c *charged) Flush() {
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}
