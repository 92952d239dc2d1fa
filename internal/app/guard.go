package app

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/source"
)

// The parts of the address space that are counted apart.
const (
	partPages  = "pages"
	partAPI    = "api"
	partIngest = "ingest"
	partStatic = "static"
	partProbes = "probes"
)

func part(path string) string {
	switch {
	case strings.HasPrefix(path, "/ingest"):
		return partIngest
	case strings.HasPrefix(path, "/api/"):
		return partAPI
	case strings.HasPrefix(path, "/static/"):
		return partStatic
	case path == "/healthz", path == "/readyz", path == "/metrics":
		return partProbes
	}
	return partPages
}

// guard keeps web pages of others away. A browser that can connect here does so for any
// page it shows:
//   - a page that posts here says so in Sec-Fetch-Site or Origin, and is refused;
//   - while whoever connects is trusted, a page that points its own host name at 127.0.0.1
//     still sends that name as Host, so only loopback names are answered, except where
//     tunnels deliver webhooks that are signed and where probes look.
//
// It also counts what is answered.
func guard(next http.Handler, m *metrics, trusting bool) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "a page of another site sent this request", nil)
	}))
	sameOrigin := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		p := part(r.URL.Path)
		out := &watched{ResponseWriter: w, code: http.StatusOK}
		if trusting && p != partProbes && !loopbackHost(r.Host) && !signed(r.URL.Path) {
			writeError(out, http.StatusMisdirectedRequest, "without sign-in Steward answers to 127.0.0.1, [::1] and localhost only; through a tunnel, only sources that sign are reachable, such as /ingest/pagerduty", nil)
		} else {
			sameOrigin.ServeHTTP(out, r)
		}
		m.request(p, out.code, time.Since(start))
	})
}

// signed says whether a path takes deliveries that prove who sent them.
func signed(path string) bool {
	rest, found := strings.CutPrefix(path, "/ingest/")
	name, _, _ := strings.Cut(rest, "/")
	return found && slices.ContainsFunc(source.Webhooks(), func(f source.Format) bool { return f.Name == name && f.Verify != nil })
}

func loopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// watched remembers the status. Unwrap keeps deadlines, flushing and full duplex reachable
// through http.ResponseController.
type watched struct {
	http.ResponseWriter
	code  int
	wrote bool
}

func (w *watched) WriteHeader(code int) {
	if !w.wrote {
		w.code, w.wrote = code, code >= 200
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *watched) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is here for code that asks for an http.Flusher in the old way.
func (w *watched) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}
