-- fact: cover_turn
-- needs: shift_change
-- Who is on call for which team when, before and after as_of, and as of which moment their
-- skill is judged: past time by the start of their shift, coming time by as_of.
--
-- 1. Which shifts count is as for on-call hours: the latest statement of a shift holds,
--    shadows never count, and on one schedule and level worked shifts come before planned
--    overrides and those before planned shifts. But shifts are not cut off at as_of.
-- 2. A turn is cut at as_of and where the person changes team.
cover_latest AS (
    SELECT said.1 AS schedule, said.2 AS member, said.3 AS begun, said.4 AS start, said.5 AS end, said.6 AS level, said.7 AS rank
    FROM (
        SELECT argMax((
                schedule, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), start,
                greatest(start, {from:DateTime64(3, 'UTC')}), least(end, {to:DateTime64(3, 'UTC')}),
                level, rank, role IN ('shadow', 'reverse_shadow')), (at, id, source)) AS said
        FROM (SELECT shift, at, id, source, schedule, person, start, end, level, rank, role, seen FROM shift
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY shift)
    WHERE said.8 = 0 AND said.4 < said.5),
cover_seat AS (
    SELECT member, level, begun, piece.1 AS began, piece.2 AS ended, rank, max(rank) OVER (PARTITION BY schedule, level, piece.1) AS best
    FROM (
        SELECT schedule, level, member, begun, rank,
            arraySort(arrayDistinct(arrayFilter(c -> c >= start AND c <= end, arrayConcat(
                groupUniqArray(start) OVER (PARTITION BY schedule, level), groupUniqArray(end) OVER (PARTITION BY schedule, level), [{as_of:DateTime64(3, 'UTC')}])))) AS cuts
        FROM cover_latest)
    ARRAY JOIN arrayZip(arrayPopBack(cuts), arrayPopFront(cuts)) AS piece),
cover_cut AS (
    SELECT member, level, judged_at, piece.1 AS began, piece.2 AS ended
    FROM (
        SELECT
            h.member AS member, h.level AS level, if(h.began >= {as_of:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}, h.begun) AS judged_at,
            arraySort(arrayDistinct(arrayConcat([h.began, h.ended], arrayFilter(c -> c > h.began AND c < h.ended, c.changes)))) AS cuts
        FROM (SELECT * FROM cover_seat WHERE rank = best) AS h
        LEFT JOIN shift_change AS c ON h.member = c.member)
    ARRAY JOIN arrayZip(arrayPopBack(cuts), arrayPopFront(cuts)) AS piece),
cover_turn AS (
    SELECT t.member AS member, t.level AS level, t.judged_at AS judged_at, t.began AS began, t.ended AS ended, if(empty(m.teams), '', m.teams[1]) AS team
    FROM cover_cut AS t
    ASOF LEFT JOIN membership_epoch AS m ON t.member = m.member AND t.began >= m.valid_from)
