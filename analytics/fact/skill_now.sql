-- fact: skill_now
-- needs: skill_epoch, membership_epoch
-- Who has which level in which skill as of as_of, how current, and in which teams they are
-- then. retention halves in 200 days from the last evidence that qualifies.
skill_now AS (
    SELECT
        s.member AS member, s.skill AS skill, s.weight AS weight, s.level AS level, s.qualified_at AS qualified_at,
        exp2(-dateDiff('millisecond', s.qualified_at, s.as_of_instant) / (200 * 86400000)) AS retention,
        s.level >= 3 AND retention >= 0.7 AS is_supply,
        m.teams AS teams
    FROM (
        SELECT member, skill, latest.1 AS weight, latest.2 AS level, latest.3 AS qualified_at, {as_of:DateTime64(3, 'UTC')} AS as_of_instant
        FROM (SELECT member, skill, argMax((weight, level, qualified_at), valid_from) AS latest FROM skill_epoch GROUP BY member, skill)) AS s
    ASOF LEFT JOIN membership_epoch AS m ON s.member = m.member AND s.as_of_instant >= m.valid_from)
