-- metric: skill_gaps
-- version: 1
-- unit: gap
-- title: Skill gaps
-- by: skill
-- key: skill
-- buckets: none
-- days: 365
-- params: skill, team
-- columns: incidents integer incidents, demand integer weight, supply integer people, need integer people, coverage number share, away number share, gap number gap
-- facts: gap_keyed
-- people: work
-- definition: demand: incidents on services the team owned then that took the skill, severe ones (P1, P2,
--   SEV1, SEV2, critical) three times. supply: members at level 3 or above and current (skill_levels).
--   need: 2, or 3 if the team owns a tier-1 service and has on-call time in all 168 hours of the week.
--   coverage: as in skill_coverage. away: the share of demand escalated away (ownership_quadrant),
--   shrunk towards the organisation's share for the skill by five incidents. gap = demand × (half the
--   share of need that supply leaves open + half of away). Several teams, or none named, count as one.
--   A skill that no incident took has no row: no opportunity is no gap.
SELECT
    bucket, key,
    sum(g.incidents) AS incidents,
    sum(g.demand) AS demand,
    sum(g.supply) AS supply,
    max(g.need) AS need,
    if(sum(g.on_call) = 0, NULL, round(sum(g.covered) / sum(g.on_call), 6)) AS coverage,
    round(max(g.shrunk), 6) AS away,
    round(sum(g.demand * (0.5 * (1 - least(g.supply / g.need, 1)) + 0.5 * g.shrunk)), 6) AS gap,
    sum(g.assumed_owner) AS assumed_owner, sum(g.assumed_team) AS assumed_team, toUInt64(0) AS assumed_zone, sum(g.assumed_opened) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM (SELECT *, (away + 5 * away_anywhere) / (demand + 5) AS shrunk FROM gap_keyed) AS g
GROUP BY place, bucket, key
ORDER BY place, bucket, key
