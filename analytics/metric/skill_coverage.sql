-- metric: skill_coverage
-- version: 1
-- unit: hours
-- title: Skill coverage of on-call hours
-- by: skill
-- key: skill
-- params: skill, team
-- columns: hours number hours, covered number hours, coverage number share
-- facts: cover_keyed
-- people: work
-- definition: A team's hours with anybody on call, and those of them in which somebody on call, primary
--   or secondary, has the skill at level 3 or above and current (skill_levels). For past hours as of
--   the start of their shift, for hours after as_of, which the window may hold, as of as_of and by the
--   shifts planned. People on call at once are one hour of their team; teams are added up.
SELECT
    bucket, key,
    round(sum(took) / 3600000, 6) AS hours,
    round(sumIf(took, is_covered) / 3600000, 6) AS covered,
    round(sumIf(took, is_covered) / sum(took), 6) AS coverage,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM cover_keyed
GROUP BY place, bucket, key
HAVING sum(took) > 0
ORDER BY place, bucket, key
