-- fact: gap_part
-- needs: incident_teamed, tag_standing, skill_now, gap_cover, service_tier
-- The parts of a gap, one row per skill that incidents on owned services took.
--
-- 1. gap_tagged: each incident once for each of its skills, with its weight. Merged ones
--    are left out, since the quadrant leaves them out. All teams' are needed: the share
--    that left any team is what a team's own share shrinks towards.
-- 2. need is 3 where a team owns a tier-1 service and is on call around the clock, else 2.
-- 3. Several teams, or none named, are looked at as one, with the largest need.
gap_tagged AS (
    SELECT
        t.skill AS skill,
        if(hasAny(['P1', 'P2', 'SEV1', 'SEV2', 'CRITICAL'], [upper(i.last_priority), upper(i.last_severity)]), 3, 1) AS weight,
        i.quadrant = 'escalated_away' AS is_away,
        true
            AND has({team:Array(String)}, i.owner_then) -- if team
            AS is_asked,
        i.owner_assumed OR (i.quadrant != 'untouched' AND i.first_owner_assumed) AS rests_on_owner,
        i.quadrant != 'untouched' AND (i.first_assumed OR i.resolver_assumed) AS rests_on_team,
        i.opened_assumed AS rests_on_opened
    FROM incident_teamed AS i
    INNER JOIN tag_standing AS t ON i.incident = t.incident
    WHERE NOT i.is_merged AND i.owner_then != ''),
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
