package dashboards

import (
	"slices"
	"strings"
)

// Routes lists what is served, as "METHOD /path", sorted: for the test that knows who may
// use each of them.
func (s *Server) Routes() []string {
	var out []string
	for _, r := range s.echo.Routes() {
		if strings.HasPrefix(r.Method, "echo_") { // what stands in for routes that are not found
			continue
		}
		out = append(out, r.Method+" "+r.Path)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
