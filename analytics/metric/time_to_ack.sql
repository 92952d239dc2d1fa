-- metric: time_to_ack
-- version: 1
-- unit: seconds
-- title: Time to acknowledge
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour
-- params: team, service, urgency, priority, alert_class, source, lens, auto_resolved, hours, profile
-- columns: n integer incidents, not_acked integer incidents, p50 number seconds, p90 number seconds, mean number seconds
-- facts: incident_keyed
-- people: work
-- definition: From an incident's opening to its first acknowledgement by a person. Never acknowledged:
--   left out of the times and counted beside them. Merged incidents are left out, auto-resolved ones
--   too unless asked for. The other profiles count auto-resolved ones unless told otherwise. pagerduty
--   and incident-io: the rule above. goalert: closed incidents only. grafana-oncall: the first of an
--   acknowledgement, a resolve or a silence by anybody. opsgenie: closed incidents only, and the close
--   stands in for a missing acknowledgement.
SELECT
    bucket, key,
    countIf(took IS NOT NULL) AS n,
    countIf(took IS NULL) AS not_acked,
    quantileExactOrNull(0.5)(took) / 1000 AS p50,
    quantileExactOrNull(0.9)(took) / 1000 AS p90,
    intDiv(2 * sum(took) + n, 2 * nullIf(n, 0)) / 1000 AS mean,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, countIf(opened_assumed) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM (
    SELECT *,
        multiIf(
            {profile:String} = 'grafana-oncall', least(ifNull(acked_at, ended_at), ifNull(ended_at, acked_at)),
            {profile:String} = 'opsgenie', ifNull(acked_at, resolved_at),
            acked_at) AS counted_at,
        if(counted_at IS NULL, NULL, greatest(dateDiff('millisecond', opened_at, assumeNotNull(counted_at)), 0)) AS took
    FROM incident_keyed
    WHERE NOT is_merged AND ({profile:String} NOT IN ('goalert', 'opsgenie') OR is_resolved))
GROUP BY place, bucket, key
ORDER BY place, bucket, key
