-- fact: incident_acted
-- needs: incident_owned, target_epoch
-- Who was paged, assigned and acted on an incident, and for which teams they stood at
-- that moment. One row per moment (what, at, id, place, target) first, so that a single
-- ASOF join answers for every person and policy, then folded back to one per incident.
incident_moment AS (
    SELECT
        incident, opened_at, opened_assumed, owned_at, source, is_resolved, resolved_at, is_auto, is_reopened, is_merged, acked_at, ended_at,
        last_title, last_urgency, last_priority, last_severity, last_alert_class, last_service, is_paged, paged, service_then,
        owner_then, owner_now, owner_assumed, starts_load,
        arrayJoin(arrayConcat(
            [('self', owned_at, '', toUInt16(0), '')],
            if(is_paged, [('page', paged.1, paged.2, toUInt16(0), concat('person:', transform(paged.3, {alias:Array(String)}, {person_of:Array(String)}, paged.3)))], []),
            arrayMap(a -> ('act', a.1, a.2, toUInt16(0), concat('person:', transform(a.3, {alias:Array(String)}, {person_of:Array(String)}, a.3))),
                arrayFilter(a -> NOT is_resolved OR (a.1, a.2) <= (resolution.1, resolution.2), acts)),
            arrayMap(t -> ('to', t.1, t.2, t.3, if(startsWith(t.4, 'person:'), concat('person:', transform(substring(t.4, 8), {alias:Array(String)}, {person_of:Array(String)}, substring(t.4, 8))), t.4)), assignments)
        )) AS m
    FROM incident_owned),
incident_stood AS (
    SELECT
        i.* EXCEPT m, i.m.1 AS what, i.m.2 AS moment, i.m.3 AS moment_id, i.m.4 AS place, i.m.5 AS target,
        if(startsWith(target, 'team:'), [substring(target, 6)], e.teams) AS stood,
        has(stood, owner_then) AS stood_for_owner,
        multiIf(stood_for_owner, owner_then, notEmpty(stood), stood[1], '') AS stood_team,
        e.target != '' AND moment < e.sure_from AS stood_assumed, e.owner_assumed AS stood_owner_assumed
    FROM (SELECT *, m.5 AS target_key, m.2 AS target_at FROM incident_moment) AS i
    ASOF LEFT JOIN target_epoch AS e ON i.target_key = e.target AND i.target_at >= e.valid_from),
incident_folded AS (
    SELECT
        incident,
        any(opened_at) AS opened_at, any(opened_assumed) AS opened_assumed, any(owned_at) AS owned_at, any(source) AS source,
        any(is_resolved) AS is_resolved, anyRespectNulls(resolved_at) AS resolved_at, any(is_auto) AS is_auto, any(is_reopened) AS is_reopened, any(is_merged) AS is_merged,
        anyRespectNulls(acked_at) AS acked_at, anyRespectNulls(ended_at) AS ended_at,
        any(last_title) AS last_title, any(last_urgency) AS last_urgency, any(last_priority) AS last_priority, any(last_severity) AS last_severity,
        any(last_alert_class) AS last_alert_class, any(last_service) AS last_service, any(is_paged) AS is_paged, any(paged) AS paged, any(service_then) AS service_then,
        any(owner_then) AS owner_then, any(owner_now) AS owner_now, any(owner_assumed) AS owner_assumed, any(starts_load) AS starts_load,
        countIf(what = 'act') > 0 AS is_acted,
        maxIf((moment, moment_id, target, stood_team, stood_for_owner, stood_assumed), what = 'act') AS last_act,
        minIf((moment, moment_id, target, stood_team, stood_for_owner, stood_assumed), what = 'act') AS first_act,
        minIf((moment, moment_id, stood_for_owner, stood_assumed), what = 'page') AS page_stood,
        countIf(what = 'act' AND stood_for_owner) > 0 AS is_owner_acted,
        minIf((moment, moment_id), what = 'act' AND stood_for_owner) AS owner_act,
        countIf(what = 'act' AND stood_assumed) > 0 AND owner_then != ''
            AND (NOT is_owner_acted OR minIf((moment, moment_id), what = 'act' AND stood_assumed) <= owner_act) AS owner_act_assumed,
        arraySort(groupArrayIf((moment, moment_id, place, stood_team, stood_assumed, stood_owner_assumed), what = 'to' AND stood_team != '')) AS sequence
    FROM incident_stood
    GROUP BY incident),
incident_acted AS (
    SELECT *,
        if(is_acted, substring(last_act.3, 8), '') AS resolver, if(is_acted, last_act.4, '') AS resolver_team, is_acted AND last_act.6 AS resolver_assumed,
        multiIf(is_paged, page_stood.3, notEmpty(sequence), sequence[1].4 = owner_then, first_act.5) AS owner_first,
        multiIf(is_paged, page_stood.4, notEmpty(sequence), sequence[1].5, first_act.6) AS first_assumed,
        NOT is_paged AND notEmpty(sequence) AND sequence[1].6 AS first_owner_assumed,
        multiIf(owner_then = '', 'unowned', NOT is_acted, 'untouched',
            owner_first AND last_act.5, 'owned', owner_first, 'escalated_away', last_act.5, 'misrouted', 'owned_on_paper') AS quadrant,
        arrayMap(s -> s.4, sequence) AS assigned_teams,
        arrayFilter((one, place) -> place = 1 OR one != assigned_teams[place - 1], assigned_teams, arrayEnumerate(assigned_teams)) AS team_path,
        greatest(length(team_path), 1) - 1 AS hops,
        length(team_path) > length(arrayDistinct(team_path)) AS is_ping_pong
    FROM incident_folded)
