-- fact: ownership_epoch
-- Who owned a service from when on: one row per service and instant of change; ASOF join
-- on valid_from. With assume=first the first owner holds since ever; sure_from is when
-- that stops being an assumption.
ownership_epoch AS (
    SELECT
        service, team, at AS sure_at, min(at) OVER (PARTITION BY service) AS sure_from,
        if(at = sure_from AND {assume:String} = 'first', toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), at) AS valid_from
    FROM (
        SELECT service, at, argMax(team, (id, source)) AS team
        FROM (SELECT service, at, id, source, team, seen FROM ownership
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
        GROUP BY service, at))
