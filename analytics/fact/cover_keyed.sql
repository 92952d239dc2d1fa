-- fact: cover_keyed
-- needs: cover_piece, skill_known
-- bucket.day: toString(toDate(began, {tz:String}))
-- bucket.week: toString(toMonday(toDate(began, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(began, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(began, {tz:String})))
-- key.skill: skill
-- Each piece of a team's time on call, once for every skill, with the row it belongs to.
cover_keyed AS (
    SELECT *,
        /*row*/
    FROM (
        SELECT k.skill AS skill, c.began AS began, dateDiff('millisecond', c.began, c.ended) AS took, has(c.skills, k.skill) AS is_covered
        FROM cover_piece AS c
        CROSS JOIN skill_known AS k))
