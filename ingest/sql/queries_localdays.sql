-- Local days of time zones (ingest/localdays.py).

-- name: timezones
select distinct timezone from park order by timezone;

-- name: zone_is_written
select exists (select from zone_day where timezone = $1::text);

-- name: write_local_days
-- Runs of days of one length: first day, how many, first moment, length.
insert into zone_day (timezone, day, start_at, end_at)
select $1::text, r.day + k, r.start_at + k * r.length, r.start_at + (k + 1) * r.length
from unnest($2::date[], $3::int[], $4::timestamptz[], $5::interval[]) as r (day, days, start_at, length)
cross join generate_series(0, r.days - 1) k
on conflict (timezone, day) do update set start_at = excluded.start_at, end_at = excluded.end_at
where (zone_day.start_at, zone_day.end_at) is distinct from (excluded.start_at, excluded.end_at);
