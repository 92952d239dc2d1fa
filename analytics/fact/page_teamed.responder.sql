-- fact: page_teamed.responder
-- needs: page_hours, ownership_epoch, membership_epoch
-- The team of the person paged, at the page: the page's owner if they are in it, else the
-- alphabetically first of their teams.
page_teamed AS (
    SELECT h.*, multiIf(has(m.teams, h.owner), h.owner, notEmpty(m.teams), m.teams[1], '') AS team,
        toUInt8(0) AS uses_owner, toUInt8(m.member != '' AND h.at < m.sure_from) AS uses_team
    FROM (
        SELECT p.*, o.team AS owner
        FROM page_hours AS p
        ASOF LEFT JOIN ownership_epoch AS o ON p.service_then = o.service AND p.at >= o.valid_from) AS h
    ASOF LEFT JOIN membership_epoch AS m ON h.member = m.member AND h.at >= m.valid_from)
