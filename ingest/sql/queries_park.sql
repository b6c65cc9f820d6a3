-- Facts that people enter: park documents, factors, corrections, tokens.

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
    active, may_be_negative
)
values ($1::text, $2::int, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::int,
        $11::double precision, $12::double precision, $13::double precision, $14::boolean, $15::boolean)
on conflict (park_id, point) do update
set device_id = excluded.device_id, quantity = excluded.quantity, kind = excluded.kind, unit = excluded.unit,
    carrier = excluded.carrier, flow = excluded.flow, tenant = excluded.tenant, period_ms = excluded.period_ms,
    limit_per_h = excluded.limit_per_h, resolution = excluded.resolution, modulus = excluded.modulus,
    active = excluded.active, may_be_negative = excluded.may_be_negative
returning point_id;

-- name: delete_episodes
delete from episode where point_id = any($1::int[]);

-- name: insert_episode
insert into episode (point_id, at, serial, ct, pt, sign, modulus, limit_per_h, end_reading, start_reading)
values ($1::int, $2::timestamptz, $3::text, $4::double precision, $5::double precision, $6::smallint,
        $7::double precision, $8::double precision, $9::double precision, $10::double precision);

-- name: insert_exchange
-- A boundary that a source declares, once for each point. Under config_version FOR UPDATE.
insert into correction (point_id, kind, from_time, to_time, document, author, reason)
select p.point_id, 'boundary', $2::timestamptz, $2::timestamptz, $3::jsonb, $4::text, $5::text
from unnest($1::int[]) as p (point_id)
where not exists (
    select from correction c
    where c.point_id = p.point_id and c.kind = 'boundary' and c.from_time = $2::timestamptz and c.author = $4::text
      and c.reason = $5::text
)
order by p.point_id
returning point_id;

-- name: insert_token
insert into api_token (digest, label, role, park_id, person)
values ($1::bytea, $2::text, $3::text, $4::text, $5::text)
returning token_id;

-- name: revoke_token
update api_token set revoked_at = now() where label = $1::text and revoked_at is null;
