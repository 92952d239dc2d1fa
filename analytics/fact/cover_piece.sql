-- fact: cover_piece
-- needs: cover_turn, skill_known, skill_epoch
-- A team's time with anybody on call, in pieces without overlaps, and the skills that
-- somebody on call has then at level 3 or above and current. Whoever is on call at whatever
-- level covers the team, so two people at once are one hour.
cover_judged AS (
    SELECT
        t.team AS team, t.member AS member, t.began AS began, t.ended AS ended,
        groupUniqArrayIf(t.skill, e.level >= 3 AND exp2(-dateDiff('millisecond', e.qualified_at, t.judged_at) / (200 * 86400000)) >= 0.7) AS skills
    FROM (
        SELECT t.team AS team, t.member AS member, t.judged_at AS judged_at, t.began AS began, t.ended AS ended, k.skill AS skill
        FROM cover_turn AS t
        CROSS JOIN skill_known AS k
        WHERE true
          AND has({team:Array(String)}, t.team) -- if team
        ) AS t
    ASOF LEFT JOIN skill_epoch AS e ON t.member = e.member AND t.skill = e.skill AND t.judged_at >= e.valid_from
    GROUP BY team, member, t.judged_at, began, ended),
cover_piece AS (
    SELECT team, piece.1 AS began, piece.2 AS ended, arrayDistinct(arrayFlatten(arrayMap(h -> h.3, present))) AS skills
    FROM (
        SELECT
            team,
            groupArray((began, ended, skills)) AS held,
            arraySort(arrayDistinct(arrayConcat(groupArray(began), groupArray(ended), arrayMap(ms -> fromUnixTimestamp64Milli(ms, 'UTC'), {cuts:Array(Int64)})))) AS cuts,
            arrayJoin(arrayZip(arrayPopBack(cuts), arrayPopFront(cuts))) AS piece,
            arrayFilter(h -> h.1 <= piece.1 AND h.2 >= piece.2, held) AS present
        FROM cover_judged
        GROUP BY team)
    WHERE notEmpty(present))
