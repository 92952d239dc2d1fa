-- fact: alias
-- Who stands behind an id. alias_map is a pair of parallel arrays (alias, person); use it
-- as transform(id, alias_map.1, alias_map.2, id). Claims count up to known_at, whatever
-- as_of says. Of two claims to one alias the later (at, id) holds; chains are followed
-- (doubling: up to 32 links); a claim that would close a circle is dropped, the earliest
-- of the circle's being the one that does.
alias_claim AS (
    SELECT alias, argMax(person, (at, id, source)) AS owner, max((at, id, source)) AS claimed
    FROM (
        SELECT person, at, id, source, arrayJoin(aliases) AS alias
        FROM (SELECT person, at, id, source, aliases, seen FROM person WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id))
    WHERE alias != person
    GROUP BY alias),
(SELECT (arrayPushBack(groupArray(alias), ''), arrayPushBack(groupArray(owner), ''), arrayPushBack(groupArray(place), toUInt64(0)))
 FROM (SELECT alias, owner, row_number() OVER (ORDER BY claimed) AS place FROM alias_claim ORDER BY alias)) AS alias_raw,
(SELECT arrayMap((a, place) -> arrayFold(
        (walk, step) -> if(walk.3 = 1 OR walk.1 = '', walk, (
            transform(walk.1, alias_raw.1, alias_raw.2, ''),
            least(walk.2, transform(walk.1, alias_raw.1, alias_raw.3, toUInt64(18446744073709551615))),
            toUInt8(transform(walk.1, alias_raw.1, alias_raw.2, '') = a))),
        range(33), (a, toUInt64(18446744073709551615), toUInt8(0))), alias_raw.1, alias_raw.3)) AS alias_walk,
(SELECT (alias_raw.1, arrayMap((a, p, place, walk) -> if(a != '' AND walk.3 = 1 AND walk.2 = place, a, p), alias_raw.1, alias_raw.2, alias_raw.3, alias_walk))) AS alias_one,
(SELECT (alias_one.1, arrayMap(p -> transform(p, alias_one.1, alias_one.2, p), alias_one.2))) AS alias_two,
(SELECT (alias_two.1, arrayMap(p -> transform(p, alias_two.1, alias_two.2, p), alias_two.2))) AS alias_four,
(SELECT (alias_four.1, arrayMap(p -> transform(p, alias_four.1, alias_four.2, p), alias_four.2))) AS alias_eight,
(SELECT (alias_eight.1, arrayMap(p -> transform(p, alias_eight.1, alias_eight.2, p), alias_eight.2))) AS alias_sixteen,
(SELECT (alias_sixteen.1, arrayMap(p -> transform(p, alias_sixteen.1, alias_sixteen.2, p), alias_sixteen.2))) AS alias_map
