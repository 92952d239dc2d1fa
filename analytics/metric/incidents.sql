-- metric: incidents
-- version: 1
-- unit: incidents
-- title: Incidents
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour
-- params: team, service, urgency, priority, alert_class, source, lens, auto_resolved, hours
-- columns: incidents integer incidents, incident_load integer units, auto_resolved integer incidents, reopened integer incidents, merged integer incidents, open integer incidents
-- facts: incident_keyed
-- people: none
-- definition: Incidents opened in the window, drills apart. incident_load counts those that open a
--   new unit: no incident of the same service and alert class opened in the 30 minutes before
--   (without an alert class each is its own). auto_resolved: the last resolution is automatic or
--   not by a user. reopened: ever. open: neither resolved nor merged as of as_of.
SELECT
    bucket, key,
    count() AS incidents,
    countIf(starts_load) AS incident_load,
    countIf(is_auto) AS auto_resolved,
    countIf(is_reopened) AS reopened,
    countIf(is_merged) AS merged,
    countIf(NOT is_resolved AND NOT is_merged) AS open,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, countIf(opened_assumed) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM incident_keyed
GROUP BY place, bucket, key
ORDER BY place, bucket, key
