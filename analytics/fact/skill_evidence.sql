-- fact: skill_evidence
-- The evidence that stands as of as_of, with its weight in hundredths. A voiding says that
-- the evidence never was any, so it takes it out of every moment, also of those before the
-- voiding. Kinds that are not in the table have no weight and are left out.
skill_said AS (
    SELECT person, skill, at, id, source, kind, ref, voids, seen FROM skill
    WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id),
skill_evidence AS (
    SELECT
        transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member,
        toString(skill) AS skill, at, id, toString(source) AS source, toString(kind) AS kind, ref,
        toUInt32(transform(toString(kind),
            ['solo', 'reverse_shadow', 'led', 'taught', 'drill', 'assist', 'attested', 'quiz', 'shadow', 'module'],
            [100, 70, 60, 50, 50, 40, 30, 20, 15, 10], 0)) AS weight
    FROM skill_said
    WHERE voids = '' AND at <= {as_of:DateTime64(3, 'UTC')} AND weight > 0
      AND id NOT IN (SELECT voids FROM skill_said WHERE voids != '' AND at <= {as_of:DateTime64(3, 'UTC')})
      AND has({skill:Array(String)}, skill) -- if skill
    )
