-- name: stored
-- Every reading, with its point's name.
select p.point, (extract(epoch from r.time) * 1000)::bigint as t, r.value, r.quality
from reading r
join point p using (point_id);

-- name: quarantined
-- Every reading in quarantine.
select point, time_ms as t, value_text from quarantine where released_at is null;

-- name: energy
-- Per counter, as of one moment: first and last register, ratio, and what the intervals say.
select p.point,
       (select r.value from reading r where r.point_id = p.point_id and r.value is not null order by r.time limit 1) as first,
       (select r.value from reading r where r.point_id = p.point_id and r.value is not null order by r.time desc limit 1) as last,
       coalesce((select e.ct * e.pt * e.sign from episode e where e.point_id = p.point_id order by e.at desc limit 1), 1) as ratio,
       (select sum(i.amount_micro)::numeric from interval_15min i where i.point_id = p.point_id) as amount_micro
from point p
where p.kind = 'counter';

-- name: boundaries
-- What the scan made of the registers besides counting on.
select p.point, b.kind from boundary b join point p using (point_id);

-- name: queued
-- Stretches that are still to be computed.
select count(*) from result_waiting;
