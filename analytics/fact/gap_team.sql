-- fact: gap_team
-- needs: gap_tagged, gap_cover, skill_now, service_tier
-- The parts of a gap for each team by itself, in one look: what the metric skill_gaps says of
-- one team after the other. A test compares the two. telling are the incidents to cite: those
-- that left the team first, then the severe, the newest first.
gap_team_supply AS (
    SELECT team, skill, count() AS supply
    FROM skill_now ARRAY JOIN teams AS team
    WHERE is_supply
    GROUP BY team, skill),
gap_team AS (
    SELECT
        d.team AS team, d.skill AS skill, d.incidents AS incidents, d.demand AS demand, s.supply AS supply,
        if(c.week_hours = 168 AND has(o.teams, d.team), 3, 2) AS need,
        c.on_call AS on_call, arraySum((name, took) -> if(name = d.skill, took, 0), c.having_skill.1, c.having_skill.2) AS covered,
        (d.away + 5 * d.away_anywhere) / (d.demand + 5) AS shrunk, d.telling AS telling
    FROM (
        SELECT skill, team, incidents, demand, away, telling, sum(away) OVER (PARTITION BY skill) / sum(demand) OVER (PARTITION BY skill) AS away_anywhere
        FROM (SELECT skill, owner AS team, count() AS incidents, sum(weight) AS demand, sumIf(weight, is_away) AS away,
                arrayMap(i -> i.4, arraySlice(arrayReverseSort(groupArray((is_away, weight, opened_at, incident))), 1, 5)) AS telling
            FROM gap_tagged GROUP BY skill, team)) AS d
    CROSS JOIN (SELECT groupUniqArray(team) AS teams FROM service_tier WHERE tier = 1) AS o
    LEFT JOIN gap_cover_team AS c ON d.team = c.team
    LEFT JOIN gap_team_supply AS s ON d.team = s.team AND d.skill = s.skill)
