package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/stewardhq/steward/internal/app"
)

func (c *command) forget() *cobra.Command {
	var (
		to  target
		yes bool
	)
	cmd := &cobra.Command{
		Use:   "forget PERSON",
		Short: "Make a person's names and addresses unreadable for ever",
		Long: "Forget removes every name, e-mail address and alias of a person, whichever of them is given. What they did stays counted,\n" +
			"under a name like former-k3x7q2ab. There is no way back: a later event with the same address stays unreadable too.",
		Args: cobra.ExactArgs(1),
	}
	to.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask; needed where there is no terminal")
	cmd.RunE = work(func(cmd *cobra.Command, args []string) error {
		if !yes {
			if err := c.confirm(args[0]); err != nil {
				return err
			}
		}
		where, err := c.open(cmd, to, false)
		if err != nil {
			return err
		}
		done, err := where.Forget(cmd.Context(), args[0])
		if closing := where.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "forgotten: %d names and ids, %d quarantined records; the person is %s from now on\n", done.Texts, done.Quarantined, done.Person)
		if w := done.Warning(); w != "" {
			return errors.New(w)
		}
		return nil
	})
	return cmd
}

// confirm has the person typed once more.
func (c *command) confirm(person string) error {
	f, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &app.UsageError{Message: "forgetting cannot be undone: give --yes where there is no terminal to ask on"}
	}
	fmt.Fprintf(c.err, "This cannot be undone. Type %s to forget them: ", person)
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return err
	}
	if strings.TrimSpace(line) != person {
		return &app.UsageError{Message: "that is not what was given; nobody is forgotten"}
	}
	return nil
}
