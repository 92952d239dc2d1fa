-- metric: skill_levels
-- version: 1
-- unit: level
-- title: Skill levels
-- by: person, skill
-- key: person
-- buckets: none
-- params: skill, team, person
-- columns: level integer level, weight number weight, retention number share, last_evidence moment time
-- facts: skill_keyed
-- people: skills
-- definition: What somebody showed of a skill, from the evidence that stands as of as_of, whatever
--   the window. 1: a module and a quiz, or any other evidence; 2: two shadows or assists, or a drill; 3: a
--   weight of 3 with solo resolves on two days, or one solo and two different drills; 4: level 3 and two
--   teaching events. A level falls only by voiding. retention: 2^(-days since last_evidence / 200); current
--   from 0.7, fading from 0.5. Quiz and module lead to level 1 and no further. Of several skills
--   in one row the highest level and retention, the sum of weights and the latest evidence.
SELECT
    bucket, key,
    max(s.level) AS level,
    sum(s.weight) / 100 AS weight,
    round(max(s.retention), 6) AS retention,
    max(s.qualified_at) AS last_evidence,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM skill_keyed AS s
GROUP BY place, bucket, key
ORDER BY place, bucket, key
