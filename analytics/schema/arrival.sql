-- projection: arrival
-- The latest moment of learning per UTC day of the events: how fresh an answer is, and the
-- sign that something arrived, without reading the log. Looks and acts are left out: no answer
-- rests on them, and every look at a page makes some. newest is the day's last event: up
-- to there a question of that day needs the whole day and no look into the log.
CREATE TABLE arrival
(
    day    Date32,
    latest SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    newest SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY day
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT toDate32(at) AS day, max(seen) AS latest, max(at) AS newest
FROM events
WHERE kind NOT IN ('view.recorded', 'audit.recorded')
GROUP BY day
