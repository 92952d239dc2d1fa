-- metric: verdicts
-- version: 1
-- unit: pages
-- title: Verdicts on pages
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour, person, level
-- params: team, service, person, urgency, priority, alert_class, source, lens, hours
-- columns: pages integer pages, reviewed integer pages, actionable integer pages, share number share, reviewed_share number share, people integer people
-- facts: page_judged
-- people: load
-- definition: Pages sent in the window, by any channel, drills apart, and what reviews said of them up
--   to as_of. A tap that names a page is of that page, one that names only an incident of all its pages; the latest holds.
--   reviewed: has a verdict. actionable: action was taken (service, service-inappropriate-hour, view). share:
--   actionable of the reviewed; reviewed_share: reviewed of all. people: different people paged.
SELECT
    bucket, key,
    count() AS pages,
    countIf(verdict != '') AS reviewed,
    countIf(verdict IN ('service', 'service-inappropriate-hour', 'view')) AS actionable,
    if(reviewed = 0, NULL, round(actionable / reviewed, 6)) AS share,
    round(reviewed / pages, 6) AS reviewed_share,
    uniqExactIf(member, member != '') AS people,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, toUInt64(0) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM page_judged
GROUP BY place, bucket, key
ORDER BY place, bucket, key
