-- fact: incident_state
-- needs: incident_part
-- One row per incident touched in the window or its reach, as of as_of; drills are gone.
incident_state AS (
    SELECT
        incident,
        min(opened) AS opening, min(first) AS earliest,
        opening.1 = toDateTime64('2299-12-31 00:00:00', 3, 'UTC') AS opened_assumed,
        if(opened_assumed, earliest.1, opening.1) AS opened_at,
        if(opened_assumed, earliest.3, opening.3) AS source,
        min(acked) AS acked_or_far,
        if(acked_or_far < toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), acked_or_far, NULL) AS acked_at,
        min(ended) AS ended_or_far,
        if(ended_or_far < toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), ended_or_far, NULL) AS ended_at,
        max(resolved) AS resolution, max(reopened) AS reopening,
        (resolution.1, resolution.2) > (reopening.1, reopening.2) AS is_resolved,
        if(is_resolved, resolution.1, NULL) AS resolved_at,
        is_resolved AND resolution.3 = 1 AS is_auto,
        reopening.1 > toDateTime64('1970-01-01 00:00:00', 3, 'UTC') AS is_reopened,
        max(merged) = 1 AS is_merged,
        max(title).3 AS last_title,
        max(urgency).3 AS last_urgency, max(priority).3 AS last_priority, max(severity).3 AS last_severity,
        max(alert_class).3 AS last_alert_class, max(service).3 AS last_service,
        min(first_page) AS paged,
        paged.1 < toDateTime64('2299-12-31 00:00:00', 3, 'UTC') AS is_paged,
        if(is_paged, paged.1, opened_at) AS owned_at,
        arraySort(groupUniqArrayArray(services)) AS service_changes,
        arrayFilter(c -> c.1 <= owned_at, service_changes) AS service_before,
        multiIf(notEmpty(service_before), service_before[-1].3, notEmpty(service_changes), service_changes[1].3, '') AS service_then,
        groupUniqArrayArray(actions) AS acts,
        groupUniqArrayArray(assigned) AS assignments
    FROM incident_part
    GROUP BY incident
    HAVING max(drill) = 0)
