package source

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
)

// records reads a CSV file row by row, so that a broken row costs only itself: the
// reader of the standard library would run from a stray quote to the end of the file. A
// quoted value may span lines, up to maxSpan of them.
type records struct{ w *window }

const (
	maxSpan = 100
	maxRow  = MaxBody
)

// next returns the text of one row without its line end, or a line that is none.
func (r records) next() ([]byte, *Undecodable, error) {
	for {
		n, quotes, lines := 0, 0, 0
		for {
			m, long, err := r.w.line(n)
			if err != nil {
				return nil, nil, err
			}
			if m == 0 && lines == 0 {
				return nil, nil, io.EOF
			}
			quotes += bytes.Count(r.w.rest()[n:n+m], []byte{'"'})
			n, lines = n+m, lines+1
			if long || n > maxRow || m == 0 || lines > maxSpan {
				b, err := r.w.reject()
				return b, &Undecodable{Reason: "not a row: a quoted value does not end, or it is too large"}, err
			}
			if quotes%2 == 0 {
				break
			}
		}
		row := bytes.TrimRight(r.w.take(n), "\r\n")
		if len(bytes.TrimSpace(row)) > 0 {
			return row, nil, nil
		}
	}
}

// split reads the values of one row.
func split(row []byte) ([]string, error) {
	if bytes.IndexByte(row, '"') < 0 {
		return strings.Split(string(row), ","), nil
	}
	c := csv.NewReader(bytes.NewReader(row))
	c.FieldsPerRecord = -1
	values, err := c.Read()
	if err != nil {
		return nil, &Undecodable{Reason: "not a row: quotes in the wrong place"}
	}
	return values, nil
}

// header maps column names to positions, the first of a name that stands twice, and
// counts the columns.
func header(row []byte) (columns map[string]int, width int, err error) {
	names, err := split(row)
	if err != nil {
		return nil, 0, err
	}
	columns = make(map[string]int, len(names))
	for i, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		if _, twice := columns[n]; !twice {
			columns[n] = i
		}
	}
	return columns, len(names), nil
}

// rows reads a delivery's body: a header and the rows below it.
func rows(body []byte) (columns map[string]int, values [][]string, err error) {
	r := records{&window{buf: body, eof: true}}
	width := 0
	for {
		row, fault, err := r.next()
		switch {
		case err == io.EOF:
			return columns, values, nil
		case err != nil:
			return nil, nil, &Undecodable{Reason: "cannot be read"}
		case fault != nil:
			return nil, nil, fault
		}
		if columns == nil {
			if columns, width, err = header(row); err != nil {
				return nil, nil, err
			}
			continue
		}
		v, err := split(row)
		if err != nil {
			return nil, nil, err
		}
		if len(v) != width {
			return nil, nil, &Undecodable{Reason: "a row has another number of values than the header"}
		}
		values = append(values, v)
	}
}
