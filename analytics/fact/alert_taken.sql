-- fact: alert_taken
-- needs: reverse_turn, review_said
-- The alerts of graduation: incidents that somebody acknowledged in a reverse-shadow shift of
-- their own, each once, at the first such acknowledgement, with what was said of them.
--
-- 1. A shift is half-open: an acknowledgement at its end is none of it. Only people's count.
-- 2. Drills and merged incidents, as of as_of, are none.
-- 3. A tap is on its incident, or where it names only a page on the incidents of that page.
-- 4. Events are looked for by identity, so that of copies that differ the one seen first
--    counts wherever it lies; what is near the shifts alone is read.
acknowledgement AS (
    SELECT at, incident, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member
    FROM (
        SELECT at, incident, person, actor, seen FROM events
        WHERE kind = 'incident.acknowledged' AND seen <= {known_at:DateTime64(3, 'UTC')}
          AND identity IN (SELECT identity FROM events WHERE kind = 'incident.acknowledged'
              AND at >= (SELECT min(start) FROM reverse_turn) AND at < (SELECT max(end) FROM reverse_turn))
        ORDER BY seen, at, data LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')} AND actor = 'user' AND person != '' AND incident != ''),
alert_acknowledged AS (
    SELECT member, incident, min(t.at) AS acked_at
    FROM acknowledgement AS t INNER JOIN reverse_turn AS r ON t.member = r.member
    WHERE t.at >= r.start AND t.at < r.end
    GROUP BY member, incident),
alert_barred AS (
    SELECT DISTINCT incident
    FROM (
        SELECT at, kind, incident, drill, seen FROM events
        WHERE kind IN ('incident.opened', 'incident.merged') AND seen <= {known_at:DateTime64(3, 'UTC')}
          AND identity IN (SELECT identity FROM events WHERE kind IN ('incident.opened', 'incident.merged') AND incident IN (SELECT incident FROM alert_acknowledged))
        ORDER BY seen, at, data LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')} AND (kind = 'incident.merged' OR drill = 1)),
alert_tap AS (
    SELECT incident, at, id, source, toInt64(made_sense) AS made_sense, member FROM review_said WHERE made_sense >= 0 AND incident != ''
    UNION ALL
    SELECT p.incident AS incident, s.at AS at, s.id AS id, s.source AS source, toInt64(s.made_sense) AS made_sense, s.member AS member
    FROM review_said AS s
    INNER JOIN (
        SELECT DISTINCT page, incident
        FROM (
            SELECT at, page, incident, seen FROM page
            WHERE kind = 'page.sent' AND seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')} AND incident != '' AND page IN (SELECT page FROM review_said WHERE incident = '')) AS p ON s.page = p.page
    WHERE s.incident = '' AND s.page != '' AND s.made_sense >= 0),
alert_taken AS (
    SELECT
        a.member AS member, a.incident AS incident, a.acked_at AS acked_at, t.taps AS taps,
        if(empty(taps), -1, taps[-1].4) AS made_sense, if(empty(taps), '', taps[-1].5) AS said_by
    FROM (SELECT * FROM alert_acknowledged WHERE incident NOT IN (SELECT incident FROM alert_barred)) AS a
    LEFT JOIN (SELECT incident, arraySort(groupArray((at, id, source, made_sense, member))) AS taps FROM alert_tap GROUP BY incident) AS t ON a.incident = t.incident)
