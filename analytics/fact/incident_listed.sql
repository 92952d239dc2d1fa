-- fact: incident_listed
-- needs: incident_owned
-- Incidents as lists and their own page show them. resolver: the person of the last
-- resolution if a user, else the last person to act before it; the same as for the
-- quadrant, without asking for anybody's team.
incident_listed AS (
    SELECT *, transform(last_actor, {alias:Array(String)}, {person_of:Array(String)}, last_actor) AS resolver
    FROM (
        SELECT *, arrayReduce('max', arrayFilter(a -> NOT is_resolved OR (a.1, a.2) <= (resolution.1, resolution.2), acts)).3 AS last_actor
        FROM incident_owned
        WHERE has({team:Array(String)}, owner_then) -- if team
        ))
