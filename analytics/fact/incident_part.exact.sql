-- fact: incident_part.exact
-- needs: incident_touched
-- Partial states of incidents up to as_of where the projection does not hold for all.
--
-- 1. disputed_copy: the copies of events that do not say the same (see disputed.go); of
--    those the one seen first counts, while the projection has merged them all.
-- 2. unsettled: the incidents they name (one that names none stands for an empty name, so
--    that its copies are compared with it), and those of which something was learned after
--    known_at. They are put together from their events, each event once.
-- 3. All others are read as if nothing were in question.
disputed_copy AS (
    SELECT incident, at FROM events
    WHERE /*disputable*/ AND identity IN (SELECT identity FROM (/*disputed*/))),
unsettled AS (
    SELECT arrayJoin(CAST([], 'Array(String)')) AS incident
    UNION DISTINCT SELECT incident FROM disputed_copy -- if disputed
    UNION DISTINCT SELECT incident FROM events WHERE seen > {known_at:DateTime64(3, 'UTC')} AND incident IN (SELECT incident FROM incident_touched) -- if past
    ),
incident_part AS (
    SELECT * FROM incident
    WHERE day < toDate32({as_of:DateTime64(3, 'UTC')}) AND incident IN (SELECT incident FROM incident_touched) AND incident NOT IN (SELECT incident FROM unsettled)
    UNION ALL
    SELECT * FROM (/*incident*/))
