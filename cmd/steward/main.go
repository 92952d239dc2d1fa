// Command steward tells an organisation whether its teams own what they ship. Everything
// it does lives in internal/app; here are flags, their environment variables, what a
// terminal shows, and exit codes: 0 done, 1 failed, 2 asked wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

// version is set by the linker.
var version = "development"

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	app.LimitMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		// From the first signal on the default is back, so that a second one kills.
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// command is what every subcommand needs from the outside.
type command struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	logLevel string
}

// run is main without the process, for tests.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer, env func(string) (string, bool)) int {
	c := &command{in: in, out: out, err: errs, env: env}
	root := &cobra.Command{
		Use:           "steward",
		Short:         "Who is woken, whether the woken team owns the service, and what it costs people",
		Long:          "Steward turns incidents, pages, on-call shifts and ownership into numbers that can be traced to their events.\n\nEvery flag has an environment variable: --data is STEWARD_DATA, --pagerduty-secrets is STEWARD_PAGERDUTY_SECRETS.\nExit status: 0 done, 1 failed, 2 asked wrongly.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&c.logLevel, "log-level", "", "debug, info, warn or error; default info for serve, warn else")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.DisableFlagParsing { // it does so itself, once it knows which flags were given
			return nil
		}
		return c.fromEnvironment(cmd)
	}
	root.AddCommand(c.serve(), c.importFile(), c.query(), c.simulate(), c.rebuild(), c.forget(), c.token(), c.secret(), c.curriculum(), c.skills(), c.rollout(), c.version())

	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var failed failure
	if errors.As(err, &failed) && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(errs, "steward: interrupted")
		return exitFailed
	}
	fmt.Fprintln(errs, "steward: "+sentence(err))
	var asked *app.UsageError
	if errors.As(err, &failed) && !errors.As(err, &asked) {
		return exitFailed
	}
	return exitUsage
}

// failure marks an error of the work itself; all others are errors of the asking.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// work wraps a subcommand's work so that run can tell its errors from errors of usage.
func work(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := f(cmd, args); err != nil {
			return failure{err}
		}
		return nil
	}
}

// sentence puts joined errors on lines of their own below the first.
func sentence(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "\n         ")
}

// logger writes to standard error at the level asked for.
func (c *command) logger(fallback slog.Level) (*slog.Logger, error) {
	level := fallback
	if c.logLevel != "" {
		if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
			return nil, &app.UsageError{Message: fmt.Sprintf("--log-level %q is not one of debug, info, warn, error", c.logLevel)}
		}
	}
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level})), nil
}
