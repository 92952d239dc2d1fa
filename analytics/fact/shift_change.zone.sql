-- fact: shift_change.zone
-- needs: membership_epoch, person_epoch
-- When a person changes team, zone or working hours. A stretch on call is cut there.
shift_change AS (
    SELECT member, groupArray(valid_from) AS changes
    FROM (SELECT member, valid_from FROM membership_epoch UNION ALL SELECT member, sure_from FROM membership_epoch
          UNION ALL SELECT member, valid_from FROM person_epoch UNION ALL SELECT member, sure_from FROM person_epoch)
    GROUP BY member)
