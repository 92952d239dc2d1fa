package warehouse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

func contains(s, sub string) bool { return strings.Contains(s, sub) }

// TestMain is also the program of the subprocesses that tests start and kill.
func TestMain(m *testing.M) {
	switch os.Getenv("WAREHOUSE_TEST_PROGRAM") {
	case "":
		os.Exit(m.Run())
	case "insert":
		if err := insertForever(os.Getenv("WAREHOUSE_TEST_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "open":
		db, err := warehouse.Open(context.Background(), Config{Dir: os.Getenv("WAREHOUSE_TEST_DIR")})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("opened", db.Version())
		db.Close()
	}
}

// child starts this test binary as a program.
func child(t *testing.T, program, dir string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "WAREHOUSE_TEST_PROGRAM="+program, "WAREHOUSE_TEST_DIR="+dir), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// insertForever goes on after what is there and says every insert that was acknowledged.
func insertForever(dir string) error {
	db, err := warehouse.Open(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	for _, sql := range counters {
		if err := db.Exec(context.Background(), "child", strings.Replace(strings.Replace(sql, "CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1), "MATERIALIZED VIEW", "MATERIALIZED VIEW IF NOT EXISTS", 1)); err != nil {
			return err
		}
	}
	first, err := strconv.Atoi(os.Getenv("WAREHOUSE_TEST_FROM"))
	if err != nil {
		return err
	}
	for i := first; ; i++ {
		if err := put(db, fmt.Sprint("t", i), 100); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// TestKill kills a process in the middle of its inserts, again and again. Everything it had acknowledged must be
// there, in the table and behind the view, and repeating the insert under way must complete it.
func TestKill(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	next := 0
	for range 5 {
		cmd := child(t, "insert", dir, "WAREHOUSE_TEST_FROM="+strconv.Itoa(next))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		kill := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		more := 3 + rand.IntN(20)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatal(lines.Text())
			}
			next = n + 1
			if more--; more == 0 {
				time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond)
				cmd.Process.Kill() // SIGKILL
			}
		}
		kill.Stop()
		cmd.Wait()
	}
	if next < 15 {
		t.Fatalf("only %d inserts were acknowledged", next)
	}
	var said strings.Builder
	db := newDB(t, func(c *Config) { c.Dir = dir; c.Log = slog.New(slog.NewTextHandler(&said, nil)) })
	if !contains(said.String(), "not closed the last time") {
		t.Errorf("the next start does not say that the last one died: %s", said.String())
	}
	if missing := table(t, db, "SELECT number FROM numbers({n:UInt64}) WHERE number NOT IN (SELECT toUInt64(splitByChar('-', substring(id, 2))[1]) FROM base GROUP BY 1 HAVING count() = 100)", Param{"n", next}); len(missing) != 0 {
		t.Errorf("acknowledged inserts are gone or in parts: %v", missing)
	}
	for i := range next + 1 { // the one under way at the last kill, and all the others, again
		if err := put(db, fmt.Sprint("t", i), 100); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := counts(t, db), fmt.Sprint([]int{(next + 1) * 100, (next + 1) * 100}); got != want {
		t.Errorf("after repeating everything %s, not %s", got, want)
	}
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	db := newDB(t, func(c *Config) { c.Dir = dir })
	out, err := child(t, "open", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{dir, "process " + strconv.Itoa(os.Getpid()), "in use"} {
		if !contains(string(out), want) {
			t.Errorf("the second process does not say %q: %s", want, out)
		}
	}
	if _, err := warehouse.Open(context.Background(), Config{Dir: t.TempDir()}); err == nil || !contains(err.Error(), dir) {
		t.Errorf("a second directory in one process: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err = child(t, "open", dir).Output(); err != nil || !strings.HasPrefix(string(out), "opened") {
		t.Errorf("after Close: %s %v", out, err)
	}
}

func TestMissingLibrary(t *testing.T) {
	cmd := child(t, "open", t.TempDir(), "LIBCHDB="+filepath.Join(t.TempDir(), "libchdb.so"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !contains(string(out), "make engine") || strings.Count(strings.TrimSpace(string(out)), "\n") != 0 {
		t.Errorf("said: %s", out)
	}
	notLibrary := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(notLibrary, []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err = child(t, "open", t.TempDir(), "LIBCHDB="+notLibrary).Output(); err != nil || !contains(string(out), notLibrary) {
		t.Errorf("said: %s %v", out, err)
	}
}

// TestForeignConfig: a config.xml in the working directory or at home is not the engine's business.
func TestForeignConfig(t *testing.T) {
	needEngine(t)
	place := t.TempDir()
	bad := []byte("<clickhouse><path>/nonexistent</path><users_config>/nonexistent.xml</users_config>")
	if err := os.MkdirAll(filepath.Join(place, ".clickhouse-local"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.xml", ".clickhouse-local/config.xml"} {
		if err := os.WriteFile(filepath.Join(place, name), bad, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := warehouse.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "open", filepath.Join(wd, "unused"), "HOME="+place, "LIBCHDB="+lib)
	cmd.Dir = place
	cmd.Env = append(cmd.Env, "WAREHOUSE_TEST_DIR="+filepath.Join(place, "data"))
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "opened") {
		t.Errorf("%s %v", out, err)
	}
}

// TestSignals: connecting must leave Go's signal handlers alone.
func TestSignals(t *testing.T) {
	db := newDB(t)
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	for range 4 {
		if _, err := readAll(context.Background(), db, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(5 * time.Second):
		t.Error("SIGUSR1 was not delivered")
	}
	var panicked error
	func() { // SIGSEGV must still be Go's: a nil pointer is a panic, not the end of the process
		defer func() { panicked, _ = recover().(error) }()
		var p *int
		*p = 1
	}()
	if panicked == nil || errors.Unwrap(panicked) != nil && !contains(panicked.Error(), "nil pointer") {
		t.Errorf("recovered %v", panicked)
	}
}
