-- fact: page_begun.interruptions
-- needs: page_row
-- For the metric interruptions a row is an interruption, described by its first page.
--
-- 1. Only push, sms and phone pages to a person count, unless marked undelivered.
-- 2. A gap of more than 60 s always ends an interruption, so each person's pages fall
--    into bursts that can be looked at alone.
-- 3. Within a burst interruptions are anchored: 60 s (inclusive) from the first page.
-- 4. A disturbance group starts where the last interruption began more than 20 minutes ago.
interrupting_page AS (
    SELECT *, row_number() OVER told = 1 OR at > addSeconds(lagInFrame(at) OVER told, 60) AS starts_burst
    FROM page_row
    WHERE NOT is_unanswered AND member != '' AND channel IN ('push', 'sms', 'phone') AND delivered != 0
    WINDOW told AS (PARTITION BY member ORDER BY at, id, source ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)),
burst_page AS (
    SELECT *, sum(starts_burst) OVER (PARTITION BY member ORDER BY at, id, source ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst
    FROM interrupting_page),
burst_fold AS (
    SELECT
        member,
        arraySort(p -> (p.1, p.2, p.3), groupArray((at, id, toString(source), incident, toString(channel), level, urgency, priority, severity, alert_class, service, service_then))) AS told,
        arrayFold((walk, p) -> if(p.1 > addSeconds(walk.1, 60), (p.1, arrayPushBack(walk.2, p)), walk),
            told, (toDateTime64('1900-01-01 00:00:00', 3, 'UTC'), arrayFilter(p -> false, told))).2 AS firsts
    FROM burst_page
    GROUP BY member, burst),
page_begun AS (
    SELECT *, toUInt8(row_number() OVER told = 1 OR at > addMinutes(lagInFrame(at) OVER told, 20)) AS starts_group
    FROM (
        SELECT member, f.1 AS at, f.2 AS id, f.3 AS source, false AS is_unanswered, f.4 AS incident, f.5 AS channel, toInt8(1) AS delivered, f.6 AS level,
            f.7 AS urgency, f.8 AS priority, f.9 AS severity, f.10 AS alert_class, f.11 AS service, f.12 AS service_then
        FROM (SELECT member, arrayJoin(firsts) AS f FROM burst_fold))
    WINDOW told AS (PARTITION BY member ORDER BY at, id, source ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
