-- fact: policy_epoch
-- needs: ownership_epoch
-- The one team an escalation policy stands for, from when on: the team that owns all its
-- owned services, if there is exactly one. It changes when the policy does or when one of
-- its services changes hands. owner_assumed: one of the owners is only assumed.
policy_said AS (
    SELECT policy, epoch.1 AS valid_from, epoch.2 AS services
    FROM (
        SELECT policy, at, argMin(services, (id, source)) AS first_services, argMax(services, (id, source)) AS last_services, min(at) OVER (PARTITION BY policy) AS sure_from
        FROM (SELECT policy, at, id, source, services, seen FROM policy
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY policy, at)
    ARRAY JOIN if(at = sure_from AND {assume:String} = 'first',
        [(toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), first_services), (at, last_services)], [(at, last_services)]) AS epoch),
policy_instant AS (
    SELECT policy, valid_from FROM policy_said
    UNION DISTINCT
    SELECT p.policy, o.valid_from
    FROM (SELECT policy, arrayJoin(services) AS service FROM policy_said) AS p
    INNER JOIN ownership_epoch AS o ON p.service = o.service),
policy_epoch AS (
    SELECT policy, valid_from, if(length(teams) = 1, teams, []) AS teams, owner_assumed
    FROM (
        SELECT s.policy AS policy, s.valid_from AS valid_from, groupUniqArrayIf(o.team, o.team != '') AS teams,
            toUInt8(max(o.team != '' AND s.valid_from < o.sure_from)) AS owner_assumed
        FROM (
            SELECT t.policy AS policy, t.valid_from AS valid_from, arrayJoin(if(empty(v.services), [''], v.services)) AS service
            FROM policy_instant AS t
            ASOF LEFT JOIN policy_said AS v ON t.policy = v.policy AND t.valid_from >= v.valid_from) AS s
        ASOF LEFT JOIN ownership_epoch AS o ON s.service = o.service AND s.valid_from >= o.valid_from
        GROUP BY policy, valid_from))
