-- Statements of ingest. Prepared on both stores by tests/integration/test_db_statements.py.

-- name: ensure_partition
select ensure_partition($1::text, $2::text, $3::timestamptz, $4::timestamptz);

-- name: make_staging
-- Run once on each connection that stores readings.
create temporary table if not exists staging_reading (
    ordinal  int              not null,
    point_id int              not null,
    time     timestamptz      not null,
    value    double precision,
    quality  smallint         not null,
    span_ms  int              not null,
    batch_id bigint           not null
) on commit delete rows;
create temporary table if not exists staging_again (
    point_id int              not null,
    time     timestamptz      not null,
    value    double precision,
    quality  smallint         not null,
    span_ms  int              not null,
    batch_id bigint           not null
) on commit delete rows;

-- ── configuration ────────────────────────────────────────────────────────────────────────────────

-- name: version_for_share
select version from config_version for share;

-- name: version_for_update
select version from config_version for update;

-- name: version
select version, changed_at from config_version;

-- name: bump_version
update config_version set version = version + 1, changed_at = now() returning version;

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
select factor_id, park_id, document, recorded_at from factor order by factor_id;

-- name: model_series
select distinct on (start) start, span_ms, value from factor_value
where factor_id = $1::int order by start, recorded_at desc;

-- ── custody ──────────────────────────────────────────────────────────────────────────────────────

-- name: insert_batches
-- In key order, so that two workers with the same batches wait for one another and never in a circle.
insert into batch (source_id, boot, seq, state, digest, header, raw, made, n, t_min, t_max, via)
select * from unnest($1::int[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::bytea[],
                     $8::timestamptz[], $9::int[], $10::timestamptz[], $11::timestamptz[], $12::text[])
    as t (source_id, boot, seq, state, digest, header, raw, made, n, t_min, t_max, via)
order by source_id, boot, seq
on conflict (source_id, boot, seq) do nothing
returning batch_id, source_id, boot, seq;

-- name: known_batches
select b.batch_id, b.source_id, b.boot, b.seq, b.digest, b.state
from batch b
join unnest($1::int[], $2::text[], $3::bigint[]) as t (source_id, boot, seq) using (source_id, boot, seq);

-- name: revive_batch
-- A batch that its source gave up arrived after all, through a gateway that had kept it.
update batch
set state = 'committed', digest = $2::bytea, raw = $3::bytea, n = $4::int, via = $5::text
where batch_id = $1::bigint;

-- name: insert_losses
insert into loss_record (source_id, boot, seq, point, t_from, t_to, n, reason)
values ($1::int, $2::text, $3::bigint, $4::text, $5::timestamptz, $6::timestamptz, $7::int, $8::text);

-- name: insert_quarantine
insert into quarantine (batch_id, row, park_id, point, time_ms, value_text, quality, span_ms, reason)
values ($1::bigint, $2::int, $3::text, $4::text, $5::bigint, $6::text, $7::smallint, $8::int, $9::text)
on conflict do nothing;

-- name: insert_dead_letter
insert into dead_letter (topic, payload, payload_bytes, reason, detail)
values ($1::text, $2::bytea, $3::bigint, $4::text, $5::text);

-- name: raw_batches
select b.batch_id, b.raw, b.recorded_at, s.park_id, s.source
from batch b
join source s on s.source_id = b.source_id
where s.park_id = $1::text and b.batch_id > $2::bigint and b.state = 'committed'
order by b.batch_id limit $3::int;

-- name: store_status
update source set status = $3::jsonb, status_at = $4::timestamptz
where park_id = $1::text and source = $2::text and (status_at is null or status_at <= $4::timestamptz);

-- name: quarantine_waiting
select q.batch_id, q.row, p.point_id, p.kind, p.period_ms, q.time_ms, q.value_text, q.quality, q.span_ms
from quarantine q
join point p on p.park_id = q.park_id and p.point = q.point
where q.park_id = $1::text and q.released_at is null and q.reason = 'unknown-point'
order by q.batch_id, q.row
limit $2::int
for update of q;

-- name: quarantine_release
update quarantine q set released_at = now()
from unnest($1::bigint[], $2::int[]) as t (batch_id, row)
where q.batch_id = t.batch_id and q.row = t.row;

-- name: quarantine_refuse
update quarantine set reason = $3::text where batch_id = $1::bigint and row = $2::int;

-- name: quarantine_list
select q.batch_id, q.row, q.park_id, q.point, q.time_ms, q.value_text, q.quality, q.reason, q.recorded_at, s.source
from quarantine q
join batch b on b.batch_id = q.batch_id
join source s on s.source_id = b.source_id
where ($1::text is null or q.park_id = $1::text) and q.released_at is null
order by q.batch_id desc, q.row
limit $2::int;

-- ── readings ─────────────────────────────────────────────────────────────────────────────────────

-- name: lock_points
select point_id, state, last_time from point_state
where point_id = any($1::int[]) order by point_id for update;

-- name: make_point_states
insert into point_state (point_id)
select point_id from unnest($1::int[]) as t (point_id) order by point_id
on conflict do nothing;

-- name: insert_readings
insert into reading (point_id, time, value, quality, span_ms, batch_id)
select point_id, time, value, quality, span_ms, batch_id from staging_reading order by point_id, time
on conflict do nothing;

-- name: known_readings
-- Staged rows that were there before, and whether they say the same.
select s.ordinal, s.value is not distinct from r.value and s.quality = r.quality and s.span_ms = r.span_ms as same
from staging_reading s
join reading r on r.point_id = s.point_id and r.time = s.time
where r.batch_id <> s.batch_id and r.time >= $1::timestamptz and r.time <= $2::timestamptz;

-- name: absent_readings
select s.ordinal from staging_reading s
where not exists (select from reading r where r.point_id = s.point_id and r.time = s.time);

-- name: clear_staging_reading
truncate staging_reading;

-- name: clear_staging_again
truncate staging_again;

-- name: insert_conflicts
insert into reading_conflict (point_id, time, kept, other, batch_id)
select s.point_id, s.time, r.value, s.value, s.batch_id
from staging_again s
join reading r on r.point_id = s.point_id and r.time = s.time
where (s.value is distinct from r.value or s.quality <> r.quality) and ($1::text = 'all' or r.batch_id = s.batch_id)
on conflict do nothing;

-- name: insert_delta_corrections
-- A delta that came again: recorded where it differs from the value in force or was made later; the newest
-- (made, source, boot, seq) is in force, whatever arrived first. Returns those that changed the value in force.
with said as (
    select s.*, b.made, e.value is distinct from s.value or e.quality <> s.quality or e.span_ms <> s.span_ms as differs,
           (b.made, a.source collate "C", b.boot collate "C", b.seq) > (e.made, e.source, e.boot, e.seq) as newer
    from staging_again s
    join batch b on b.batch_id = s.batch_id
    join source a on a.source_id = b.source_id
    cross join lateral (
        select f.value, f.quality, f.span_ms, fb.made, fs.source collate "C" as source, fb.boot collate "C" as boot,
               fb.seq
        from (
            select r.value, r.quality, r.span_ms, r.batch_id from reading r
            where r.point_id = s.point_id and r.time = s.time
            union all
            select c.value, c.quality, c.span_ms, c.batch_id from delta_correction c
            where c.point_id = s.point_id and c.time = s.time
        ) f
        join batch fb on fb.batch_id = f.batch_id
        join source fs on fs.source_id = fb.source_id
        order by fb.made desc, fs.source collate "C" desc, fb.boot collate "C" desc, fb.seq desc
        limit 1
    ) e
), recorded as (
    insert into delta_correction (point_id, time, value, quality, span_ms, made, batch_id)
    select point_id, time, value, quality, span_ms, made, batch_id from said
    where (differs or newer) and not exists (
        select from reading r where r.point_id = said.point_id and r.time = said.time and r.batch_id = said.batch_id
    )
    on conflict do nothing
)
select point_id, time, batch_id from said where differs and newer;

-- ── what the scan reads back ─────────────────────────────────────────────────────────────────────

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
