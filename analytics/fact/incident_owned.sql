-- fact: incident_owned
-- needs: incident_asked_for, ownership_epoch
-- Who owned the incident's service at its first page (else its opening), and who does now.
incident_owned AS (
    SELECT i.*, o.team AS owner_then, o.service != '' AND i.owned_at < o.sure_from AS owner_assumed, n.team AS owner_now
    FROM incident_asked_for AS i
    ASOF LEFT JOIN ownership_epoch AS o ON i.service_then = o.service AND i.owned_at >= o.valid_from
    ASOF LEFT JOIN ownership_epoch AS n ON i.service_then = n.service AND i.as_of_instant >= n.valid_from)
