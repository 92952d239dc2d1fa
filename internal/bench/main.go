// Command bench runs every benchmark of the module and prints what they report as one
// table, with what is wanted of it where something is. It judges nothing: whether a number
// holds on another machine is for a person to say.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
)

// wanted is what a reported unit of a benchmark should be: at least, or at most.
var wanted = map[string]string{
	"SinkRatio ratio":        "≥ 0.5",
	"WebhookAck acks/s":      "≥ 10000",
	"WebhookAck p99-ratio":   "≤ 4",
	"Rebuild plain/rebuild":  "≥ 0.8",
	"Rebuild events/s":       "≥ 1000000",
	"LongHistory 10x/1x":     "≤ 1.2",
	"Visible visible-p99-ms": "≤ 1000",
	"ColdStart cold-start-s": "≤ 1",
	"ColdStart idle-MB":      "≤ 400",
}

type row struct{ name, unit, value, want, holds string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pattern := "."
	if len(os.Args) > 1 {
		pattern = os.Args[1]
	}
	if err := run(ctx, pattern, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run goes through the packages one at a time: they would disturb each other.
func run(ctx context.Context, pattern string, out, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-p", "1", "-run", "^$", "-bench", pattern, "-timeout", "60m", "./...")
	cmd.Stderr = progress
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	rows, failed := read(pipe, progress)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w; nothing of a run that failed is shown: %s", err, strings.Join(failed, ", "))
	}
	return print(out, rows)
}

// read takes every unit that a benchmark reports of its own; time and memory per operation
// are passed on with the rest of the output.
func read(in io.Reader, progress io.Writer) (rows []row, failed []string) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		fmt.Fprintln(progress, line)
		if strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "FAIL\t") {
			failed = append(failed, line)
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i] // the number of processors
			}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			unit := fields[i+1]
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil || unit == "ns/op" || unit == "B/op" || unit == "allocs/op" || unit == "MB/s" {
				continue
			}
			rows = append(rows, judge(name, unit, value))
		}
	}
	return rows, failed
}

func judge(name, unit string, value float64) row {
	base, _, _ := strings.Cut(name, "/")
	r := row{name: name, unit: unit, value: strconv.FormatFloat(value, 'g', 4, 64), want: wanted[base+" "+unit]}
	if value >= 1000 {
		r.value = strconv.FormatFloat(value, 'f', 0, 64)
	}
	op, bound, ok := strings.Cut(r.want, " ")
	limit, err := strconv.ParseFloat(bound, 64)
	if !ok || err != nil {
		return r
	}
	r.holds = "no"
	if op == "≥" && value >= limit || op == "≤" && value <= limit {
		r.holds = "yes"
	}
	return r
}

// print writes a Markdown table, ready for docs/benchmarks.md.
func print(out io.Writer, rows []row) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d processors\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	b.WriteString("| benchmark | value | unit | wanted | holds |\n|---|---:|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.name, r.value, r.unit, r.want, r.holds)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
