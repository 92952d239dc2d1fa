-- fact: page_hours.zone
-- needs: page_begun, person_epoch
-- Hour class in the person's zone as it was then, else in the organisation's. A night runs
-- from noon to noon; starts_night marks a person's first sleep-class row of it.
page_wall AS (
    SELECT b.*,
        toUInt8(p.member != '' AND b.at < p.sure_from AND p.zone != '') AS uses_zone,
        toUInt8(p.zone = '') AS uses_org_zone,
        p.hours_described AS hours_described, p.working_hours AS working_hours, p.holidays AS holidays,
        toDateTime64(toString(b.at, if(p.zone = '', {tz:String}, p.zone)), 3, 'UTC') AS wall
    FROM page_begun AS b
    ASOF LEFT JOIN person_epoch AS p ON b.member = p.member AND b.at >= p.valid_from),
page_hours AS (
    SELECT *, toUInt8(hour_class = 'sleep' AND row_number() OVER (PARTITION BY member, night, hour_class ORDER BY at, id, source) = 1) AS starts_night
    FROM (
        SELECT *, /*hour_class*/ AS hour_class
        FROM (SELECT *, toDate32(wall - INTERVAL 12 HOUR) AS night, /*hour_slot*/ FROM page_wall)))
