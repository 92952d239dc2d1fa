package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stewardhq/steward/internal/app"
)

// envName is the environment variable of a flag.
func envName(flag string) string {
	return "STEWARD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment fills the flags that the command line leaves open. An empty variable
// counts as not set, as compose files write them.
func (c *command) fromEnvironment(cmd *cobra.Command) error {
	server, data := given(cmd, "server"), given(cmd, "data")
	if server && data {
		return errors.New("--server and --data exclude each other")
	}
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case err != nil, f.Changed, f.Name == "help":
			return
		case f.Name == "server" && data, f.Name == "data" && server:
			return // the command line has said where to work
		}
		value, ok := c.env(envName(f.Name))
		if !ok || value == "" {
			return
		}
		if bad := cmd.Flags().Set(f.Name, value); bad != nil {
			err = fmt.Errorf("%s=%q: %w", envName(f.Name), value, bad)
		}
	})
	return err
}

func given(cmd *cobra.Command, flag string) bool {
	f := cmd.Flags().Lookup(flag)
	return f != nil && f.Changed
}

// target holds the two flags that say where a command works.
type target struct{ server, data string }

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.server, "server", "", "address of a running server, such as http://127.0.0.1:8080; it is shown the token in STEWARD_TOKEN")
	cmd.Flags().StringVar(&t.data, "data", "data", "data `directory`: its running server is asked, else the directory is opened")
}

// open finds the server or opens the directory, and says which on standard error.
func (c *command) open(cmd *cobra.Command, t target, create bool) (app.Target, error) {
	log, err := c.logger(levelQuiet)
	if err != nil {
		return nil, err
	}
	if given(cmd, "server") && t.server == "" {
		return nil, &app.UsageError{Message: "--server is empty"}
	}
	// A flag would show the token to everybody who can list processes.
	token, _ := c.env("STEWARD_TOKEN")
	found, err := app.OpenTarget(cmd.Context(), app.TargetConfig{
		Server: t.server, Token: strings.TrimSpace(token), Create: create,
		Config: app.Config{Data: t.data, Version: version, Log: log},
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(c.err, found.Describe())
	return found, nil
}
