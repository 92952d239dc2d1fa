-- fact: tag_standing
-- Which skills an incident took, each once whoever said so. A tag stands unless an untag of
-- its basis, or of any, came at or after it by (at, id); who says it again after that is
-- heard. Unlike a voiding, an untag does not reach into the moments before it: what an
-- incident was thought to take then is what was planned by.
tag_standing AS (
    SELECT incident, skill
    FROM (
        SELECT
            incident, skill,
            groupArrayIf((at, id, basis), untags = 0) AS tags,
            groupArrayIf((at, id, basis), untags = 1) AS taken
        FROM (
            SELECT incident, toString(skill) AS skill, at, id, source, toString(basis) AS basis, untags, seen FROM tag
            WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')} AND skill != ''
          AND has({skill:Array(String)}, skill) -- if skill
        GROUP BY incident, skill)
    WHERE arrayExists(t -> NOT arrayExists(u -> u.3 IN ('', t.3) AND (u.1, u.2) >= (t.1, t.2), taken), tags))
