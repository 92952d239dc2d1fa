-- metric: graduation
-- version: 1
-- unit: alerts
-- title: On-call graduation
-- by: person
-- key: person
-- buckets: none
-- params: team, person
-- columns: acknowledged integer alerts, rated integer alerts, made_sense integer alerts, share number share, graduated_at moment time
-- facts: graduation_keyed
-- people: skills
-- definition: Alerts that somebody acknowledged in their reverse-shadow shifts up to as_of, whatever the
--   window: incidents, each once, drills and merged ones apart; a shift's end is not in it. rated: somebody
--   said whether it made sense; made_sense: the latest tap says yes. share: made_sense of acknowledged, so that one
--   without a tap does not count for anybody. graduated_at: the first moment with at least 10 alerts of which more than 80 % made
--   sense; null if never. What comes later does not take it back.
SELECT
    bucket, key,
    sum(g.acknowledged) AS acknowledged,
    sum(g.rated) AS rated,
    sum(g.sensible) AS made_sense,
    round(made_sense / acknowledged, 6) AS share,
    min(g.graduated_at) AS graduated_at,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM graduation_keyed AS g
GROUP BY place, bucket, key
ORDER BY place, bucket, key
