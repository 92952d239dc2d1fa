-- projection: incident
-- Partial states of incidents, one row per incident and UTC day of the event. Keyed by
-- day so that the cost of a question follows its window and not the length of history.
-- Every column merges by min, max or set union over (at, id), so order, duplicates and
-- re-cut batches cannot change an answer. far = 2299-12-31 stands for "never" in minima,
-- 1970-01-01 stands for "never" in maxima.
CREATE TABLE incident
(
    day         Date32,
    incident    String,
    opened      SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), id String, source String)),
    first       SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), id String, source String)),
    acked       SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    ended       SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    resolved    SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, auto UInt8)),
    reopened    SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String)),
    merged      SimpleAggregateFunction(max, UInt8),
    drill       SimpleAggregateFunction(max, UInt8),
    title       SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    urgency     SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    priority    SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    severity    SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    alert_class SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    service     SimpleAggregateFunction(max, Tuple(at DateTime64(3, 'UTC'), id String, value String)),
    services    SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at DateTime64(3, 'UTC'), id String, value String))),
    first_page  SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), id String, person String)),
    actions     SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at DateTime64(3, 'UTC'), id String, person String))),
    assigned    SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(at DateTime64(3, 'UTC'), id String, place UInt16, target String)))
)
ENGINE = AggregatingMergeTree
ORDER BY (day, incident)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT
    toDate32(at) AS day,
    incident,
    min(if(kind = 'incident.opened', (at, id, source), (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), '', ''))) AS opened,
    min((at, id, source)) AS first,
    min(if(kind = 'incident.acknowledged' AND actor = 'user' AND person != '', at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS acked,
    min(if(kind IN ('incident.resolved', 'incident.snoozed'), at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))) AS ended,
    max(if(kind = 'incident.resolved', (at, id, toUInt8(auto OR actor != 'user')), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', toUInt8(0)))) AS resolved,
    max(if(kind = 'incident.reopened', (at, id), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), ''))) AS reopened,
    max(toUInt8(kind = 'incident.merged')) AS merged,
    max(toUInt8(kind = 'incident.opened' AND events.drill)) AS drill,
    max(if(startsWith(kind, 'incident.') AND events.title != '', (at, id, events.title), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS title,
    max(if(startsWith(kind, 'incident.') AND events.urgency != '', (at, id, toString(events.urgency)), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS urgency,
    max(if(startsWith(kind, 'incident.') AND events.priority != '', (at, id, toString(events.priority)), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS priority,
    max(if(startsWith(kind, 'incident.') AND events.severity != '', (at, id, toString(events.severity)), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS severity,
    max(if(startsWith(kind, 'incident.') AND events.alert_class != '', (at, id, toString(events.alert_class)), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS alert_class,
    max(if(startsWith(kind, 'incident.') AND events.service != '', (at, id, events.service), (toDateTime64('1970-01-01 00:00:00', 3, 'UTC'), '', ''))) AS service,
    groupUniqArrayIf((at, id, events.service), startsWith(kind, 'incident.') AND events.service != '') AS services,
    min(if(kind = 'page.sent' AND person != '' AND channel NOT IN ('email', 'chat'), (at, id, person), (toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), '', ''))) AS first_page,
    groupUniqArrayIf((at, id, person), person != '' AND (
        (startsWith(kind, 'incident.') AND kind != 'incident.opened' AND actor = 'user')
        OR (kind = 'responder.responded' AND state = 'accepted'))) AS actions,
    groupUniqArrayArray(multiIf(
        kind = 'incident.opened' AND team != '', [(at, id, toUInt16(0), concat('team:', team))],
        kind IN ('incident.reassigned', 'incident.escalated'), arrayMap((target, place) -> (at, id, toUInt16(place), target), targets, arrayEnumerate(targets)),
        [])) AS assigned
FROM events
WHERE incident != '' AND (startsWith(kind, 'incident.') OR startsWith(kind, 'responder.') OR kind IN ('page.sent', 'page.failed', 'page.unanswered'))
GROUP BY day, incident
