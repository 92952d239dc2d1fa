-- fact: review_said
-- What was said of pages and incidents at a review. Each tap is a whole statement: a
-- verdict, and perhaps whether it made sense (1 yes, 0 no, -1 not said).
review_said AS (
    SELECT
        at, id, toString(source) AS source, page, incident, JSONExtractString(data, 'verdict') AS verdict,
        multiIf(JSONType(data, 'made_sense') != 'Bool', -1, JSONExtractBool(data, 'made_sense'), 1, 0) AS made_sense,
        JSONExtractString(data, 'note') AS note,
        transform(JSONExtractString(data, 'by'), {alias:Array(String)}, {person_of:Array(String)}, JSONExtractString(data, 'by')) AS member
    FROM (
        SELECT at, id, source, page, incident, data, seen FROM events
        WHERE kind = 'page.reviewed' AND seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at, data LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')})
