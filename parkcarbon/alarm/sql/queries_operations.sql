-- What kinds of rules about devices, sources and records read beside the newest readings.

-- name: silence_heard
-- Newest reading of any quality of each device, by the period of its points.
select d.device, p.period_ms, max(s.last_time) as last_time
from point p join device d using (device_id) left join point_state s using (point_id)
where p.park_id = $1::text and p.active and d.active
group by d.device, p.period_ms order by d.device, p.period_ms;

-- name: source_statuses
-- Whoever sends for a park, with its last status message.
select source, kind, via, status, status_at from source where park_id = $1::text and active order by source;

-- name: silence_gaps
-- Pauses of one point longer than $4 ms between two readings of [$2, $3).
select before, after
from (select time as before, lead(time) over (order by time) as after
      from reading where point_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz) pair
where after - before > make_interval(secs => $4::float8 / 1000)
order by before;

-- name: silence_ends
-- First and last reading of one point in [$2, $3).
select min(time) as first, max(time) as last
from reading where point_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz;
