-- Statements that turn facts into intervals: used by ingest, API and command line alike. Prepared on both stores by
-- tests/integration/test_db_statements.py.

-- ── configuration ───────────────────────────────────────────────────────────────────────────────────

-- name: version_for_share
select version from config_version for share;

-- name: version_for_update
select version from config_version for update;

-- name: version
select version, changed_at from config_version;

-- name: bump_version
with bumped as (
    update config_version set version = version + 1, changed_at = now() returning version, changed_at
)
insert into config_change (version, changed_at) select version, changed_at from bumped returning version;

-- name: now
select now();

-- name: notify
select pg_notify($1::text, $2::text);

-- name: model_parks
select park_id, timezone, document from park;

-- name: model_sources
select source_id, park_id, source, kind, via, public_key, window_from, window_to, active from source;

-- name: model_points
select point_id, park_id, point, kind, unit, carrier, flow, period_ms, limit_per_h, resolution, modulus from point;

-- name: model_episodes
select point_id, at, ct, pt, sign, modulus, limit_per_h, end_reading, start_reading
from episode order by point_id, at;

-- name: model_corrections
-- An exchange that a source found yields to the park document: an episode of the same serial number within a week is a
-- person's word on it.
select c.point_id, c.kind, c.from_time, c.to_time, c.document from correction c
where not exists (
    select from episode e
    where e.point_id = c.point_id and e.serial = c.document ->> 'serial'
      and e.at between c.from_time - interval '7 days' and c.from_time + interval '7 days'
)
order by c.point_id, c.from_time, c.correction_id;

-- name: model_factors
select factor_id, park_id, document, recorded_at from factor_in_force where withdrawn_at is null order by factor_id;

-- name: model_series
select distinct on (start) start, span_ms, value from factor_value_in_force
where factor_id = $1::int and withdrawn_at is null order by start, recorded_at desc, load_id desc;

-- ── what the scan reads back ────────────────────────────────────────────────────────────────────────

-- name: checkpoint_before
select at, state from point_checkpoint where point_id = $1::int and at <= $2::timestamptz order by at desc limit 1;

-- name: checkpoints_between
select at, state from point_checkpoint where point_id = $1::int and at > $2::timestamptz and at <= $3::timestamptz;

-- name: readings_between
-- Without NULLs, for binary COPY: NaN stands for "no value".
select time, coalesce(value, 'NaN'), quality, span_ms from reading
where point_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz
order by time limit $4::bigint;

-- name: delta_bounds
-- How far so many neighbours reach on each side of a span.
select min(b.time) as low, max(a.time) as high, count(b.time) as before, count(a.time) as after
from (
    select time from reading where point_id = $1::int and time < $2::timestamptz order by time desc limit $4::int
) b
full join (
    select time from reading where point_id = $1::int and time > $3::timestamptz order by time limit $4::int
) a on false;

-- name: deltas_in_force
-- Values that a batch made later gave anew.
select c.time, c.value, c.quality, c.span_ms
from (
    select distinct on (d.time) d.time, d.value, d.quality, d.span_ms, b.made, s.source, b.boot, b.seq
    from delta_correction d
    join batch b on b.batch_id = d.batch_id
    join source s on s.source_id = b.source_id
    where d.point_id = $1::int and d.time >= $2::timestamptz and d.time <= $3::timestamptz
    order by d.time, b.made desc, s.source collate "C" desc, b.boot collate "C" desc, b.seq desc
) c
join reading r on r.point_id = $1::int and r.time = c.time
join batch rb on rb.batch_id = r.batch_id
join source rs on rs.source_id = rb.source_id
where (c.made, c.source collate "C", c.boot collate "C", c.seq)
    > (rb.made, rs.source collate "C", rb.boot collate "C", rb.seq);

-- ── what waits to be computed again ─────────────────────────────────────────────────────────────────

-- name: points_with_readings
select point_id from point_state where point_id = any($1::int[]) and last_time is not null;

-- name: queue_recompute
-- Merged with what is queued for the point within a day of it; the earliest release counts.
with new as (
    select * from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as t (point_id, from_time, to_time)
), gone as (
    delete from recompute r using new n
    where r.point_id = n.point_id and r.from_time <= n.to_time + interval '1 day'
      and r.to_time >= n.from_time - interval '1 day'
    returning r.point_id, r.from_time, r.to_time, r.reason, r.held_until, r.queued_at
), every as (
    select point_id, from_time, to_time, $4::text as reason, $5::timestamptz as held_until, now() as queued_at from new
    union all
    select * from gone
)
insert into recompute (point_id, from_time, to_time, reason, held_until, queued_at)
select point_id, min(from_time), max(to_time), min(reason), min(held_until), min(queued_at) from every group by point_id
on conflict (point_id, from_time, to_time) do update
set held_until = least(recompute.held_until, excluded.held_until);

-- name: months_with_data
-- Local months in which these points have results.
select point_id, month from rollup_month where point_id = any($1::int[]) order by point_id, month;

-- name: years_with_data
select extract(year from min(month))::int as first, extract(year from max(month))::int as last from rollup_month;

-- name: queue_reprice
insert into reprice (point_id, month, from_time, to_time)
select point_id, (date '1970-01-01' + month * interval '1 month')::date, low, high
from unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) as t (point_id, month, low, high)
order by point_id, month
on conflict (point_id, month) do update
set from_time = least(reprice.from_time, excluded.from_time), to_time = greatest(reprice.to_time, excluded.to_time);

-- name: results_pending
-- Whether anything of a park waits to be computed or priced anew in [$2, $3).
select exists (select from result_waiting r join point p using (point_id)
               where p.park_id = $1::text and r.from_time < $3::timestamptz and r.to_time > $2::timestamptz);
