-- fact: incident_touched
-- The incidents that something happened to in the window or its reach.
incident_touched AS (
    SELECT incident FROM incident
    WHERE day >= toDate32({from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32}))
      AND day <= toDate32(least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')}))
    GROUP BY incident)
