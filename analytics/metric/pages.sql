-- metric: pages
-- version: 1
-- unit: pages
-- title: Pages
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour, person, level
-- params: team, service, person, urgency, priority, alert_class, source, lens, hours
-- columns: pages integer pages, people integer people, interrupting integer pages, unanswered integer events
-- facts: page_keyed
-- people: load
-- definition: Pages sent in the window, by any channel, drills apart. people: different people paged.
--   interrupting: by push, sms or phone and not marked undelivered. unanswered: pages that nobody
--   answered; they name no person, so they belong to no responder's team.
SELECT
    bucket, key,
    countIf(NOT is_unanswered) AS pages,
    uniqExactIf(member, member != '') AS people,
    countIf(NOT is_unanswered AND channel IN ('push', 'sms', 'phone') AND delivered != 0) AS interrupting,
    countIf(is_unanswered) AS unanswered,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, toUInt64(0) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM page_keyed
GROUP BY place, bucket, key
ORDER BY place, bucket, key
