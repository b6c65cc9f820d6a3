-- Results of the scan: replaced, rolled up, computed again, checked.

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
using (
    select point_id, timestamptz 'epoch' + ms * interval '1 millisecond' as start
    from unnest($1::int[], $2::bigint[]) as t (point_id, ms)
) t
where r.point_id = t.point_id and r.start = t.start and r.start >= $3::timestamptz and r.start <= $4::timestamptz;

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

-- ── priced anew ──────────────────────────────────────────────────────────────────────────────────

-- name: reprice_months
-- What waits, by month UTC: the newest month first, since people look at it.
select (extract(year from month) * 12 + extract(month from month) - 1 - 1970 * 12)::int as month,
       sum(extract(epoch from to_time - from_time) / 900)::bigint as intervals
from reprice group by reprice.month order by reprice.month desc;

-- name: reprice_of_month
select point_id, from_time, to_time from reprice
where month = (date '1970-01-01' + $1::int * interval '1 month')::date order by point_id;

-- name: take_reprice
-- Some points of a month that nobody else is working on.
select point_id, from_time, to_time from reprice
where month = (date '1970-01-01' + $1::int * interval '1 month')::date order by point_id limit $2::int for update skip locked;

-- name: delete_reprice
delete from reprice where month = (date '1970-01-01' + $1::int * interval '1 month')::date and point_id = any($2::int[]);

-- name: partition_size
-- Rows of a partition, about; null: there is no such table.
select greatest(reltuples, pg_relation_size(oid) / 120)::bigint from pg_class where oid = to_regclass($1::text);

-- name: try_lock
select pg_try_advisory_lock($1::int, $2::int);

-- name: unlock
select pg_advisory_unlock($1::int, $2::int);

-- name: wait_at_most
select set_config('lock_timeout', $1::text, true);

-- name: horizon
-- The oldest transaction that is running: rows of an older one are seen by every statement that follows.
select pg_snapshot_xmin(pg_current_snapshot())::text;

-- name: rewrite_month
select rewrite_month($1::text, $2::text, $3::timestamptz, $4::timestamptz);

-- name: forget_days
delete from reprice_day where month = (date '1970-01-01' + $1::int * interval '1 month')::date;

-- name: sum_days
select sum_days($1::text, (date '1970-01-01' + $2::int * interval '1 month')::date, $3::int[], $4::date[],
                $5::timestamptz[]);

-- name: take_over
select take_over($1::text, $2::text, (date '1970-01-01' + $3::int * interval '1 month')::date, $4::text, $5::bigint);

-- name: put_in_place
select put_in_place('interval_15min', $1::text, $1::text || '_next', $3::timestamptz, $4::timestamptz),
       put_in_place('rollup_hour', $2::text, $2::text || '_next', $3::timestamptz, $4::timestamptz);

-- name: reprice_changed_hours
select point_id, start from reprice_hours;

-- name: reprice_rows
-- In place: where little is to be priced anew, and on TimescaleDB. The same arithmetic as in the function repriced.
with priced as (
    select i.point_id, i.start,
           round(i.amount_micro::float8 * coalesce(g.per_unit, p.per_unit) * 1e3)::bigint as co2e_nano_kg,
           case when p.grp is null then p.factor_id else g.factor_id end as factor_id,
           case when p.grp is null then p.match else g.match end as match
    from reprice_point p
    join interval_15min i on i.point_id = p.point_id and i.start >= p.low and i.start < p.high
    left join reprice_grid g on g.grp = p.grp and g.start = i.start
    where i.start >= $1::timestamptz and i.start < $2::timestamptz
)
update interval_15min i
set co2e_nano_kg = n.co2e_nano_kg, factor_id = n.factor_id, match = n.match
from priced n
where i.point_id = n.point_id and i.start = n.start and i.start >= $1::timestamptz and i.start < $2::timestamptz
  and (i.co2e_nano_kg, i.factor_id, i.match) is distinct from (n.co2e_nano_kg, n.factor_id, n.match);

-- name: intervals_of
-- Without NULLs, for binary COPY.
select start, amount_micro, coverage, method, measured_ms, suspect, coalesce(co2e_nano_kg, -1), coalesce(factor_id, -1),
       coalesce(match, -1::smallint)
from interval_15min where point_id = $1::int order by start;

-- name: count_intervals
select count(*) from interval_15min where point_id = $1::int;

-- name: state_of
select state from point_state where point_id = $1::int;

-- name: roll_ups_that_differ
-- Hours and local days against their intervals, local months against their days. $2 to $4: the local days that hold
-- intervals of the point, with begin and end [ms UTC].
with hours as (
    select date_bin('1 hour', start, timestamptz 'epoch') as start, sum(amount_micro) as amount_micro,
           case when count(co2e_nano_kg) = count(*) then sum(co2e_nano_kg) end as co2e_nano_kg, max(method) as method,
           sum(measured_ms) as measured_ms, sum(round(coverage * 900000)) as known_ms,
           sum(case when suspect then 900000 else 0 end) as suspect_ms
    from interval_15min where point_id = $1::int group by 1
), days as (
    select date '1970-01-01' + k.day as day, sum(i.amount_micro) as amount_micro,
           case when count(i.co2e_nano_kg) = count(*) then sum(i.co2e_nano_kg) end as co2e_nano_kg,
           max(i.method) as method, sum(i.measured_ms) as measured_ms, sum(round(i.coverage * 900000)) as known_ms,
           sum(case when i.suspect then 900000 else 0 end) as suspect_ms
    from unnest($2::int[], $3::bigint[], $4::bigint[]) as k (day, low, high)
    join interval_15min i on i.point_id = $1::int and i.start >= timestamptz 'epoch' + k.low * interval '1 millisecond'
                         and i.start < timestamptz 'epoch' + k.high * interval '1 millisecond'
    group by k.day
), months as (
    select date_trunc('month', day)::date as month, sum(amount_micro) as amount_micro,
           case when count(co2e_nano_kg) = count(*) then sum(co2e_nano_kg) end as co2e_nano_kg, max(method) as method,
           sum(measured_ms) as measured_ms, sum(known_ms) as known_ms, sum(suspect_ms) as suspect_ms
    from rollup_day where point_id = $1::int group by 1
)
select 'hour' as period, coalesce(h.start, r.start)::text as label
from hours h
full join (select * from rollup_hour where point_id = $1::int) r on r.start = h.start
where (h.amount_micro, h.co2e_nano_kg, h.method, h.measured_ms, h.known_ms, h.suspect_ms)
    is distinct from (r.amount_micro, r.co2e_nano_kg, r.method, r.measured_ms, r.known_ms, r.suspect_ms)
union all
select 'day', coalesce(d.day, r.day)::text
from days d
full join (select * from rollup_day where point_id = $1::int) r on r.day = d.day
where (d.amount_micro, d.co2e_nano_kg, d.method, d.measured_ms, d.known_ms, d.suspect_ms)
    is distinct from (r.amount_micro, r.co2e_nano_kg, r.method, r.measured_ms, r.known_ms, r.suspect_ms)
union all
select 'month', coalesce(m.month, r.month)::text
from months m
full join (select * from rollup_month where point_id = $1::int) r on r.month = m.month
where (m.amount_micro, m.co2e_nano_kg, m.method, m.measured_ms, m.known_ms, m.suspect_ms)
    is distinct from (r.amount_micro, r.co2e_nano_kg, r.method, r.measured_ms, r.known_ms, r.suspect_ms);
