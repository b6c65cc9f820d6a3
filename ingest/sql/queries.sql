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
create temporary table if not exists reprice_point (
    point_id  int              not null,
    low       timestamptz      not null,   -- rows of [low, high) are priced
    high      timestamptz      not null,
    grp       int,                         -- by the values in reprice_grid; null: by the number here
    per_unit  double precision,            -- null: no factor applies
    factor_id int,
    match     smallint
) on commit delete rows;
create temporary table if not exists reprice_hours (
    point_id  int              not null,
    start     timestamptz      not null
) on commit delete rows;
create temporary table if not exists reprice_grid (
    grp       int              not null,
    start     timestamptz      not null,
    per_unit  double precision,
    factor_id int,
    match     smallint
) on commit delete rows;

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
select b.batch_id, b.source_id, b.boot, b.seq, b.digest, b.state,
       (select count(*) from quarantine q where q.batch_id = b.batch_id and q.released_at is null)::int as quarantined
from batch b
join unnest($1::int[], $2::text[], $3::bigint[]) as t (source_id, boot, seq) using (source_id, boot, seq);

-- name: revive_batch
-- A batch that its source gave up arrived after all, through a gateway that had kept it.
update batch
set state = 'committed', digest = $2::bytea, raw = $3::bytea, n = $4::int, via = $5::text, revived_at = now()
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
-- The newest counts. A last will is as old as the connection that broke, so it always comes late: it says that the source
-- is gone, and leaves what the source had told since.
update source
set status = case when status_at > $4::timestamptz then status || jsonb '{"online": false}' else $3::jsonb end,
    status_at = greatest(status_at, $4::timestamptz)
where park_id = $1::text and source = $2::text
  and (status_at is null or status_at <= $4::timestamptz or not ($3::jsonb ->> 'online')::boolean);

-- name: quarantine_waiting
-- What may be stored by now: of points that were unknown, and amounts below zero that are allowed since.
select q.batch_id, q.row, p.point_id, p.kind, p.period_ms, q.time_ms, q.value_text, q.quality, q.span_ms
from quarantine q
join point p on p.park_id = q.park_id and p.point = q.point
where q.park_id = $1::text and q.released_at is null
  and (q.reason = 'unknown-point' or (q.reason = 'negative-amount' and p.may_be_negative))
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

-- name: points_below_zero
select point_id from point where may_be_negative;

-- name: lock_points
select point_id, state, last_time from point_state
where point_id = any($1::int[]) order by point_id for update;

-- name: make_point_states
insert into point_state (point_id)
select point_id from unnest($1::int[]) as t (point_id)
where not exists (select from point_state s where s.point_id = t.point_id)
order by point_id
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
