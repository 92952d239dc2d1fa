-- fact: tag_standing
-- Which skills an incident took, each once whoever said so.
tag_standing AS (
    SELECT DISTINCT incident, toString(skill) AS skill
    FROM (
        SELECT incident, skill, at, id, source, seen FROM tag
        WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')} AND skill != ''
      AND has({skill:Array(String)}, skill) -- if skill
    )
