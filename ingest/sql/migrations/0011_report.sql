-- Local days of parks, and the views that dashboards and other tools read.
-- ── report: what Grafana and other tools read; every column says what it is (docs/dashboards.md) ─────────────
-- Figures are those of the API, from the same rows. Local days begin where zone_day says: the database knows no named
-- time zone, ingest writes the table (ingest/localdays.py). What is unknown is null and never zero.

create table zone_day (                  -- derived from a time zone's rules: when each local day begins and ends
    timezone  text        not null,      -- of a park, IANA name
    day       date        not null,
    start_at  timestamptz not null,
    end_at    timestamptz not null,
    primary key (timezone, day)
);
create index zone_day_start on zone_day (timezone, start_at);

create view local_day as                 -- the same by park
select p.park_id, z.day, z.start_at, z.end_at from park p join zone_day z using (timezone);

create schema report;
comment on schema report is 'Read-only views for dashboards and reports: documented columns, figures of the API';

create view report.park as
select p.park_id as park, p.name_zh, p.name_en, p.timezone, coalesce(p.document ->> 'currency', 'CNY') as currency,
       (p.document ->> 'contract_demand_kw')::float8 as contract_demand_kw, p.revision, c.day as today,
       c.start_at as today_from, s.newest_reading_at
from park p
left join local_day c on c.park_id = p.park_id and c.start_at <= now() and c.end_at > now()
left join lateral (
    select max(t.last_time) as newest_reading_at from point q join point_state t using (point_id) where q.park_id = p.park_id
) s on true;

create view report.tenant as
select park_id as park, tenant, name_zh, name_en, position from tenant;

create view report.point as
select p.park_id as park, p.point, d.device, d.name_zh, d.name_en, p.quantity, p.kind, p.unit, p.carrier, p.flow, p.tenant,
       p.period_ms / 1000.0::float8 as period_s, s.last_time as time,
       s.last_value * coalesce(e.ct * e.pt * e.sign, 1) as value,
       (array['good', 'suspect', 'not_available', 'out_of_range', 'clock_uncertain', 'estimated', 'manual',
              'substituted'])[s.last_quality + 1] as quality
from point p
join device d using (device_id)
left join point_state s using (point_id)
left join lateral (
    select ct, pt, sign from episode where point_id = p.point_id and at <= now() order by at desc limit 1
) e on true
where p.active and d.active;

-- ── energy and emissions ─────────────────────────────────────────────────────────────────────────

create view report.flow_points as
select p.park_id as park, p.carrier, p.flow, p.unit, count(*) as points
from point p join device d using (device_id)
where p.active and d.active and p.kind in ('counter', 'delta') and p.flow <> 'sub_meter'
group by p.park_id, p.carrier, p.flow, p.unit;

-- Of how many components each figure of a balance is made: it is known when all of them are.
create view report.balance_parts as
select park,
       count(*) filter (where carrier = 'electricity' and unit in ('kWh', 'MWh')
                        and flow in ('import', 'export', 'generation', 'charge', 'discharge')) as electricity,
       count(*) filter (where carrier = 'electricity' and unit in ('kWh', 'MWh') and flow = 'import') as gates,
       count(*) filter (where carrier = 'electricity' and unit in ('kWh', 'MWh')
                        and flow in ('generation', 'export')) as generation,
       count(distinct flow) filter (where (carrier, flow) in (('electricity', 'import'), ('gas', 'fuel'), ('heat', 'heat')))
           as emitting
from report.flow_points group by park;

-- What tenants use: of electricity their outermost sub-meters, less what others are metered for below them (as
-- parkcarbon/domain/submeters.py); gas and heat by their own meters.
create view report.tenant_point as
with recursive active as (
    select p.park_id, p.point_id, p.point, p.tenant, p.quantity, p.carrier, p.flow, p.unit,
           p.carrier = 'electricity' and p.flow is not distinct from 'sub_meter' and p.kind <> 'gauge' as sub_meter,
           p.kind <> 'gauge' and (p.carrier, p.flow) in (('gas', 'fuel'), ('heat', 'heat')) as burnt
    from point p join device d using (device_id) where p.active and d.active
), declared as (
    select k.park_id, (d.value ->> 'device') || '/' || (q.value ->> 'quantity') as point, q.value ->> 'below' as below
    from park k
    cross join lateral jsonb_array_elements(k.document -> 'devices') d
    cross join lateral jsonb_array_elements(d.value -> 'points') q
    where q.value ->> 'below' is not null
), climb as (
    select park_id, point, below from declared
    union
    select c.park_id, c.point, n.below
    from climb c join declared n on n.park_id = c.park_id and n.point = c.below
    where not exists (select from active a where a.park_id = c.park_id and a.point = c.below)
), meter as (
    select a.*, u.tenant as above_tenant, u.point_id is not null as has_above
    from active a
    left join (climb c join active u on u.park_id = c.park_id and u.point = c.below and u.sub_meter)
        on c.park_id = a.park_id and c.point = a.point
    where a.sub_meter
)
select m.park_id as park, t.tenant, m.point_id, m.point, m.flow, m.unit,
       ((m.tenant is not distinct from t.tenant)::int - (m.has_above and m.above_tenant is not distinct from t.tenant)::int)
           * case when m.quantity like '%\_export' then -1 else 1 end as sign
from meter m join tenant t on t.park_id = m.park_id
where (m.tenant is not distinct from t.tenant) <> (m.has_above and m.above_tenant is not distinct from t.tenant)
union all
select a.park_id, t.tenant, a.point_id, a.point, a.flow, a.unit, 1
from active a join tenant t on t.park_id = a.park_id and t.tenant = a.tenant
where a.burnt;

-- The same four times: they differ in the table, in its column of time and in the length of a step alone.
do $$
declare
    step record;
begin
    for step in select * from (values
        ('15min', 'interval_15min', 'r.start', '', '0.25::float8', '', 'r.start'),
        ('hour', 'rollup_hour', 'r.start', '', '1::float8', '', 'r.start'),
        ('day', 'rollup_day', 'c.start_at', 'r.day,', '(extract(epoch from c.end_at - c.start_at)::float8 / 3600)',
         'left join local_day c on c.park_id = p.park_id and c.day = r.day', 'c.start_at, c.end_at, r.day'),
        ('month', 'rollup_month', 'c.start_at', 'r.month,', '(extract(epoch from n.start_at - c.start_at)::float8 / 3600)',
         'left join local_day c on c.park_id = p.park_id and c.day = r.month'
         ' left join local_day n on n.park_id = p.park_id and n.day = (r.month + interval ''1 month'')::date',
         'c.start_at, n.start_at, r.month')
    ) as s (name, source, at, local, hours, calendar, grouped) loop
        execute format($view$
create view report.flow_%1$s as
select p.park_id as park, %3$s as time, %4$s p.carrier, p.flow, p.unit,
       case when sum(r.coverage) > 0 then sum(r.amount_micro)::bigint end as amount_micro,
       case when sum(r.coverage) > 0 then sum(r.amount_micro)::float8 / 1e6 end as amount,
       case when sum(r.coverage) > 0
            then sum(r.amount_micro / r.coverage) filter (where r.coverage > 0)::float8 / 1e6 / %5$s end as mean_per_h,
       sum(r.coverage)::float8 / n_points.points as coverage,
       (array['measured', 'interpolated', 'substituted', 'estimated', 'manual', 'missing'])
           [max(r.method) filter (where r.coverage > 0) + 1] as data_state,
       case when count(r.co2e_nano_kg) > 0 then sum(r.co2e_nano_kg)::bigint end as co2e_nano_kg,
       case when count(r.co2e_nano_kg) > 0 then sum(r.co2e_nano_kg)::float8 / 1e9 end as co2e_kg,
       case when count(r.co2e_nano_kg) > 0
            then sum(r.co2e_nano_kg / r.coverage) filter (where r.coverage > 0)::float8 / 1e9 / %5$s end as co2e_kg_per_h,
       coalesce(sum(r.coverage) filter (where r.co2e_nano_kg is not null), 0)::float8 / n_points.points as co2e_coverage,
       %5$s as step_h
from point p
join device d using (device_id)
join report.flow_points n_points
    on n_points.park = p.park_id and n_points.carrier = p.carrier and n_points.flow = p.flow and n_points.unit = p.unit
join %2$I r on r.point_id = p.point_id
%6$s
where p.active and d.active and p.kind in ('counter', 'delta')
group by p.park_id, %7$s, p.carrier, p.flow, p.unit, n_points.points
$view$, step.name, step.source, step.at, step.local, step.hours, step.calendar, step.grouped);
        execute format($view$
create view report.balance_%1$s as
select f.park, f.time, %2$s
       (sum(f.micro) filter (where f.flow = 'import'))::float8 / 1e6 as grid_import_kwh,
       (sum(f.micro) filter (where f.flow = 'export'))::float8 / 1e6 as grid_export_kwh,
       (sum(f.micro) filter (where f.flow = 'generation'))::float8 / 1e6 as generation_kwh,
       (sum(f.micro) filter (where f.flow = 'charge'))::float8 / 1e6 as charge_kwh,
       (sum(f.micro) filter (where f.flow = 'discharge'))::float8 / 1e6 as discharge_kwh,
       case when n.gates > 0 and count(f.micro) = n.electricity then sum(f.sign * f.micro)::float8 / 1e6 end as load_kwh,
       sum(f.kw) filter (where f.flow = 'import') as grid_import_kw,
       sum(f.kw) filter (where f.flow = 'export') as grid_export_kw,
       sum(f.kw) filter (where f.flow = 'generation') as generation_kw,
       sum(f.kw) filter (where f.flow = 'charge') as charge_kw,
       sum(f.kw) filter (where f.flow = 'discharge') as discharge_kw,
       case when n.gates > 0 and count(f.micro) = n.electricity then sum(f.sign * f.kw) end as load_kw,
       case when count(f.micro) filter (where f.flow in ('generation', 'export')) = n.generation
                 and sum(f.kw) filter (where f.flow = 'generation') > 0
            then 100 * least(1, greatest(0, (sum(f.kw) filter (where f.flow = 'generation')
                                             - coalesce(sum(f.kw) filter (where f.flow = 'export'), 0))
                                            / sum(f.kw) filter (where f.flow = 'generation'))) end as self_consumption_pct,
       case when n.gates > 0 and count(f.micro) = n.electricity and sum(f.sign * f.micro) > 0
                 and sum(f.micro) filter (where f.flow = 'generation') is not null
            then 100 * least(1, greatest(0, sum(f.micro) filter (where f.flow = 'generation')
                                            - coalesce(sum(f.micro) filter (where f.flow = 'export'), 0))::float8
                                / sum(f.sign * f.micro)::float8) end as self_sufficiency_pct,
       sum(f.amount) filter (where f.carrier = 'gas' and f.flow = 'fuel' and f.unit in ('m3', 'Nm3')) as gas_m3,
       (sum(f.amount_micro * f.gj_per_unit) filter (where f.carrier = 'heat' and f.flow = 'heat'))::float8 / 1e6 as heat_gj,
       case when n.emitting > 0
                 and count(distinct f.flow) filter (where f.emitting and f.coverage > 0) = n.emitting
            then (sum(f.co2e_nano_kg) filter (where f.emitting))::float8 / 1e9 end as co2e_location_kg,
       case when n.emitting > 0
                 and count(distinct f.flow) filter (where f.emitting and f.coverage > 0) = n.emitting
            then sum(f.co2e_kg_per_h) filter (where f.emitting) end as emission_rate_kg_per_h,
       (sum(f.co2e_nano_kg) filter (where f.emitting and f.carrier = 'electricity'))::float8 / 1e9 as electricity_co2e_kg,
       (sum(f.co2e_nano_kg) filter (where f.emitting and f.carrier = 'gas'))::float8 / 1e9 as gas_co2e_kg,
       (sum(f.co2e_nano_kg) filter (where f.emitting and f.carrier = 'heat'))::float8 / 1e9 as heat_co2e_kg,
       min(f.coverage) as coverage
from (
    select g.*,
           g.amount_micro * k.kwh_per_unit as micro, g.mean_per_h * k.kwh_per_unit as kw,
           case g.flow when 'export' then -1 when 'charge' then -1 else 1 end as sign,
           (g.carrier, g.flow) in (('electricity', 'import'), ('gas', 'fuel'), ('heat', 'heat')) as emitting,
           case g.unit when 'GJ' then 1 when 'kWh' then 0.0036 when 'MWh' then 3.6 end as gj_per_unit
    from report.flow_%1$s g
    left join lateral (
        select case g.unit when 'kWh' then 1 when 'MWh' then 1000 end as kwh_per_unit
        where g.carrier = 'electricity' and g.flow in ('import', 'export', 'generation', 'charge', 'discharge')
    ) k on true
) f
join report.balance_parts n on n.park = f.park
group by f.park, f.time, %2$s n.electricity, n.gates, n.generation, n.emitting
$view$, step.name, replace(step.local, 'r.', 'f.'));
        execute format($view$
create view report.tenant_%1$s as
with u as materialized (select * from report.tenant_point),
parts as (
    select park, tenant, count(distinct (sign, unit)) filter (where flow = 'sub_meter') as meters,
           count(distinct (flow, sign)) as emitting
    from u group by park, tenant
)
select f.park, f.tenant, t.name_zh, t.name_en, f.time, %7$s
       case when n.meters > 0 and count(f.micro) = n.meters then sum(f.sign * f.micro)::float8 / 1e6 end as use_kwh,
       case when n.meters > 0 and count(f.micro) = n.meters then sum(f.sign * f.kw) end as use_kw,
       case when count(distinct (f.flow, f.sign)) filter (where f.coverage > 0) = n.emitting
            then sum(f.sign * f.nano)::float8 / 1e9 end as co2e_location_kg
from (
    select p.park, p.tenant, %3$s as time, %4$s p.flow, p.sign, p.unit, sum(r.coverage) as coverage,
           case when p.flow = 'sub_meter' and sum(r.coverage) > 0
                then sum(r.amount_micro) * case p.unit when 'kWh' then 1 when 'MWh' then 1000 else 0 end end as micro,
           case when p.flow = 'sub_meter' and sum(r.coverage) > 0
                then sum(r.amount_micro / r.coverage) filter (where r.coverage > 0)::float8 / 1e6 / %5$s
                     * case p.unit when 'kWh' then 1 when 'MWh' then 1000 else 0 end end as kw,
           sum(r.co2e_nano_kg) as nano
    from u p
    join %2$I r on r.point_id = p.point_id
    %6$s
    group by p.park, p.tenant, %8$s, p.flow, p.sign, p.unit
) f
join parts n on n.park = f.park and n.tenant = f.tenant
join tenant t on t.park_id = f.park and t.tenant = f.tenant
group by f.park, f.tenant, t.name_zh, t.name_en, f.time, %7$s n.meters, n.emitting
$view$, step.name, step.source, step.at, step.local, step.hours, replace(step.calendar, 'p.park_id', 'p.park'),
            replace(step.local, 'r.', 'f.'), step.grouped);
    end loop;
end
$$;

-- Frozen inventories: the newest version of each period that was ever closed, as `inventory` answers it.
create view report.inventory as
select e.park_id as park, e.period, length(e.period) = 4 as whole_year, c.start_at as time, e.version,
       (select n.event from period_event n where n.park_id = e.park_id and n.period = e.period
        order by n.event_id desc limit 1) = 'closed' as closed,
       e.recorded_at as closed_at, e.person as closed_by, encode(f.digest, 'hex') as digest,
       (b.body #>> '{totals,location,co2e_kg}')::float8 as co2e_location_kg,
       (b.body #>> '{totals,market,co2e_kg}')::float8 as co2e_market_kg,
       s.scope1_kg, s.scope2_location_kg, s.scope2_market_kg, (b.body #>> '{scope3,co2e_kg}')::float8 as scope3_kg,
       (b.body #>> '{instruments,covered_kwh}')::float8 as covered_kwh,
       (b.body #>> '{energy,grid_import_kwh}')::float8 as grid_import_kwh,
       (b.body #>> '{energy,grid_export_kwh}')::float8 as grid_export_kwh,
       (b.body #>> '{energy,generation_kwh}')::float8 as generation_kwh,
       (b.body #>> '{energy,load_kwh}')::float8 as load_kwh,
       (b.body #>> '{energy,unmetered_kwh}')::float8 as unmetered_kwh,
       (b.body ->> 'completeness_pct')::float8 as completeness_pct
from period_event e
join period_frozen f using (event_id)
cross join lateral (select convert_from(f.body, 'UTF8')::jsonb as body) b
cross join lateral (
    select max((x.value ->> 'co2e_kg')::float8) filter (where x.value ->> 'scope' = '1') as scope1_kg,
           max((x.value ->> 'co2e_kg')::float8) filter (where x.value ->> 'scope' = '2' and x.value ->> 'basis' = 'location')
               as scope2_location_kg,
           max((x.value ->> 'co2e_kg')::float8) filter (where x.value ->> 'scope' = '2' and x.value ->> 'basis' = 'market')
               as scope2_market_kg
    from jsonb_array_elements(b.body -> 'scopes') x
) s
left join local_day c on c.park_id = e.park_id
    and c.day = (case length(e.period) when 4 then e.period || '-01-01' else e.period || '-01' end)::date
where f.method = 'ghgp'
  and not exists (select from period_event l join period_frozen g using (event_id)
                  where l.park_id = e.park_id and l.period = e.period and g.method = 'ghgp' and l.event_id > e.event_id);

create view report.inventory_line as
select e.park_id as park, e.period, (x.value ->> 'scope')::int as scope, x.value ->> 'basis' as basis, l.value ->> 'source' as source,
       l.value ->> 'carrier' as carrier, l.value ->> 'tenant' as tenant, (l.value ->> 'activity')::float8 as activity,
       l.value ->> 'activity_unit' as activity_unit, (l.value ->> 'co2e_kg')::float8 as co2e_kg,
       (select string_agg(u.value ->> 'factor', ', ') from jsonb_array_elements(l.value -> 'factors') u) as factors,
       (l.value ->> 'unverified')::boolean as unverified
from period_event e
join period_frozen f using (event_id)
cross join lateral (select convert_from(f.body, 'UTF8')::jsonb as body) b
cross join lateral jsonb_array_elements(b.body -> 'scopes') x
cross join lateral jsonb_array_elements(x.value -> 'lines') l
where f.method = 'ghgp'
  and not exists (select from period_event n join period_frozen g using (event_id)
                  where n.park_id = e.park_id and n.period = e.period and g.method = 'ghgp' and n.event_id > e.event_id);

-- ── certificates ─────────────────────────────────────────────────────────────────────────────────

create view report.certificate as
select l.park_id as park, l.lot_id as lot, l.recorded_at as time, l.kind, l.claim, l.registry, l.tenant, l.technology, l.plant,
       l.origin, l.vintage, l.generation_month, lower(l.generated) as generated_from, upper(l.generated) as generated_to,
       l.serial_prefix || lpad(lower(l.serials)::text, greatest(l.serial_digits, length(lower(l.serials)::text)), '0') as first_serial,
       (upper(l.serials) - lower(l.serials))::float8 as serials,
       e.pending, e.cancelled, e.retired, e.surrendered, e.sold, e.transferred, e.expired,
       (upper(l.serials) - lower(l.serials))::float8 - e.used as left_over,
       ((upper(l.serials) - lower(l.serials)) * l.unit_micro_kwh)::float8 / 1e6 as covers_kwh,
       (e.cancelled_serials * l.unit_micro_kwh)::float8 / 1e6 as cancelled_kwh,
       ((upper(l.serials) - lower(l.serials)) * l.unit_nano_kg)::float8 / 1e9 as credit_kg,
       (e.retired_serials * l.unit_nano_kg)::float8 / 1e9 as retired_kg,
       l.simulated
from instrument_lot l
cross join lateral (
    select coalesce(sum(n) filter (where kind = 'pending'), 0)::float8 as pending,
           coalesce(sum(n) filter (where kind = 'cancelled'), 0)::float8 as cancelled,
           coalesce(sum(n) filter (where kind = 'retired'), 0)::float8 as retired,
           coalesce(sum(n) filter (where kind = 'surrendered'), 0)::float8 as surrendered,
           coalesce(sum(n) filter (where kind = 'sold'), 0)::float8 as sold,
           coalesce(sum(n) filter (where kind = 'transferred'), 0)::float8 as transferred,
           coalesce(sum(n) filter (where kind = 'expired'), 0)::float8 as expired,
           coalesce(sum(n) filter (where final), 0)::float8 as used,
           coalesce(sum(n) filter (where kind = 'cancelled'), 0) as cancelled_serials,
           coalesce(sum(n) filter (where kind = 'retired'), 0) as retired_serials
    from (select v.kind, v.final, upper(v.serials) - lower(v.serials) as n from instrument_event v
          where v.lot_id = l.lot_id and v.in_force
            and (v.kind <> 'pending' or not exists (
                select from instrument_event a where a.lot_id = v.lot_id and a.in_force and a.final
                and a.serials && v.serials))) v
) e
where l.in_force;

-- ── devices and data quality ─────────────────────────────────────────────────────────────────────

create view report.device as
select d.park_id as park, d.device, d.name_zh, d.name_en, d.profile, d.tenant, d.source, d.bus, d.position,
       coalesce(s.kind = 'import', false) as from_files, q.points, q.last_seen,
       extract(epoch from now() - q.last_seen)::float8 as silent_for_s, q.period_s,
       case when coalesce(s.kind = 'import', false) then false else not coalesce(q.fresh, false) end as silent,
       r.value ->> 'state' as reported_state, r.value ->> 'detail' as reported_detail
from device d
left join source s on s.park_id = d.park_id and s.source = d.source
left join lateral (
    select count(*) as points, max(t.last_time) as last_seen, min(p.period_ms) / 1000.0::float8 as period_s,
           bool_or(now() - t.last_time <= greatest(30000, 3.0 * p.period_ms) * interval '1 millisecond') as fresh
    from point p left join point_state t using (point_id) where p.device_id = d.device_id and p.active
) q on true
left join lateral (
    select v.value from jsonb_array_elements(
        case jsonb_typeof(s.status -> 'devices') when 'array' then s.status -> 'devices' else '[]' end) v
    where v.value ->> 'device' = d.device limit 1
) r on true
where d.active;

create view report.quality_day as
select c.park_id as park, c.start_at as time, c.day, count(*) as points,
       case when now() > c.start_at then 100 * least(1, sum(coalesce(r.measured_ms, 0))::float8
           / greatest(1, count(*) * extract(epoch from least(c.end_at, now()) - c.start_at)::float8 * 1000)) end
           as completeness_pct,
       count(*) * extract(epoch from least(c.end_at, now()) - c.start_at)::float8 / 3600 as expected_h,
       sum(coalesce(r.measured_ms, 0))::float8 / 3600000 as measured_h,
       sum(coalesce(r.known_ms, 0))::float8 / 3600000 as known_h,
       sum(coalesce(r.suspect_ms, 0))::float8 / 3600000 as suspect_h,
       count(*) filter (where r.coverage > 0 and r.method = 0) as points_measured,
       count(*) filter (where r.coverage > 0 and r.method = 1) as points_interpolated,
       count(*) filter (where r.coverage > 0 and r.method = 2) as points_substituted,
       count(*) filter (where r.coverage > 0 and r.method = 3) as points_estimated,
       count(*) filter (where r.coverage > 0 and r.method = 4) as points_manual,
       count(*) filter (where coalesce(r.coverage, 0) = 0 or r.method = 5) as points_missing
from local_day c
join (select q.park_id, min(m.month) as first from rollup_month m join point q using (point_id) group by q.park_id) f
    on f.park_id = c.park_id and c.day >= f.first
join point p on p.park_id = c.park_id
join device d using (device_id)
left join rollup_day r on r.point_id = p.point_id and r.day = c.day
where c.start_at < now() and p.active and d.active and p.kind in ('counter', 'delta') and p.flow is not null
group by c.park_id, c.start_at, c.end_at, c.day;

create view report.question as
select p.park_id as park, q.at as time, p.point, q.kind from question q join point p using (point_id);

create view report.quarantine as
select q.park_id as park, q.point, q.reason, count(*) as readings, min(q.recorded_at) as first_at, max(q.recorded_at) as last_at
from quarantine q where q.released_at is null group by q.park_id, q.point, q.reason;

create view report.loss as
select s.park_id as park, l.recorded_at as time, s.source, l.point, l.t_from as lost_from, l.t_to as lost_to, l.n as readings, l.reason
from loss_record l
join source s using (source_id)
join batch b on b.source_id = l.source_id and b.boot = l.boot and b.seq = l.seq and b.state = 'tombstone';

create view report.conflict as
select p.park_id as park, c.recorded_at as known_at, c.time, p.point, c.kept, c.other
from reading_conflict c join point p using (point_id);

-- ── custody and processes ────────────────────────────────────────────────────────────────────────

create view report.source as
select park_id as park, source, kind, via, active, status_at, (status ->> 'online')::boolean as online,
       (status ->> 'depth')::float8 as batches_waiting, (status ->> 'readings')::float8 as readings_waiting,
       (status ->> 'hours_left')::float8 as hours_left, (status ->> 'backlog')::boolean as backlog, status ->> 'clock' as clock
from source;

create view report.batch as
select s.park_id as park, s.source, greatest(b.recorded_at, b.revived_at) as time, b.made as made_at,
       extract(epoch from greatest(b.recorded_at, b.revived_at) - b.made)::float8 as delay_s, b.n as readings, b.state
from batch b join source s using (source_id);

create view report.dead_letter as
select recorded_at as time, topic, payload_bytes, reason, detail from dead_letter;

create view report.health as
select now() as time,
       (select extract(epoch from now() - max(last_time))::float8 from point_state) as newest_reading_age_s,
       (select count(*) from dead_letter where recorded_at > now() - interval '1 day') as dead_letters_24h,
       (select count(*) from quarantine where released_at is null) as quarantined_readings,
       (select count(*) from result_waiting) as results_waiting,
       (select extract(epoch from now() - min(queued_at))::float8 from result_waiting) as results_waiting_s,
       (select extract(epoch from now() - sealed_until)::float8 from log_state where sealed_until > 'epoch') as log_sealed_age_s,
       (select count(*) from statement_task where done_at is null and error <> '') as statement_tasks_failing,
       (select count(*) from statement_delivery where sent_at is null) as statement_mails_waiting,
       (select count(*) from alarm_message where state = 'waiting') as alarm_messages_waiting,
       (select extract(epoch from now() - min(recorded_at))::float8 from alarm_message where state = 'waiting')
           as alarm_message_waiting_s,
       (select count(*) from alarm_message where state = 'dead') as alarm_messages_dead,
       (select nullif(holder, '') from alarm_lease) as alarm_evaluator,
       (select epoch from alarm_lease) as alarm_epoch,
       (select extract(epoch from until - now())::float8 from alarm_lease where until > '-infinity') as alarm_lease_left_s,
       (select count(*) from pg_stat_activity where datname = current_database()) as connections,
       pg_database_size(current_database()) as database_bytes;

-- ── alarms ───────────────────────────────────────────────────────────────────────────────────────

create view report.alarm as
select e.park_id as park, e.episode_id as alarm, e.fired_at as time, e.rule, e.kind, e.subject, e.priority, e.began_at, e.fired_at,
       e.resolved_at, e.resolved_at is null and not e.historical as standing, e.historical, e.value, e.worst, e.limit_value,
       e.unit, e.reason_zh, e.reason_en, e.withheld, a.person as acknowledged_by, a.recorded_at as acknowledged_at,
       extract(epoch from a.recorded_at - e.fired_at)::float8 / 60 as minutes_to_acknowledge,
       extract(epoch from coalesce(e.resolved_at, now()) - e.fired_at)::float8 / 3600 as stood_h
from alarm_episode e
left join lateral (
    select person, recorded_at from alarm_act x where x.episode_id = e.episode_id and x.act = 'acknowledge'
    order by act_id limit 1
) a on true;

create view report.alarm_message as
select park_id as park, recorded_at as time, receiver, channel, why, priority, state, attempts, last_error, sent_at,
       extract(epoch from sent_at - coalesce(committed_at, recorded_at))::float8 as delay_s
from alarm_message;

-- ── statements ───────────────────────────────────────────────────────────────────────────────────

create view report.statement as
select s.park_id as park, s.statement_id as statement, s.recorded_at as time, s.kind, s.period, s.number, s.version, s.state,
       s.verdict, jsonb_array_length(case jsonb_typeof(s.missing) when 'array' then s.missing else '[]' end) as missing,
       s.prepared_by, s.issued_at, s.as_of, encode(s.digest, 'hex') as digest, s.reason
from statement_standing s;

create view report.statement_figure as
select s.park_id as park, s.statement_id as statement, s.period, s.kind, s.version, f.key as figure,
       (f.value ->> 'value')::numeric as value, f.value ->> 'unit' as unit, f.value ->> 'shown' as shown
from statement s
cross join lateral jsonb_each(convert_from(s.content, 'UTF8')::jsonb -> 'figures') f;

create view report.statement_task as
select park_id as park, recorded_at as time, action, period, due_on, attempts, next_at, error, outcome, done_at from statement_task;

-- ── what each column is ──────────────────────────────────────────────────────────────────────────
-- `%` stands for every view; a line for one kind of view comes before it. A test asks for a comment on every column.

do $$
declare
    said record;
begin
    for said in
        select distinct on (c.oid, a.attname) c.relname, a.attname, t.meaning
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join (values
            ('%', 'park', 'Id of the park'), ('%', 'time', 'Moment of the row; of a step its begin, of a local day or month its first moment'),
            ('%', 'day', 'Local day of the park'), ('%', 'month', 'First local day of the month'), ('%', 'tenant', 'Id of the tenant; null: the park''s own'),
            ('%', 'name_zh', 'Name in Chinese'), ('%', 'name_en', 'Name in English'), ('%', 'point', 'Point, device/quantity'), ('%', 'device', 'Device'),
            ('%', 'source', 'Source that sends batches'), ('%', 'carrier', 'electricity, gas, heat or none'), ('%', 'flow', 'What the point means for the balance'),
            ('%', 'unit', 'Unit of the values beside it'), ('%', 'kind', 'Kind, by its name in the documentation'),
            ('%', 'reason', 'Why, in the words of whoever did it'), ('%', 'position', 'Order on the page'),
            ('%', 'state', 'State, by its name in the documentation'), ('%', 'period', 'Local month or year, YYYY-MM or YYYY'), ('%', 'version', 'Version, from 1'),
            ('%', 'readings', 'Number of readings'), ('%', 'statement', 'Number of the statement in the database'),
            ('%', 'digest', 'Sha256 of the frozen bytes, hex'), ('%', 'priority', 'low, medium or high'), ('%', 'value', 'Value [unit of the row]'),
            ('%', 'coverage', 'Known share of the step, 0 to 1'),
            ('%', 'co2e_location_kg', 'Emissions of scopes 1 and 2, location-based, metered [kgCO2e]; null: not known'),
            ('park', 'timezone', 'Time zone, IANA name'), ('park', 'currency', 'Currency of costs, ISO 4217'),
            ('park', 'contract_demand_kw', 'Contracted demand [kW]'), ('park', 'revision', 'Revision of the park document in force'),
            ('park', 'today', 'Local day of now; null: ingest has not written zone_day yet'), ('park', 'today_from', 'First moment of the local day of now'),
            ('park', 'newest_reading_at', 'Time of the newest reading'), ('point', 'quantity', 'Quantity, from the closed list'),
            ('point', 'kind', 'counter, gauge or delta'), ('point', 'period_s', 'Expected time between readings [s]'),
            ('point', 'time', 'Time of the newest reading'), ('point', 'value', 'Newest reading after CT, PT and sign of the meter in place [unit]'),
            ('point', 'quality', 'Quality of the newest reading'), ('flow\_%', 'points', 'Points in it'),
            ('balance_parts', 'electricity', 'Components of the electricity balance'),
            ('balance_parts', 'gates', 'Components of the grid import: none, and the load is not known'),
            ('balance_parts', 'generation', 'Components of generation and grid export'),
            ('balance_parts', 'emitting', 'Flows that the location-based total is made of'), ('tenant_point', 'point_id', 'Key of the point'),
            ('tenant_point', 'sign', '1: adds to the tenant, -1: another''s meter below his, or what he gives back'),
            ('flow\_%', 'amount_micro', 'Amount, exact [1e-6 unit]; null: nothing of the step is known'),
            ('flow\_%', 'amount', 'Amount [unit]; null: nothing of the step is known'), ('flow\_%', 'mean_per_h', 'Mean of the known part [unit/h]'),
            ('flow\_%', 'data_state', 'Worst data state of what is known'),
            ('flow\_%', 'co2e_nano_kg', 'Location-based emissions, exact [1e-9 kg]; null: no factor applies'),
            ('flow\_%', 'co2e_kg', 'Location-based emissions [kgCO2e]'), ('flow\_%', 'co2e_kg_per_h', 'Their mean over the known part [kgCO2e/h]'),
            ('flow\_%', 'co2e_coverage', 'Share of the step with known emissions, 0 to 1'),
            ('flow\_%', 'step_h', 'Length of the step [h]: local days may have 23 or 25'), ('%', 'grid_import_kwh', 'From the grid, at the gate, gross [kWh]'),
            ('%', 'grid_export_kwh', 'To the grid, at the gate, gross [kWh]'), ('%', 'generation_kwh', 'Generated inside [kWh]'),
            ('balance%', 'charge_kwh', 'Into storage [kWh]'), ('balance%', 'discharge_kwh', 'Out of storage [kWh]'),
            ('%', 'load_kwh', 'Used: import - export + generation + discharge - charge [kWh]; null while one is not known'),
            ('%', 'unmetered_kwh', 'Supply less all metered uses [kWh]'), ('balance%', 'grid_import_kw', 'Mean power from the grid over the known part [kW]'),
            ('balance%', 'grid_export_kw', 'Mean power to the grid [kW]'), ('balance%', 'generation_kw', 'Mean power generated inside [kW]'),
            ('balance%', 'charge_kw', 'Mean power into storage [kW]'), ('balance%', 'discharge_kw', 'Mean power out of storage [kW]'),
            ('balance%', 'load_kw', 'Mean power used [kW]; null while a flow is not known'),
            ('balance%', 'self_consumption_pct', 'Self-used generation / generation [%]; null: nothing was generated'),
            ('balance%', 'self_sufficiency_pct', 'Self-used generation / load [%]'), ('balance%', 'gas_m3', 'Fuel gas as metered [m3 or Nm3]'),
            ('balance%', 'heat_gj', 'Purchased heat [GJ]'),
            ('balance%', 'emission_rate_kg_per_h', 'Mean location-based emission rate over the known part [kgCO2e/h]'),
            ('balance%', 'electricity_co2e_kg', 'Purchased electricity, location-based [kgCO2e]'), ('balance%', 'gas_co2e_kg', 'Fuel gas, scope 1 [kgCO2e]'),
            ('balance%', 'heat_co2e_kg', 'Purchased heat [kgCO2e]'), ('balance%', 'coverage', 'Known share of the step, of the flow that is known least, 0 to 1'),
            ('tenant\_%', 'use_kwh', 'Electricity used [kWh]; null while a meter of it is not known'), ('tenant\_%', 'use_kw', 'Mean power used [kW]'),
            ('tenant\_%', 'co2e_location_kg', 'Electricity, gas and heat of the tenant, location-based [kgCO2e]'),
            ('inventory%', 'whole_year', 'True: a year, false: a month'),
            ('inventory%', 'closed', 'False: re-opened since; the figures are those of the newest closing'), ('inventory%', 'closed_at', 'When it was closed'),
            ('inventory%', 'closed_by', 'Who closed it'), ('inventory', 'time', 'First moment of the period'),
            ('inventory', 'co2e_location_kg', 'Scopes 1 and 2, location-based, as frozen [kgCO2e]; null: not known'),
            ('inventory', 'co2e_market_kg', 'Scopes 1 and 2, market-based, as frozen [kgCO2e]; null: not known'), ('inventory', 'scope1_kg', 'Scope 1 [kgCO2e]'),
            ('inventory', 'scope2_location_kg', 'Scope 2, location-based [kgCO2e]'), ('inventory', 'scope2_market_kg', 'Scope 2, market-based [kgCO2e]'),
            ('inventory', 'scope3_kg', 'Scope 3, in no total [kgCO2e]'), ('inventory', 'covered_kwh', 'Purchases that cancelled certificates cover [kWh]'),
            ('inventory', 'completeness_pct', 'Measured / expected meter-hours [%]'), ('inventory_line', 'scope', 'Scope 1 or 2'),
            ('inventory_line', 'basis', 'location or market; null: scope 1'), ('inventory_line', 'source', 'Point, or name of an entry'),
            ('inventory_line', 'activity', 'Activity data [activity_unit]'), ('inventory_line', 'activity_unit', 'Unit of the activity data'),
            ('inventory_line', 'co2e_kg', 'Emissions [kgCO2e]'), ('inventory_line', 'factors', 'Factors behind the line'),
            ('inventory_line', 'unverified', 'True: a factor without a verified source is behind it'), ('certificate', 'lot', 'Number of the lot'),
            ('certificate', 'time', 'When the lot came into the books'), ('certificate', 'claim', 'certificate, credit or contract'),
            ('certificate', 'registry', 'Numbering of the serials'), ('certificate', 'technology', 'Technology of the plant'),
            ('certificate', 'plant', 'Plant; null: a project that generates no power'), ('certificate', 'origin', 'How the lot came into the books'),
            ('certificate', 'vintage', 'Local year of generation'), ('certificate', 'generation_month', 'First local day of the month of generation'),
            ('certificate', 'generated_from', 'Begin of the generation or reduction'), ('certificate', 'generated_to', 'Its end'),
            ('certificate', 'first_serial', 'First serial'), ('certificate', 'serials', 'Number of serials in the lot'),
            ('certificate', 'pending', 'Serials set aside and not used yet'), ('certificate', 'cancelled', 'Serials cancelled for a consumption'),
            ('certificate', 'retired', 'Credits retired'), ('certificate', 'surrendered', 'Credits surrendered'), ('certificate', 'sold', 'Serials sold'),
            ('certificate', 'transferred', 'Serials transferred'), ('certificate', 'expired', 'Serials expired'),
            ('certificate', 'left_over', 'Serials that are not used yet; those set aside are among them'),
            ('certificate', 'covers_kwh', 'Electricity behind the lot [kWh]; null: a credit'),
            ('certificate', 'cancelled_kwh', 'Electricity behind the cancelled serials [kWh]'),
            ('certificate', 'credit_kg', 'Credits in the lot [kgCO2e]; null: no credit'), ('certificate', 'retired_kg', 'Credits retired [kgCO2e]'),
            ('certificate', 'simulated', 'True: made up for a demonstration'), ('device', 'profile', 'Device profile of the catalog'), ('device', 'bus', 'Bus'),
            ('device', 'from_files', 'True: an import brings its readings; it cannot be silent'), ('device', 'points', 'Active points'),
            ('device', 'last_seen', 'Time of its newest reading'), ('device', 'silent_for_s', 'Age of its newest reading [s]'),
            ('device', 'period_s', 'Shortest expected time between readings [s]'),
            ('device', 'silent', 'True: every point is older than three of its periods and 30 s'),
            ('device', 'reported_state', 'What its source said of it last: ok, silent or error'), ('device', 'reported_detail', 'The same in words'),
            ('quality_day', 'points', 'Metered points of the park'),
            ('quality_day', 'completeness_pct', 'Measured / expected meter-hours [%]; what is substituted does not raise it'),
            ('quality_day', 'expected_h', 'Meter-hours of the day so far [h]'), ('quality_day', 'measured_h', 'Measured meter-hours [h]'),
            ('quality_day', 'known_h', 'Meter-hours with a known amount, by whatever method [h]'), ('quality_day', 'suspect_h', 'Meter-hours that look wrong [h]'),
            ('quality_day', 'points_measured', 'Points measured throughout what is known'),
            ('quality_day', 'points_interpolated', 'Points whose worst data state is interpolated'),
            ('quality_day', 'points_substituted', 'Points whose worst data state is substituted'),
            ('quality_day', 'points_estimated', 'Points whose worst data state is estimated'),
            ('quality_day', 'points_manual', 'Points whose worst data state is manual'),
            ('quality_day', 'points_missing', 'Points of which nothing is known, or a part is missing'), ('question', 'kind', 'What the scan asks a person about'),
            ('quarantine', 'reason', 'Why the readings cannot be stored'), ('quarantine', 'first_at', 'When the first came'),
            ('quarantine', 'last_at', 'When the last came'), ('loss', 'time', 'When the loss became known'),
            ('loss', 'lost_from', 'First reading that was given up'), ('loss', 'lost_to', 'Last reading that was given up'),
            ('conflict', 'known_at', 'When the other value came'), ('conflict', 'kept', 'Value that is kept'),
            ('conflict', 'other', 'Value that came later for the same moment'), ('source', 'kind', 'edge, gateway or import'),
            ('source', 'via', 'Gateway that relays it'), ('source', 'active', 'False: no longer in the park document'),
            ('source', 'status_at', 'When it last told its state'), ('source', 'online', 'What it said: false is its last will'),
            ('source', 'batches_waiting', 'Batches in its outbox'), ('source', 'readings_waiting', 'Readings in its outbox'),
            ('source', 'hours_left', 'Until its outbox is full [h]'), ('source', 'backlog', 'True: it sends what waited'),
            ('source', 'clock', 'synced or uncertain'), ('batch', 'time', 'When it became known'), ('batch', 'made_at', 'When its source made it'),
            ('batch', 'delay_s', 'From made to committed [s]'), ('batch', 'state', 'committed, or tombstone: given up by its source'),
            ('dead_letter', 'time', 'When the message was refused'), ('dead_letter', 'topic', 'Topic of the message'),
            ('dead_letter', 'payload_bytes', 'Size of the message [B]'), ('dead_letter', 'detail', 'What was wrong with it'), ('health', 'time', 'Now'),
            ('health', 'newest_reading_age_s', 'Age of the newest reading of any park [s]'), ('health', 'dead_letters_24h', 'Messages refused in the last 24 h'),
            ('health', 'quarantined_readings', 'Readings in quarantine'), ('health', 'results_waiting', 'Spans about to be computed or priced anew'),
            ('health', 'results_waiting_s', 'How long the oldest of them waits [s]'),
            ('health', 'log_sealed_age_s', 'How far the sealed log lies behind now [s]; null: nothing is sealed yet'),
            ('health', 'statement_tasks_failing', 'Open tasks of statements whose last attempt failed'),
            ('health', 'statement_mails_waiting', 'Mails of statements that are not out yet'),
            ('health', 'alarm_messages_waiting', 'Alarm messages that are not handed over yet'),
            ('health', 'alarm_message_waiting_s', 'How long the oldest of them waits [s]'), ('health', 'alarm_messages_dead', 'Alarm messages that were given up'),
            ('health', 'alarm_evaluator', 'Who decides on alarms; null: nobody yet'), ('health', 'alarm_epoch', 'How often that changed'),
            ('health', 'alarm_lease_left_s', 'How long it may still decide [s]; below 0: nobody does'), ('health', 'connections', 'Connections to this database'),
            ('health', 'database_bytes', 'Size of this database [B]'), ('alarm', 'alarm', 'Number of the alarm'), ('alarm', 'time', 'When it fired'),
            ('alarm', 'rule', 'Rule that raised it'), ('alarm', 'kind', 'Kind of the rule'),
            ('alarm', 'subject', 'What it is about: a point, device, source or the park'), ('alarm', 'began_at', 'First moment beyond the limit, of the readings'),
            ('alarm', 'fired_at', 'When it fired'), ('alarm', 'resolved_at', 'When it ended; null: it has not'), ('alarm', 'standing', 'True: it has not ended'),
            ('alarm', 'historical', 'True: found in readings that came late; nobody was told'), ('alarm', 'value', 'Figure that raised it, or the newest [unit]'),
            ('alarm', 'worst', 'Worst figure while it stood [unit]'), ('alarm', 'limit_value', 'Limit [unit]'), ('alarm', 'reason_zh', 'Why, in Chinese'),
            ('alarm', 'reason_en', 'Why, in English'), ('alarm', 'withheld', 'Why nobody is told; empty: they are'),
            ('alarm', 'acknowledged_by', 'Who acknowledged it first'), ('alarm', 'acknowledged_at', 'When'),
            ('alarm', 'minutes_to_acknowledge', 'From fired to acknowledged [min]'), ('alarm', 'stood_h', 'How long it stood, or stands [h]'),
            ('alarm_message', 'receiver', 'Receiver of the message'), ('alarm_message', 'channel', 'Channel it goes through'),
            ('alarm_message', 'why', 'Why it goes out'), ('alarm_message', 'state', 'waiting, sent or dead'), ('alarm_message', 'attempts', 'Attempts so far'),
            ('alarm_message', 'last_error', 'What the last failed attempt said'), ('alarm_message', 'sent_at', 'When it was handed over'),
            ('alarm_message', 'delay_s', 'From the reading committed (else decided) to handed over [s]'), ('statement', 'time', 'When it was frozen'),
            ('statement', 'kind', 'flash, statement or annual'), ('statement%', 'number', 'Printed number'),
            ('statement', 'state', 'prepared, reviewed, approved, issued, locked, superseded or rejected'), ('statement', 'verdict', 'Its verdict, one word'),
            ('statement', 'missing', 'How many things were not there yet'), ('statement', 'prepared_by', 'Who prepared it; null: the scheduler'),
            ('statement', 'issued_at', 'When it was issued'), ('statement', 'as_of', 'Moment of knowledge'), ('statement', 'reason', 'Why it was issued again'),
            ('statement_figure', 'figure', 'Id of the figure'), ('statement_figure', 'value', 'Exact decimal [unit]; null: not known'),
            ('statement_figure', 'shown', 'What is printed'), ('statement_task', 'time', 'When the task was made'),
            ('statement_task', 'action', 'What is to be done'), ('statement_task', 'due_on', 'Local day it is due'),
            ('statement_task', 'attempts', 'Attempts so far'), ('statement_task', 'next_at', 'Next attempt'),
            ('statement_task', 'error', 'What the last attempt said'), ('statement_task', 'outcome', 'What came of it'),
            ('statement_task', 'done_at', 'When it was done; null: open')
        ) as t (views, name, meaning) on t.name = a.attname and c.relname like t.views
        where c.relnamespace = 'report'::regnamespace and c.relkind = 'v'
        order by c.oid, a.attname, t.views = '%', length(t.views) desc
    loop
        execute format('comment on column report.%I.%I is %L', said.relname, said.attname, said.meaning);
    end loop;
end
$$;
