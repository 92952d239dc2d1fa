package analytics

import (
	"time"
)

// Metric is one entry of the catalogue: a .sql file of the folder metric.
type Metric struct {
	Name       string   `json:"name"`
	Version    int      `json:"version"`
	Title      string   `json:"title"`
	Unit       string   `json:"unit"`
	Definition string   `json:"definition"`
	Params     []Param  `json:"params"`
	Columns    []Column `json:"columns"`
	SQL        string   `json:"-"` // the file's own SELECT, shown on /definitions
}

// Param is one parameter a metric takes.
type Param struct {
	Name       string   `json:"name"`
	Default    string   `json:"default"`
	Allowed    []string `json:"allowed,omitempty"` // empty: free text, a date, a zone
	Repeatable bool     `json:"repeatable,omitempty"`
	Help       string   `json:"help"`
}

// Column is one column of an answer.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // string, integer, number, moment
	Unit string `json:"unit"` // "", incidents, seconds, hours, people …
}

// Answer is what a metric says: the rows with everything needed to judge them. Each row
// holds one value per column, in the columns' order: string, int64, float64, or nil for
// a quantile or mean of nothing. A moment is a string in RFC 3339, UTC.
type Answer struct {
	Metric     string
	Version    int
	Title      string
	Unit       string
	Definition string
	Params     map[string]any // every parameter as it was applied, defaults included; times in UTC RFC 3339
	AsOf       time.Time
	KnownAt    time.Time
	Watermark  time.Time // latest Seen among the events used; zero without any
	Columns    []Column
	Rows       [][]any
	Assumed    map[string]uint64 // owner, team, zone, opened: incidents or pages that rest on an assumed fact
	Withheld   []Withheld
	// OrgZone counts the pages whose person has no zone of their own, so that the
	// organisation's was used for their hour class.
	OrgZone uint64
	// Published says that the answer was cut down to what everybody may see: whole months,
	// groups of people. Params then holds the window it covers.
	Published bool
}

// Withheld names rows left out and why.
type Withheld struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// ParamError is a question that cannot be asked: an unknown name or value. Allowed lists
// what can. It is a 400.
type ParamError struct {
	Param   string
	Reason  string
	Allowed []string
}

// UnknownMetricError is a 404; Known lists the catalogue.
type UnknownMetricError struct {
	Name  string
	Known []string
}
