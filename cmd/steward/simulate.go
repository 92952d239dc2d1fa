package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) simulate() *cobra.Command {
	cfg := app.SimulateDefaults()
	end := cfg.End.Format(time.DateOnly)
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Write a made-up organisation as CloudEvents, one a line",
		Long:  "Simulate writes the history of an invented organisation to standard output. The same flags give the same bytes.",
		Args:  cobra.NoArgs,
	}
	f := cmd.Flags()
	f.IntVar(&cfg.Teams, "teams", cfg.Teams, "number of teams")
	f.IntVar(&cfg.Services, "services", cfg.Services, "number of services")
	f.IntVar(&cfg.People, "people", cfg.People, "number of people")
	f.IntVar(&cfg.Days, "days", cfg.Days, "days of history")
	f.StringVar(&end, "end", end, "`date` at which the history ends")
	f.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "the random numbers")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		var err error
		if cfg.End, err = time.Parse(time.DateOnly, end); err != nil {
			return &app.UsageError{Message: fmt.Sprintf("--end %q is not a date like 2026-01-31", end)}
		}
		w := bufio.NewWriterSize(c.out, 1<<16)
		if err := app.Simulate(cmd.Context(), cfg, w); err != nil {
			return err
		}
		return w.Flush()
	})
	return cmd
}
