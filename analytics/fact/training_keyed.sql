-- fact: training_keyed
-- needs: training_unit
-- bucket.day: toString(toDate32(assigned_at, {tz:String}))
-- bucket.week: toString(toMonday(toDate(assigned_at, {tz:String})))
-- bucket.month: toString(toStartOfMonth(toDate(assigned_at, {tz:String})))
-- bucket.quarter: toString(toStartOfQuarter(toDate(assigned_at, {tz:String})))
-- key.module: module
-- key.team: team
-- key.track: track
-- key.person: member
-- The assignments in question, each with the row of the answer it belongs to.
training_keyed AS (
    SELECT *,
        /*row*/
    FROM training_unit
    WHERE assigned_at >= {from:DateTime64(3, 'UTC')} AND assigned_at < {to:DateTime64(3, 'UTC')}
      AND has({team:Array(String)}, team) -- if team
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
    )
