package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

// hostile are texts that a wrong escape would change, cut or run.
var hostile = []string{
	"", " ", "plain", `back\slash`, `\n`, `\\`, "tab\there", "line\nbreak", "cr\r\n", "nul\x00byte", "quote'", `quote"`, "`", "'; DROP TABLE x; --",
	"{name:String}", "ünïcode 日本語 🙂", "\u2028", `\N`, "NULL", "%20+&=?#", "</script>", "a=b\tc=d", strings.Repeat("x", 100_000) + `\`, "\xff\xfe not utf-8",
}

func TestParameters(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		for _, s := range hostile {
			got := table(t, db, "SELECT {s:String}, length({s:String}), {l:Array(String)}", Param{Name: "s", Value: s}, Param{Name: "l", Value: []string{s, "end", s}})
			want := []any{s, uint64(len(s)), []string{s, "end", s}}
			if !reflect.DeepEqual(got[0], want) {
				t.Errorf("%.40q came back as %.120q", s, fmt.Sprint(got[0]))
			}
		}
		at := time.Date(2026, 3, 29, 1, 59, 59, 123e6, time.FixedZone("x", 5*3600))
		got := table(t, db, "SELECT {t:DateTime64(3,'UTC')}, {i:Int64}, {u:UInt64}, {f:Float64}, {b:Bool}, {n:Nullable(Int8)}",
			Param{"t", at}, Param{"i", int64(-1 << 63)}, Param{"u", uint64(1<<64 - 1)}, Param{"f", 1e-300}, Param{"b", true}, Param{"n", nil})
		want := []any{at.UTC(), int64(-1 << 63), uint64(1<<64 - 1), 1e-300, true, nil}
		if !reflect.DeepEqual(got[0], want) {
			t.Errorf("values came back as %v, not %v", got[0], want)
		}
		if _, err := db.Query(context.Background(), "test", "SELECT {s:String}", Param{"s", struct{}{}}); err == nil {
			t.Error("a struct was bound")
		}
	})
}

// TestOwnRows asks thousands of different questions at once: nobody may get another's answer.
func TestOwnRows(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		const askers, each = 16, 80
		var wg sync.WaitGroup
		for a := range askers {
			wg.Go(func() {
				for i := range each {
					n := uint64(a*each + i)
					rows, err := readAll(context.Background(), db, "SELECT {n:UInt64} + number, {s:String} FROM numbers(3)", Param{"n", n}, Param{"s", fmt.Sprint("asker\t", a, " ", i)})
					if err != nil {
						t.Error(err)
						return
					}
					for k, row := range rows {
						if row[0] != n+uint64(k) || row[1] != fmt.Sprint("asker\t", a, " ", i) || len(rows) != 3 {
							t.Errorf("asked %d, got %v", n, rows)
							return
						}
					}
					if i%50 == 0 { // failures in between must not leave anything behind
						if _, err := readAll(context.Background(), db, "SELECT throwIf(number = 200000) FROM numbers(300000)"); code(err) != 395 {
							t.Errorf("throwIf gave %v", err)
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

func code(err error) int32 {
	var e *warehouse.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// TestNothingLeftBehind: a statement that fails after writing rows leaves them in the engine's connection.
func TestNothingLeftBehind(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open(func(c *Config) { c.Readers, c.Writers = 1, 1 })
		for _, fail := range []string{"SELECT throwIf(number = 500000) FROM numbers(1000000)", "SELECT * FROM nowhere", "SELEC 1", "DESCRIBE TABLE nowhere"} {
			if _, err := readAll(context.Background(), db, fail); err == nil {
				t.Errorf("%s: no error", fail)
			}
			if err := db.Exec(context.Background(), "test", fail); err == nil {
				t.Errorf("%s: no error", fail)
			}
			if got := fmt.Sprint(table(t, db, "SELECT 'mine'")); got != "[[mine]]" {
				t.Errorf("after %s: %s", fail, got)
			}
			if got := fmt.Sprint(table(t, db, "DESCRIBE TABLE system.one")[0][0]); got != "dummy" {
				t.Errorf("after %s: %s", fail, got)
			}
		}
	})
}

func TestReadOnly(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		do(t, db, "CREATE TABLE a (x String) ENGINE = MergeTree ORDER BY x")
		for _, sql := range []string{
			"INSERT INTO a SELECT 'x'",
			"SELECT * FROM file('/etc/hostname', 'LineAsString')",
			"SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
			"INSERT INTO FUNCTION file('out.csv') SELECT 1",
			"SELECT 1 INTO OUTFILE 'out.csv'",
			"SET readonly = 0",
			"SELECT 1 SETTINGS readonly = 0",
			"DROP TABLE a",
			"CREATE TABLE b (x String) ENGINE = MergeTree ORDER BY x",
			"ALTER TABLE a DELETE WHERE 1",
			"SYSTEM FLUSH LOGS",
			"KILL QUERY WHERE 1 ASYNC",
		} {
			if _, err := readAll(context.Background(), db, sql); err == nil {
				t.Errorf("a reader may: %s", sql)
			} else if warehouse.IsRefused(err) {
				t.Errorf("%s blames the data: %v", sql, err)
			}
		}
		if n := number(t, db, "SELECT count() FROM a"); n != 0 {
			t.Errorf("%d rows were written", n)
		}
	})
}

func TestCancel(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open(func(c *Config) { c.Readers = 1 })
		for _, sql := range []string{"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 0", "SELECT number FROM numbers(1000000000000)"} {
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			_, err := readAll(ctx, db, sql)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) && code(err) != 159 && code(err) != 394 {
				t.Errorf("%s gave %v", sql, err)
			}
			if !warehouse.IsTransient(err) || warehouse.IsRefused(err) {
				t.Errorf("a deadline is transient: %v", err)
			}
		}
		// rows nobody reads on are given up, and the only connection comes back
		rows, err := db.Query(context.Background(), "test", "SELECT number FROM numbers(1000000000000)")
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "SELECT toUInt64(7)"); n != 7 {
			t.Error(n)
		}
		if err := waitFor(func() bool {
			return number(t, db, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT%1000000000000%'") == 1 // itself
		}); err != nil {
			t.Error("cancelled statements go on: ", err)
		}
	})
}

func waitFor(done func() bool) error {
	for range 200 {
		if done() {
			return nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	return errors.New("not within 5 s")
}

func TestLimits(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open(func(c *Config) { c.QueryMemory = 64 << 20; c.QueryTimeout = time.Second })
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := readAll(ctx, db, "SELECT length(groupArray(toString(number))) FROM numbers(100000000)")
		if code(err) != 241 || !warehouse.IsTransient(err) {
			t.Errorf("the memory limit gave %v", err)
		}
		_, err = readAll(context.Background(), db, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 0")
		if err == nil || contains(err.Error(), "log_comment") {
			t.Errorf("the time limit gave %v", err)
		}
		if n := number(t, db, "SELECT count() FROM numbers(10)"); n != 10 {
			t.Error(n)
		}
	})
}

func TestLargeAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		var seen atomic.Uint64
		db := open(func(c *Config) {
			c.Observe = func(s warehouse.Stat) {
				if s.Name == "large" {
					seen.Store(s.Rows)
				}
			}
		})
		const n = 2_000_000
		rows, err := db.Query(context.Background(), "large", "SELECT number, toString(number) FROM numbers({n:UInt64})", Param{"n", n})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if cols := rows.Columns(); len(cols) != 2 || cols[0].Type != "UInt64" || cols[1].Type != "String" {
			t.Errorf("columns %v", cols)
		}
		var i uint64
		for rows.Next() {
			var a uint64
			var s string
			if err := rows.Scan(&a, &s); err != nil {
				t.Fatal(err)
			}
			if a != i || s != fmt.Sprint(i) {
				t.Fatalf("row %d is %d %s", i, a, s)
			}
			i++
		}
		if rows.Err() != nil || i != n || seen.Load() != n {
			t.Errorf("%d rows, hook %d, %v", i, seen.Load(), rows.Err())
		}
	})
}

func TestEmptyAnswerHasColumns(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		rows, err := db.Query(context.Background(), "test", "SELECT number AS n, {s:String} AS s FROM numbers(0)", Param{"s", "x"})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		if rows.Next() {
			t.Error("a row")
		}
		if got := fmt.Sprint(rows.Columns()); got != "[{n UInt64} {s String}]" {
			t.Error(got)
		}
	})
}

func TestValues(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		got := table(t, open(), `SELECT toInt8(-1), toUInt16(1), toFloat32(0.5), true, toLowCardinality('l'), toNullable('n'), CAST(NULL AS Nullable(Float64)),
			toDate('2026-01-02'), toDateTime('2026-01-02 03:04:05', 'Europe/Berlin'), [1, 2]::Array(Int64), (1::UInt8, 'a')`)
		want := []any{int64(-1), uint64(1), 0.5, true, "l", "n", nil, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC), []int64{1, 2}, []any{uint8(1), "a"}}
		if !reflect.DeepEqual(got[0], want) {
			t.Errorf("%#v", got[0])
		}
	})
}

// TestMaterialised: a CTE that is used twice is computed once, also when it is random.
func TestMaterialised(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		const sql = "WITH x AS MATERIALIZED (SELECT number AS n, rand64() AS r FROM numbers(1000)) SELECT countIf(a.r = b.r) FROM x AS a JOIN x AS b ON a.n = b.n"
		if n := number(t, db, sql); n != 1000 {
			t.Errorf("%d of 1000", n)
		}
	})
}

func TestClosed(t *testing.T) {
	db := newDB(t)
	done := make(chan struct{})
	go func() { // a statement that runs during Close is waited for or refused, never run on a dead engine
		defer close(done)
		for range 50 {
			if _, err := readAll(context.Background(), db, "SELECT sum(number) FROM numbers(1000000)"); err != nil {
				return
			}
		}
	}()
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	if _, err := readAll(context.Background(), db, "SELECT 1"); err == nil {
		t.Error("a closed warehouse answers")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
