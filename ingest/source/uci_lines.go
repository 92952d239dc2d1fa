package source

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// uciLines hands out the incidents of a file.
//
//  1. An incident's events follow from all of its rows together, so a part of them would
//     be told as the whole, with other moments and other ids, and would stay beside what a
//     better file says later. An audit log is often in order of time, its incidents
//     interleaved. So the whole file is read and grouped before anything is handed out.
//  2. Rows that stand together keep the file's order. Those that do not are put in order
//     of sys_updated_at and sys_mod_count, and of equal ones one is kept.
//  3. Memory is that of the rows, bounded by maxHeld. Of a file that cannot be read to its
//     end, the incidents before the damage are handed out if all rows stood together.
type uciLines struct {
	records
	head   []byte
	number int // the column
	read   bool
	groups []*uciGroup // in the order of their first rows
	faults []Delivery
	place  int // of groups: the next one
	told   map[string]time.Time
	ended  error
}

// uciGroup is one incident's rows.
type uciGroup struct {
	rows      [][]byte
	scattered bool
}

const (
	// maxHeld bounds a file's rows in memory, in bytes.
	maxHeld = 1 << 30
	maxTold = 1 << 20
)

func openUCI(r io.Reader) (Lines, error) {
	w, err := newWindow(r)
	if err != nil {
		return nil, err
	}
	l := &uciLines{records: records{w}, told: map[string]time.Time{}}
	head, fault, err := l.records.next()
	switch {
	case err == io.EOF:
		l.ended = io.EOF
		return l, nil
	case err != nil:
		return nil, err
	case fault != nil:
		return nil, fmt.Errorf("read the header: %w", fault)
	}
	columns, _, err := header(head)
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	for _, name := range uciColumns {
		if _, ok := columns[name]; !ok {
			return nil, fmt.Errorf("not a UCI incident log: there is no column %s", name)
		}
	}
	l.head, l.number = head, columns["number"]
	return l, nil
}

// Offset is the part of the file whose incidents were handed out.
func (l *uciLines) Offset() int64 {
	if l.place < len(l.groups) {
		return int64(float64(l.w.count.n) * float64(l.place) / float64(len(l.groups)))
	}
	return l.w.count.n
}

func (l *uciLines) Next() (Delivery, error) {
	if !l.read && l.ended == nil {
		l.group()
	}
	l.read = true
	if len(l.faults) > 0 {
		d := l.faults[0]
		l.faults = l.faults[1:]
		return d, nil
	}
	if l.place < len(l.groups) {
		g := l.groups[l.place]
		l.groups[l.place] = nil // its rows are free to go
		l.place++
		return l.deliver(g), nil
	}
	return Delivery{}, l.ended
}

// group reads the file to its end.
func (l *uciLines) group() {
	byNumber := map[string]*uciGroup{}
	var last *uciGroup
	held, scattered := 0, false
	for l.ended == nil {
		row, fault, err := l.next()
		if err != nil {
			l.ended = err
			break
		}
		if fault != nil {
			l.faults = append(l.faults, deliver(row, fault))
			continue
		}
		number, ok := l.numberOf(row)
		if !ok {
			l.faults = append(l.faults, deliver(row, &Undecodable{Field: "number", Reason: "missing"}))
			continue
		}
		g := byNumber[number]
		if g == nil {
			g = &uciGroup{}
			byNumber[number], l.groups = g, append(l.groups, g)
		} else if g != last {
			g.scattered, scattered = true, true
		}
		last = g
		g.rows = append(g.rows, row)
		if held += len(row) + 64; held > maxHeld {
			l.groups = nil
			l.ended = fmt.Errorf("the file holds more than %d MiB of rows: split it, each incident's rows in one part", maxHeld>>20)
		}
	}
	if l.ended == io.EOF {
		return
	}
	// The rows in hand may not be all of their incident: it is not handed out.
	switch {
	case scattered:
		l.groups = nil
	case len(l.groups) > 0:
		l.groups = l.groups[:len(l.groups)-1]
	}
}

// settle puts scattered rows in the order of their updates.
func (l *uciLines) settle(g *uciGroup) {
	type keyed struct {
		row  []byte
		at   time.Time
		mods int
	}
	known := map[string]bool{}
	var rows []keyed
	for _, row := range g.rows {
		if known[string(row)] {
			continue
		}
		known[string(row)] = true
		k := keyed{row: row}
		if read, err := uciRows(bytes.Join([][]byte{l.head, row}, []byte{'\n'})); err == nil {
			k.at, _ = read[0].time("sys_updated_at")               // Decode will say what is wrong with it
			k.mods, _ = strconv.Atoi(read[0].get("sys_mod_count")) // a tie-breaker only
		}
		rows = append(rows, k)
	}
	sort.SliceStable(rows, func(i, j int) bool {
		if !rows[i].at.Equal(rows[j].at) {
			return rows[i].at.Before(rows[j].at)
		}
		return rows[i].mods < rows[j].mods
	})
	g.rows = g.rows[:0]
	for _, k := range rows {
		g.rows = append(g.rows, k.row)
	}
}

func (l *uciLines) numberOf(row []byte) (string, bool) {
	values, err := split(row)
	if err != nil || l.number >= len(values) {
		return "", false
	}
	n := strings.TrimSpace(values[l.number])
	return n, n != "" && n != "?"
}

// deliver makes the delivery of one incident.
func (l *uciLines) deliver(g *uciGroup) Delivery {
	if g.scattered {
		l.settle(g)
	}
	d := deliver(bytes.Join(append([][]byte{l.head}, g.rows...), []byte{'\n'}), nil)
	if d.fault == nil {
		d.Header = l.known(d.Body)
	}
	return d
}

// known notes what this incident is the earliest to show, and lists the rest. A later
// incident may show an earlier moment; then that is told too, so the earliest moment is
// always among the events, whatever the order of the file.
func (l *uciLines) known(body []byte) http.Header {
	rows, err := uciRows(body)
	if err != nil {
		return nil // Decode will say why
	}
	s, err := uciDesk{prefix: "uci:"}.story(rows)
	if err != nil {
		return nil
	}
	var known []string
	for _, v := range s.sights() {
		at, told := l.told[v.key]
		if told && !v.at.Before(at) {
			known = append(known, v.key)
		} else if told || len(l.told) < maxTold {
			l.told[v.key] = v.at
		}
	}
	if known == nil {
		return nil
	}
	return http.Header{knownHeader: known}
}
