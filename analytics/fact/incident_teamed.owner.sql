-- fact: incident_teamed.owner
-- needs: incident_owned
-- team is the owner then or now, by the lens.
incident_teamed AS (
    SELECT *, if({lens:String} = 'owner_now', owner_now, owner_then) AS team,
        toUInt8({lens:String} = 'owner_then' AND owner_assumed) AS uses_owner, toUInt8(0) AS uses_team
    FROM incident_owned)
