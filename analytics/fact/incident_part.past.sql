-- fact: incident_part.past
-- Partial states of incidents from the events that were known at known_at.
touched AS (
    SELECT incident FROM events
    WHERE incident != '' AND (startsWith(kind, 'incident.') OR startsWith(kind, 'responder.') OR kind IN ('page.sent', 'page.failed', 'page.unanswered'))
      AND at >= {from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32})
      AND at <= least({to:DateTime64(3, 'UTC')}, {as_of:DateTime64(3, 'UTC')})
      AND seen <= {known_at:DateTime64(3, 'UTC')}
      AND {only_incident:String} IN ('', incident)
    GROUP BY incident),
incident_part AS (
    SELECT * FROM (/*incident*/)
    WHERE incident IN (SELECT incident FROM touched))
