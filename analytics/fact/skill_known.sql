-- fact: skill_known
-- Every skill that evidence or a tag named, and those asked for. Voided evidence names its
-- skill too: a voiding must not take away the rows of others, nor must an untag.
skill_known AS (
    SELECT DISTINCT skill
    FROM (
        SELECT toString(skill) AS skill FROM skill
        WHERE voids = '' AND at <= {as_of:DateTime64(3, 'UTC')} AND seen <= {known_at:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT toString(skill) AS skill FROM tag
        WHERE untags = 0 AND at <= {as_of:DateTime64(3, 'UTC')} AND seen <= {known_at:DateTime64(3, 'UTC')}
        UNION ALL SELECT arrayJoin({skill:Array(String)}) AS skill -- if skill
        )
    WHERE skill != ''
      AND has({skill:Array(String)}, skill) -- if skill
    )
