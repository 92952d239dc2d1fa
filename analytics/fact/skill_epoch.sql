-- fact: skill_epoch
-- needs: skill_evidence
-- A person's level in a skill from when on: one row per person, skill and moment of
-- evidence, since evidence only ever adds.
--
-- 1. Quiz and module lead to level 1 and no further: weight, level 3 and, above level 1,
--    currency pass over them.
-- 2. Who did more than a level asks for has it: a solo resolve is also an assist, and any
--    evidence besides a quiz or a module alone shows that somebody is aware.
-- 3. qualified_at is the last evidence that currency counts from.
skill_epoch AS (
    SELECT
        member, skill, valid_from, weight, level,
        if(level > 1, arrayMax(e -> e.1, strong), arrayMax(e -> e.1, held)) AS qualified_at
    FROM (
        SELECT
            member, skill, valid_from, held,
            arrayFilter(e -> e.4 NOT IN ('quiz', 'module'), held) AS strong,
            arraySum(e -> e.6, held) AS weight,
            arrayFilter(e -> e.4 = 'solo', held) AS solos,
            arrayUniq(arrayMap(e -> e.5, arrayFilter(e -> e.4 = 'drill', held))) AS drills,
            (arraySum(e -> e.6, strong) >= 300 AND arrayUniq(arrayMap(e -> toDate32(e.1, {tz:String}), solos)) >= 2)
                OR (notEmpty(solos) AND drills >= 2) AS is_independent,
            multiIf(
                is_independent AND arrayCount(e -> e.4 = 'taught', held) >= 2, 4,
                is_independent, 3,
                drills > 0 OR arrayCount(e -> e.4 IN ('shadow', 'reverse_shadow', 'assist', 'led', 'solo'), held) >= 2, 2,
                notEmpty(strong) OR (arrayExists(e -> e.4 = 'quiz', held) AND arrayExists(e -> e.4 = 'module', held)), 1,
                0) AS level
        FROM (
            SELECT member, skill, valid_from, arrayFilter(e -> e.1 <= valid_from, said) AS held
            FROM (
                SELECT member, skill, groupArray((at, id, source, kind, ref, weight)) AS said, groupUniqArray(at) AS moments
                FROM skill_evidence
                GROUP BY member, skill)
            ARRAY JOIN moments AS valid_from)))
