-- What a pack carries beside the answers to a composition: raw batches, readings, what was set aside.

-- name: pack_batches
-- Batches of a park known at $4 with readings of [$2, $3], the next $6 after number $5; those of $7 in any case.
select b.batch_id, s.source, b.boot, b.seq, case when b.revived_at is null then 'committed' else 'revived' end as kind,
       b.digest, b.made, greatest(b.recorded_at, b.revived_at) as at, b.raw
from batch b join source s using (source_id)
where s.park_id = $1::text and b.batch_id > $5::bigint and b.state = 'committed'
  and (b.t_max >= $2::timestamptz and b.t_min <= $3::timestamptz or b.batch_id = any($7::bigint[]))
  and greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by b.batch_id limit $6::int;

-- name: pack_batch_ids
-- Which batches brought the readings of points $1 from $2 to $3 each, as known at $4.
select distinct x.batch_id
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as k (point_id, low, high)
cross join lateral (
    select r.batch_id from reading r where r.point_id = k.point_id and r.time >= k.low and r.time <= k.high
    union all
    select c.batch_id from delta_correction c where c.point_id = k.point_id and c.time >= k.low and c.time <= k.high
) x
join batch b on b.batch_id = x.batch_id and greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by x.batch_id;

-- name: pack_readings
-- Readings of points $1 from $2 to $3 each. Without NULLs, for binary COPY: NaN stands for "no value".
select k.point_id, x.time, x.value, x.quality, x.span_ms, x.batch_id, x.correction
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as k (point_id, low, high)
cross join lateral (
    select r.time, coalesce(r.value, 'NaN') as value, r.quality, r.span_ms, r.batch_id, false as correction
    from reading r where r.point_id = k.point_id and r.time >= k.low and r.time <= k.high
    union all
    select c.time, coalesce(c.value, 'NaN'), c.quality, c.span_ms, c.batch_id, true
    from delta_correction c where c.point_id = k.point_id and c.time >= k.low and c.time <= k.high
      and c.recorded_at <= $4::timestamptz
) x
join batch b on b.batch_id = x.batch_id and greatest(b.recorded_at, b.revived_at) <= $4::timestamptz
order by k.point_id, x.time, x.correction, x.batch_id;

-- name: pack_set_aside
-- Readings of batches that were in quarantine at $2.
select q.batch_id, q.row, q.point, q.reason
from quarantine q
where q.batch_id = any($1::bigint[]) and q.recorded_at <= $2::timestamptz
  and (q.released_at is null or q.released_at > $2::timestamptz)
order by q.batch_id, q.row;

-- name: pack_predecessor
-- The record that a re-issue took the place of.
select content from statement
where park_id = $1::text and number = $2::text and version = $3::int and digest = decode($4::text, 'hex')
order by statement_id desc limit 1;
