package analytics

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Theory of operation of a question
//
//  1. A metric is one file of the folder metric: a header and one SELECT over facts.
//  2. A fact is one file of the folder fact: a common table expression that says one
//     thing METRICS defines (who a person was, who owned a service, when an incident
//     opened) and which facts it needs.
//  3. compose puts the facts a metric needs, each once and in order of need, in front of
//     its SELECT. ClickHouse sees one statement with bound parameters; nothing a caller
//     wrote is ever part of its text.
//  4. Some facts have variants ("team.none", "team.owner"): the question decides which
//     is taken, so that a question that does not ask about teams does not pay for them.
//     A line that ends in "-- if NAME" is there only when that filter is given.
//  5. The analysis of a statement costs more than running it over a year of a small
//     organisation. So one statement answers several splits of the same question (by
//     service, by person, by week …): /*row*/ becomes, for each, the bucket and the key
//     that the fact's header gives for it, and place tells the answers apart.

//go:embed metric/*.sql fact/*.sql fact/*.macro schema/*.sql
var files embed.FS

// fact is one named piece of SQL and what it stands on.
type fact struct {
	name   string
	needs  []string
	body   string
	bucket map[string]string // of a fact with rows to place: expression by bucket
	key    map[string]string // and by "by"
}

// Split is one way to cut the rows of a question: the values of its parameters bucket and by.
type Split struct{ Bucket, By string }

// text is the fact's SQL for one question.
func (f fact) text(q question) (string, error) {
	var b strings.Builder
	for _, line := range strings.SplitAfter(f.body, "\n") {
		if code, filter, found := strings.Cut(line, " -- if "); found {
			given, known := q.given(strings.TrimSpace(filter))
			if !known {
				return "", fmt.Errorf("fact %s: there is no filter %s", f.name, strings.TrimSpace(filter))
			}
			if !given {
				continue
			}
			line = code + "\n"
		}
		b.WriteString(line)
	}
	body := b.String()
	if !strings.Contains(body, rowMark) {
		return body, nil
	}
	row := ""
	for i, s := range q.splits {
		bucket, key := "''", "''"
		if s.Bucket != "none" {
			bucket = f.bucket[s.Bucket]
		}
		if s.By != "none" {
			key = f.key[s.By]
		}
		if bucket == "" || key == "" {
			return "", fmt.Errorf("fact %s does not know bucket %s by %s", f.name, s.Bucket, s.By)
		}
		if len(q.splits) == 1 {
			row = "toUInt8(0) AS place, " + bucket + " AS bucket, " + key + " AS key"
			break
		}
		row += fmt.Sprintf(", (toUInt8(%d), %s, toString(%s))", i, bucket, key)
	}
	if len(q.splits) > 1 {
		row = "arrayJoin([" + row[2:] + "]) AS placed, placed.1 AS place, placed.2 AS bucket, placed.3 AS key"
	}
	return strings.Replace(body, rowMark, row, 1), nil
}

// header reads the "-- key: value" lines at the top of a file; a line "--   text"
// continues the value before it. It returns the rest of the file.
func header(text string) (map[string]string, string) {
	h := map[string]string{}
	key := ""
	sc := bufio.NewScanner(strings.NewReader(text))
	sc.Buffer(nil, 1<<20)
	used := 0
	for sc.Scan() {
		line := sc.Text()
		rest, ok := strings.CutPrefix(line, "--")
		if !ok {
			break
		}
		used += len(line) + 1
		if strings.HasPrefix(rest, "   ") && key != "" {
			h[key] += " " + strings.TrimSpace(rest)
			continue
		}
		k, v, found := strings.Cut(strings.TrimSpace(rest), ":")
		if found && !strings.Contains(k, " ") {
			key = k
			h[key] = strings.TrimSpace(v)
		} else {
			key = ""
		}
	}
	if used > len(text) {
		used = len(text)
	}
	return h, strings.TrimSpace(text[used:])
}

func list(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func loadFacts(fsys fs.FS) (map[string]fact, error) {
	names, err := fs.Glob(fsys, "fact/*.sql")
	if err != nil {
		return nil, err
	}
	facts := map[string]fact{}
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, err
		}
		h, body := header(string(b))
		want := strings.TrimSuffix(path.Base(n), ".sql")
		if h["fact"] != want {
			return nil, fmt.Errorf("%s: header says fact %q", n, h["fact"])
		}
		f := fact{name: want, bucket: map[string]string{}, key: map[string]string{}, needs: list(h["needs"]), body: strings.TrimSuffix(strings.TrimSpace(body), ",")}
		for k, v := range h {
			if name, ok := strings.CutPrefix(k, "bucket."); ok {
				f.bucket[name] = v
			}
			if name, ok := strings.CutPrefix(k, "key."); ok {
				f.key[name] = v
			}
		}
		facts[want] = f
	}
	return facts, nil
}

// metricFile is a parsed file of the folder metric.
type metricFile struct {
	Metric
	facts   []string
	by      []string // what rows may be of
	key     string   // what they are of unless asked otherwise; empty: they need be of nothing
	buckets []string
	days    int // how long the window is unless asked otherwise
	takes   []string
	people  string
}

// What a metric says of people, by the header line "people". It decides who may ask it in
// which form, so a metric file must say it.
const (
	peopleLoad   = "load"   // what people carry: sums over people
	peopleSkills = "skills" // what single people can do
	peopleWork   = "work"   // how the people of the owning team handled its incidents, and what they learn
	peopleNone   = "none"   // services and incidents
)

func loadMetrics(fsys fs.FS) (map[string]metricFile, error) {
	names, err := fs.Glob(fsys, "metric/*.sql")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	out := map[string]metricFile{}
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, err
		}
		m, err := parseMetric(n, string(b))
		if err != nil {
			return nil, err
		}
		out[m.Name] = m
	}
	return out, nil
}

func parseMetric(file, text string) (metricFile, error) {
	h, body := header(text)
	for _, k := range []string{"metric", "version", "unit", "title", "by", "params", "columns", "facts", "people", "definition"} {
		if h[k] == "" {
			return metricFile{}, fmt.Errorf("%s: header line %q missing", file, k)
		}
	}
	if want := strings.TrimSuffix(path.Base(file), ".sql"); h["metric"] != want {
		return metricFile{}, fmt.Errorf("%s: header says metric %q", file, h["metric"])
	}
	version, err := strconv.Atoi(h["version"])
	if err != nil {
		return metricFile{}, fmt.Errorf("%s: version: %w", file, err)
	}
	m := metricFile{
		Metric: Metric{
			Name: h["metric"], Version: version, Title: h["title"], Unit: h["unit"],
			Definition: h["definition"], SQL: body,
		},
		facts: list(h["facts"]), by: list(h["by"]), key: h["key"], buckets: buckets, days: 90, takes: list(h["params"]),
	}
	switch h["people"] {
	case peopleLoad, peopleSkills, peopleWork, peopleNone:
		m.people = h["people"]
	default:
		return metricFile{}, fmt.Errorf("%s: people: want %s, %s, %s or %s", file, peopleLoad, peopleSkills, peopleWork, peopleNone)
	}
	if m.key == "" {
		m.by = append([]string{"none"}, m.by...)
	} else if !slices.Contains(m.by, m.key) {
		return metricFile{}, fmt.Errorf("%s: key: %q is not one of by", file, m.key)
	}
	if h["buckets"] != "" {
		m.buckets = list(h["buckets"])
	}
	if h["days"] != "" {
		if m.days, err = strconv.Atoi(h["days"]); err != nil {
			return metricFile{}, fmt.Errorf("%s: days: %w", file, err)
		}
	}
	m.Columns = []Column{{Name: "bucket", Type: "string"}, {Name: "key", Type: "string"}}
	for _, c := range list(h["columns"]) {
		f := strings.Fields(c) // name type [unit]
		if len(f) < 2 || !slices.Contains([]string{"integer", "number", "moment"}, f[1]) {
			return metricFile{}, fmt.Errorf("%s: column %q: want NAME integer|number|moment [UNIT]", file, c)
		}
		col := Column{Name: f[0], Type: f[1]}
		if len(f) > 2 {
			col.Unit = strings.Join(f[2:], " ")
		}
		m.Columns = append(m.Columns, col)
	}
	m.Params = describeParams(m)
	return m, nil
}

// rowMark is where a fact's rows get their bucket, key and place.
const rowMark = "/*row*/"

// compose builds the statement of a question: WITH the facts its metric needs, then the
// metric's SELECT.
func compose(facts map[string]fact, q question) (string, error) {
	var parts []string
	state := map[string]int{} // 1 being added, 2 added
	var add func(name string) error
	add = func(name string) error {
		chosen := q.variant(name)
		switch state[name] {
		case 2:
			return nil
		case 1:
			return fmt.Errorf("fact %s needs itself", name)
		}
		f, ok := facts[chosen]
		if !ok {
			return fmt.Errorf("no fact %s", chosen)
		}
		state[name] = 1
		for _, n := range f.needs {
			if err := add(n); err != nil {
				return err
			}
		}
		state[name] = 2
		text, err := f.text(q)
		parts = append(parts, text)
		return err
	}
	for _, n := range q.metric.facts {
		if err := add(n); err != nil {
			return "", fmt.Errorf("metric %s: %w", q.metric.Name, err)
		}
	}
	return "WITH\n" + strings.Join(parts, ",\n") + "\n" + q.metric.SQL, nil
}
