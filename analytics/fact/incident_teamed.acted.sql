-- fact: incident_teamed.acted
-- needs: incident_acted
-- team by the lens; responder_team is the team of the resolver at that action. What it
-- assumes counts where the question looks at teams at all.
incident_teamed AS (
    SELECT *, multiIf({lens:String} = 'owner_now', owner_now, {lens:String} = 'owner_then', owner_then, resolver_team) AS team,
        toUInt8({lens:String} = 'owner_then' AND owner_assumed) AS uses_owner,
        toUInt8({lens:String} = 'responder_team' AND {uses_team:UInt8} = 1 AND resolver_assumed) AS uses_team
    FROM incident_acted)
