-- fact: membership_epoch
-- In which teams a person was from when on: one row per person and instant of change,
-- teams sorted. With assume=first, before the first joining the team (or teams) of that
-- first instant hold.
membership_epoch AS (
    SELECT member, epoch.1 AS valid_from, epoch.2 AS teams, sure_from
    FROM (
        SELECT
            transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member,
            arraySort(groupArray((at, id, source, team, joined))) AS said,
            arrayDistinct(arrayMap(s -> s.4, said)) AS named,
            countIf(joined = 1) > 0 AND {assume:String} = 'first' AS assuming,
            if(assuming, minIf(at, joined = 1), toDateTime64('1900-01-01 00:00:00', 3, 'UTC')) AS sure_from,
            arrayFilter(t -> NOT assuming OR t >= sure_from, arrayDistinct(arrayMap(s -> s.1, said))) AS instants,
            arrayMap(t -> (t, arraySort(arrayFilter(
                one -> arrayLast(s -> s.4 = one AND s.1 <= t, said).5 = 1, named))), instants) AS known,
            if(assuming, arrayPushFront(known, (toDateTime64('1900-01-01 00:00:00', 3, 'UTC'),
                arraySort(arrayDistinct(arrayMap(s -> s.4, arrayFilter(s -> s.1 = sure_from AND s.5 = 1, said)))))), known) AS epochs
        FROM (SELECT person, at, id, source, team, joined, seen FROM membership
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY member)
    ARRAY JOIN epochs AS epoch)
