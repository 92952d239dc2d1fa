-- fact: shift_held
-- needs: shift_change
-- Who held which level when: one row per person and stretch of time, without overlaps.
--
-- 1. The latest statement by (at, id) of one shift id holds; shadows never count. Shifts
--    are cut at the window and at as_of.
-- 2. On one schedule and level, at any moment, worked shifts count before planned
--    overrides, which count before planned shifts; several of the best rank count.
-- 3. A person's moment counts once, at the lowest level they hold anywhere.
-- 4. A stretch is cut where the person changes team or zone, at the bounds of buckets,
--    and, where hours matter, on a grid that holds every bound of an hour class.
shift_latest AS (
    SELECT said.1 AS schedule, said.2 AS member, said.3 AS start, said.4 AS end, said.5 AS level, said.6 AS rank
    FROM (
        SELECT argMax((
                schedule, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person),
                greatest(start, {from:DateTime64(3, 'UTC')}), least(end, {to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}),
                level, rank, role IN ('shadow', 'reverse_shadow')), (at, id, source)) AS said
        FROM (SELECT shift, at, id, source, schedule, person, start, end, level, rank, role, seen FROM shift
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY shift)
    WHERE said.7 = 0 AND said.3 < said.4),
shift_seat AS (
    SELECT
        level,
        groupArray((start, end, rank, member)) AS held,
        arraySort(arrayDistinct(arrayConcat(groupArray(start), groupArray(end)))) AS cuts,
        arrayJoin(arrayZip(arrayPopBack(cuts), arrayPopFront(cuts))) AS piece,
        arrayFilter(h -> h.1 <= piece.1 AND h.2 >= piece.2, held) AS present,
        arrayMax(h -> h.3, present) AS best,
        arrayDistinct(arrayMap(h -> h.4, arrayFilter(h -> h.3 = best, present))) AS members
    FROM shift_latest
    GROUP BY schedule, level),
shift_turn AS (
    SELECT
        member,
        groupArray((piece.1, piece.2, level)) AS held,
        arraySort(arrayDistinct(arrayConcat(groupArray(piece.1), groupArray(piece.2)))) AS ends
    FROM (SELECT level, piece, arrayJoin(members) AS member FROM shift_seat WHERE notEmpty(present))
    GROUP BY member),
(SELECT if(max(arrayExists(w -> w.1 % 15 != 0 OR w.2 % 15 != 0, working_hours)), 60, 900) FROM person) AS shift_finest,
shift_stretch AS (
    SELECT
        member, level,
        arrayJoin(if({grid:UInt32} = 0, [(began, ended)], arrayMap(
            k -> (greatest(began, fromUnixTimestamp64Milli(toInt64(k) * greatest(least({grid:UInt32}, assumeNotNull(shift_finest)), 1) * 1000, 'UTC')),
                  least(ended, fromUnixTimestamp64Milli((toInt64(k) + 1) * greatest(least({grid:UInt32}, assumeNotNull(shift_finest)), 1) * 1000, 'UTC'))),
            range(toUInt64(intDiv(toUnixTimestamp64Milli(began), 1000 * greatest(least({grid:UInt32}, assumeNotNull(shift_finest)), 1))),
                  toUInt64(intDiv(toUnixTimestamp64Milli(ended) - 1, 1000 * greatest(least({grid:UInt32}, assumeNotNull(shift_finest)), 1)) + 1))))) AS stretch
    FROM (
        SELECT
            member, piece.1 AS began, piece.2 AS ended,
            arrayMin(h -> if(h.1 <= piece.1 AND h.2 >= piece.2, toInt32(h.3), 1000000), held) AS level
        FROM (
            SELECT
                t.member AS member, t.held AS held,
                arraySort(arrayDistinct(arrayConcat(t.ends, arrayFilter(c -> c > t.ends[1] AND c < t.ends[-1], c.changes),
                    arrayFilter(c -> c > t.ends[1] AND c < t.ends[-1], arrayMap(ms -> fromUnixTimestamp64Milli(ms, 'UTC'), {cuts:Array(Int64)}))))) AS cuts,
                arrayJoin(arrayZip(arrayPopBack(cuts), arrayPopFront(cuts))) AS piece
            FROM shift_turn AS t
            LEFT JOIN shift_change AS c ON t.member = c.member))
    WHERE level < 1000000),
shift_held AS (SELECT member, level, stretch.1 AS began, stretch.2 AS ended FROM shift_stretch)
