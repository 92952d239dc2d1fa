// Command chsh runs a file of SQL on the embedded engine, for people who write schema and metric files.
//
//	go run ./internal/warehouse/internal/chsh -dir DIR -f file.sql [-p name=value …]
//
// Statements end with ; at the end of a line. Rows come as TSV with a header, then the elapsed milliseconds.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

type params []warehouse.Param

func (p *params) String() string { return "" }

func (p *params) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("%q is not name=value", s)
	}
	*p = append(*p, warehouse.Param{Name: name, Value: value})
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chsh:", err)
		os.Exit(1)
	}
}

var reads = regexp.MustCompile(`(?is)^\s*(--[^\n]*\n\s*)*(\(?\s*SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS)\b`)

func run(args []string) error {
	var (
		bound params
		flags = flag.NewFlagSet("chsh", flag.ContinueOnError)
		dir   = flags.String("dir", "", "data directory of the engine (made if missing)")
		file  = flags.String("f", "-", "file of SQL; - reads standard input")
		keep  = flags.Bool("k", false, "go on after an error")
		dsn   = flags.String("dsn", "", "a server instead of the embedded engine")
	)
	flags.Var(&bound, "p", "name=value of a bound parameter; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var text []byte
	var err error
	if *file == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(*file)
	}
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: *dir, DSN: *dsn, QueryTimeout: 10 * time.Minute})
	if err != nil {
		return err
	}
	defer db.Close()
	for i, sql := range statements(text) {
		start := time.Now()
		n, err := one(ctx, db, sql, used(bound, sql))
		fmt.Printf("-- statement %d: %d rows, %.1f ms\n", i+1, n, float64(time.Since(start).Microseconds())/1000)
		if err != nil {
			if !*keep {
				return fmt.Errorf("%w\n%s", err, sql)
			}
			fmt.Printf("-- %v\n", err)
		}
	}
	return nil
}

// used keeps the parameters a statement mentions.
func used(all params, sql string) (out []warehouse.Param) {
	for _, p := range all {
		if strings.Contains(sql, "{"+p.Name+":") {
			out = append(out, p)
		}
	}
	return out
}

func statements(text []byte) (out []string) {
	for _, part := range bytes.SplitAfter(append(text, '\n'), []byte(";\n")) {
		s := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(string(part)), ";"))
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func one(ctx context.Context, db *warehouse.DB, sql string, bound []warehouse.Param) (n int, err error) {
	if !reads.MatchString(sql) {
		return 0, db.Exec(ctx, "chsh", sql, bound...)
	}
	rows, err := db.Query(ctx, "chsh", sql, bound...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var head []string
	for _, c := range rows.Columns() {
		head = append(head, c.Name)
	}
	fmt.Println(strings.Join(head, "\t"))
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return n, err
		}
		cells := make([]string, len(values))
		for i, v := range values {
			if t, ok := v.(time.Time); ok {
				cells[i] = t.Format("2006-01-02 15:04:05.000")
				continue
			}
			if v == nil {
				cells[i] = `\N`
				continue
			}
			cells[i] = fmt.Sprint(v)
		}
		fmt.Println(strings.Join(cells, "\t"))
		n++
	}
	return n, rows.Err()
}
