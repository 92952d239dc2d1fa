-- fact: gap_tagged
-- needs: incident_teamed, tag_standing
-- Each incident on an owned service once for each skill it took, with its weight. Merged
-- ones are left out, since the quadrant leaves them out. All teams' are needed: the share
-- that left any team is what a team's own share shrinks towards.
gap_tagged AS (
    SELECT
        t.skill AS skill, i.incident AS incident, i.opened_at AS opened_at, i.owner_then AS owner, i.last_service AS service, i.last_title AS last_title,
        if(hasAny(['P1', 'P2', 'SEV1', 'SEV2', 'CRITICAL'], [upper(i.last_priority), upper(i.last_severity)]), 3, 1) AS weight,
        i.quadrant = 'escalated_away' AS is_away,
        true
            AND has({team:Array(String)}, i.owner_then) -- if team
            AS is_asked,
        i.owner_assumed OR (i.quadrant != 'untouched' AND i.first_owner_assumed) AS rests_on_owner,
        i.quadrant != 'untouched' AND (i.first_assumed OR i.resolver_assumed) AS rests_on_team,
        i.opened_assumed AS rests_on_opened
    FROM incident_teamed AS i
    INNER JOIN tag_standing AS t ON i.incident = t.incident
    WHERE NOT i.is_merged AND i.owner_then != '')
