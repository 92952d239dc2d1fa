package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/stewardhq/steward/internal/app"
)

// levelQuiet is for commands whose output is their result.
const levelQuiet = slog.LevelWarn

func (c *command) serve() *cobra.Command {
	var (
		cfg  app.Config
		zone string
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take events in and show the answers",
		Long: "Serve runs the whole product: with no addresses given, its own Kafka-protocol log and its own ClickHouse engine,\n" +
			"both inside this process and under the data directory. There is no sign-in yet, so it listens on loopback only.",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "loopback `address` of the pages, the API and the intake; port 0 takes a free one")
	f.StringVar(&cfg.Data, "data", "data", "data `directory`")
	f.StringSliceVar(&cfg.Kafka, "kafka", nil, "`addresses` of a Kafka cluster, HOST:PORT,…, with STEWARD_IDENTITY_KEY; default the embedded log")
	f.BoolVar(&cfg.KafkaTLS, "kafka-tls", false, "use TLS to Kafka")
	f.StringVar(&cfg.KafkaSASL, "kafka-sasl", "", "sign in to Kafka by `mechanism` PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; the password is STEWARD_KAFKA_PASSWORD")
	f.StringVar(&cfg.KafkaUser, "kafka-user", "", "user for --kafka-sasl")
	f.IntVar(&cfg.Partitions, "kafka-partitions", 0, "partitions of the topic, when it is created; default 2")
	f.StringVar(&cfg.ClickHouse, "clickhouse", "", "`DSN` of a ClickHouse server, clickhouse://USER:PASSWORD@HOST:9000/DATABASE or http(s)://…; default the embedded engine")
	f.StringVar(&cfg.ClickHouseCluster, "clickhouse-cluster", "", "`name` of a ClickHouse cluster: tables are made on it, replicated")
	f.StringSliceVar(&cfg.Roles, "roles", app.AllRoles(), "what this process does")
	f.StringVar(&zone, "tz", "UTC", "the organisation's time `zone`, such as Europe/Berlin")
	f.StringSliceVar(&cfg.PagerDutySecrets, "pagerduty-secrets", nil, "signing `secrets` of PagerDuty webhook subscriptions; several while one is being rotated")
	f.BoolVar(&cfg.Dev, "dev", false, "for development of Steward itself")
	f.BoolVar(&cfg.Demo, "demo", false, "load a made-up organisation when there are no events yet")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		var err error
		if cfg.Zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
			return &app.UsageError{Message: fmt.Sprintf("--tz %q is not a time zone; write it like Europe/Berlin or UTC", zone)}
		}
		if cfg.Log, err = c.logger(slog.LevelInfo); err != nil {
			return err
		}
		cfg.KafkaPass, _ = c.env("STEWARD_KAFKA_PASSWORD")
		cfg.IdentityKey, _ = c.env("STEWARD_IDENTITY_KEY")
		cfg.Version = version
		a, err := app.New(cfg)
		if err != nil {
			return &app.UsageError{Message: err.Error()}
		}
		if err := a.Start(cmd.Context()); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "Steward is at %s\n", a.URL())
		return a.Run(cmd.Context())
	})
	return cmd
}

func (c *command) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: work(func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.out, app.VersionText(version))
			return err
		}),
	}
}
