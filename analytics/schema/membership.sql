-- projection: membership
-- Dated facts: at this moment person joined or left team.
CREATE TABLE membership
(
    person String,
    at     DateTime64(3, 'UTC'),
    id     String,
    source LowCardinality(String),
    team   String,
    joined UInt8,
    seen   DateTime64(3, 'UTC'),
    unseen UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (person, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT person, at, id, source, team, toUInt8(kind = 'member.joined') AS joined, seen, unseen
FROM events
WHERE kind IN ('member.joined', 'member.left')
