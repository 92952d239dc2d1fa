package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stewardhq/steward/internal/app"
)

const queryHelp = `Query asks one metric. Its parameters are flags with dashes (underscores do as well):

  --from, --to              the window; a date is local midnight, RFC 3339 is exact; default the last 90 days
  --tz                      zone of dates and buckets
  --bucket                  none, day, week, month, quarter
  --by                      team, service, person, hour_class, urgency, priority, …
  --team, --service, --person, --urgency, --priority, --alert-class, --source, --skill
                            filters; repeat one for several values
  --lens                    what team means: owner_then, owner_now, responder_team
  --auto-resolved           include, exclude, only
  --hours                   set of hour classes
  --profile                 another tool's rule
  --as-of, --known-at       what had happened, and what was known, at a moment
  --assume                  first, none

Which of them a metric takes, and every allowed value, is in its refusal of a wrong one and on the page /definitions.`

// parameters can come from the environment as well; others only from the command line.
var parameters = []string{"from", "to", "tz", "bucket", "by", "team", "service", "person", "urgency", "priority",
	"alert_class", "source", "skill", "lens", "auto_resolved", "hours", "profile", "as_of", "known_at", "assume"}

func (c *command) query() *cobra.Command {
	var (
		to     target
		format string
	)
	cmd := &cobra.Command{
		Use:   "query METRIC [--PARAMETER VALUE …]",
		Short: "Ask one metric",
		Long:  queryHelp,
		// The catalogue belongs to whoever answers, so which flags exist is not known here:
		// they are told apart by hand, and the answerer refuses what it does not know.
		DisableFlagParsing: true,
	}
	to.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "table", "table, csv or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		own, params, err := split(cmd.Flags(), args)
		if err != nil {
			return err
		}
		if err := cmd.Flags().Parse(own); err != nil {
			if errors.Is(err, pflag.ErrHelp) {
				return cmd.Help()
			}
			return err
		}
		if help, err := cmd.Flags().GetBool("help"); err == nil && help {
			return cmd.Help()
		}
		names := cmd.Flags().Args()
		if len(names) != 1 {
			return fmt.Errorf("query takes one METRIC and got %d", len(names))
		}
		if err := c.fromEnvironment(cmd); err != nil {
			return err
		}
		if !slices.Contains([]string{"table", "csv", "json"}, format) {
			return &app.UsageError{Message: fmt.Sprintf("--format %q is unknown", format), Allowed: []string{"table", "csv", "json"}}
		}
		for _, p := range parameters {
			if v, ok := c.env(envName(strings.ReplaceAll(p, "_", "-"))); ok && v != "" && !params.Has(p) {
				params.Set(p, v)
			}
		}
		return work(func(cmd *cobra.Command, _ []string) error { return c.ask(cmd, to, names[0], params, format) })(cmd, nil)
	}
	return cmd
}

func (c *command) ask(cmd *cobra.Command, to target, metric string, params url.Values, format string) error {
	where, err := c.open(cmd, to, false)
	if err != nil {
		return err
	}
	form := "json"
	if format == "csv" {
		form = "csv"
	}
	body, err := where.Query(cmd.Context(), metric, params, form)
	if closing := where.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	switch format {
	case "table":
		return writeTable(c.out, body)
	case "json":
		body = append(body, '\n')
	}
	_, err = c.out.Write(body)
	return err
}

// split tells the flags of the command from the metric's parameters. Flags of the command
// and words stay in own; --auto-resolved include and --auto_resolved=include become
// auto_resolved in params.
func split(flags *pflag.FlagSet, args []string) (own []string, params url.Values, err error) {
	params = url.Values{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name, isFlag := strings.CutPrefix(arg, "--")
		if arg == "--" {
			return append(own, args[i:]...), params, nil
		}
		if !isFlag || name == "" {
			own = append(own, arg)
			continue
		}
		name, value, joined := strings.Cut(name, "=")
		if f := flags.Lookup(name); f != nil || name == "help" {
			own = append(own, arg)
			if !joined && f != nil && f.NoOptDefVal == "" && i+1 < len(args) {
				i++
				own = append(own, args[i])
			}
			continue
		}
		if !joined {
			if i++; i >= len(args) {
				return nil, nil, fmt.Errorf("--%s needs a value", name)
			}
			value = args[i]
		}
		params.Add(strings.ReplaceAll(name, "-", "_"), value)
	}
	return own, params, nil
}
