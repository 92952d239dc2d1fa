-- fact: shift_hours.zone
-- needs: shift_held, membership_epoch, person_epoch
-- The person's team on each stretch on call, and its hour class in their zone of then.
shift_hours AS (
    SELECT *, /*hour_class*/ AS hour_class
    FROM (SELECT *, /*hour_slot*/ FROM (
        SELECT
            s.member AS member, s.level AS level, s.began AS began, s.ended AS ended, s.team AS team,
            p.hours_described AS hours_described, p.working_hours AS working_hours, p.holidays AS holidays,
            toDateTime64(toString(s.began, if(p.zone = '', {tz:String}, p.zone)), 3, 'UTC') AS wall
        FROM (
            SELECT h.member AS member, h.level AS level, h.began AS began, h.ended AS ended, if(empty(m.teams), '', m.teams[1]) AS team
            FROM shift_held AS h
            ASOF LEFT JOIN membership_epoch AS m ON h.member = m.member AND h.began >= m.valid_from) AS s
        ASOF LEFT JOIN person_epoch AS p ON s.member = p.member AND s.began >= p.valid_from)))
