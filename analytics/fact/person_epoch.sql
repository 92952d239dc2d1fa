-- fact: person_epoch
-- A person's zone, working hours and holidays from when on: each the last non-empty value
-- by (at, id) over the person and all aliases. With assume=first the first description
-- holds since ever. A zone the engine does not know counts as none, since one bad name
-- would otherwise fail every question.
person_epoch AS (
    SELECT
        member, epoch.1 AS valid_from, sure_from,
        epoch.2 AS zone, epoch.3 AS hours_described, epoch.4 AS working_hours, epoch.5 AS holidays
    FROM (
        SELECT
            transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member,
            arraySort(s -> (s.1, s.2, s.3), groupArray((at, id, source, known_zone, hours_described, working_hours, holidays))) AS said,
            min(at) AS sure_from,
            arrayMap(t -> (
                if(t = sure_from AND {assume:String} = 'first', toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), t),
                arrayLast(s -> s.1 <= t AND s.4 != '', said).4,
                arrayLast(s -> s.1 <= t AND s.5 = 1, said).5,
                arrayLast(s -> s.1 <= t AND s.5 = 1, said).6,
                arrayLast(s -> s.1 <= t AND notEmpty(s.7), said).7), arrayDistinct(arrayMap(s -> s.1, said))) AS epochs
        FROM (
            SELECT person, at, id, source, if(zone IN (SELECT time_zone FROM system.time_zones), zone, '') AS known_zone, hours_described, working_hours, holidays, seen
            FROM person
            WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY member)
    ARRAY JOIN epochs AS epoch)
