-- fact: shift_said
-- Every shift as last stated as of as_of, planned or worked, of whatever role. One that was
-- called off ends at its start and is none.
shift_said AS (
    SELECT shift, said.1 AS schedule, said.2 AS member, said.3 AS start, said.4 AS end, said.5 AS level, said.6 AS role
    FROM (
        SELECT shift, argMax((
                schedule, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), start, end, level, toString(role)), (at, id, source)) AS said
        FROM (SELECT shift, at, id, source, schedule, person, start, end, level, role, seen FROM shift
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY shift)
    WHERE said.3 < said.4)
