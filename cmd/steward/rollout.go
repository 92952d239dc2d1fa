package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) rollout() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Check how teams were drawn for a stepped roll-out of training",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.rolloutCheck())
	return cmd
}

func (c *command) rolloutCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Draw again by the published teams and seed, and compare",
		Long: "Check reads the data of a rollout.drawn event, or the event, from FILE or standard input, as the page of a\n" +
			"roll-out offers it, and shuffles its teams again by its seed. The exit status is 1 if another order comes out.\n" +
			"It needs no server and no data directory, so that anybody can check a draw.",
		Args: cobra.MaximumNArgs(1),
		RunE: work(func(cmd *cobra.Command, args []string) (err error) {
			from := cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return &app.UsageError{Message: err.Error()}
				}
				defer f.Close() // it was only read
				from = f
			}
			return c.writeDraw(from)
		}),
	}
}

func (c *command) writeDraw(from io.Reader) error {
	d, err := app.CheckDraw(from)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "roll-out %s of %s, metric %s, window %s\nseed %s of %s possible draws gives: %s\nthe draw is the one its seed gives\n",
		d.Rollout, d.Module, d.Metric, d.Window, strconv.FormatInt(d.Seed, 10), d.Draws, strings.Join(d.Order, ", "))
	return err
}
