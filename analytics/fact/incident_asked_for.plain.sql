-- fact: incident_asked_for.plain
-- needs: incident_state
-- The incidents opened in the window that pass the filters on their own attributes.
incident_asked_for AS (
    SELECT *, {as_of:DateTime64(3, 'UTC')} AS as_of_instant, toUInt8(0) AS starts_load
    FROM incident_state
    WHERE opened_at >= {from:DateTime64(3, 'UTC')} AND opened_at < {to:DateTime64(3, 'UTC')}
      AND has({service:Array(String)}, last_service) -- if service
      AND NOT has({withheld:Array(String)}, last_service) -- if withheld
      AND NOT has({withheld:Array(String)}, service_then) -- if withheld
      AND has({urgency:Array(String)}, last_urgency) -- if urgency
      AND has({priority:Array(String)}, last_priority) -- if priority
      AND has({alert_class:Array(String)}, last_alert_class) -- if alert_class
      AND has({source:Array(String)}, source) -- if source
      AND is_auto = ({auto_resolved:String} = 'only') -- if auto_resolved
    )
