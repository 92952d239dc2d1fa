-- metric: training_progress
-- version: 3
-- unit: assignments
-- title: Training progress
-- by: module, team, track, person
-- key: module
-- params: team, person
-- columns: assigned integer assignments, started integer assignments, passed integer assignments, completed integer assignments, overdue integer assignments, waived integer assignments
-- facts: training_keyed
-- people: work
-- definition: Assignments made in the window, one for each person they are for; an assignment to a team is
--   its members' of that moment, one to a rota its newcomers'. started: anything was done with it. passed: its quiz. completed: by
--   evidence. overdue: past its date as of as_of and neither completed nor waived. The columns
--   overlap. team: the one assigned, else the person's at that moment.
SELECT
    bucket, key,
    count() AS assigned,
    countIf(is_started) AS started,
    countIf(is_passed) AS passed,
    countIf(is_completed) AS completed,
    countIf(is_overdue) AS overdue,
    countIf(is_waived) AS waived,
    toUInt64(0) AS assumed_owner, toUInt64(0) AS assumed_team, toUInt64(0) AS assumed_zone, toUInt64(0) AS assumed_opened, toUInt64(0) AS org_zone, place
FROM training_keyed
GROUP BY place, bucket, key
ORDER BY place, bucket, key
