-- fact: gap_part
-- needs: gap_tagged, skill_now, gap_cover, service_tier
-- The parts of a gap, one row per skill that incidents on owned services took.
--
-- 1. need is 3 where a team owns a tier-1 service and is on call around the clock, else 2.
-- 2. Several teams, or none named, are looked at as one, with the largest need.
gap_demand AS (
    SELECT
        skill,
        countIf(is_asked) AS incidents, sumIf(weight, is_asked) AS demand, sumIf(weight, is_asked AND is_away) AS away,
        sumIf(weight, is_away) / sum(weight) AS away_anywhere,
        countIf(is_asked AND rests_on_owner) AS assumed_owner, countIf(is_asked AND rests_on_team) AS assumed_team, countIf(is_asked AND rests_on_opened) AS assumed_opened
    FROM gap_tagged
    GROUP BY skill),
gap_supply AS (
    SELECT skill, count() AS supply
    FROM skill_now
    WHERE is_supply AND notEmpty(teams)
      AND hasAny(teams, {team:Array(String)}) -- if team
    GROUP BY skill),
gap_tier_one AS (SELECT groupUniqArray(team) AS teams FROM service_tier WHERE tier = 1),
gap_part AS (
    SELECT
        d.skill AS skill, d.incidents AS incidents, d.demand AS demand, d.away AS away, d.away_anywhere AS away_anywhere,
        d.assumed_owner AS assumed_owner, d.assumed_team AS assumed_team, d.assumed_opened AS assumed_opened,
        s.supply AS supply, if(hasAny(o.teams, c.round_the_clock), 3, 2) AS need,
        c.on_call AS on_call, arraySum((name, took) -> if(name = d.skill, took, 0), c.having_skill.1, c.having_skill.2) AS covered
    FROM gap_demand AS d
    CROSS JOIN gap_cover AS c
    CROSS JOIN gap_tier_one AS o
    LEFT JOIN gap_supply AS s ON d.skill = s.skill
    WHERE d.incidents > 0)
