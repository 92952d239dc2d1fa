-- fact: reverse_turn
-- needs: shift_said
-- The shifts in which somebody was on call with a host behind them.
reverse_turn AS (SELECT member, start, end FROM shift_said WHERE role = 'reverse_shadow')
