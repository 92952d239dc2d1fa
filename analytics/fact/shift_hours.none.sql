-- fact: shift_hours.none
-- needs: shift_held, membership_epoch
-- The person's team on each stretch on call.
shift_hours AS (
    SELECT h.member AS member, h.level AS level, h.began AS began, h.ended AS ended, if(empty(m.teams), '', m.teams[1]) AS team, '' AS hour_class
    FROM shift_held AS h
    ASOF LEFT JOIN membership_epoch AS m ON h.member = m.member AND h.began >= m.valid_from)
