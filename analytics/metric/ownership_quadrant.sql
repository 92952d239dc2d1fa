-- metric: ownership_quadrant
-- version: 1
-- unit: incidents
-- title: Ownership quadrant
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour
-- params: team, service, urgency, priority, alert_class, source, lens, auto_resolved, hours
-- columns: n integer incidents, owned integer incidents, escalated_away integer incidents, misrouted integer incidents, owned_on_paper integer incidents, unowned integer incidents, untouched integer incidents
-- facts: incident_keyed
-- people: work
-- definition: Was the owning team paged first, and did it resolve? Owner and memberships are those of
--   the moment: owner at the first page (else the opening), teams at the page and at the action.
--   owned: paged first and resolved; escalated_away: paged first, another team resolved; misrouted:
--   another team paged first, the owner resolved; owned_on_paper: neither. unowned: no owner then.
--   untouched: no human action. n is their sum; merged incidents are left out.
SELECT
    bucket, key,
    count() AS n,
    countIf(quadrant = 'owned') AS owned,
    countIf(quadrant = 'escalated_away') AS escalated_away,
    countIf(quadrant = 'misrouted') AS misrouted,
    countIf(quadrant = 'owned_on_paper') AS owned_on_paper,
    countIf(quadrant = 'unowned') AS unowned,
    countIf(quadrant = 'untouched') AS untouched,
    countIf(owner_assumed OR (quadrant NOT IN ('unowned', 'untouched') AND first_owner_assumed)) AS assumed_owner,
    countIf(uses_team OR (quadrant NOT IN ('unowned', 'untouched') AND (first_assumed OR resolver_assumed))) AS assumed_team,
    sum(uses_zone) AS assumed_zone, countIf(opened_assumed) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM incident_keyed
WHERE NOT is_merged
GROUP BY place, bucket, key
ORDER BY place, bucket, key
