-- metric: interruptions
-- version: 1
-- unit: interruptions
-- title: Interruptions
-- by: team, service, hour_class, urgency, priority, severity, alert_class, source, weekday_hour, person, level
-- params: team, service, person, urgency, priority, alert_class, source, lens, hours
-- columns: interruptions integer interruptions, sleep integer interruptions, off integer interruptions, business integer interruptions, groups integer groups, hours integer hours, nights integer nights, people integer people
-- facts: page_keyed
-- people: load
-- definition: A push, sms or phone page to a person that is not marked undelivered; pages to the same
--   person within 60 seconds of the interruption's first page are the same interruption. sleep, off
--   and business in the person's own zone. groups: interruptions joined while gaps are at most 20
--   minutes. hours: different local clock hours with an interruption. nights: noon to noon with one in
--   sleep hours. Formed over all of a person's pages before any filter; a window's edge splits none.
SELECT
    bucket, key,
    count() AS interruptions,
    countIf(hour_class = 'sleep') AS sleep,
    countIf(hour_class = 'off') AS off,
    countIf(hour_class = 'business') AS business,
    sum(starts_group) AS groups,
    uniqExact((member, toStartOfHour(wall), dateDiff('second', at, wall))) AS hours,
    sum(starts_night) AS nights,
    uniqExact(member) AS people,
    sum(uses_owner) AS assumed_owner, sum(uses_team) AS assumed_team, sum(uses_zone) AS assumed_zone, toUInt64(0) AS assumed_opened, sum(uses_org_zone) AS org_zone, place
FROM page_keyed
GROUP BY place, bucket, key
ORDER BY place, bucket, key
