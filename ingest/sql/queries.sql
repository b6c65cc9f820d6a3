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
select source_id, park_id, source, kind, via, public_key, window_from, window_to from source where active;

-- name: model_points
select point_id, park_id, point, kind, unit, carrier, flow, period_ms, limit_per_h, resolution, modulus from point;

-- name: model_episodes
select point_id, at, ct, pt, sign, modulus, limit_per_h, end_reading, start_reading
from episode order by point_id, at;

-- name: model_corrections
select point_id, kind, from_time, to_time, document from correction order by point_id, from_time, correction_id;

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

-- ── results ──────────────────────────────────────────────────────────────────────────────────────

-- name: delete_open_intervals
delete from interval_15min i
using (
    select point_id, timestamptz 'epoch' + ms * interval '1 millisecond' as start
    from unnest($1::int[], $2::bigint[]) as t (point_id, ms)
) t
where i.point_id = t.point_id and i.start = t.start and i.start >= $3::timestamptz and i.start <= $4::timestamptz;

-- name: delete_intervals
with gone as (
    delete from interval_15min
    where point_id = $1::int and start >= $2::timestamptz and start < $3::timestamptz
    returning point_id, start
)
select distinct point_id, date_bin('1 hour', start, timestamptz 'epoch') as hour from gone;

-- name: delete_hours
delete from rollup_hour r
using unnest($1::int[], $2::bigint[]) as t (point_id, ms)
where r.point_id = t.point_id and r.start = timestamptz 'epoch' + t.ms * interval '1 millisecond';

-- name: delete_days
delete from rollup_day r
using unnest($1::int[], $2::int[]) as t (point_id, day)
where r.point_id = t.point_id and r.day = date '1970-01-01' + t.day;

-- name: delete_months
delete from rollup_month r
using unnest($1::int[], $2::int[]) as t (point_id, day)
where r.point_id = t.point_id and r.month = date '1970-01-01' + t.day;

-- name: roll_up_hours
-- All hours of a stretch of each point that have intervals. CO2e is null where that of any interval is; coverage counts
-- what is absent as not known.
insert into rollup_hour (
    point_id, start, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms
)
select i.point_id, date_bin('1 hour', i.start, timestamptz 'epoch'), sum(i.amount_micro)::bigint,
       case when count(i.co2e_nano_kg) = count(*) then sum(i.co2e_nano_kg)::bigint end,
       (sum(round(i.coverage * 900000)) / 3600000)::real, max(i.method),
       sum(round(i.coverage * 900000))::bigint, sum(i.measured_ms)::bigint,
       sum(case when i.suspect then 900000 else 0 end)::bigint
from (
    select point_id, timestamptz 'epoch' + low_ms * interval '1 millisecond' as low,
           timestamptz 'epoch' + high_ms * interval '1 millisecond' as high
    from unnest($1::int[], $2::bigint[], $3::bigint[]) as t (point_id, low_ms, high_ms)
) k
join interval_15min i on i.point_id = k.point_id and i.start >= k.low and i.start < k.high
where i.start >= $4::timestamptz and i.start < $5::timestamptz
group by 1, 2
on conflict (point_id, start) do update
set amount_micro = excluded.amount_micro, co2e_nano_kg = excluded.co2e_nano_kg, coverage = excluded.coverage,
    method = excluded.method, known_ms = excluded.known_ms, measured_ms = excluded.measured_ms,
    suspect_ms = excluded.suspect_ms;

-- name: roll_up_days
-- Local days that begin and end on a full hour UTC, from hours.
insert into rollup_day (
    point_id, day, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms
)
select k.point_id, k.day, sum(h.amount_micro)::bigint,
       case when count(h.co2e_nano_kg) = count(*) then sum(h.co2e_nano_kg)::bigint end,
       (sum(h.known_ms)::double precision / k.length_ms)::real, max(h.method), sum(h.known_ms)::bigint,
       sum(h.measured_ms)::bigint, sum(h.suspect_ms)::bigint
from (
    select point_id, date '1970-01-01' + day as day, timestamptz 'epoch' + from_ms * interval '1 millisecond' as low,
           timestamptz 'epoch' + to_ms * interval '1 millisecond' as high, length_ms
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
        as t (point_id, day, from_ms, to_ms, length_ms)
) k
join rollup_hour h on h.point_id = k.point_id and h.start >= k.low and h.start < k.high
where h.start >= $6::timestamptz and h.start < $7::timestamptz
group by k.point_id, k.day, k.length_ms
on conflict (point_id, day) do update
set amount_micro = excluded.amount_micro, co2e_nano_kg = excluded.co2e_nano_kg, coverage = excluded.coverage,
    method = excluded.method, known_ms = excluded.known_ms, measured_ms = excluded.measured_ms,
    suspect_ms = excluded.suspect_ms;

-- name: roll_up_uneven_days
-- Local days of time zones that are not full hours from UTC, from intervals.
insert into rollup_day (
    point_id, day, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms
)
select k.point_id, k.day, sum(i.amount_micro)::bigint,
       case when count(i.co2e_nano_kg) = count(*) then sum(i.co2e_nano_kg)::bigint end,
       (sum(round(i.coverage * 900000)) / k.length_ms)::real, max(i.method),
       sum(round(i.coverage * 900000))::bigint, sum(i.measured_ms)::bigint,
       sum(case when i.suspect then 900000 else 0 end)::bigint
from (
    select point_id, date '1970-01-01' + day as day, timestamptz 'epoch' + from_ms * interval '1 millisecond' as low,
           timestamptz 'epoch' + to_ms * interval '1 millisecond' as high, length_ms
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
        as t (point_id, day, from_ms, to_ms, length_ms)
) k
join interval_15min i on i.point_id = k.point_id and i.start >= k.low and i.start < k.high
where i.start >= $6::timestamptz and i.start < $7::timestamptz
group by k.point_id, k.day, k.length_ms
on conflict (point_id, day) do update
set amount_micro = excluded.amount_micro, co2e_nano_kg = excluded.co2e_nano_kg, coverage = excluded.coverage,
    method = excluded.method, known_ms = excluded.known_ms, measured_ms = excluded.measured_ms,
    suspect_ms = excluded.suspect_ms;

-- name: roll_up_months
insert into rollup_month (
    point_id, month, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms
)
select k.point_id, k.month, sum(d.amount_micro)::bigint,
       case when count(d.co2e_nano_kg) = count(*) then sum(d.co2e_nano_kg)::bigint end,
       (sum(d.known_ms)::double precision / k.length_ms)::real, max(d.method), sum(d.known_ms)::bigint,
       sum(d.measured_ms)::bigint, sum(d.suspect_ms)::bigint
from (
    select point_id, date '1970-01-01' + month as month, date '1970-01-01' + low as low,
           date '1970-01-01' + high as high, length_ms
    from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::bigint[]) as t (point_id, month, low, high, length_ms)
) k
join rollup_day d on d.point_id = k.point_id and d.day >= k.low and d.day < k.high
group by k.point_id, k.month, k.length_ms
on conflict (point_id, month) do update
set amount_micro = excluded.amount_micro, co2e_nano_kg = excluded.co2e_nano_kg, coverage = excluded.coverage,
    method = excluded.method, known_ms = excluded.known_ms, measured_ms = excluded.measured_ms,
    suspect_ms = excluded.suspect_ms;

-- name: delete_boundaries
delete from boundary b
using unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as t (point_id, low, high)
where b.point_id = t.point_id and b.at >= t.low and b.at < t.high;

-- name: delete_questions
delete from question q
using unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as t (point_id, low, high)
where q.point_id = t.point_id and q.at >= t.low and q.at < t.high;

-- name: insert_boundary
insert into boundary (point_id, at, kind, old_value, new_value, amount_micro)
values ($1::int, $2::timestamptz, $3::text, $4::double precision, $5::double precision, $6::bigint)
on conflict (point_id, at, kind) do update
set old_value = excluded.old_value, new_value = excluded.new_value, amount_micro = excluded.amount_micro;

-- name: insert_question
insert into question (point_id, at, kind, document)
values ($1::int, $2::timestamptz, $3::text, $4::jsonb)
on conflict (point_id, at, kind) do update set document = excluded.document;

-- name: delete_checkpoints
delete from point_checkpoint where point_id = $1::int and at > $2::timestamptz and at <= $3::timestamptz;

-- name: upsert_checkpoints
insert into point_checkpoint (point_id, at, state)
select * from unnest($1::int[], $2::timestamptz[], $3::bytea[])
on conflict (point_id, at) do update set state = excluded.state;

-- name: update_point_states
update point_state p
set state = coalesce(t.state, p.state),
    last_time = case when t.newer then t.last_time else p.last_time end,
    last_value = case when t.newer then t.last_value else p.last_value end,
    last_quality = case when t.newer then t.last_quality else p.last_quality end,
    updated_at = now()
from unnest($1::int[], $2::bytea[], $3::boolean[], $4::timestamptz[], $5::double precision[], $6::smallint[])
    as t (point_id, state, newer, last_time, last_value, last_quality)
where p.point_id = t.point_id;

-- ── recompute ────────────────────────────────────────────────────────────────────────────────────

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

-- name: release_recompute
-- The sources of a park have caught up: what waits for its points need not be held any longer.
update recompute r set held_until = now()
from point p
where r.point_id = p.point_id and p.park_id = $1::text and r.held_until > now();

-- name: due_recompute
select point_id, from_time, to_time from recompute where held_until <= $1::timestamptz
order by held_until, point_id limit $2::int;

-- name: next_recompute
select min(held_until) from recompute;

-- name: take_recompute
-- Under the lock of the point's state.
delete from recompute where point_id = $1::int and from_time = $2::timestamptz and to_time = $3::timestamptz
returning point_id;

-- name: intervals_of
-- Without NULLs, for binary COPY.
select start, amount_micro, coverage, method, measured_ms, suspect, coalesce(co2e_nano_kg, -1), coalesce(factor_id, -1),
       coalesce(match, -1::smallint)
from interval_15min where point_id = $1::int order by start;

-- name: state_of
select state from point_state where point_id = $1::int;

-- name: roll_ups_that_differ
-- Hours against their intervals, and days and months against the whole.
with hours as (
    select date_bin('1 hour', start, timestamptz 'epoch') as start, sum(amount_micro) as amount_micro,
           case when count(co2e_nano_kg) = count(*) then sum(co2e_nano_kg) end as co2e_nano_kg, max(method) as method,
           sum(measured_ms) as measured_ms, sum(round(coverage * 900000)) as known_ms,
           sum(case when suspect then 900000 else 0 end) as suspect_ms
    from interval_15min where point_id = $1::int group by 1
), whole as (
    select coalesce(sum(amount_micro), 0) as amount_micro, coalesce(sum(measured_ms), 0) as measured_ms,
           coalesce(sum(known_ms), 0) as known_ms, coalesce(sum(suspect_ms), 0) as suspect_ms from hours
)
select 'hour' as period, coalesce(h.start, r.start)::text as label
from hours h
full join (select * from rollup_hour where point_id = $1::int) r on r.start = h.start
where (h.amount_micro, h.co2e_nano_kg, h.method, h.measured_ms, h.known_ms, h.suspect_ms)
    is distinct from (r.amount_micro, r.co2e_nano_kg, r.method, r.measured_ms, r.known_ms, r.suspect_ms)
union all
select d.period, 'total'
from whole w
cross join (
    select 'day' as period, coalesce(sum(amount_micro), 0) as amount_micro, coalesce(sum(measured_ms), 0) as measured_ms,
           coalesce(sum(known_ms), 0) as known_ms, coalesce(sum(suspect_ms), 0) as suspect_ms
    from rollup_day where point_id = $1::int
    union all
    select 'month', coalesce(sum(amount_micro), 0), coalesce(sum(measured_ms), 0), coalesce(sum(known_ms), 0),
           coalesce(sum(suspect_ms), 0)
    from rollup_month where point_id = $1::int
) d
where (w.amount_micro, w.measured_ms, w.known_ms, w.suspect_ms)
    is distinct from (d.amount_micro, d.measured_ms, d.known_ms, d.suspect_ms);

-- ── the park model ───────────────────────────────────────────────────────────────────────────────

-- name: newest_revision
select revision, document, digest from park_revision where park_id = $1::text order by revision desc limit 1;

-- name: upsert_park
insert into park (park_id, name_zh, name_en, timezone, document, revision)
values ($1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::int)
on conflict (park_id) do update
set name_zh = excluded.name_zh, name_en = excluded.name_en, timezone = excluded.timezone, document = excluded.document,
    revision = excluded.revision, recorded_at = now();

-- name: forget_local_days
delete from rollup_day r using point p where p.point_id = r.point_id and p.park_id = $1::text;

-- name: forget_local_months
delete from rollup_month r using point p where p.point_id = r.point_id and p.park_id = $1::text;

-- name: insert_revision
insert into park_revision (park_id, revision, document, digest, author, reason)
values ($1::text, $2::int, $3::jsonb, $4::bytea, $5::text, $6::text);

-- name: delete_tenants
delete from tenant where park_id = $1::text;

-- name: insert_tenant
insert into tenant (park_id, tenant, name_zh, name_en, position)
values ($1::text, $2::text, $3::text, $4::text, $5::int);

-- name: retire_sources
update source set active = false where park_id = $1::text and not source = any($2::text[]);

-- name: upsert_source
insert into source (park_id, source, kind, via, public_key, window_from, window_to)
values ($1::text, $2::text, $3::text, $4::text, $5::bytea, $6::timestamptz, $7::timestamptz)
on conflict (park_id, source) do update
set kind = excluded.kind, via = excluded.via, public_key = excluded.public_key, window_from = excluded.window_from,
    window_to = excluded.window_to, active = true;

-- name: retire_devices
update device set active = false where park_id = $1::text and not device = any($2::text[]);

-- name: upsert_device
insert into device (park_id, device, profile, tenant, source, name_zh, name_en, bus, position, active)
values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::int, $10::boolean)
on conflict (park_id, device) do update
set profile = excluded.profile, tenant = excluded.tenant, source = excluded.source, name_zh = excluded.name_zh,
    name_en = excluded.name_en, bus = excluded.bus, position = excluded.position, active = excluded.active
returning device_id;

-- name: retire_points
update point set active = false where park_id = $1::text and not point = any($2::text[]);

-- name: upsert_point
insert into point (
    park_id, device_id, point, quantity, kind, unit, carrier, flow, tenant, period_ms, limit_per_h, resolution, modulus,
    active
)
values ($1::text, $2::int, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::int,
        $11::double precision, $12::double precision, $13::double precision, $14::boolean)
on conflict (park_id, point) do update
set device_id = excluded.device_id, quantity = excluded.quantity, kind = excluded.kind, unit = excluded.unit,
    carrier = excluded.carrier, flow = excluded.flow, tenant = excluded.tenant, period_ms = excluded.period_ms,
    limit_per_h = excluded.limit_per_h, resolution = excluded.resolution, modulus = excluded.modulus,
    active = excluded.active
returning point_id;

-- name: now
select now();

-- name: points_with_readings
select point_id from point_state where point_id = any($1::int[]) and last_time is not null;

-- name: delete_episodes
delete from episode where point_id = any($1::int[]);

-- name: insert_episode
insert into episode (point_id, at, serial, ct, pt, sign, modulus, limit_per_h, end_reading, start_reading)
values ($1::int, $2::timestamptz, $3::text, $4::double precision, $5::double precision, $6::smallint,
        $7::double precision, $8::double precision, $9::double precision, $10::double precision);

-- name: insert_factor
insert into factor (
    factor, park_id, purpose, carrier, region, gas, basis, unit, value, data_year, publisher, edition, published_on,
    unverified, digest, document
)
values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::double precision, $10::int,
        $11::text, $12::text, $13::date, $14::boolean, $15::bytea, $16::jsonb)
on conflict (digest) do nothing
returning factor_id;

-- name: factor_by_digest
select factor_id from factor where digest = $1::bytea;

-- name: insert_correction
insert into correction (point_id, kind, from_time, to_time, document, author, reason)
values ($1::int, $2::text, $3::timestamptz, $4::timestamptz, $5::jsonb, $6::text, $7::text)
returning correction_id;

-- name: insert_token
insert into api_token (digest, label, role, park_id) values ($1::bytea, $2::text, $3::text, $4::text)
returning token_id;

-- name: revoke_token
update api_token set revoked_at = now() where label = $1::text and revoked_at is null;
