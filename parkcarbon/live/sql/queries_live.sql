-- A park as it is now.

-- name: park
select park_id, name_zh, name_en, timezone, document, revision, c.changed_at
from park cross join config_version c where park_id = $1::text;

-- name: tenants
select tenant, name_zh, name_en from tenant where park_id = $1::text order by position, tenant;

-- name: devices
-- from_files: an import brings what this device shows.
select d.device_id, d.device, d.profile, d.tenant, d.source, d.name_zh, d.name_en, d.bus, d.position,
       coalesce(s.kind = 'import', false) as from_files
from device d left join source s on s.park_id = d.park_id and s.source = d.source
where d.park_id = $1::text and d.active order by d.position, d.device;

-- name: points
-- Points with the episode that is in force at $2.
select p.point_id, p.device_id, p.point, p.quantity, p.kind, p.unit, p.carrier, p.flow, p.tenant, p.period_ms,
       coalesce(e.ct * e.pt * e.sign, 1.0) as ratio
from point p
join device d using (device_id)
left join lateral (select ct, pt, sign from episode where point_id = p.point_id and at <= $2::timestamptz
                   order by at desc limit 1) e on true
where p.park_id = $1::text and p.active and d.active
order by d.position, d.device, p.point_id;

-- name: factors
select factor_id, document, recorded_at
from factor_in_force where (park_id is null or park_id = $1::text) and withdrawn_at is null order by factor_id;

-- name: live
-- Newest reading, sum of the local day $2 and newest finished interval (from $3 to before $4) of each point.
select p.point_id, s.last_time, s.last_value, s.last_quality,
       d.amount_micro as day_micro, d.co2e_nano_kg as day_nano_kg, d.measured_ms as day_measured_ms,
       i.start as slow_start, i.amount_micro as slow_micro, i.coverage as slow_coverage
from point p
left join point_state s using (point_id)
left join rollup_day d on d.point_id = p.point_id and d.day = $2::date
left join lateral (select start, amount_micro, coverage from interval_15min
                   where point_id = p.point_id and start >= $3::timestamptz and start < $4::timestamptz and coverage > 0
                   order by start desc limit 1) i on p.kind <> 'gauge'
where p.park_id = $1::text and p.active;
