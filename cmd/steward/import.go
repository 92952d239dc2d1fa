package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) importFile() *cobra.Command {
	var (
		to              target
		format, account string
		strict          bool
	)
	cmd := &cobra.Command{
		Use:   "import --format FORMAT FILE|-",
		Short: "Read a file of events, webhooks or incidents",
		Long: "Import reads a file, plain or gzip, or standard input (-), and returns when everything in it can be queried.\n" +
			"Ids follow from the input, so running it twice, or again after an interruption, adds nothing twice.\n\nFormats: " +
			strings.Join(app.Formats(), ", ") + ".",
		Args: cobra.ExactArgs(1),
	}
	to.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&format, "format", "", strings.Join(app.Formats(), ", "))
	f.StringVar(&account, "account", "", "`name` that tells several accounts of one tool apart")
	f.BoolVar(&strict, "strict", false, "exit status 1 if anything went to quarantine")
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		if err := app.CheckFormat(format); err != nil {
			return err
		}
		in, size, err := c.input(args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		where, err := c.open(cmd, to, true)
		if err != nil {
			return err
		}
		bar := c.progress(size)
		stats, err := where.Import(cmd.Context(), app.ImportRequest{
			Format: format, Account: account, Reader: in,
			Progress: func(s app.ImportProgress) { bar.at(s.Bytes, fmt.Sprintf("%d events", s.Events)) },
		})
		bar.done()
		if closing := where.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "imported %d events, %d duplicates, %d quarantined\n", stats.Events, stats.Duplicates, stats.Quarantined)
		if strict && stats.Quarantined > 0 {
			return fmt.Errorf("%d parts of the input went to quarantine, and --strict was given: the page /quarantine shows them with their reasons", stats.Quarantined)
		}
		return nil
	})
	return cmd
}

// input opens the file to read; size is -1 where it is not known.
func (c *command) input(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(c.in), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory; import takes one file", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}
