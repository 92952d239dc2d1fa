package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (c *command) rebuild() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Make every projection again from the events",
		Long:  "Rebuild fills each projection anew from the table of events beside the old one and swaps them. Nothing is lost if it is interrupted.",
		Args:  cobra.NoArgs,
	}
	to.flags(cmd)
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		where, err := c.open(cmd, to, false)
		if err != nil {
			return err
		}
		start := time.Now()
		bar := c.rows()
		err = where.Rebuild(cmd.Context(), func(name string, n uint64) { bar.at(int64(n), name) })
		bar.done()
		if closing := where.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "rebuilt every projection in %s\n", time.Since(start).Round(10*time.Millisecond))
		return nil
	})
	return cmd
}
