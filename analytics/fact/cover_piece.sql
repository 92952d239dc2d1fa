-- fact: cover_piece
-- needs: cover_turn, skill_epoch
-- A team's time with anybody on call, in pieces without overlaps, and the skills that
-- somebody on call has then at level 3 or above and current. Whoever is on call at whatever
-- level covers the team, so two people at once are one hour.
--
-- Of a person's epochs any that has begun and is current will do: a later one has no lower
-- level and no older evidence. Turns are cut where any other of the team's begins or ends,
-- each by itself, since to carry all of a team's turns to every cut would cost their square.
cover_able AS (
    SELECT member, groupArray((skill, valid_from, qualified_at)) AS able
    FROM skill_epoch
    WHERE level >= 3
    GROUP BY member),
cover_judged AS (
    SELECT t.team AS team, t.began AS began, t.ended AS ended,
        arrayDistinct(arrayMap(a -> a.1, arrayFilter(
            a -> a.2 <= t.judged_at AND exp2(-dateDiff('millisecond', a.3, t.judged_at) / (200 * 86400000)) >= 0.7, s.able))) AS skills
    FROM cover_turn AS t
    LEFT JOIN cover_able AS s ON t.member = s.member
    WHERE true
      AND has({team:Array(String)}, t.team) -- if team
    ),
cover_piece AS (
    SELECT team, piece.1 AS began, piece.2 AS ended, groupUniqArrayArray(skills) AS skills
    FROM (
        SELECT team, skills,
            arraySort(arrayDistinct(arrayFilter(c -> c >= began AND c <= ended, arrayConcat(
                groupUniqArray(began) OVER (PARTITION BY team), groupUniqArray(ended) OVER (PARTITION BY team),
                arrayMap(ms -> fromUnixTimestamp64Milli(ms, 'UTC'), {cuts:Array(Int64)}))))) AS cuts
        FROM cover_judged)
    ARRAY JOIN arrayZip(arrayPopBack(cuts), arrayPopFront(cuts)) AS piece
    GROUP BY team, piece)
