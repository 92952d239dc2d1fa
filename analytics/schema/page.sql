-- projection: page
-- Every page.sent and page.unanswered, sorted by time: a window is one range. Two copies
-- of one event keep the one seen first. page is the page's own id, by which it is reviewed.
CREATE TABLE page
(
    at        DateTime64(3, 'UTC'),
    id        String,
    source    LowCardinality(String),
    kind      LowCardinality(String),
    page      String,
    incident  String,
    person    String,
    channel   LowCardinality(String),
    level     Int16,
    urgency   LowCardinality(String),
    delivered Int8,
    seen      DateTime64(3, 'UTC'),
    unseen    UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (at, id, source, kind)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT at, id, source, kind, page, incident, person, channel, level, urgency, delivered, seen, unseen
FROM events
WHERE kind IN ('page.sent', 'page.unanswered')
