-- fact: gap_keyed
-- needs: gap_part
-- key.skill: skill
-- The parts of each skill's gap with the row of the answer they belong to.
gap_keyed AS (
    SELECT *,
        /*row*/
    FROM gap_part)
