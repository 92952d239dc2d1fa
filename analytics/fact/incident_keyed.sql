-- fact: incident_keyed
-- needs: incident_hours
-- The incidents in question, each with the row of the answer it belongs to.
incident_keyed AS (
    SELECT *,
        multiIf(
            {bucket:String} = 'day', toString(toDate32(opened_at, {tz:String})),
            {bucket:String} = 'week', toString(toMonday(toDate(opened_at, {tz:String}))),
            {bucket:String} = 'month', toString(toStartOfMonth(toDate(opened_at, {tz:String}))),
            {bucket:String} = 'quarter', toString(toStartOfQuarter(toDate(opened_at, {tz:String}))),
            '') AS bucket,
        multiIf(
            {by:String} = 'team', team,
            {by:String} = 'service', last_service,
            {by:String} = 'hour_class', hour_class,
            {by:String} = 'urgency', last_urgency,
            {by:String} = 'priority', last_priority,
            {by:String} = 'severity', last_severity,
            {by:String} = 'alert_class', last_alert_class,
            {by:String} = 'source', source,
            {by:String} = 'weekday_hour', formatDateTime(opened_at, '%u-%H', {tz:String}),
            '') AS key
    FROM incident_hours
    WHERE empty({team:Array(String)}) OR has({team:Array(String)}, team))
