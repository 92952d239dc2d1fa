package main

import (
	"errors"
	"fmt"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) token() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens that callers of the server show",
		Long: "A token lets a program send events (scope ingest, or ingest:SOURCE for one source), say who people are and where\n" +
			"they belong (directory, besides), ask for figures (read), or import and rebuild (admin). It is sent as Authorization: Bearer TOKEN; import, query and rebuild take it from\n" +
			"STEWARD_TOKEN. Tokens live in the data directory; a running server notices every change within a second.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.tokenCreate(), c.tokenList(), c.tokenRevoke())
	return cmd
}

func (c *command) tokenCreate() *cobra.Command {
	var (
		data, expires string
		scopes        []string
	)
	cmd := &cobra.Command{
		Use:   "create NAME --scope SCOPE",
		Short: "Make a token and print it, this once",
		Long:  "Create prints the token alone on standard output, and it is kept nowhere: only its hash is.\n\nScopes: " + app.AllowedScopes + ".",
		Args:  cobra.ExactArgs(1),
	}
	dataFlag(cmd, &data)
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "what it is for: "+app.AllowedScopes+"; several with commas")
	cmd.Flags().StringVar(&expires, "expires", "90d", "30d, never, a date or a moment by RFC 3339")
	cmd.RunE = work(func(_ *cobra.Command, args []string) error {
		return keyring(data, true, func(k *app.Keyring) error {
			text, t, err := k.NewToken(args[0], scopes, expires, operator())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "token %s (%s) for %s, expires %s. It is shown this once:\n", t.ID, t.Name, strings.Join(t.Scopes, ", "), moment(t.Expires, "never"))
			_, err = fmt.Fprintln(c.out, text)
			return err
		})
	})
	return cmd
}

func (c *command) tokenList() *cobra.Command {
	var data string
	cmd := &cobra.Command{Use: "list", Short: "List the tokens, without their texts", Args: cobra.NoArgs}
	dataFlag(cmd, &data)
	cmd.RunE = work(func(*cobra.Command, []string) error {
		return keyring(data, false, func(k *app.Keyring) error {
			rows := [][]string{{"id", "name", "scopes", "state", "created", "by", "expires", "last used"}}
			for _, t := range k.List() {
				rows = append(rows, []string{
					t.ID, t.Name, strings.Join(t.Scopes, ","), t.State(time.Now()),
					moment(t.Created, "-"), t.CreatedBy, moment(t.Expires, "never"), moment(t.LastUsed, "not yet"),
				})
			}
			return c.columns(rows)
		})
	})
	return cmd
}

func (c *command) tokenRevoke() *cobra.Command {
	var data string
	cmd := &cobra.Command{Use: "revoke ID", Short: "End a token for good", Args: cobra.ExactArgs(1)}
	dataFlag(cmd, &data)
	cmd.RunE = work(func(_ *cobra.Command, args []string) error {
		return keyring(data, false, func(k *app.Keyring) error {
			if err := k.Revoke(args[0]); err != nil {
				return fmt.Errorf("%w; `steward token list` shows the ids", err)
			}
			_, err := fmt.Fprintln(c.out, "revoked")
			return err
		})
	})
	return cmd
}

// dataFlag is for commands that work on the directory itself, beside its server.
func dataFlag(cmd *cobra.Command, data *string) {
	cmd.Flags().StringVar(data, "data", "data", "data `directory`")
}

// keyring opens the directory's keys around f.
func keyring(data string, create bool, f func(*app.Keyring) error) error {
	k, err := app.OpenKeyring(data, create)
	if err != nil {
		return err
	}
	return errors.Join(f(k), k.Close())
}

// operator names who runs the command, as well as the system knows.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "command line"
}

func moment(at time.Time, none string) string {
	if at.IsZero() {
		return none
	}
	return at.UTC().Format("2006-01-02 15:04Z")
}

// columns writes rows below each other, the first being their heads.
func (c *command) columns(rows [][]string) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}
