-- Balance, quality and tenants: amounts by the hour with their state, by the quarter of an hour, states of charge.

-- name: quarter_amounts
-- Points of $1 by interval that starts in [$2, $3).
select point_id, start, amount_micro, coverage, method
from interval_15min
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz
order by point_id, start;

-- name: gauge_at
-- The last reading of a gauge in ($2, $3] that the device gave a value for and that was recorded by $4.
select r.time, r.value, r.quality
from reading r join batch b using (batch_id)
where r.point_id = $1::int and r.time > $2::timestamptz and r.time <= $3::timestamptz and r.value is not null
  and r.quality = any($5::smallint[]) and greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by r.time desc limit 1;
