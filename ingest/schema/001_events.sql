-- The log, as rows: one row per event, and the only table that the sink fills.
-- Sorted by (kind, at) so that a question about a window reads that window. Identity is
-- (source, id); of several copies the one seen first stays (unseen grows as seen shrinks).
-- Not partitioned: an insert is then one part per block, and kill -9 cannot tear it.
CREATE TABLE IF NOT EXISTS events
(
    kind         LowCardinality(String),
    at           DateTime64(3, 'UTC'),
    id           String,
    source       LowCardinality(String),
    account      LowCardinality(String),
    subject      String,
    incident     String,
    service      String,
    team         String,
    person       String,
    actor        LowCardinality(String),  -- user, service, unknown; the rule for an absent actor_kind applied
    title        String,
    urgency      LowCardinality(String),
    priority     LowCardinality(String),
    severity     LowCardinality(String),
    alert_class  LowCardinality(String),
    cause        LowCardinality(String),
    channel      LowCardinality(String),
    state        LowCardinality(String),
    page         String,
    policy       String,
    targets      Array(String),           -- escalated.to, reassigned.to; in their order
    level        Int16,                   -- -1: not given
    auto         UInt8,
    drill        UInt8,
    delivered    Int8,                    -- -1: not given
    time_quality LowCardinality(String),
    data         String CODEC(ZSTD(1)),   -- the event's data as it came
    seen         DateTime64(3, 'UTC'),
    partition    Int32,
    offset       Int64,
    unseen       UInt64 MATERIALIZED toUInt64(9223372036854775807 - toUnixTimestamp64Milli(seen)),
    INDEX by_incident incident TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (kind, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
