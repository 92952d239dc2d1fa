-- projection: ownership
-- Dated facts: from at on, service belongs to team (empty: to nobody).
CREATE TABLE ownership
(
    service String,
    at      DateTime64(3, 'UTC'),
    id      String,
    source  LowCardinality(String),
    team    String,
    seen    DateTime64(3, 'UTC'),
    unseen  UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (service, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT service, at, id, source, team, seen, unseen
FROM events
WHERE kind = 'service.owned'
