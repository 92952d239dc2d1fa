-- fact: demand_team
-- needs: incident_owned, tag_standing
-- Severity-weighted incidents of each team and skill, which is the demand of gap_team without
-- asking who resolved what.
demand_team AS (
    SELECT
        i.owner_then AS team, t.skill AS skill, count() AS incidents,
        sum(if(hasAny(['P1', 'P2', 'SEV1', 'SEV2', 'CRITICAL'], [upper(i.last_priority), upper(i.last_severity)]), 3, 1)) AS demand
    FROM incident_owned AS i
    INNER JOIN tag_standing AS t ON i.incident = t.incident
    WHERE NOT i.is_merged AND i.owner_then != ''
    GROUP BY team, skill)
