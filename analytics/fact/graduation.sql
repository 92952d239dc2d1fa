-- fact: graduation
-- needs: alert_taken
-- How far each trainee is, and when they first had at least 10 acknowledged alerts of which
-- more than 80 % made sense, by what had happened and been tapped by then. An alert without a
-- tap has not made sense. What comes later takes no graduation back.
--
-- 1. An alert counts from its acknowledgement, with what was tapped until then; each later tap
--    that changes its mind moves the sum by one. All that happens at one moment is one step.
-- 2. 5 × yes > 4 × n is exactly more than 80 %.
graduation_step AS (
    SELECT member, step.1 AS at, sum(step.2) AS alerts, sum(step.3) AS yes
    FROM (
        SELECT
            member,
            arrayFilter(t -> t.1 <= acked_at, taps) AS before, arrayFilter(t -> t.1 > acked_at, taps) AS after,
            if(empty(before), toInt64(0), before[-1].4) AS first,
            arrayDifference(arrayPushFront(arrayMap(t -> t.4, after), first)) AS moved,
            arrayJoin(arrayPushFront(arrayMap((t, d) -> (t.1, toInt64(0), d), after, arrayPopFront(moved)), (acked_at, toInt64(1), first))) AS step
        FROM alert_taken)
    GROUP BY member, at),
graduation_day AS (
    SELECT member, minIf(at, alerts >= 10 AND 5 * yes > 4 * alerts) AS held_at, max(alerts >= 10 AND 5 * yes > 4 * alerts) AS has_held
    FROM (SELECT member, at, sum(s.alerts) OVER so_far AS alerts, sum(s.yes) OVER so_far AS yes FROM graduation_step AS s
          WINDOW so_far AS (PARTITION BY member ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
    GROUP BY member),
graduation AS (
    SELECT n.member AS member, n.acknowledged AS acknowledged, n.rated AS rated, n.sensible AS sensible, if(d.has_held, d.held_at, NULL) AS graduated_at
    FROM (SELECT member, count() AS acknowledged, countIf(made_sense >= 0) AS rated, countIf(made_sense = 1) AS sensible FROM alert_taken GROUP BY member) AS n
    INNER JOIN graduation_day AS d ON n.member = d.member)
