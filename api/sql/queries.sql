-- Statements of the API: all of them read. Prepared on both stores by tests/integration/test_api_statements.py.
-- No comment may stand behind a statement: it would become part of it.
--
-- history_*: sums over groups of points, one row a group and bucket. $1, $2: point and its group, in parallel; $3, $4:
-- half-open range. No column is null. rate_micro is what a whole bucket would hold at the mean rate of its known part;
-- coverage is the sum over the points of a group. The four differ in table and column alone, and a test keeps them so.
-- One statement for all was measured and left: a join cannot be pushed into the branches of a union that have conditions,
-- so two points of 300 took 0.7 -> 30 ms (PostgreSQL) and 0.7 -> 182 ms (TimescaleDB) for a day of 15 minutes; behind a
-- view with a column `step`, 80 points took 0.9 -> 8.9 s for 31 days on TimescaleDB, and days lost their index.

-- name: one_snapshot
set transaction isolation level repeatable read;

-- name: schema_present
select to_regclass('config_version') is not null and to_regclass('rollup_day') is not null;

-- name: newest_reading
select max(last_time) from point_state;

-- name: token
select token_id, digest, label, role, person, park_id from api_token where digest = $1::bytea and revoked_at is null;

-- name: parks
select p.park_id,
       exists (select from point q join point_state s using (point_id)
               where q.park_id = p.park_id and s.last_time is not null) as has_data
from park p order by p.park_id;

-- name: factor_value_at
-- The value of a factor series at $2: the newest recorded of the span that holds it.
select value from factor_value_in_force
where factor_id = $1::int and withdrawn_at is null and start <= $2::timestamptz and start + span_ms * interval '1 millisecond' > $2::timestamptz
order by start desc, recorded_at desc limit 1;

-- name: sources
select source, status, status_at from source where park_id = $1::text;

-- name: history_15m
select g.grp, i.start as start, sum(i.amount_micro)::bigint as amount_micro,
       coalesce(sum(i.amount_micro / i.coverage) filter (where i.coverage > 0), 0)::float8 as rate_micro,
       sum(i.coverage)::float8 as coverage, count(*) filter (where i.coverage > 0) as known,
       coalesce(max(i.method) filter (where i.coverage > 0), 5)::smallint as method,
       coalesce(sum(i.co2e_nano_kg), 0)::bigint as co2e_nano_kg,
       coalesce(sum(i.co2e_nano_kg / i.coverage) filter (where i.coverage > 0), 0)::float8 as co2e_rate_nano,
       coalesce(sum(i.coverage) filter (where i.co2e_nano_kg is not null), 0)::float8 as co2e_coverage,
       sum(i.measured_ms)::bigint as measured_ms
from unnest($1::int[], $2::int[]) as g (point_id, grp)
join interval_15min i on i.point_id = g.point_id
where i.start >= $3::timestamptz and i.start < $4::timestamptz
group by g.grp, i.start order by g.grp, i.start;

-- name: history_1h
select g.grp, i.start as start, sum(i.amount_micro)::bigint as amount_micro,
       coalesce(sum(i.amount_micro / i.coverage) filter (where i.coverage > 0), 0)::float8 as rate_micro,
       sum(i.coverage)::float8 as coverage, count(*) filter (where i.coverage > 0) as known,
       coalesce(max(i.method) filter (where i.coverage > 0), 5)::smallint as method,
       coalesce(sum(i.co2e_nano_kg), 0)::bigint as co2e_nano_kg,
       coalesce(sum(i.co2e_nano_kg / i.coverage) filter (where i.coverage > 0), 0)::float8 as co2e_rate_nano,
       coalesce(sum(i.coverage) filter (where i.co2e_nano_kg is not null), 0)::float8 as co2e_coverage,
       sum(i.measured_ms)::bigint as measured_ms
from unnest($1::int[], $2::int[]) as g (point_id, grp)
join rollup_hour i on i.point_id = g.point_id
where i.start >= $3::timestamptz and i.start < $4::timestamptz
group by g.grp, i.start order by g.grp, i.start;

-- name: history_1d
select g.grp, i.day as start, sum(i.amount_micro)::bigint as amount_micro,
       coalesce(sum(i.amount_micro / i.coverage) filter (where i.coverage > 0), 0)::float8 as rate_micro,
       sum(i.coverage)::float8 as coverage, count(*) filter (where i.coverage > 0) as known,
       coalesce(max(i.method) filter (where i.coverage > 0), 5)::smallint as method,
       coalesce(sum(i.co2e_nano_kg), 0)::bigint as co2e_nano_kg,
       coalesce(sum(i.co2e_nano_kg / i.coverage) filter (where i.coverage > 0), 0)::float8 as co2e_rate_nano,
       coalesce(sum(i.coverage) filter (where i.co2e_nano_kg is not null), 0)::float8 as co2e_coverage,
       sum(i.measured_ms)::bigint as measured_ms
from unnest($1::int[], $2::int[]) as g (point_id, grp)
join rollup_day i on i.point_id = g.point_id
where i.day >= $3::date and i.day < $4::date
group by g.grp, i.day order by g.grp, i.day;

-- name: history_1mo
select g.grp, i.month as start, sum(i.amount_micro)::bigint as amount_micro,
       coalesce(sum(i.amount_micro / i.coverage) filter (where i.coverage > 0), 0)::float8 as rate_micro,
       sum(i.coverage)::float8 as coverage, count(*) filter (where i.coverage > 0) as known,
       coalesce(max(i.method) filter (where i.coverage > 0), 5)::smallint as method,
       coalesce(sum(i.co2e_nano_kg), 0)::bigint as co2e_nano_kg,
       coalesce(sum(i.co2e_nano_kg / i.coverage) filter (where i.coverage > 0), 0)::float8 as co2e_rate_nano,
       coalesce(sum(i.coverage) filter (where i.co2e_nano_kg is not null), 0)::float8 as co2e_coverage,
       sum(i.measured_ms)::bigint as measured_ms
from unnest($1::int[], $2::int[]) as g (point_id, grp)
join rollup_month i on i.point_id = g.point_id
where i.month >= $3::date and i.month < $4::date
group by g.grp, i.month order by g.grp, i.month;

-- name: registers_at
-- The newest reading of each point up to $2, not older than two days.
select p.point_id, r.time, r.value, r.quality
from unnest($1::int[]) as p (point_id)
cross join lateral (select time, value, quality from reading
                    where point_id = p.point_id and time <= $2::timestamptz and time > $2::timestamptz - interval '2 days'
                    order by time desc limit 1) r;
