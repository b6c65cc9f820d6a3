-- Daily totals for budgets: local days of the park, as the roll-up keeps them.

-- name: daily_amounts
select point_id, day, amount_micro, co2e_nano_kg, known_ms
from rollup_day
where point_id = any($1::int[]) and day >= $2::date and day < $3::date
order by point_id, day;
