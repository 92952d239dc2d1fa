-- fact: page_keyed
-- needs: page_teamed
-- bucket.day: toString(toDate(at, {tz:String}))
-- bucket.week: toString(toMonday(toDate(at, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(at, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(at, {tz:String})))
-- key.team: team
-- key.service: service
-- key.person: member
-- key.team_person: concat(team, '\n', member)
-- key.hour_class: hour_class
-- key.urgency: urgency
-- key.priority: priority
-- key.severity: severity
-- key.alert_class: alert_class
-- key.source: toString(source)
-- key.level: level
-- key.weekday_hour: formatDateTime(at, '%u-%H', {tz:String})
-- The pages (or interruptions) in question, each with the row of the answer it belongs to.
page_keyed AS (
    SELECT *,
        /*row*/
    FROM page_teamed
    WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
      AND has({team:Array(String)}, team) -- if team
      AND has({service:Array(String)}, service) -- if service
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
      AND has({urgency:Array(String)}, urgency) -- if urgency
      AND has({priority:Array(String)}, priority) -- if priority
      AND has({alert_class:Array(String)}, alert_class) -- if alert_class
      AND has({source:Array(String)}, toString(source)) -- if source
    )
