-- fact: incident_part.live
-- Partial states of incidents up to as_of, everything known: whole days from the
-- projection, the day of as_of from its events, so that as_of is exact to the millisecond.
-- An incident of that day that was not touched in the window began after it and falls out
-- by its opening; to look it up in touched would cost more than to carry it along.
touched AS (
    SELECT incident FROM incident
    WHERE day >= toDate32({from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32}))
      AND day <= toDate32(least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}))
    GROUP BY incident),
incident_part AS (
    SELECT * FROM incident
    WHERE day < toDate32({as_of:DateTime64(3, 'UTC')}) AND incident IN (SELECT incident FROM touched)
    UNION ALL
    SELECT * FROM (/*incident*/))
