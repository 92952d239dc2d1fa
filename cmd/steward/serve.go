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
		cfg     app.Config
		zone    string
		proxies []string
		rules   string
		notices string
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take events in and show the answers",
		Long: "Serve runs the whole product: with no addresses given, its own Kafka-protocol log and its own ClickHouse engine,\n" +
			"both inside this process and under the data directory. With --dev or --demo on loopback nobody needs a password.\n" +
			"Otherwise --access FILE says who people are (OpenID Connect, or a reverse proxy that signs them in); without it API\n" +
			"tokens do, which steward token makes.",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "`address` of the pages, the API and the intake; beyond loopback only with --access or --tokens-only; port 0 takes a free one")
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
	f.StringSliceVar(&cfg.PagerDutySecrets, "pagerduty-secrets", nil, "signing `secrets` of PagerDuty webhook subscriptions, besides those of steward secret add; several while one is being rotated")
	f.StringVar(&cfg.Curriculum, "curriculum", "", "`directory` of modules of your own, laid over the built-in ones (docs/curriculum.md)")
	f.StringVar(&cfg.SkillRules, "skill-rules", "", "`file` of rules of your own that say which skills an incident took, added to the built-in ones or in their place (docs/skills.md)")
	f.BoolVar(&cfg.Dev, "dev", false, "for development of Steward itself: whoever can connect is trusted")
	f.BoolVar(&cfg.Demo, "demo", false, "load a made-up organisation when there are no events yet; whoever can connect is trusted")
	f.StringVar(&rules, "access", "", "`file` that says who people are and which roles they have (docs/security.md)")
	f.StringVar(&notices, "notify", "", "`file` that says where reminders and learning records go: webhooks, mail, a record store (docs/notifications.md); without it nothing goes out")
	f.BoolVar(&cfg.TokensOnly, "tokens-only", false, "API tokens alone say who asks, also beyond loopback and with --demo")
	f.StringSliceVar(&proxies, "trusted-proxies", nil, "`networks` of reverse proxies, such as 10.0.0.0/8, whose X-Forwarded-For tells the caller's address")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		var err error
		if cfg.Zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
			return &app.UsageError{Message: fmt.Sprintf("--tz %q is not a time zone; write it like Europe/Berlin or UTC", zone)}
		}
		if cfg.TrustedProxies, err = app.ParseProxies(proxies); err != nil {
			return err
		}
		if rules != "" {
			if cfg.Access, err = app.LoadAccess(rules); err != nil {
				return err
			}
		}
		if notices != "" {
			if cfg.Notify, err = app.LoadNotify(notices); err != nil {
				return err
			}
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
