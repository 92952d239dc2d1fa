-- fact: incident_asked_for.plain
-- needs: incident_state
-- The incidents opened in the window that pass the filters on their own attributes.
incident_asked_for AS (
    SELECT *, {as_of:DateTime64(3, 'UTC')} AS as_of_instant, toUInt8(0) AS starts_load
    FROM incident_state
    WHERE opened_at >= {from:DateTime64(3, 'UTC')} AND opened_at < {to:DateTime64(3, 'UTC')}
      AND (empty({service:Array(String)}) OR has({service:Array(String)}, last_service))
      AND (empty({urgency:Array(String)}) OR has({urgency:Array(String)}, last_urgency))
      AND (empty({priority:Array(String)}) OR has({priority:Array(String)}, last_priority))
      AND (empty({alert_class:Array(String)}) OR has({alert_class:Array(String)}, last_alert_class))
      AND (empty({source:Array(String)}) OR has({source:Array(String)}, source))
      AND ({auto_resolved:String} = 'include' OR is_auto = ({auto_resolved:String} = 'only')))
