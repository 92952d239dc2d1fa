-- fact: incident_part.one
-- The states of one incident, from the events that name it, each event once: the same
-- events as its timeline shows, and cheaper than to look it up in a projection.
incident_part AS (SELECT * FROM (/*incident*/))
