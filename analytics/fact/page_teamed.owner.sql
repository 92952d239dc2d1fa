-- fact: page_teamed.owner
-- needs: page_hours, ownership_epoch
-- The owner, as of the page or as of as_of, of the service at the incident's first page.
page_teamed AS (
    SELECT h.*, o.team AS team, toUInt8({lens:String} = 'owner_then' AND o.service != '' AND h.at < o.sure_from) AS uses_owner, toUInt8(0) AS uses_team
    FROM (SELECT *, if({lens:String} = 'owner_now', {as_of:DateTime64(3, 'UTC')}, at) AS owner_at FROM page_hours) AS h
    ASOF LEFT JOIN ownership_epoch AS o ON h.service_then = o.service AND h.owner_at >= o.valid_from)
