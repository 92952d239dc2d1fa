package keys

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// writerVariable holds the path that the test binary, run once more, writes keys to.
const writerVariable = "STEWARD_TEST_KEYS_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVariable); path != "" {
		write(path)
	}
	os.Exit(m.Run())
}

// write makes tokens until it is killed, and prints the id of each that it was answered.
func write(path string) {
	s, err := Open(path, time.Now)
	for err == nil {
		var t Token
		if _, t, err = s.Issue("n", []string{"read"}, time.Time{}, ""); err == nil {
			fmt.Println(t.ID)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A process that is killed while it writes leaves every token it has answered, a file that
// can be read, and no lock that keeps the next one out.
func TestKilledWriter(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := keysPath(t)
	var answered []string
	for round := range 15 {
		var out, errs bytes.Buffer
		before := sizeOf(path)
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), writerVariable+"="+path)
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Once it writes, however long a busy machine takes to start it.
		for begin := time.Now(); sizeOf(path) <= before && time.Since(begin) < 20*time.Second; {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(50_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || errs.Len() > 0 {
			t.Fatalf("round %d: %v %s", round, err, &errs)
		}
		for lines := bufio.NewScanner(&out); lines.Scan(); {
			answered = append(answered, lines.Text())
		}
		s, err := Open(path, time.Now)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var ids []string
		for _, tok := range s.List() {
			ids = append(ids, tok.ID)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, id := range answered {
			if !slices.Contains(ids, id) {
				t.Fatalf("round %d: token %s was answered and is lost; there are %s", round, id, strings.Join(ids, " "))
			}
		}
	}
	if len(answered) < 15 {
		t.Fatalf("%d tokens were made: nothing was tried", len(answered))
	}
}

// sizeOf is a file's size, -1 if there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}
