package dashboards

import "net/url"

// escape and unescape let a cookie hold any id.
func escape(s string) string { return url.QueryEscape(s) }

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return ""
}
