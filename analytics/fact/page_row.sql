-- fact: page_row
-- needs: incident_state
-- Pages and unanswered pages of the window and its reach, with what their incident says;
-- those of drills are gone. level is text, empty where the page gave none. Where copies of
-- an event differ they are looked at wherever they lie, before the window chooses.
page_row AS (
    SELECT
        p.at AS at, p.id AS id, p.source AS source, p.kind = 'page.unanswered' AS is_unanswered, p.page AS page, p.incident AS incident,
        transform(p.person, {alias:Array(String)}, {person_of:Array(String)}, p.person) AS member,
        p.channel AS channel, p.delivered AS delivered, if(p.level < 0, '', toString(p.level)) AS level,
        if(p.urgency != '', toString(p.urgency), i.last_urgency) AS urgency,
        i.last_priority AS priority, i.last_severity AS severity, i.last_alert_class AS alert_class, i.last_service AS service,
        i.service_then AS service_then
    FROM (
        SELECT at, id, source, kind, page, incident, if(kind = 'page.unanswered', '', person) AS person, channel, level, urgency, delivered, seen
        FROM page
        WHERE seen <= {known_at:DateTime64(3, 'UTC')}
          AND (at >= {from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32}) AND at < {to:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
              OR at IN (SELECT at FROM disputed_copy) -- if disputed
              )
        ORDER BY seen, at LIMIT 1 BY source, id) AS p
    LEFT JOIN incident_state AS i ON p.incident = i.incident
    WHERE (p.incident = '' OR i.incident != '')
      AND p.at >= {from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32}) AND p.at < {to:DateTime64(3, 'UTC')} AND p.at <= {as_of:DateTime64(3, 'UTC')} -- if disputed
    )
