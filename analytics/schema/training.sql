-- projection: training
-- Dated facts about assignments: who was to learn what by when, and what came of it. due
-- is the text as it was given, a date or an instant. rota and within: of a standing rule, the
-- schedule and the team whose people on it are meant.
CREATE TABLE training
(
    assignment String,
    at         DateTime64(3, 'UTC'),
    id         String,
    source     LowCardinality(String),
    kind       LowCardinality(String),
    module     LowCardinality(String),
    track      LowCardinality(String),
    team       LowCardinality(String),
    person     String,
    due        String,
    rota       LowCardinality(String),
    within     LowCardinality(String),
    seen       DateTime64(3, 'UTC'),
    unseen     UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (assignment, at, id, source, kind)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT
    JSONExtractString(data, 'assignment') AS assignment,
    at, id, source, kind,
    JSONExtractString(data, 'module') AS module,
    JSONExtractString(data, 'track') AS track,
    team, person,
    JSONExtractString(data, 'due') AS due,
    JSONExtractString(data, 'rota') AS rota,
    JSONExtractString(data, 'within') AS within,
    seen, unseen
FROM events
WHERE kind IN ('training.assigned', 'training.started', 'training.answered', 'training.passed', 'training.failed', 'training.completed', 'training.abandoned', 'training.waived')
