package app

import (
	"context"
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
	key, err := identity.FileKey(path)
	if err != nil {
		return err
	}
	file := identity.File(path)
	c.cleanup.add("the identity table", func(context.Context) error { return file.Close() })
	c.Vault, err = identity.Open(ctx, file, key)
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
