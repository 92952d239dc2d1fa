-- projection: tag
-- Dated facts: which skills an incident took, by a rule, its responder or a reviewer, and
-- which tags were taken back since. An untag takes back those of its basis, or of any if it
-- names none, that were said up to it.
CREATE TABLE tag
(
    incident String,
    skill    LowCardinality(String),
    at       DateTime64(3, 'UTC'),
    id       String,
    source   LowCardinality(String),
    basis    LowCardinality(String),
    untags   UInt8,
    seen     DateTime64(3, 'UTC'),
    unseen   UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (incident, skill, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT incident, JSONExtractString(data, 'skill') AS skill, at, id, source, JSONExtractString(data, 'basis') AS basis,
    toUInt8(kind = 'skill.untagged') AS untags, seen, unseen
FROM events
WHERE kind IN ('skill.tagged', 'skill.untagged')
