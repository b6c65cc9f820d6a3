-- Statements that turn facts into intervals: used by ingest, API and command line alike. Prepared on both stores by
-- tests/integration/test_db_statements.py.

-- ── configuration ───────────────────────────────────────────────────────────────────────────────────

-- name: version_for_share
select version from config_version for share;

-- name: version_for_update
select version from config_version for update;

-- name: version
select version, changed_at from config_version;

-- name: bump_version
with bumped as (
    update config_version set version = version + 1, changed_at = now() returning version, changed_at
)
insert into config_change (version, changed_at) select version, changed_at from bumped returning version;

-- name: now
select now();

-- name: notify
select pg_notify($1::text, $2::text);

-- name: model_parks
select park_id, timezone, document from park;

-- name: model_sources
select source_id, park_id, source, kind, via, public_key, window_from, window_to, active from source;

-- name: model_points
select point_id, park_id, point, kind, unit, carrier, flow, period_ms, limit_per_h, resolution, modulus,
       may_be_negative
from point;

-- name: model_episodes
select point_id, at, ct, pt, sign, modulus, limit_per_h, end_reading, start_reading
from episode order by point_id, at;

-- name: model_corrections
-- An exchange that a source found yields to the park document: an episode of the same serial number within a week is a
-- person's word on it.
select c.point_id, c.kind, c.from_time, c.to_time, c.document from correction c
where not exists (select from correction_withdrawal w where w.correction_id = c.correction_id) and not exists (
    select from episode e
    where e.point_id = c.point_id and e.serial = c.document ->> 'serial'
      and e.at between c.from_time - interval '7 days' and c.from_time + interval '7 days'
)
order by c.point_id, c.from_time, c.correction_id;

-- name: model_substitutions
-- Those in force: approved and not withdrawn.
select s.substitution_id, s.point_id, s.from_time, s.amounts_micro
from substitution s
join substitution_review r on r.substitution_id = s.substitution_id and r.decision = 'approved'
where not exists (select from substitution_withdrawal w where w.substitution_id = s.substitution_id)
order by s.point_id, s.from_time;

-- name: model_factors
select factor_id, park_id, document, recorded_at from factor_in_force where withdrawn_at is null order by factor_id;

-- name: model_series
select distinct on (start) start, span_ms, value from factor_value_in_force
where factor_id = $1::int and withdrawn_at is null order by start, recorded_at desc, load_id desc;

-- ── what the scan reads back ────────────────────────────────────────────────────────────────────────

-- name: checkpoint_before
select at, state from point_checkpoint where point_id = $1::int and at <= $2::timestamptz order by at desc limit 1;

-- name: checkpoints_between
select at, state from point_checkpoint where point_id = $1::int and at > $2::timestamptz and at <= $3::timestamptz;

-- name: readings_between
-- Without NULLs, for binary COPY: NaN stands for "no value". Known by $6: of a batch before $5, which all were, or of
-- one that was.
select r.time, coalesce(r.value, 'NaN'), r.quality, r.span_ms from reading r
where r.point_id = $1::int and r.time >= $2::timestamptz and r.time < $3::timestamptz
  and (r.batch_id < $5::bigint or exists (
      select from batch b where b.batch_id = r.batch_id and greatest(b.recorded_at, b.revived_at) <= $6::timestamptz))
order by r.time limit $4::bigint;

-- name: delta_bounds
-- How far so many neighbours reach on each side of a span.
select min(b.time) as low, max(a.time) as high, count(b.time) as before, count(a.time) as after
from (
    select r.time from reading r
    where r.point_id = $1::int and r.time < $2::timestamptz and (r.batch_id < $5::bigint or exists (
        select from batch b where b.batch_id = r.batch_id and greatest(b.recorded_at, b.revived_at) <= $6::timestamptz))
    order by r.time desc limit $4::int
) b
full join (
    select r.time from reading r
    where r.point_id = $1::int and r.time > $3::timestamptz and (r.batch_id < $5::bigint or exists (
        select from batch b where b.batch_id = r.batch_id and greatest(b.recorded_at, b.revived_at) <= $6::timestamptz))
    order by r.time limit $4::int
) a on false;

-- name: deltas_in_force
-- Values that a batch made later gave anew, known by $4.
select c.time, c.value, c.quality, c.span_ms
from (
    select distinct on (d.time) d.time, d.value, d.quality, d.span_ms, b.made, s.source, b.boot, b.seq
    from delta_correction d
    join batch b on b.batch_id = d.batch_id
    join source s on s.source_id = b.source_id
    where d.point_id = $1::int and d.time >= $2::timestamptz and d.time <= $3::timestamptz
      and d.recorded_at <= $4::timestamptz
    order by d.time, b.made desc, s.source collate "C" desc, b.boot collate "C" desc, b.seq desc
) c
join reading r on r.point_id = $1::int and r.time = c.time
join batch rb on rb.batch_id = r.batch_id
join source rs on rs.source_id = rb.source_id
where (c.made, c.source collate "C", c.boot collate "C", c.seq)
    > (rb.made, rs.source collate "C", rb.boot collate "C", rb.seq);

-- ── what waits to be computed again ─────────────────────────────────────────────────────────────────

-- name: points_with_readings
select point_id from point_state where point_id = any($1::int[]) and last_time is not null;

-- name: queue_recompute
-- Merged with what is queued for the point within a day of it; the earliest release counts.
with new as (
    select * from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as t (point_id, from_time, to_time)
), gone as (
    delete from recompute r using new n
    where r.point_id = n.point_id and r.from_time <= n.to_time + interval '1 day'
      and r.to_time >= n.from_time - interval '1 day'
    returning r.point_id, r.from_time, r.to_time, r.reason, r.held_until, r.queued_at
), every as (
    select point_id, from_time, to_time, $4::text as reason, $5::timestamptz as held_until, now() as queued_at from new
    union all
    select * from gone
)
insert into recompute (point_id, from_time, to_time, reason, held_until, queued_at)
select point_id, min(from_time), max(to_time), min(reason), min(held_until), min(queued_at) from every group by point_id
on conflict (point_id, from_time, to_time) do update
set held_until = least(recompute.held_until, excluded.held_until);

-- name: months_with_data
-- Local months in which these points have results.
select point_id, month from rollup_month where point_id = any($1::int[]) order by point_id, month;

-- name: years_with_data
select extract(year from min(month))::int as first, extract(year from max(month))::int as last from rollup_month;

-- name: queue_reprice
insert into reprice (point_id, month, from_time, to_time)
select point_id, (date '1970-01-01' + month * interval '1 month')::date, low, high
from unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) as t (point_id, month, low, high)
order by point_id, month
on conflict (point_id, month) do update
set from_time = least(reprice.from_time, excluded.from_time), to_time = greatest(reprice.to_time, excluded.to_time);

-- name: results_pending
-- Whether anything of a park waits to be computed or priced anew in [$2, $3).
select exists (select from result_waiting r join point p using (point_id)
               where p.park_id = $1::text and r.from_time < $3::timestamptz and r.to_time > $2::timestamptz);

-- ── what was known on a past date ────────────────────────────────────────────────────────────────

-- name: past_config
-- When the configuration in force at $1 came into force.
select changed_at from config_change where changed_at <= $1::timestamptz order by version desc limit 1;

-- name: past_revisions
-- Documents of a park up to a revision, the oldest first.
select document from park_revision where park_id = $1::text and revision <= $2::int order by revision;

-- name: past_points
select point_id, point from point where park_id = $1::text;

-- name: past_corrections
select c.point_id, c.kind, c.from_time, c.to_time, c.document
from correction c join point p using (point_id)
where p.park_id = $1::text and c.recorded_at <= $2::timestamptz and not exists (
    select from correction_withdrawal w
    where w.correction_id = c.correction_id and w.recorded_at <= $2::timestamptz
)
order by c.point_id, c.from_time, c.correction_id;

-- name: past_substitutions
select s.substitution_id, s.point_id, s.from_time, s.amounts_micro
from substitution s
join point p using (point_id)
join substitution_review r on r.substitution_id = s.substitution_id and r.decision = 'approved'
where p.park_id = $1::text and r.recorded_at <= $2::timestamptz and not exists (
    select from substitution_withdrawal w
    where w.substitution_id = s.substitution_id and w.recorded_at <= $2::timestamptz
)
order by s.point_id, s.from_time;

-- name: past_first_later_batch
-- The smallest number of a batch that was not known yet; null: all were.
select min(batch_id) from batch where greatest(recorded_at, revived_at) > $1::timestamptz;

-- name: past_later_span
-- What batches of a park that came later speak of, up to $3.
select min(b.t_min) as low, least(max(b.t_max), $3::timestamptz) as high
from batch b join source s using (source_id)
where s.park_id = $1::text and greatest(b.recorded_at, b.revived_at) > $2::timestamptz and b.t_min <= $3::timestamptz;

-- name: past_later_readings
-- The first reading of each point, in [$3, $4], that came later.
select r.point_id, min(r.time) as first
from reading r
where r.point_id = any($1::int[]) and r.time >= $3::timestamptz and r.time <= $4::timestamptz
  and r.batch_id >= $5::bigint and r.batch_id in (
      select b.batch_id from batch b
      where greatest(b.recorded_at, b.revived_at) > $2::timestamptz and b.t_min <= $4::timestamptz
        and b.t_max >= $3::timestamptz)
group by r.point_id;

-- name: past_later_deltas
-- The first delta of each point that was corrected later.
select c.point_id, min(c.time) as first
from delta_correction c
where c.point_id = any($1::int[]) and c.recorded_at > $2::timestamptz
group by c.point_id;

-- name: past_withheld
-- Readings that were in quarantine at $2 and have been released since.
select p.point_id, q.time_ms
from quarantine q join point p on p.park_id = q.park_id and p.point = q.point
where q.park_id = $1::text and q.released_at > $2::timestamptz and q.recorded_at <= $2::timestamptz
  and q.time_ms is not null;

-- name: past_stale
-- Points whose stored intervals are about to be computed again, and from when.
select point_id, min(from_time) as first from recompute where point_id = any($1::int[]) group by point_id;

-- name: past_intervals
select point_id, start, amount_micro, coverage, method, measured_ms, suspect
from interval_15min
where point_id = any($1::int[]) and start >= $2::timestamptz and start < $3::timestamptz
order by point_id, start;

-- name: past_checkpoints
-- Of each point the newest checkpoint that nothing later has touched.
select k.point_id, c.at, c.state
from unnest($1::int[], $2::timestamptz[]) as k (point_id, upto)
cross join lateral (
    select at, state from point_checkpoint where point_id = k.point_id and at <= k.upto order by at desc limit 1
) c;

-- name: past_delta_states
select point_id, state from point_state where point_id = any($1::int[]) and state is not null;

-- name: past_state
select state from point_state where point_id = $1::int;
