-- fact: shift_keyed
-- needs: shift_held
-- bucket.day: toString(toDate(began, {tz:String}))
-- bucket.week: toString(toMonday(toDate(began, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(began, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(began, {tz:String})))
-- key.team: team
-- key.person: member
-- key.level: toString(level)
-- key.hour_class: hour_class
-- key.weekday_hour: formatDateTime(began, '%u-%H', {tz:String})
-- The stretches on call in question, each with the row of the answer it belongs to.
shift_keyed AS (
    SELECT *,
        /*row*/
    FROM (
        SELECT *, /*hour_class*/ AS hour_class
        FROM (SELECT *, /*hour_slot*/ FROM (
            SELECT
                s.member AS member, s.level AS level, s.began AS began, s.ended AS ended, if(empty(s.teams), '', s.teams[1]) AS team,
                p.hours_described AS hours_described, p.working_hours AS working_hours, p.holidays AS holidays,
                toDateTime64(toString(s.began, if(p.zone = '', {tz:String}, p.zone)), 3, 'UTC') AS wall
            FROM (
                SELECT h.member AS member, h.level AS level, h.began AS began, h.ended AS ended, m.teams AS teams
                FROM shift_held AS h
                ASOF LEFT JOIN membership_epoch AS m ON h.member = m.member AND h.began >= m.valid_from) AS s
            ASOF LEFT JOIN person_epoch AS p ON s.member = p.member AND s.began >= p.valid_from)))
    WHERE true
      AND has({team:Array(String)}, team) -- if team
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
    )
