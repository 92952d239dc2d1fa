-- metric: skill_overlap
-- version: 1
-- unit: share
-- title: Overlap with skills
-- by: team
-- key: team
-- buckets: none
-- params: skill, team
-- columns: skills integer skills, shared integer skills, share number share
-- facts: overlap_keyed
-- people: work
-- definition: Of the skills asked for, those of which the team has two or more members at level 2 or
--   above and current (skill_levels), as of as_of, whatever the window. Asked of the platform
--   skills it is a team's intersection with platform knowledge. Without a choice, of the skills
--   that any evidence or tag named. A person counts for every team they are in.
SELECT
    bucket, key,
    count() AS skills,
    countIf(able >= 2) AS shared,
    round(countIf(able >= 2) / count(), 6) AS share,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM overlap_keyed
GROUP BY place, bucket, key
ORDER BY place, bucket, key
