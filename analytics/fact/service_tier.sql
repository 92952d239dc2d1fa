-- fact: service_tier
-- needs: ownership_epoch
-- The tier of a service as last described, and who owns it, as of as_of.
service_tier AS (
    SELECT t.service AS service, t.tier AS tier, o.team AS team
    FROM (
        SELECT service, argMax(JSONExtractInt(data, 'tier'), (at, id, source)) AS tier, {as_of:DateTime64(3, 'UTC')} AS as_of_instant
        FROM (SELECT service, at, id, source, data, seen FROM events
              WHERE kind = 'service.described' AND seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')} AND JSONExtractInt(data, 'tier') > 0
        GROUP BY service) AS t
    ASOF INNER JOIN ownership_epoch AS o ON t.service = o.service AND t.as_of_instant >= o.valid_from)
