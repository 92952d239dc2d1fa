-- metric: hops
-- version: 1
-- unit: hops
-- title: Hops between teams
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour
-- params: team, service, urgency, priority, alert_class, source, lens, auto_resolved, hours
-- columns: n integer incidents, hops integer hops, hops_mean number hops, hops_p90 integer hops, ping_pong integer incidents, owner_acted integer incidents, to_owner_p50 number seconds, to_owner_p90 number seconds
-- facts: incident_keyed
-- people: work
-- definition: Team assignments of an incident (its opening's team, reassignments, escalations; people
--   stand for their team of that moment, a policy for the one team that owns its services) minus one,
--   repeats of one team in a row counted once. ping_pong: an assignment returns to a team that had it.
--   owner_acted: somebody of the owning team acted; to_owner is the time from the first page (else
--   the opening) until then. n counts every incident but merged ones.
SELECT
    bucket, key,
    count() AS n,
    sum(hops) AS hops,
    intDiv(2000 * hops + n, 2 * n) / 1000 AS hops_mean,
    quantileExact(0.9)(i.hops) AS hops_p90,
    countIf(is_ping_pong) AS ping_pong,
    countIf(is_owner_acted) AS owner_acted,
    quantileExactOrNullIf(0.5)(to_owner, is_owner_acted) / 1000 AS to_owner_p50,
    quantileExactOrNullIf(0.9)(to_owner, is_owner_acted) / 1000 AS to_owner_p90,
    countIf(owner_assumed OR arrayExists(s -> s.6 != 0, sequence)) AS assumed_owner,
    countIf(uses_team OR arrayExists(s -> s.5 != 0, sequence) OR owner_act_assumed) AS assumed_team,
    sum(uses_zone) AS assumed_zone, countIf(opened_assumed) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM (SELECT *, greatest(dateDiff('millisecond', owned_at, owner_act.1), 0) AS to_owner FROM incident_keyed WHERE NOT is_merged) AS i
GROUP BY place, bucket, key
ORDER BY place, bucket, key
