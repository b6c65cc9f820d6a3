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

-- name: completeness_sums
-- Measured time of points in [$2, $3), and where their intervals begin: null where there are some before.
select i.point_id, sum(i.measured_ms)::bigint as measured_ms,
       case when exists (select from interval_15min b where b.point_id = i.point_id and b.start < $2::timestamptz) then null
            else min(i.start) end as first
from interval_15min i
where i.point_id = any($1::int[]) and i.start >= $2::timestamptz and i.start < $3::timestamptz
group by i.point_id;

-- name: clock_seen
-- Of each source: points whose newest reading has an uncertain time, and its newest reading.
select d.source, count(*) filter (where s.last_quality = 4) as uncertain, max(s.last_time) as last_time
from point p join device d using (device_id) join point_state s using (point_id)
where p.park_id = $1::text and p.active and d.active and d.source is not null
group by d.source;

-- name: custody_newest
-- Longest time from made to known of what came since $2, by source; imports bring what is old.
select s.source, count(*) as batches,
       max(extract(epoch from greatest(b.recorded_at, b.revived_at) - b.made)) as worst_s
from batch b join source s using (source_id)
where s.park_id = $1::text and s.kind <> 'import' and b.state = 'committed'
  and greatest(b.recorded_at, b.revived_at) > $2::timestamptz
group by s.source;

-- name: custody_past
-- The same by steps of $5 seconds, for one source: end of the step and longest time.
select date_bin(make_interval(secs => $5::float8), greatest(b.recorded_at, b.revived_at), timestamptz 'epoch')
       + make_interval(secs => $5::float8) as step_end,
       max(extract(epoch from greatest(b.recorded_at, b.revived_at) - b.made)) as worst_s
from batch b join source s using (source_id)
where s.park_id = $1::text and s.source = $2::text and b.state = 'committed'
  and greatest(b.recorded_at, b.revived_at) >= $3::timestamptz
  and greatest(b.recorded_at, b.revived_at) < $4::timestamptz
group by 1 order by 1;

-- name: calibration_entries
-- Certificates of meters, each with what became of it, as parkcarbon.books.facts.entry_states wants them.
select e.entry_id, e.to_day, e.document, e.needs_review, e.supersedes, e.withdrawn, r.decision
from entry e left join entry_review r using (entry_id)
where e.park_id = $1::text and e.kind = 'meter_certificate'
order by e.entry_id;
