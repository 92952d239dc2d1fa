package warehouse

import (
	"fmt"
	"strings"
)

// The same schema files run on one engine and on a cluster. What differs is written here and nowhere else:
//
//   - on a cluster a schema statement gets ON CLUSTER, a MergeTree its Replicated engine (path and replica from
//     the servers' own defaults, which carry the table's UUID), and the deduplication window its replicated name;
//   - a MergeTree that does not say so gets a deduplication window, without which a replayed insert would be
//     counted twice, and on the embedded engine fsync, which is off by default.

// tableSettings are what every table of ours needs.
var tableSettings = []struct{ name, value string }{
	{"non_replicated_deduplication_window", "10000"},
	{"fsync_after_insert", "1"},
	{"fsync_part_directory", "1"},
	{"min_rows_to_fsync_after_merge", "1"},
}

// dedupSeconds is how long a cluster remembers insert tokens: a week, longer than any outage a sink waits out.
const dedupSeconds = "604800"

// adapt gives the statement as this warehouse runs it.
func (db *DB) adapt(sql string) (string, error) {
	sql, err := withTableSettings(sql, db.Embedded())
	if err != nil || db.cfg.Cluster == "" {
		return sql, err
	}
	return onCluster(sql, db.cfg.Cluster)
}

// statement is a schema statement taken apart as far as the substitutions need.
type statement struct {
	ts     []token
	verb   string // CREATE, ALTER, DROP, EXCHANGE, RENAME, …
	object string // TABLE, VIEW, MATERIALIZED VIEW, DATABASE, …
	name   int    // token after the object's (possibly qualified) name; -1: none
}

func parseStatement(sql string) statement {
	s := statement{ts: words(sql), name: -1}
	if len(s.ts) == 0 {
		return s
	}
	s.verb = strings.ToUpper(s.ts[0].text)
	i := 1
	skip := func(list ...string) bool {
		for k, w := range list {
			if i+k >= len(s.ts) || !s.ts[i+k].is(w) {
				return false
			}
		}
		i += len(list)
		return true
	}
	skip("OR", "REPLACE")
	switch {
	case skip("MATERIALIZED", "VIEW"):
		s.object = "MATERIALIZED VIEW"
	case i < len(s.ts):
		s.object = strings.ToUpper(s.ts[i].text)
		i++
	}
	if !skip("IF", "NOT", "EXISTS") {
		skip("IF", "EXISTS")
	}
	for i < len(s.ts) && (s.ts[i].kind == 'w' || s.ts[i].kind == 'q') {
		i++
		if i < len(s.ts) && s.ts[i].text == "." {
			i++
			continue
		}
		s.name = i
		break
	}
	return s
}

// engine finds the token of a table's engine name; -1 if the statement has none.
func (s statement) engine() int {
	i := clause(s.ts, 0, "ENGINE")
	if i < 0 || s.verb != "CREATE" {
		return -1
	}
	if i++; i < len(s.ts) && s.ts[i].text == "=" {
		i++
	}
	if i >= len(s.ts) {
		return -1
	}
	return i
}

// edit is text to put at a place, instead of n bytes.
type edit struct {
	at, n int
	text  string
}

// apply makes the edits, which are in order.
func apply(sql string, edits []edit) string {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(sql[at:e.at])
		b.WriteString(e.text)
		at = e.at + e.n
	}
	b.WriteString(sql[at:])
	return b.String()
}

// withTableSettings adds to a CREATE TABLE of a MergeTree the settings it does not mention.
func withTableSettings(sql string, fsync bool) (string, error) {
	s := parseStatement(sql)
	e := s.engine()
	if s.object != "TABLE" || e < 0 || !strings.HasSuffix(s.ts[e].text, "MergeTree") {
		return sql, nil
	}
	var add []string
	for i, set := range tableSettings {
		if clause(s.ts, e, set.name) < 0 && clause(s.ts, e, strings.TrimPrefix(set.name, "non_")) < 0 && (i == 0 || fsync) {
			add = append(add, set.name+" = "+set.value)
		}
	}
	if len(add) == 0 {
		return sql, nil
	}
	list := strings.Join(add, ", ")
	if i := clause(s.ts, e, "SETTINGS"); i >= 0 {
		at := s.ts[i].start + len("SETTINGS")
		return apply(sql, []edit{{at: at, text: " " + list + ","}}), nil
	}
	for _, word := range []string{"COMMENT", "AS"} {
		if i := clause(s.ts, e, word); i >= 0 {
			return apply(sql, []edit{{at: s.ts[i].start, text: "SETTINGS " + list + " "}}), nil
		}
	}
	last := s.ts[len(s.ts)-1]
	return apply(sql, []edit{{at: last.start + len(last.text), text: " SETTINGS " + list}}), nil
}

// onCluster gives the statement as every node of a cluster runs it. Statements about rows are left alone.
func onCluster(sql, cluster string) (string, error) {
	s := parseStatement(sql)
	clauseText := " ON CLUSTER '" + quoteEscaper.Replace(cluster) + "'"
	var edits []edit
	switch s.verb {
	case "CREATE", "ALTER", "DROP":
		if s.name < 0 {
			return "", fmt.Errorf("no name is found in %.60q", sql)
		}
		prev := s.ts[s.name-1]
		edits = append(edits, edit{at: prev.start + len(prev.text), text: clauseText})
	case "EXCHANGE", "RENAME":
		last := s.ts[len(s.ts)-1]
		return apply(sql, []edit{{at: last.start + len(last.text), text: clauseText}}), nil
	default:
		return sql, nil
	}
	e := s.engine()
	if e < 0 || !strings.HasSuffix(s.ts[e].text, "MergeTree") {
		return apply(sql, edits), nil
	}
	if name := s.ts[e].text; !strings.HasPrefix(name, "Replicated") {
		edits = append(edits, edit{at: s.ts[e].start, text: "Replicated"})
	}
	for i := e; i < len(s.ts); i++ {
		if !s.ts[i].is("non_replicated_deduplication_window") {
			continue
		}
		text := "replicated_deduplication_window"
		if clause(s.ts, e, "replicated_deduplication_window_seconds") < 0 {
			text = "replicated_deduplication_window_seconds = " + dedupSeconds + ", " + text
		}
		edits = append(edits, edit{at: s.ts[i].start, n: len(s.ts[i].text), text: text})
	}
	return apply(sql, edits), nil
}
