package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) skills() *cobra.Command {
	help := func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd := &cobra.Command{Use: "skills", Short: "Check the rules that say which skills incidents take", Args: cobra.NoArgs, RunE: help}
	rules := &cobra.Command{Use: "rules", Short: "Check tagging rules", Args: cobra.NoArgs, RunE: help}
	rules.AddCommand(&cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the built-in tagging rules, or those of FILE with them",
		Long: "Check reads the rules of FILE as steward serve --skill-rules FILE does. Every problem is a line FILE:LINE: field: reason,\n" +
			"and the exit status is 1 if there is any. It needs no server and no data directory.",
		Args: cobra.MaximumNArgs(1),
		RunE: work(func(_ *cobra.Command, args []string) error {
			file := ""
			if len(args) == 1 {
				file = args[0]
			}
			r, err := app.CheckSkillRules(file)
			if err != nil {
				return err
			}
			return c.writeSkillRules(r)
		}),
	})
	cmd.AddCommand(rules)
	return cmd
}

// writeSkillRules puts problems on standard output, where editors and CI look for them.
func (c *command) writeSkillRules(r app.SkillRulesReport) error {
	for _, p := range r.Problems {
		if _, err := fmt.Fprintln(c.out, p); err != nil {
			return err
		}
	}
	switch n := len(r.Problems); n {
	case 0:
		_, err := fmt.Fprintf(c.out, "%s rules, version %s: no problems\n", thousands(r.Rules), r.Version)
		return err
	case 1:
		return fmt.Errorf("the rules have 1 problem")
	default:
		return fmt.Errorf("the rules have %s problems", thousands(n))
	}
}
