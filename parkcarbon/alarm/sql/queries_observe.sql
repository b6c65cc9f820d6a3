-- What the kinds of alarm rules look at beside the newest readings.

-- name: observe_intervals
-- Intervals of points $1 that start in [$2, $3), without NULLs, for binary COPY; the least bigint: no emission is known.
select point_id, start, amount_micro, coverage, measured_ms, coalesce(co2e_nano_kg, -9223372036854775808) as co2e_nano_kg
from interval_15min
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz and coverage > 0;

-- name: observe_newest_intervals
-- The newest interval of each point $1 that starts in [$2, $3) and is known for half of its time.
select p.point_id, i.start, i.amount_micro, i.coverage
from unnest($1::int[]) p (point_id)
cross join lateral (select start, amount_micro, coverage from interval_15min
                    where point_id = p.point_id and start >= $2::timestamptz and start < $3::timestamptz and coverage >= 0.5
                    order by start desc limit 1) i;

-- name: observe_readings
-- Readings of point $1 in [$2, $3), without NULLs, for binary COPY.
select time, coalesce(value, 'NaN') as value, quality
from reading
where point_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz order by time;

-- name: observe_factor_value_at
-- The value of a factor series at $2: the newest recorded of the span that holds it.
select value from factor_value_in_force
where factor_id = $1::int and withdrawn_at is null and start <= $2::timestamptz
  and start + span_ms * interval '1 millisecond' > $2::timestamptz
order by start desc, recorded_at desc limit 1;

-- name: observe_newest
-- The newest reading of points $1.
select point_id, last_time, last_value, last_quality from point_state where point_id = any($1::int[]) and last_time is not null;

-- name: observe_live
-- Newest reading, sum of the local day $2 and newest finished interval (from $3 to before $4) of points $1, as statement
-- `live` of parkcarbon.live has them for a whole park.
select p.point_id, s.last_time, s.last_value, s.last_quality,
       d.amount_micro as day_micro, d.co2e_nano_kg as day_nano_kg, d.measured_ms as day_measured_ms,
       i.start as slow_start, i.amount_micro as slow_micro, i.coverage as slow_coverage
from unnest($1::int[]) p (point_id)
left join point_state s using (point_id)
left join rollup_day d on d.point_id = p.point_id and d.day = $2::date
left join lateral (select start, amount_micro, coverage from interval_15min
                   where point_id = p.point_id and start >= $3::timestamptz and start < $4::timestamptz and coverage > 0
                   order by start desc limit 1) i on true;
