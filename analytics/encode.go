package analytics

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"
)

// cell turns a warehouse value into what an answer holds: string, int64, float64 or nil. A
// moment is a string in RFC 3339, UTC, so that it is the same text in every format.
func cell(c Column, v any) (any, error) {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil, nil
		}
		rv = rv.Elem()
	}
	switch {
	case !rv.IsValid():
		return nil, nil
	case c.Type == "moment":
		if t, ok := rv.Interface().(time.Time); ok {
			return stamp(t), nil
		}
	case c.Type == "string" && rv.Kind() == reflect.String:
		return rv.String(), nil
	case c.Type == "integer" && rv.CanInt():
		return rv.Int(), nil
	case c.Type == "integer" && rv.CanUint():
		return int64(rv.Uint()), nil
	case c.Type == "number" && rv.CanFloat():
		return rv.Float(), nil
	}
	return nil, fmt.Errorf("a %s cannot be a %s", rv.Type(), c.Type)
}

func unsigned(v any) uint64 {
	rv := reflect.ValueOf(v)
	switch {
	case rv.IsValid() && rv.CanUint():
		return rv.Uint()
	case rv.IsValid() && rv.CanInt():
		return uint64(rv.Int())
	}
	return 0
}

// MarshalJSON writes the answer as METRICS shapes it; rows are objects in column order.
func (a *Answer) MarshalJSON() ([]byte, error) {
	type shape struct {
		Metric     string            `json:"metric"`
		Version    int               `json:"version"`
		Title      string            `json:"title"`
		Unit       string            `json:"unit"`
		Definition string            `json:"definition"`
		Params     map[string]any    `json:"params"`
		AsOf       string            `json:"as_of"`
		KnownAt    string            `json:"known_at"`
		Watermark  *string           `json:"watermark"`
		Columns    []Column          `json:"columns"`
		Rows       []row             `json:"rows"`
		Assumed    map[string]uint64 `json:"assumed"`
		OrgZone    uint64            `json:"organisation_zone"`
		Withheld   []Withheld        `json:"withheld"`
		Published  bool              `json:"published,omitempty"`
	}
	s := shape{
		Metric: a.Metric, Version: a.Version, Title: a.Title, Unit: a.Unit, Definition: a.Definition, Params: a.Params,
		AsOf: stamp(a.AsOf), KnownAt: stamp(a.KnownAt), Columns: a.Columns, Rows: make([]row, len(a.Rows)),
		Assumed: a.Assumed, OrgZone: a.OrgZone, Withheld: a.Withheld, Published: a.Published,
	}
	if !a.Watermark.IsZero() {
		w := stamp(a.Watermark)
		s.Watermark = &w
	}
	for i := range a.Rows {
		s.Rows[i] = row{a.Columns, a.Rows[i]}
	}
	return json.Marshal(s)
}

// row is one row as an object whose members keep the columns' order.
type row struct {
	columns []Column
	values  []any
}

func (r row) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, c := range r.columns {
		if i > 0 {
			out = append(out, ',')
		}
		k, err := json.Marshal(c.Name)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(r.values[i])
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, k...), ':'), v...)
	}
	return append(out, '}'), nil
}

// WriteCSV writes the rows with a header (RFC 4180, "\n" line ends); null is empty.
func (a *Answer) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	record := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, r := range a.Rows {
		for i, v := range r {
			record[i] = Text(v)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Text writes one cell as CSV and tables show it: null is empty, numbers are shortest exact.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return stamp(v)
	}
	return fmt.Sprint(v)
}
