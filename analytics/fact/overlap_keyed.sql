-- fact: overlap_keyed
-- needs: skill_now, skill_known, membership_epoch
-- key.team: team
-- Each team that has members as of as_of, once for every skill in question, and how many of
-- its members have it at level 2 or above and current.
overlap_team AS (
    SELECT DISTINCT arrayJoin(teams) AS team
    FROM (SELECT member, argMax(teams, valid_from) AS teams FROM membership_epoch WHERE valid_from <= {as_of:DateTime64(3, 'UTC')} GROUP BY member)),
overlap_able AS (
    SELECT team, skill, count() AS able
    FROM skill_now ARRAY JOIN teams AS team
    WHERE level >= 2 AND retention >= 0.7
    GROUP BY team, skill),
overlap_keyed AS (
    SELECT *,
        /*row*/
    FROM (
        SELECT t.team AS team, k.skill AS skill, a.able AS able
        FROM (
            SELECT team FROM overlap_team
            WHERE true
              AND has({team:Array(String)}, team) -- if team
            ) AS t
        CROSS JOIN skill_known AS k
        LEFT JOIN overlap_able AS a ON t.team = a.team AND k.skill = a.skill))
