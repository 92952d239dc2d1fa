-- fact: ownership_epoch
-- Who owned a service from when on: one row per service and instant of change; ASOF join
-- on valid_from. With assume=first the first owner holds since ever; sure_from is when
-- that stops being an assumption.
ownership_said AS (
    SELECT service, at, argMin(team, (id, source)) AS first_team, argMax(team, (id, source)) AS last_team, min(at) OVER (PARTITION BY service) AS sure_from
    FROM (SELECT service, at, id, source, team, seen FROM ownership
          WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY service, at),
ownership_epoch AS (
    SELECT service, epoch.1 AS valid_from, epoch.2 AS team, sure_from
    FROM ownership_said
    ARRAY JOIN if(at = sure_from AND {assume:String} = 'first',
        [(toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), first_team), (at, last_team)], [(at, last_team)]) AS epoch)
