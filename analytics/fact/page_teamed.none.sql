-- fact: page_teamed.none
-- needs: page_hours
page_teamed AS (SELECT *, '' AS team, toUInt8(0) AS uses_owner, toUInt8(0) AS uses_team FROM page_hours)
