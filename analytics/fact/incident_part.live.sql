-- fact: incident_part.live
-- needs: incident_touched
-- Partial states of incidents up to as_of, everything known: whole days from the
-- projection, the day of as_of from its events, so that as_of is exact to the millisecond.
-- An incident of that day that was not touched in the window began after it and falls out
-- by its opening; to look it up in incident_touched would cost more than to carry it along.
incident_part AS (
    SELECT * FROM incident
    WHERE day < toDate32({as_of:DateTime64(3, 'UTC')}) AND incident IN (SELECT incident FROM incident_touched)
    UNION ALL
    SELECT * FROM (/*incident*/))
