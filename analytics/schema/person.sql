-- projection: person
-- Dated facts: what a source said about a person. Empty members say nothing and never
-- override; working_hours is minutes of the week (Monday 00:00 = 0) as [from, to) pairs,
-- hours_described tells "no hours on any day" from "nothing said".
CREATE TABLE person
(
    person          String,
    at              DateTime64(3, 'UTC'),
    id              String,
    source          LowCardinality(String),
    name            String,
    zone            String,
    hours_described UInt8,
    working_hours   Array(Tuple(UInt16, UInt16)),
    holidays        Array(Date32),
    aliases         Array(String),
    seen            DateTime64(3, 'UTC'),
    unseen          UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (person, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT
    person, at, id, source,
    JSONExtractString(data, 'name') AS name,
    JSONExtractString(data, 'time_zone') AS zone,
    toUInt8(JSONLength(data, 'working_hours') > 0) AS hours_described,
    arrayFlatten(arrayMap(
        (weekday, place) -> arrayMap(
            pair -> (
                toUInt16(place * 1440 + toUInt16(substring(pair[1], 1, 2)) * 60 + toUInt16(substring(pair[1], 4, 2))),
                toUInt16(place * 1440 + toUInt16(substring(pair[2], 1, 2)) * 60 + toUInt16(substring(pair[2], 4, 2)))),
            JSONExtract(data, 'working_hours', weekday, 'Array(Array(String))')),
        ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], range(7))) AS working_hours,
    arrayMap(d -> toDate32(d), arrayFilter(d -> d != '', JSONExtract(data, 'holidays', 'Array(String)'))) AS holidays,
    arrayMap(a -> if(position(a, '@') > 0, lowerUTF8(a), a), arrayFilter(a -> a != '', JSONExtract(data, 'aliases', 'Array(String)'))) AS aliases,
    seen, unseen
FROM events
WHERE kind = 'person.described'
