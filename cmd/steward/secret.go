package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) secret() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Rotate, add, list and retire the secrets that tools sign their deliveries with",
		Long: "Where the tool lets you choose the secret, rotate makes one and leaves the previous one valid until the next\n" +
			"rotation. Where the tool makes it, as PagerDuty does for each webhook subscription, add takes it from standard\n" +
			"input, and retire ends it once nothing is signed with it. A running server notices every change within a second.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.secretRotate(), c.secretAdd(), c.secretList(), c.secretRetire())
	return cmd
}

func (c *command) secretRotate() *cobra.Command {
	var data, account string
	cmd := &cobra.Command{
		Use:   "rotate SOURCE",
		Short: "Make a secret and print it, this once; the one before stays valid",
		Args:  cobra.ExactArgs(1),
	}
	dataFlag(cmd, &data)
	accountFlag(cmd, &account)
	cmd.RunE = work(func(_ *cobra.Command, args []string) error {
		if err := app.CheckSigning(args[0]); err != nil {
			return err
		}
		return keyring(data, true, func(k *app.Keyring) error {
			text, x, err := k.RotateSecret(args[0], account)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "secret %s for %s. The one before stays valid until the next rotation. It is shown this once:\n", x.ID, place(x))
			_, err = fmt.Fprintln(c.out, text)
			return err
		})
	})
	return cmd
}

func (c *command) secretAdd() *cobra.Command {
	var data, account string
	cmd := &cobra.Command{
		Use:   "add SOURCE",
		Short: "Take a secret that the tool made, from standard input",
		Long:  "Add reads the secret from standard input, since the arguments of a command can be seen by everybody on the machine:\n\n  steward secret add pagerduty < secret.txt",
		Args:  cobra.ExactArgs(1),
	}
	dataFlag(cmd, &data)
	accountFlag(cmd, &account)
	cmd.RunE = work(func(_ *cobra.Command, args []string) error {
		if err := app.CheckSigning(args[0]); err != nil {
			return err
		}
		text, err := io.ReadAll(io.LimitReader(c.in, 4096))
		if err != nil {
			return fmt.Errorf("read the secret from standard input: %w", err)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			return &app.UsageError{Message: "standard input holds no secret"}
		}
		return keyring(data, true, func(k *app.Keyring) error {
			x, err := k.AddSecret(args[0], account, string(text))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.out, "added secret %s for %s\n", x.ID, place(x))
			return err
		})
	})
	return cmd
}

func (c *command) secretList() *cobra.Command {
	var data string
	cmd := &cobra.Command{Use: "list", Short: "List the secrets by their last four characters", Args: cobra.NoArgs}
	dataFlag(cmd, &data)
	cmd.RunE = work(func(*cobra.Command, []string) error {
		return keyring(data, false, func(k *app.Keyring) error {
			rows := [][]string{{"id", "source", "account", "made by", "created", "ends with"}}
			for _, x := range k.ListSecrets() {
				account, by := x.Account, "the tool"
				if account == "" {
					account = "(all)"
				}
				if x.Made {
					by = "Steward"
				}
				rows = append(rows, []string{x.ID, x.Source, account, by, moment(x.Created, "-"), x.Last4})
			}
			return c.columns(rows)
		})
	})
	return cmd
}

func (c *command) secretRetire() *cobra.Command {
	var data string
	cmd := &cobra.Command{Use: "retire ID", Short: "End a secret at once", Args: cobra.ExactArgs(1)}
	dataFlag(cmd, &data)
	cmd.RunE = work(func(_ *cobra.Command, args []string) error {
		return keyring(data, false, func(k *app.Keyring) error {
			for _, x := range k.ListSecrets() {
				if x.ID != args[0] {
					continue
				}
				if err := k.RetireSecret(x.Source, x.Account, x.ID); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.out, "retired secret %s of %s\n", x.ID, place(x))
				return err
			}
			return errors.New("there is no secret of that id; `steward secret list` shows them")
		})
	})
	return cmd
}

func accountFlag(cmd *cobra.Command, account *string) {
	cmd.Flags().StringVar(account, "account", "", "`name` of the account whose address is /ingest/SOURCE/NAME; default every account of the source")
}

// place says what a secret is for.
func place(x app.Secret) string {
	if x.Account == "" {
		return x.Source
	}
	return x.Source + "/" + x.Account
}
