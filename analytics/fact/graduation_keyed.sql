-- fact: graduation_keyed
-- needs: graduation, membership_epoch
-- key.person: member
-- Trainees in question. A person counts for every team they are in as of as_of, and if in none
-- for the empty one.
graduation_keyed AS (
    SELECT *,
        /*row*/
    FROM graduation
    WHERE true
      AND (member IN (SELECT member FROM membership_epoch WHERE valid_from <= {as_of:DateTime64(3, 'UTC')} GROUP BY member HAVING hasAny(argMax(teams, valid_from), {team:Array(String)})) -- if team
        OR (has({team:Array(String)}, '') AND member NOT IN (SELECT member FROM membership_epoch WHERE valid_from <= {as_of:DateTime64(3, 'UTC')} GROUP BY member HAVING notEmpty(argMax(teams, valid_from))))) -- if team
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
    )
