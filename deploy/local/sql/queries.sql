-- name: history_state
-- How far the demo is: batches that agents still hold, spans still to be computed, newest reading of the last device
-- that an agent polls (nobody waits for an import).
select
    coalesce(sum(coalesce((status ->> 'depth')::bigint, 0)) filter (where kind = 'edge'), 0)::bigint as waiting,
    count(*) filter (where kind = 'edge' and status is null)::bigint as silent,
    (select count(*) from result_waiting)::bigint as queued,
    (select count(*) from reading)::bigint as readings,
    (
        select extract(epoch from min(coalesce(newest, to_timestamp(0))))
        from (
            select max(s.last_time) as newest
            from device d join point p using (device_id) left join point_state s using (point_id)
            where d.active and exists (
                select from source e where (e.park_id, e.source, e.kind) = (d.park_id, d.source, 'edge')
            )
            group by d.device_id
        ) as device_newest
    )::double precision as newest_s
from source;

-- name: campus_waiting
-- Spans whose intervals are still to be computed.
select count(*)::bigint from result_waiting;

-- name: campus_totals
-- Amounts and location-based emissions of a park by carrier and flow.
select p.carrier, sum(i.amount_micro)::numeric as amount_micro, sum(i.co2e_nano_kg)::numeric as co2e_nano_kg
from interval_15min i
join point p using (point_id)
where p.park_id = $1 and p.flow is not null
group by p.carrier;

-- name: campus_months
-- Electricity of each local month.
select to_char(r.month, 'YYYY-MM') as month,
       sum(r.amount_micro)::numeric as amount_micro,
       sum(r.co2e_nano_kg)::numeric as co2e_nano_kg
from rollup_month r
join point p using (point_id)
where p.park_id = $1 and p.flow = 'import' and p.carrier = 'electricity'
group by r.month
order by r.month;

-- name: campus_suspect
-- Meter-hours of electricity that are suspect.
select count(*) filter (where i.suspect)::bigint as quarters
from interval_15min i
join point p using (point_id)
where p.park_id = $1 and p.carrier = 'electricity';

-- name: park_zone
select timezone from park where park_id = $1;
