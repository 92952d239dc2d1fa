-- Copies of one event (same source and id) that say different things stay side by side:
-- digest is over what projections read of an event, and is part of the sorting key, so
-- that only copies that say the same replace each other. 0: stored before there was one.
-- identity finds the copies of an event without comparing texts.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS digest UInt64,
    MODIFY ORDER BY (kind, at, id, source, digest);

ALTER TABLE events
    ADD COLUMN IF NOT EXISTS identity UInt64 MATERIALIZED cityHash64(source, id),
    ADD INDEX IF NOT EXISTS by_seen seen TYPE minmax GRANULARITY 1;
