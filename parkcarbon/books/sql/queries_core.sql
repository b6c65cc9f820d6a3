-- Facts of a park as known at a moment, amounts from stored intervals. as_of is `recorded_at <= $n` throughout.

-- name: one_snapshot
set transaction isolation level repeatable read;

-- name: revision_at
select r.revision, r.document, p.timezone
from park p join park_revision r using (park_id)
where p.park_id = $1::text and r.recorded_at <= $2::timestamptz
order by r.revision desc limit 1;

-- name: clock
select clock_timestamp();

-- name: park_known
select exists (select from park where park_id = $1::text);

-- name: factors_at
-- The catalog's, and the park's own once approved; recorded_at is then the moment of approval.
select factor_id, document, recorded_at
from factor_in_force
where (park_id is null or park_id = $1::text) and recorded_at <= $2::timestamptz
  and (withdrawn_at is null or withdrawn_at > $2::timestamptz)
order by factor_id;

-- name: factor_values_at
-- Values of one series: of each start the one that was recorded last.
select distinct on (start) start, span_ms, value
from factor_value_in_force
where factor_id = $1::int and recorded_at <= $2::timestamptz
  and (withdrawn_at is null or withdrawn_at > $2::timestamptz)
order by start, recorded_at desc, load_id desc;

-- name: points_of_park
-- Every point that intervals can come from, also those that were retired.
select point_id, point, kind, unit, carrier, flow, tenant, period_ms
from point where park_id = $1::text order by point;

-- name: retired_points
-- Points of $3 as the newest revision up to $2 had them that had them at all.
select distinct on (device, quantity) d.value ->> 'device' as device, q.value ->> 'quantity' as quantity,
       q.value ->> 'flow' as flow, d.value ->> 'tenant' as tenant
from park_revision r
cross join lateral jsonb_array_elements(r.document -> 'devices') d
cross join lateral jsonb_array_elements(d.value -> 'points') q
where r.park_id = $1::text and r.recorded_at <= $2::timestamptz
  and (d.value ->> 'device') || '/' || (q.value ->> 'quantity') = any($3::text[])
order by device, quantity, r.revision desc;

-- name: amounts_by_state
-- Amounts and time of points by data state, from the intervals that start in [$2, $3).
select i.point_id, i.method, count(*) as intervals, sum(i.amount_micro)::bigint as amount_micro,
       sum(i.co2e_nano_kg)::bigint as co2e_nano_kg, count(i.co2e_nano_kg) as with_co2e,
       sum((i.coverage * 900000)::int)::bigint as known_ms, sum(i.measured_ms)::bigint as measured_ms,
       count(*) filter (where i.suspect) * 900000 as suspect_ms
from interval_15min i
where i.point_id = any($1::int[]) and i.start >= $2::timestamptz and i.start < $3::timestamptz
group by i.point_id, i.method order by i.point_id, i.method;

-- name: gas_intervals
-- Every amount of points that starts in [$2, $3), for what changes by the hour. Without NULLs, for binary COPY.
select point_id, start, amount_micro
from interval_15min
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz order by point_id, start;

-- name: amounts_of_measured_days
-- The same over the local days from $2 to before $3 that are measured throughout, from the daily roll-up. An interval's
-- emission is rounded once, so their number matters: it is that of the quarters with anything known.
select point_id, 0::smallint as method, sum((known_ms + 899999) / 900000)::bigint as intervals,
       sum(amount_micro)::bigint as amount_micro, sum(co2e_nano_kg)::bigint as co2e_nano_kg,
       coalesce(sum((known_ms + 899999) / 900000) filter (where co2e_nano_kg is not null), 0)::bigint as with_co2e,
       sum(known_ms)::bigint as known_ms, sum(measured_ms)::bigint as measured_ms, sum(suspect_ms)::bigint as suspect_ms
from rollup_day
where point_id = any($1::int[]) and day >= $2::date and day < $3::date and method = 0
group by point_id order by point_id;

-- name: mixed_days
-- The days that are not: their states are in the intervals alone.
select point_id, day from rollup_day
where point_id = any($1::int[]) and day >= $2::date and day < $3::date and method <> 0
order by point_id, day;

-- name: amounts_of_stretches
-- Amounts and time by data state over stretches of points.
select i.point_id, i.method, count(*) as intervals, sum(i.amount_micro)::bigint as amount_micro,
       sum(i.co2e_nano_kg)::bigint as co2e_nano_kg, count(i.co2e_nano_kg) as with_co2e,
       sum((i.coverage * 900000)::int)::bigint as known_ms, sum(i.measured_ms)::bigint as measured_ms,
       count(*) filter (where i.suspect) * 900000 as suspect_ms
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as s (point_id, low, high)
join interval_15min i on i.point_id = s.point_id and i.start >= s.low and i.start < s.high
group by i.point_id, i.method order by i.point_id, i.method;

-- name: first_intervals
select p.point_id, (select min(i.start) from interval_15min i where i.point_id = p.point_id) as first
from unnest($1::int[]) as p (point_id);

-- name: hourly_amounts
select point_id, start, amount_micro, coverage, method
from rollup_hour
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz
order by point_id, start;

-- name: hourly_from_intervals
-- The same where local hours are not hours of UTC: hours counted from $2.
select point_id, date_bin('1 hour', start, $2::timestamptz) as start, sum(amount_micro)::bigint as amount_micro,
       (sum(coverage) / 4)::real as coverage, max(method)::smallint as method
from interval_15min
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz
group by 1, 2 order by 1, 2;

-- name: recompute_waits
-- Points whose stored intervals of [$2, $3) are about to be computed again.
select p.point, r.from_time, r.to_time, r.reason
from result_waiting r join point p using (point_id)
where p.park_id = $1::text and r.from_time < $3::timestamptz and r.to_time > $2::timestamptz
order by p.point, r.from_time;

-- name: questions_between
select p.point, q.at, q.kind, q.document
from question q join point p using (point_id)
where p.park_id = $1::text and q.at >= $2::timestamptz and q.at < $3::timestamptz
order by q.at, p.point, q.kind;

-- name: entries_at
-- Every entry recorded by $2 with its review, if that was made by then.
select e.entry_id, e.kind, e.tenant, e.from_day, e.to_day, e.document, e.evidence, e.author, e.reason, e.needs_review,
       e.supersedes, e.withdrawn, e.simulated, e.recorded_at, r.person as reviewer, r.decision,
       r.reason as review_reason, r.recorded_at as reviewed_at
from entry e left join entry_review r on r.entry_id = e.entry_id and r.recorded_at <= $2::timestamptz
where e.park_id = $1::text and e.recorded_at <= $2::timestamptz
order by e.entry_id;

-- name: entry_park
select park_id from entry where entry_id = $1::bigint;

-- name: tenant_known
select exists (select from tenant where park_id = $1::text and tenant = $2::text);

-- name: lock_entries
-- Two people who enter the same at the same instant wait for one another.
select park_id from park where park_id = $1::text for no key update;

-- name: same_entry
-- An entry that says the same and was neither rejected nor followed by another.
select e.entry_id
from entry e left join entry_review r using (entry_id)
where e.park_id = $1::text and e.kind = $2::text and e.tenant is not distinct from $3::text
  and e.from_day = $4::date and e.to_day = $5::date and e.document = $6::jsonb and e.evidence = $7::text
  and not e.withdrawn and r.decision is distinct from 'rejected'
  and not exists (select from entry n left join entry_review d using (entry_id)
                  where n.supersedes = e.entry_id and d.decision is distinct from 'rejected')
order by e.entry_id limit 1;

-- name: insert_entry
insert into entry (park_id, kind, tenant, from_day, to_day, document, evidence, author, reason, needs_review, supersedes,
                   simulated)
values ($1::text, $2::text, $3::text, $4::date, $5::date, $6::jsonb, $7::text, $8::text, $9::text, $10::boolean,
        $11::bigint, $12::boolean)
returning entry_id;

-- name: insert_withdrawal
insert into entry (park_id, kind, tenant, from_day, to_day, document, evidence, author, reason, needs_review, supersedes,
                   withdrawn, simulated)
select park_id, kind, tenant, from_day, to_day, document, evidence, $2::text, $3::text, needs_review, entry_id, true,
       simulated
from entry where entry_id = $1::bigint
returning entry_id;

-- name: insert_entry_review
insert into entry_review (entry_id, person, decision, reason)
values ($1::bigint, $2::text, $3::text, $4::text) returning entry_id;

-- ── periods ──────────────────────────────────────────────────────────────────────────────────────

-- name: period_closed
-- Whether a period was closed at $3.
select (select event from period_event
        where park_id = $1::text and period = $2::text and recorded_at <= $3::timestamptz
        order by event_id desc limit 1) is not distinct from 'closed';

-- name: period_events
select event_id, period, event, version, person, reason, override, recorded_at
from period_event
where park_id = $1::text and ($2::text is null or period = $2::text) and recorded_at <= $3::timestamptz
order by event_id;

-- name: insert_period_event
insert into period_event (park_id, period, event, person, reason, override)
values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::jsonb)
returning event_id, version;

-- name: insert_period_frozen
insert into period_frozen (event_id, method, body, digest, as_of, basis)
values ($1::bigint, $2::text, $3::bytea, sha256($3::bytea), $4::timestamptz, $5::jsonb)
returning digest;

-- name: period_frozen
-- The newest version of a closed period that was known at $4, or version $5; null where the period was not closed then.
select f.event_id, e.version, f.method, f.body, f.digest, f.as_of, f.basis, e.person, e.recorded_at
from period_event e join period_frozen f using (event_id)
where e.park_id = $1::text and e.period = $2::text and f.method = $3::text and e.recorded_at <= $4::timestamptz
  and ($5::int is null or e.version = $5::int)
order by e.event_id desc limit 1;

-- name: period_versions
-- What was frozen of a period, without the bytes.
select e.event_id, e.version, f.method, f.digest, f.as_of, octet_length(f.body) as bytes
from period_event e join period_frozen f using (event_id)
where e.park_id = $1::text and e.period = $2::text
order by e.event_id, f.method;

-- name: first_day
-- First local day of which anything is known: amounts or entries; a base year is known by its sum alone.
select least(
    (select min(r.month) from rollup_month r join point p using (point_id) where p.park_id = $1::text),
    (select min(from_day) from entry where park_id = $1::text and kind <> 'base_year')
);

-- name: unsettled_batches
-- Batches that reach into [$2, $3) and were recorded after $4.
select count(*) from batch b join source s using (source_id)
where s.park_id = $1::text and b.t_max >= $2::timestamptz and b.t_min < $3::timestamptz
  and greatest(b.recorded_at, b.revived_at) > $4::timestamptz;

-- name: config_changed_after
select changed_at > $1::timestamptz from config_version;

-- name: late_batches
-- What was recorded after $4 about [$2, $3), by source.
select s.source, count(*) as batches, sum(b.n)::bigint as readings, min(b.t_min) as t_min, max(b.t_max) as t_max,
       min(greatest(b.recorded_at, b.revived_at)) as first_at, max(greatest(b.recorded_at, b.revived_at)) as last_at
from batch b join source s using (source_id)
where s.park_id = $1::text and b.t_max >= $2::timestamptz and b.t_min < $3::timestamptz
  and greatest(b.recorded_at, b.revived_at) > $4::timestamptz
group by s.source order by s.source;

-- name: late_readings
-- Readings of points in [$2, $3) that came in batches recorded after $4.
select p.point, count(*) as readings, min(r.time) as first, max(r.time) as last
from reading r join batch b using (batch_id) join point p using (point_id)
where r.point_id = any($1::int[]) and r.time >= $2::timestamptz and r.time < $3::timestamptz
  and greatest(b.recorded_at, b.revived_at) > $4::timestamptz
group by p.point order by p.point;

-- name: late_decisions
-- Corrections and substitutions of [$2, $3) that began or ceased to count after $4.
select p.point, d.what, d.number, d.author, d.reason, d.recorded_at
from (
    select point_id, 'correction (' || kind || ')' as what, correction_id as number, author, reason, recorded_at,
           from_time, case kind when 'boundary' then 'infinity' else to_time end as to_time
    from correction
    union all
    select c.point_id, 'withdrawal of correction', c.correction_id, w.author, w.reason, w.recorded_at,
           c.from_time, case c.kind when 'boundary' then 'infinity' else c.to_time end
    from correction_withdrawal w join correction c using (correction_id)
    union all
    select s.point_id, 'substitution by rule ' || s.rule, s.substitution_id, s.author, s.reason, r.recorded_at,
           s.from_time, s.to_time
    from substitution_review r join substitution s using (substitution_id) where r.decision = 'approved'
    union all
    select s.point_id, 'withdrawal of substitution', s.substitution_id, w.author, w.reason, w.recorded_at,
           s.from_time, s.to_time
    from substitution_withdrawal w join substitution s using (substitution_id)
) d
join point p using (point_id)
where p.park_id = $1::text and d.from_time < $3::timestamptz and d.to_time >= $2::timestamptz
  and d.recorded_at > $4::timestamptz
order by d.recorded_at, d.what, d.number;

-- name: unreviewed_substitutions
-- Substitutions of [$2, $3) that wait for a second person.
select s.substitution_id, p.point, s.author
from substitution s join point p using (point_id)
where p.park_id = $1::text and s.from_time < $3::timestamptz and s.to_time > $2::timestamptz
  and not exists (select from substitution_review r where r.substitution_id = s.substitution_id)
  and not exists (select from substitution_withdrawal w where w.substitution_id = s.substitution_id)
order by s.substitution_id;

-- name: late_revisions
select revision, author, reason, recorded_at from park_revision
where park_id = $1::text and recorded_at > $2::timestamptz order by revision;
