-- fact: training_unit
-- needs: membership_epoch
-- What was assigned to whom and what came of it: one row per assignment and person.
--
-- 1. Of several training.assigned with one id the latest by (at, id) says what and to whom,
--    and the first when.
-- 2. An assignment to a team is its members' of that moment, and whoever else began it.
-- 3. A rota's assignment is for those of the team it is within, as of as_of, whose first shift
--    of their own on the rota begins after it, and whoever else began it; due the day before
--    that, or the day it was given. A waiver of all of it ends it for those who have not begun,
--    and excuses nobody.
-- 4. What is learned is the module; events that name another are no progress of it. Without a
--    module it is the track: whatever was done under it is a start, but which modules make a
--    track no event says, so it is passed and completed by an event that names the track.
-- 5. Whatever somebody did with it, they started it. A waiver that names a person is theirs
--    alone, else everybody's.
-- 6. An event that a voiding names never was.
-- 7. A date is due until its local end, an instant until then; other text is never due.
training_said AS (
    SELECT
        assignment, at, id, toString(source) AS source, toString(kind) AS kind, toString(module) AS module, toString(track) AS track, toString(team) AS team,
        transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member, due, toString(rota) AS rota, toString(within) AS within
    FROM (
        SELECT assignment, at, id, source, kind, module, track, team, person, due, rota, within, seen FROM training
        WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')}
      AND id NOT IN (SELECT voids FROM skill WHERE voids != '' AND at <= {as_of:DateTime64(3, 'UTC')} AND seen <= {known_at:DateTime64(3, 'UTC')})),
training_assignment AS (
    SELECT
        assignment, assigned_at, waived,
        latest.1 AS module, latest.2 AS track, latest.3 AS team, latest.4 AS member, latest.6 AS rota, latest.7 AS within,
        rota != '' AND member = '' AND team = '' AS is_rule, is_rule AND has(waived, '') AS is_ended,
        ifNull(if(length(latest.5) = 10,
            toDate32OrNull(latest.5) < toDate32({as_of:DateTime64(3, 'UTC')}, {tz:String}),
            parseDateTime64BestEffortOrNull(latest.5, 3, 'UTC') < {as_of:DateTime64(3, 'UTC')}), 0) AS is_past_due
    FROM (
        SELECT
            assignment, minIf(at, kind = 'training.assigned') AS assigned_at, groupUniqArrayIf(member, kind = 'training.waived') AS waived,
            argMaxIf((module, track, team, member, due, rota, within), (at, id, source), kind = 'training.assigned') AS latest
        FROM training_said
        WHERE kind IN ('training.assigned', 'training.waived')
        GROUP BY assignment
        HAVING countIf(kind = 'training.assigned') > 0)),
training_progress AS (
    SELECT
        s.assignment AS assignment, s.member AS member,
        countIf(s.kind = 'training.passed' AND s.module = a.learned) > 0 AS is_passed, countIf(s.kind = 'training.completed' AND s.module = a.learned) > 0 AS is_completed
    FROM (SELECT assignment, member, module, kind FROM training_said WHERE kind NOT IN ('training.assigned', 'training.waived')) AS s
    INNER JOIN (SELECT assignment, module AS only, if(module = '', track, module) AS learned FROM training_assignment) AS a ON s.assignment = a.assignment
    WHERE a.only IN ('', s.module)
    GROUP BY assignment, member),
training_shift AS (
    SELECT schedule, member, min(start) AS begins
    FROM (
        SELECT arrayJoin([said.1, '*']) AS schedule, said.2 AS member, said.3 AS start
        FROM (
            SELECT argMax((schedule, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), start, end, toString(role)), (at, id, source)) AS said
            FROM (SELECT shift, at, id, source, schedule, person, start, end, role, seen FROM shift
                  WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
            WHERE at <= {as_of:DateTime64(3, 'UTC')}
            GROUP BY shift)
        WHERE said.3 < said.4 AND said.5 NOT IN ('shadow', 'reverse_shadow'))
    GROUP BY schedule, member),
training_newcomer AS (
    SELECT
        a.assignment AS assignment, f.member AS member,
        NOT a.is_ended AND (f.member, a.within) IN (
            SELECT member, arrayJoin(teams)
            FROM (SELECT member, argMaxIf(teams, valid_from, valid_from <= {as_of:DateTime64(3, 'UTC')}) AS teams FROM membership_epoch GROUP BY member)) AS is_given,
        toDate32({as_of:DateTime64(3, 'UTC')}, {tz:String}) > greatest(toDate32(f.begins, {tz:String}) - 1, toDate32(a.assigned_at, {tz:String})) AS is_late
    FROM (SELECT assignment, assigned_at, rota, within, is_ended FROM training_assignment WHERE is_rule) AS a
    INNER JOIN training_shift AS f ON a.rota = f.schedule
    WHERE f.begins > a.assigned_at),
training_person AS (
    SELECT assignment, member, max(late) AS is_late
    FROM (
        SELECT assignment, member, toUInt8(0) AS late, toUInt8(1) AS given FROM training_assignment WHERE member != ''
        UNION ALL
        SELECT t.assignment AS assignment, t.member AS member, toUInt8(0) AS late, toUInt8(1) AS given
        FROM (
            SELECT a.assignment AS assignment, a.team AS team, a.assigned_at AS assigned_at, m.member AS member
            FROM (SELECT assignment, team, assigned_at FROM training_assignment WHERE member = '') AS a
            CROSS JOIN (SELECT DISTINCT member FROM membership_epoch) AS m) AS t
        ASOF INNER JOIN membership_epoch AS e ON t.member = e.member AND t.assigned_at >= e.valid_from
        WHERE has(e.teams, t.team)
        UNION ALL
        SELECT assignment, member, toUInt8(is_late) AS late, toUInt8(is_given) AS given FROM training_newcomer
        UNION ALL
        SELECT assignment, member, toUInt8(0) AS late, toUInt8(1) AS given
        FROM training_progress
        WHERE assignment IN (SELECT assignment FROM training_assignment WHERE member = ''))
    GROUP BY assignment, member
    HAVING max(given) = 1),
training_unit AS (
    SELECT
        u.assignment AS assignment, u.member AS member, u.module AS module, u.track AS track, u.assigned_at AS assigned_at,
        multiIf(u.team != '', u.team, notEmpty(m.teams), m.teams[1], '') AS team,
        p.assignment != '' AS is_started, p.is_passed AS is_passed, p.is_completed AS is_completed,
        (u.member != '' AND has(u.waived, u.member)) OR (NOT u.is_rule AND has(u.waived, '')) AS is_waived,
        (u.is_past_due OR u.is_late) AND NOT is_completed AND NOT is_waived AS is_overdue
    FROM (
        SELECT
            q.member AS member, q.is_late AS is_late, a.waived AS waived, a.is_rule AS is_rule, a.assignment AS assignment, a.module AS module, a.track AS track,
            if(a.team = '', a.within, a.team) AS team, a.assigned_at AS assigned_at, a.is_past_due AS is_past_due
        FROM training_person AS q
        INNER JOIN training_assignment AS a ON q.assignment = a.assignment) AS u
    LEFT JOIN training_progress AS p ON u.assignment = p.assignment AND u.member = p.member
    ASOF LEFT JOIN membership_epoch AS m ON u.member = m.member AND u.assigned_at >= m.valid_from)
