-- What a figure is explained with: readings as they were known at a moment, and the batches that brought them.

-- name: explain_point
select period_ms, limit_per_h, resolution, modulus, kind from point where point_id = $1::int;

-- name: explain_corrections
-- As known at $2. An exchange that a source found yields to the park document: see model_corrections.
select c.kind, c.from_time, c.to_time, c.document
from correction c
where c.point_id = $1::int and c.recorded_at <= $2::timestamptz
  and not exists (
    select from episode e
    where e.point_id = c.point_id and e.serial = c.document ->> 'serial'
      and e.at between c.from_time - interval '7 days' and c.from_time + interval '7 days'
  )
order by c.from_time, c.correction_id;

-- name: explain_reach
-- How far $4 readings reach before $2, and $5 after $3.
select
    (select min(time) from (select time from reading where point_id = $1::int and time < $2::timestamptz
                            order by time desc limit $4::int) b) as low,
    (select max(time) from (select time from reading where point_id = $1::int and time >= $3::timestamptz
                            order by time limit $5::int) a) as high;

-- name: explain_readings
-- Without NULLs, for binary COPY: NaN stands for "no value". Only what batches recorded by $4 brought.
select r.time, coalesce(r.value, 'NaN') as value, r.quality, r.span_ms
from reading r join batch b using (batch_id)
where r.point_id = $1::int and r.time >= $2::timestamptz and r.time <= $3::timestamptz
  and greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by r.time;

-- name: explain_registers
-- Which batch brought the readings of a point at these times.
select r.time, r.value, r.quality, s.source, b.boot, b.seq, encode(b.digest, 'hex') as digest, b.made, b.recorded_at
from reading r join batch b using (batch_id) join source s using (source_id)
where r.point_id = $1::int and r.time = any($2::timestamptz[]);

-- name: explain_deltas
-- The value in force of each delta: of all that batches recorded by $4 gave, the one that was made last.
select distinct on (d.time) d.time, coalesce(d.value, 'NaN') as value, d.quality, d.span_ms, d.batch_id
from (
    select r.time, r.value, r.quality, r.span_ms, r.batch_id from reading r
    where r.point_id = $1::int and r.time >= $2::timestamptz and r.time < $3::timestamptz
    union all
    select c.time, c.value, c.quality, c.span_ms, c.batch_id from delta_correction c
    where c.point_id = $1::int and c.time >= $2::timestamptz and c.time < $3::timestamptz
) d
join batch b using (batch_id) join source s using (source_id)
where greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by d.time, b.made desc, s.source collate "C" desc, b.boot collate "C" desc, b.seq desc;

-- name: explain_batches
select b.batch_id, s.source, b.boot, b.seq, encode(b.digest, 'hex') as digest, b.made, b.recorded_at, b.n
from batch b join source s using (source_id)
where b.batch_id = any($1::bigint[]) order by s.source, b.boot, b.seq;

-- name: explain_intervals
-- Without NULLs, for binary COPY.
select start, amount_micro, coverage, method
from interval_15min
where point_id = $1::int and start >= $2::timestamptz and start < $3::timestamptz order by start;

-- name: explain_substitutions
-- Those that counted at $4 and speak of [$2, $3).
select s.substitution_id, s.from_time, s.to_time, s.rule, s.method, s.amounts_micro, s.author, s.reason,
       r.person as reviewer, r.reason as review_reason, s.recorded_at, r.recorded_at as reviewed_at
from substitution s
join substitution_review r on r.substitution_id = s.substitution_id and r.decision = 'approved'
where s.point_id = $1::int and s.from_time < $3::timestamptz and s.to_time > $2::timestamptz
  and r.recorded_at <= $4::timestamptz
  and not exists (
    select from substitution_withdrawal w
    where w.substitution_id = s.substitution_id and w.recorded_at <= $4::timestamptz
  )
order by s.from_time, s.substitution_id;
