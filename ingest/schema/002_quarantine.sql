-- What arrived and could not become an event, with its bytes as they came. A row's id
-- follows from the record's place in the log, so a replayed insert finds itself again.
-- Nothing here is updated: a re-drive appends to quarantine_redrive.
CREATE TABLE IF NOT EXISTS quarantine
(
    id        String,                 -- hex; a pure function of topic, partition and offset
    received  DateTime64(3, 'UTC'),   -- when Steward was given the bytes
    seen      DateTime64(3, 'UTC'),   -- when the log took them
    source    LowCardinality(String), -- pagerduty, cloudevents, an import format; kafka = a record of the topic itself
    account   LowCardinality(String),
    reason    String,
    field     String,                 -- the field at fault, where one is known
    headers   String,                 -- JSON object of those headers that decoding needs; never secrets
    raw       String CODEC(ZSTD(1)),
    digest    String,                 -- hex SHA-256 of source, account and raw: the same bytes twice are recognised by it
    partition Int32,
    offset    Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (received, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS quarantine_redrive
(
    id      String,               -- of the quarantined row
    at      DateTime64(3, 'UTC'),
    outcome String                -- "published N events", or why it still cannot be read
)
ENGINE = MergeTree
ORDER BY (id, at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;
