-- fact: shift_change.none
-- needs: membership_epoch
-- When a person changes team. A stretch on call is cut there.
shift_change AS (
    SELECT member, groupArray(valid_from) AS changes
    FROM (SELECT member, valid_from FROM membership_epoch UNION ALL SELECT member, sure_from FROM membership_epoch)
    GROUP BY member)
