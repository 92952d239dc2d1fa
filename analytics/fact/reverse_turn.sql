-- fact: reverse_turn
-- The shifts in which somebody was on call with a host behind them, as last stated as of
-- as_of, planned or worked. One that was called off ends at its start and is none.
reverse_turn AS (
    SELECT said.1 AS member, said.2 AS start, said.3 AS end
    FROM (
        SELECT argMax((transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), start, end, role = 'reverse_shadow'), (at, id, source)) AS said
        FROM (SELECT shift, at, id, source, person, start, end, role, seen FROM shift
              WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
        WHERE at <= {as_of:DateTime64(3, 'UTC')}
        GROUP BY shift)
    WHERE said.4 AND said.2 < said.3)
