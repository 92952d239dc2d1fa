package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) curriculum() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "curriculum",
		Short: "Check the lessons, and an organisation's own",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.curriculumCheck())
	return cmd
}

func (c *command) curriculumCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check [DIR]",
		Short: "Check the built-in curriculum, with the modules in DIR laid over it",
		Long: "Check reads the modules, <track>/<id>.md below DIR, over the built-in ones: the same id replaces, a new id adds.\n" +
			"Every problem is a line FILE:LINE: field: reason, and the exit status is 1 if there is any. It needs no server and\n" +
			"no data directory, so that it can run where the modules are kept.",
		Args: cobra.MaximumNArgs(1),
		RunE: work(func(_ *cobra.Command, args []string) error {
			dir := ""
			if len(args) == 1 {
				dir = args[0]
			}
			report, err := app.CheckCurriculum(dir)
			if err != nil {
				return err
			}
			return c.writeCurriculum(report)
		}),
	}
}

// writeCurriculum puts problems on standard output, where editors and CI look for them, and
// what is only good to know on standard error.
func (c *command) writeCurriculum(r app.CurriculumReport) error {
	for _, change := range r.Changes {
		fmt.Fprintln(c.err, change)
	}
	for _, p := range r.Problems {
		if _, err := fmt.Fprintln(c.out, p); err != nil {
			return err
		}
	}
	switch n := len(r.Problems); n {
	case 0:
		_, err := fmt.Fprintf(c.out, "%s modules, %s minutes, %s words: no problems\n", thousands(r.Modules), thousands(r.Minutes), thousands(r.Words))
		return err
	case 1:
		return fmt.Errorf("the curriculum has 1 problem")
	default:
		return fmt.Errorf("the curriculum has %s problems", thousands(n))
	}
}

// thousands writes a count as 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
