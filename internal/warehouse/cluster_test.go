package warehouse

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestSplitStatements(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                    nil,
		" ; -- only; this\n;/* and ; that */": nil,
		"SELECT 1; SELECT 2":                  {"SELECT 1", "SELECT 2"},
		"SELECT ';', `;`, \";\" -- ;\n; B":    {"SELECT ';', `;`, \";\" -- ;", "B"},
		`SELECT 'it''s; \'; ;'; B`:            {`SELECT 'it''s; \'; ;'`, "B"},
		"-- head\nA;\n-- tail":                {"-- head\nA"},
		"A /* ; */ B;":                        {"A /* ; */ B"},
		"SELECT 'open":                        {"SELECT 'open"},
	} {
		got := splitStatements(text)
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q is cut into %q", text, got)
		}
	}
	if a, b := normalSQL("SELECT  a -- b\n FROM c"), normalSQL("SELECT a\nFROM /* d */ c"); a != b {
		t.Errorf("%q %q", a, b)
	}
	if normalSQL("SELECT 'a  b'") == normalSQL("SELECT 'a b'") {
		t.Error("spaces inside a string count")
	}
}

// clustered are statements and what a cluster runs.
var clustered = []struct{ sql, want string }{
	{"CREATE TABLE IF NOT EXISTS events\n(\n id String, -- ENGINE = MergeTree\n n UInt64 DEFAULT (1) )\nENGINE = ReplacingMergeTree(n)\nORDER BY (id)\nSETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1",
		"CREATE TABLE IF NOT EXISTS events ON CLUSTER 'main'\n(\n id String, -- ENGINE = MergeTree\n n UInt64 DEFAULT (1) )\nENGINE = ReplicatedReplacingMergeTree(n)\nORDER BY (id)\nSETTINGS replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000, fsync_after_insert = 1"},
	{"CREATE TABLE `a`.`b` (x String) ENGINE=MergeTree ORDER BY x",
		"CREATE TABLE `a`.`b` ON CLUSTER 'main' (x String) ENGINE=ReplicatedMergeTree ORDER BY x SETTINGS replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 10000"},
	{"CREATE TABLE b (x String) ENGINE = ReplicatedMergeTree ORDER BY x SETTINGS replicated_deduplication_window = 5 COMMENT 'why'",
		"CREATE TABLE b ON CLUSTER 'main' (x String) ENGINE = ReplicatedMergeTree ORDER BY x SETTINGS replicated_deduplication_window = 5 COMMENT 'why'"},
	{"CREATE TABLE c AS b ENGINE = Merge(currentDatabase(), '^b$')", "CREATE TABLE c ON CLUSTER 'main' AS b ENGINE = Merge(currentDatabase(), '^b$')"},
	{"CREATE MATERIALIZED VIEW IF NOT EXISTS m TO t AS SELECT 1 AS engine FROM events", "CREATE MATERIALIZED VIEW IF NOT EXISTS m ON CLUSTER 'main' TO t AS SELECT 1 AS engine FROM events"},
	{"CREATE OR REPLACE VIEW v AS SELECT {a:String} AS x", "CREATE OR REPLACE VIEW v ON CLUSTER 'main' AS SELECT {a:String} AS x"},
	{"ALTER TABLE events ADD COLUMN IF NOT EXISTS x String", "ALTER TABLE events ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS x String"},
	{"EXCHANGE TABLES `a` AND `b`", "EXCHANGE TABLES `a` AND `b` ON CLUSTER 'main'"},
	{"DROP VIEW IF EXISTS `v`", "DROP VIEW IF EXISTS `v` ON CLUSTER 'main'"},
	{"DROP TABLE IF EXISTS d.`t`", "DROP TABLE IF EXISTS d.`t` ON CLUSTER 'main'"},
	{"INSERT INTO a SELECT 1", "INSERT INTO a SELECT 1"},
}

// TestCluster checks the substitutions, and lets the engine parse each: replicated tables cannot run here.
func TestCluster(t *testing.T) {
	ctx := context.Background()
	engine, err := Open(ctx, Config{Dir: t.TempDir()})
	if errors.Is(err, ErrNoLibrary) && os.Getenv("STEWARD_CI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	db := &DB{cfg: Config{Cluster: "main"}}
	p := Projection{Name: "seen", Columns: "id String, n SimpleAggregateFunction(max, UInt64)", Engine: "AggregatingMergeTree ORDER BY id", Select: "SELECT id, max(n) AS n FROM events GROUP BY id"}
	list := append(clustered, struct{ sql, want string }{ledger, ""}, struct{ sql, want string }{p.create("seen_1"), ""})
	for _, c := range list {
		got, err := db.adapt(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if c.want != "" && got != c.want {
			t.Errorf("%s\nbecame %s\nnot    %s", c.sql, got, c.want)
		}
		if !strings.HasPrefix(got, "INSERT") && !strings.Contains(got, "ON CLUSTER 'main'") {
			t.Errorf("not on the cluster: %s", got)
		}
		rows, err := engine.Query(ctx, "parse", "EXPLAIN AST "+got)
		if err != nil {
			t.Errorf("the engine does not parse\n%s\n%v", got, err)
			continue
		}
		for rows.Next() {
		}
		if err := rows.Close(); err != nil {
			t.Errorf("the engine does not parse\n%s\n%v", got, err)
		}
	}
	if _, err := engine.Query(ctx, "parse", "EXPLAIN AST CREATE TABLE a ON CLUSTER (x String)"); err == nil {
		t.Error("EXPLAIN AST takes anything, so this test proves nothing")
	}
}

func TestErrorClasses(t *testing.T) {
	for text, want := range map[string]struct {
		code               int32
		name               string
		refused, transient bool
	}{
		"Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)":                     {241, "MEMORY_LIMIT_EXCEEDED", false, true},
		"Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)":                                           {252, "TOO_MANY_PARTS", false, true},
		"Code: 60. DB::Exception: Table x does not exist. (UNKNOWN_TABLE)":                                     {60, "UNKNOWN_TABLE", false, false},
		"Code: 469. DB::Exception: Constraint `small` is violated. (VIOLATED_CONSTRAINT)":                      {469, "VIOLATED_CONSTRAINT", true, false},
		"Code: 27. DB::Exception: Cannot parse input: (Code: 60. fake). (CANNOT_PARSE_INPUT_ASSERTION_FAILED)": {27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", true, false},
		"something else entirely": {codeLogical, "", false, false},
	} {
		e := parseError(text)
		if e.Code != want.code || e.Name != want.name || IsRefused(e) != want.refused || IsTransient(e) != want.transient {
			t.Errorf("%s: %+v refused %v transient %v", text, e, IsRefused(e), IsTransient(e))
		}
	}
	if !IsTransient(context.DeadlineExceeded) || IsTransient(nil) || IsRefused(nil) || IsRefused(errors.New("broken pipe")) {
		t.Error("errors without a code are the way's, not the data's")
	}
}
