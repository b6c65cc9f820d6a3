-- Facts of a park as known at a moment, amounts from stored intervals. as_of is `recorded_at <= $n` throughout.

-- name: revision_at
select r.revision, r.document, p.timezone
from park p join park_revision r using (park_id)
where p.park_id = $1::text and r.recorded_at <= $2::timestamptz
order by r.revision desc limit 1;

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
from recompute r join point p using (point_id)
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
