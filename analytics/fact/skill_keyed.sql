-- fact: skill_keyed
-- needs: skill_now
-- key.person: member
-- key.skill: skill
-- Levels in question, each with the row of the answer it belongs to. A person counts for
-- every team they are in as of as_of, and if in none for the empty one.
skill_keyed AS (
    SELECT *,
        /*row*/
    FROM skill_now
    WHERE true
      AND hasAny(if(empty(teams), [''], teams), {team:Array(String)}) -- if team
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {person:Array(String)}), member) -- if person
    )
