-- Local days of parks (ingest/localdays.py).

-- name: parks_with_timezone
select park_id, timezone from park order by park_id;

-- name: write_local_days
-- Runs of days of one length: first day, how many, first moment, length.
insert into local_day (park_id, day, start_at, end_at)
select $1::text, r.day + k, r.start_at + k * r.length, r.start_at + (k + 1) * r.length
from unnest($2::date[], $3::int[], $4::timestamptz[], $5::interval[]) as r (day, days, start_at, length)
cross join generate_series(0, r.days - 1) k
on conflict (park_id, day) do update set start_at = excluded.start_at, end_at = excluded.end_at
where (local_day.start_at, local_day.end_at) is distinct from (excluded.start_at, excluded.end_at);
