-- fact: incident_hours.none
-- needs: incident_teamed
incident_hours AS (SELECT *, '' AS hour_class, toUInt8(0) AS uses_zone, toUInt8(0) AS uses_org_zone FROM incident_teamed)
