-- fact: incident_keyed
-- needs: incident_hours
-- bucket.day: toString(toDate32(opened_at, {tz:String}))
-- bucket.week: toString(toMonday(toDate(opened_at, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(opened_at, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(opened_at, {tz:String})))
-- key.team: team
-- key.service: last_service
-- key.hour_class: hour_class
-- key.urgency: last_urgency
-- key.priority: last_priority
-- key.severity: last_severity
-- key.alert_class: last_alert_class
-- key.source: source
-- key.weekday_hour: formatDateTime(opened_at, '%u-%H', {tz:String})
-- The incidents in question, each with the row of the answer it belongs to.
incident_keyed AS (
    SELECT *,
        /*row*/
    FROM incident_hours
    WHERE has({team:Array(String)}, team) -- if team
    )
