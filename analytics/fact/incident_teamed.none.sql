-- fact: incident_teamed.none
-- needs: incident_asked_for
-- A question without teams does not look for owners or responders.
incident_teamed AS (SELECT *, '' AS team, toUInt8(0) AS uses_owner, toUInt8(0) AS uses_team FROM incident_asked_for)
