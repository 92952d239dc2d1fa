-- fact: target_epoch
-- needs: membership_epoch, policy_epoch
-- For which teams a target stands, from when on: one row per target and instant of change.
target_epoch AS (
    SELECT concat('person:', member) AS target, valid_from, teams, sure_from, toUInt8(0) AS owner_assumed FROM membership_epoch
    UNION ALL
    SELECT concat('policy:', policy) AS target, valid_from, teams, toDateTime64('1900-01-01 00:00:00', 3, 'UTC') AS sure_from, owner_assumed FROM policy_epoch)
