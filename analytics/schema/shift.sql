-- projection: shift
-- Every statement about an on-call shift; the latest by (at, id) of one shift id holds.
-- rank: 3 worked, 2 planned override, 1 planned. level: given, else 2 for the role
-- secondary, else 1.
CREATE TABLE shift
(
    shift    String,
    at       DateTime64(3, 'UTC'),
    id       String,
    source   LowCardinality(String),
    schedule String,
    person   String,
    start    DateTime64(3, 'UTC'),
    end      DateTime64(3, 'UTC'),
    level    Int16,
    role     LowCardinality(String),
    rank     UInt8,
    policy   String,
    seen     DateTime64(3, 'UTC'),
    unseen   UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (shift, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT
    if(JSONExtractString(data, 'shift') != '', JSONExtractString(data, 'shift'),
       concat(schedule, '/', toString(level), '/', person, '/', toString(start))) AS shift,
    at, id, source,
    JSONExtractString(data, 'schedule') AS schedule,
    person,
    parseDateTime64BestEffort(JSONExtractString(data, 'start'), 3, 'UTC') AS start,
    parseDateTime64BestEffort(JSONExtractString(data, 'end'), 3, 'UTC') AS end,
    ifNull(JSONExtract(data, 'level', 'Nullable(Int16)'), toInt16(if(role = 'secondary', 2, 1))) AS level,
    JSONExtractString(data, 'role') AS role,
    toUInt8(multiIf(kind = 'shift.worked', 3, JSONExtractBool(data, 'override'), 2, 1)) AS rank,
    JSONExtractString(data, 'policy') AS policy,
    seen, unseen
FROM events
WHERE kind IN ('shift.planned', 'shift.worked')
