-- fact: incident_asked_for.load
-- needs: incident_state
-- The incidents opened in the window that pass the filters on their own attributes.
-- starts_load: no incident of the same service and alert class opened in the 30 minutes
-- before, whatever the filters hide; without an alert class each incident is its own.
incident_asked_for AS (
    SELECT *, {as_of:DateTime64(3, 'UTC')} AS as_of_instant
    FROM (
        SELECT *,
            last_alert_class = ''
                OR row_number() OVER load_order = 1
                OR opened_at > addMinutes(lagInFrame(opened_at) OVER load_order, 30) AS starts_load
        FROM incident_state
        WHERE opened_at < {to:DateTime64(3, 'UTC')}
        WINDOW load_order AS (PARTITION BY last_service, last_alert_class ORDER BY opened_at, incident ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
    WHERE opened_at >= {from:DateTime64(3, 'UTC')} AND opened_at < {to:DateTime64(3, 'UTC')}
      AND has({service:Array(String)}, last_service) -- if service
      AND has({urgency:Array(String)}, last_urgency) -- if urgency
      AND has({priority:Array(String)}, last_priority) -- if priority
      AND has({alert_class:Array(String)}, last_alert_class) -- if alert_class
      AND has({source:Array(String)}, source) -- if source
      AND is_auto = ({auto_resolved:String} = 'only') -- if auto_resolved
    )
