-- metric: oncall_hours
-- version: 1
-- unit: hours
-- title: On-call hours
-- by: team, person, level, hour_class, weekday_hour
-- params: team, person, hours
-- columns: primary number hours, secondary number hours, total number hours, people integer people
-- facts: shift_keyed
-- people: load
-- definition: Time on call in the window, up to as_of. On one schedule and level worked shifts count
--   before planned overrides, and those before planned shifts; shadows never count. primary: with at
--   least one level-1 shift; secondary: at level 2 or above and not at level 1; overlaps count once.
SELECT
    bucket, key,
    round(sumIf(took, level <= 1) / 3600000, 6) AS primary,
    round(sumIf(took, level > 1) / 3600000, 6) AS secondary,
    round(sum(took) / 3600000, 6) AS total,
    uniqExact(member) AS people,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM (SELECT *, dateDiff('millisecond', began, ended) AS took FROM shift_keyed)
GROUP BY place, bucket, key
HAVING sum(took) > 0
ORDER BY place, bucket, key
