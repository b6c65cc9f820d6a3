-- What the pages of a statement ask for beside the books: days of points, losses, doubtful clocks, what people decided.

-- name: page_days
-- Derived: local days [$2, $3) of points, from the daily roll-up. Without NULLs, for binary COPY.
select point_id, day, coalesce(co2e_nano_kg, 0) as co2e_nano_kg, co2e_nano_kg is not null as priced, known_ms, measured_ms
from rollup_day
where point_id = any($1::int[]) and day >= $2::date and day < $3::date
order by point_id, day;

-- name: page_losses
-- Readings of [$2, $3) that a source had given up by $4 and that had not come after all.
select s.source, l.point, l.t_from, l.t_to, l.n, l.reason
from loss_record l
join source s using (source_id)
join batch b on (b.source_id, b.boot, b.seq) = (l.source_id, l.boot, l.seq)
where s.park_id = $1::text and l.t_to >= $2::timestamptz and l.t_from < $3::timestamptz
  and l.recorded_at <= $4::timestamptz and (b.state = 'tombstone' or b.revived_at > $4::timestamptz)
order by l.t_from, l.point, s.source, l.t_to;

-- name: page_clocks
-- Points of $1 with readings of [$2, $3) whose time stamp is in doubt (quality $4), of batches recorded by $5.
select r.point_id, count(*) as readings, min(r.time) as first, max(r.time) as last
from reading r join batch b using (batch_id)
where r.point_id = any($1::int[]) and r.time >= $2::timestamptz and r.time < $3::timestamptz
  and r.quality = $4::smallint and greatest(b.recorded_at, b.revived_at) <= $5::timestamptz
group by r.point_id order by r.point_id;

-- name: page_substitutions
-- Substitutions that speak of [$2, $3), as known at $4; decision null: waits for a second person.
select s.substitution_id, p.point, p.unit, s.from_time, s.to_time, s.rule, s.method, s.amounts_micro, s.author, s.reason,
       r.person as reviewer, r.decision, r.before_nano_kg, r.after_nano_kg
from substitution s
join point p using (point_id)
left join substitution_review r on r.substitution_id = s.substitution_id and r.recorded_at <= $4::timestamptz
where p.park_id = $1::text and s.from_time < $3::timestamptz and s.to_time > $2::timestamptz
  and s.recorded_at <= $4::timestamptz and r.decision is distinct from 'rejected'
  and not exists (
    select from substitution_withdrawal w
    where w.substitution_id = s.substitution_id and w.recorded_at <= $4::timestamptz
  )
order by s.from_time, s.substitution_id;

-- name: page_corrections
-- Corrections of readings of [$2, $3) in force at $4.
select c.correction_id, p.point, c.kind, c.from_time, c.to_time, c.document ->> 'offset_ms' as offset_ms, c.author,
       c.reason, c.before_nano_kg, c.after_nano_kg
from correction c join point p using (point_id)
where p.park_id = $1::text and c.from_time < $3::timestamptz and c.to_time >= $2::timestamptz
  and c.recorded_at <= $4::timestamptz
  and not exists (
    select from correction_withdrawal w
    where w.correction_id = c.correction_id and w.recorded_at <= $4::timestamptz
  )
order by c.from_time, c.correction_id;

-- name: room_for_groups
-- For page_groups, to the end of this transaction: memory to add up without a file (of which it takes less than half)
-- and one helper. Sums cost less to hand over than the planner thinks (0.1).
select set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '1', true),
       set_config('parallel_tuple_cost', '0.01', true);

-- name: page_groups
-- Derived: sums of points $1, each of the group $4 at its place, by interval of [$2, $3), in no order; known: of how
-- many of the group's points it is wholly known and not negative. Points are looked up on the right, once each and of
-- a table that the planner has counted: so it expects as many rows as there are, hashes groups and not intervals, and
-- two processes each add up their half before they meet.
select g.point_id, i.start, sum(i.amount_micro)::bigint as amount_micro,
       count(*) filter (where i.coverage >= 0.9999 and i.method <> 5 and i.amount_micro >= 0) as known
from interval_15min i
left join (
  select distinct on (p.point_id) p.point_id as member_id, u.point_id
  from point p join unnest($1::int[], $4::int[]) as u (member_id, point_id) on u.member_id = p.point_id
) g on g.member_id = i.point_id
where i.point_id = any($1::int[]) and i.start >= $2::timestamptz and i.start < $3::timestamptz
group by g.point_id, i.start;
