package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest"
)

// openVault opens the table of who is who: two files in the data directory beside the
// embedded log, whose lock keeps other processes away; a topic of a real cluster, since
// there several processes seal and reveal.
func (c *Core) openVault(ctx context.Context) error {
	if !c.Broker.Embedded() {
		return c.openSharedVault(ctx)
	}
	path := filepath.Join(c.cfg.Data, "identity.jsonl")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		c.newVault = true
	}
	key, err := identity.FileKey(path)
	if err != nil {
		return err
	}
	file := identity.File(path)
	c.cleanup.add("the identity table", func(context.Context) error { return file.Close() })
	c.Vault, err = identity.Open(ctx, file, key)
	return err
}

// warnOfPlain says once what a table that begins after the events means: people of before and
// after are not joined, and the former cannot be forgotten. A table that was lost looks the
// same.
func (c *Core) warnOfPlain(ctx context.Context) error {
	if !c.newVault {
		return nil
	}
	used, err := c.hasEvents(ctx)
	if used {
		c.log.Warn("there are events from before this directory had an identity table: who is named in them is not joined with the same person in later ones, and cannot be forgotten. " +
			"Import the history into a new data directory; if the table was lost, put identity.jsonl and identity.key back")
	}
	return err
}

func (c *Core) openSharedVault(ctx context.Context) error {
	key, err := identity.ParseKey(c.cfg.IdentityKey)
	if err != nil {
		return err
	}
	journal, err := ingest.NewIdentityTopic(ingest.IdentityTopicConfig{
		Brokers: c.Broker.Addrs(), TLS: c.Broker.TLS(), SASL: c.kafkaSASL(), Topic: c.cfg.identityTopic(), Log: c.log.With("part", "identity"),
	})
	if err != nil {
		return err
	}
	if c.Vault, err = identity.Open(ctx, journal, key); err != nil {
		return err
	}
	c.loop("the identity table", func(ctx context.Context) error { return journal.Follow(ctx, c.Vault.Apply) })
	return nil
}
