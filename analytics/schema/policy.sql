-- projection: policy
-- Dated facts: the services an escalation policy serves.
CREATE TABLE policy
(
    policy   String,
    at       DateTime64(3, 'UTC'),
    id       String,
    source   LowCardinality(String),
    services Array(String),
    seen     DateTime64(3, 'UTC'),
    unseen   UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (policy, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT policy, at, id, source, JSONExtract(data, 'services', 'Array(String)') AS services, seen, unseen
FROM events
WHERE kind = 'policy.published'
