-- fact: page_keyed
-- needs: page_teamed
-- The pages (or interruptions) in question, each with the row of the answer it belongs to.
page_keyed AS (
    SELECT *,
        multiIf(
            {bucket:String} = 'day', toString(toDate(at, {tz:String})),
            {bucket:String} = 'week', toString(toMonday(toDate(at, {tz:String}))),
            {bucket:String} = 'month', toString(toStartOfMonth(toDate(at, {tz:String}))),
            {bucket:String} = 'quarter', toString(toStartOfQuarter(toDate(at, {tz:String}))),
            '') AS bucket,
        multiIf(
            {by:String} = 'team', team,
            {by:String} = 'service', service,
            {by:String} = 'person', member,
            {by:String} = 'hour_class', hour_class,
            {by:String} = 'urgency', urgency,
            {by:String} = 'priority', priority,
            {by:String} = 'severity', severity,
            {by:String} = 'alert_class', alert_class,
            {by:String} = 'source', toString(source),
            {by:String} = 'level', level,
            {by:String} = 'weekday_hour', formatDateTime(at, '%u-%H', {tz:String}),
            '') AS key
    FROM page_teamed
    WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
      AND (empty({team:Array(String)}) OR has({team:Array(String)}, team))
      AND (empty({service:Array(String)}) OR has({service:Array(String)}, service))
      AND (empty({person:Array(String)}) OR has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member))
      AND (empty({urgency:Array(String)}) OR has({urgency:Array(String)}, urgency))
      AND (empty({priority:Array(String)}) OR has({priority:Array(String)}, priority))
      AND (empty({alert_class:Array(String)}) OR has({alert_class:Array(String)}, alert_class))
      AND (empty({source:Array(String)}) OR has({source:Array(String)}, toString(source))))
