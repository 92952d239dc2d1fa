-- fact: shift_keyed
-- needs: shift_hours
-- bucket.day: toString(toDate(began, {tz:String}))
-- bucket.week: toString(toMonday(toDate(began, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(began, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(began, {tz:String})))
-- key.team: team
-- key.person: member
-- key.team_person: concat(team, '\n', member)
-- key.level: toString(level)
-- key.hour_class: hour_class
-- key.weekday_hour: formatDateTime(began, '%u-%H', {tz:String})
-- The stretches on call in question, each with the row of the answer it belongs to.
shift_keyed AS (
    SELECT *,
        /*row*/
    FROM shift_hours
    WHERE true
      AND has({team:Array(String)}, team) -- if team
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
    )
