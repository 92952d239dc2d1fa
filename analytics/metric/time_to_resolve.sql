-- metric: time_to_resolve
-- version: 1
-- unit: seconds
-- title: Time to resolve
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour
-- params: team, service, urgency, priority, alert_class, source, lens, auto_resolved, hours
-- columns: n integer incidents, unresolved integer incidents, p50 number seconds, p90 number seconds, mean number seconds
-- facts: incident_keyed
-- people: work
-- definition: From an incident's opening to its last resolution as of as_of; time in which it was
--   reopened counts. An incident open as of then is unresolved. Merged incidents are left out,
--   auto-resolved ones too unless asked for.
SELECT
    bucket, key,
    countIf(took IS NOT NULL) AS n,
    countIf(took IS NULL) AS unresolved,
    quantileExactOrNull(0.5)(took) / 1000 AS p50,
    quantileExactOrNull(0.9)(took) / 1000 AS p90,
    intDiv(2 * sum(took) + n, 2 * nullIf(n, 0)) / 1000 AS mean,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, countIf(opened_assumed) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM (SELECT *, if(resolved_at IS NULL, NULL, greatest(dateDiff('millisecond', opened_at, assumeNotNull(resolved_at)), 0)) AS took FROM incident_keyed WHERE NOT is_merged)
GROUP BY place, bucket, key
ORDER BY place, bucket, key
