-- fact: gap_cover
-- needs: cover_piece
-- Time on call in the window, what of it has each skill, and which teams are on call around
-- the clock: with time on call in each of the 168 hours of the week somewhere in the
-- window. A quarter of an hour lies within one local hour in every zone, and eight days
-- hold every hour of the week, so that a longer piece needs no further look. gap_cover is one
-- row, so that the pieces are worked out once.
gap_cover_team AS (
    SELECT
        team, sum(took) AS on_call,
        sumMap(skills, arrayMap(s -> took, skills)) AS having_skill,
        uniqExactArray(arrayMap(
            k -> formatDateTime(greatest(began, fromUnixTimestamp64Milli(toInt64(k) * 900000, 'UTC')), '%u-%H', {tz:String}),
            range(toUInt64(intDiv(toUnixTimestamp64Milli(began), 900000)),
                  toUInt64(intDiv(toUnixTimestamp64Milli(least(ended, addDays(began, 8))) - 1, 900000) + 1)))) AS week_hours
    FROM (SELECT *, dateDiff('millisecond', began, ended) AS took FROM cover_piece)
    GROUP BY team),
gap_cover AS (
    SELECT
        sum(on_call) AS on_call,
        sumMap(having_skill) AS having_skill,
        groupArrayIf(team, week_hours = 168 AND team != '') AS round_the_clock
    FROM gap_cover_team)
