-- The log of committed batches: sealing, roots, anchors.

-- name: log_try_lock
-- Of many workers one seals; the shared side is taken by transactions that were too slow (log_not_passed).
select pg_try_advisory_xact_lock(hashtextextended('parkcarbon log', 0));

-- name: log_lock
select pg_advisory_xact_lock(hashtextextended('parkcarbon log', 0));

-- name: log_horizon
-- What was recorded by then is all visible: so long ago, and before any transaction that is still writing batches. One
-- that begins to only later than 30 s after its start meets log_not_passed.
select least(
    clock_timestamp() - $1::interval,
    (select min(coalesce(a.xact_start, 'epoch')) - interval '1 microsecond'
     from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'relation' and l.relation = 'batch'::regclass and l.mode = 'RowExclusiveLock'
       and l.database = (select oid from pg_database where datname = current_database())
       and l.pid <> pg_backend_pid())
);

-- name: log_state
select sealed_until from log_state;

-- name: log_seal_until
update log_state set sealed_until = $1::timestamptz where sealed_until < $1::timestamptz;

-- name: log_bound
-- End of the next $3 events in ($1, $2]; events of one moment stay together.
select max(at) as until, count(*) as n
from (select at from log_event where at > $1::timestamptz and at <= $2::timestamptz order by at limit $3::int) e;

-- name: log_events
select park_id, at, kind, source, boot, seq, digest, t_min, t_max
from log_event where at > $1::timestamptz and at <= $2::timestamptz
order by at, park_id collate "C", source collate "C", boot collate "C", seq, kind collate "C";

-- name: log_heads
select park_id, size, peaks from log_head where $1::text[] is null or park_id = any($1::text[]);

-- name: log_append
insert into log_leaf (park_id, position, at, kind, source, boot, seq, digest, t_min, t_max, hash)
select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::bytea[], $9::timestamptz[], $10::timestamptz[], $11::bytea[]);

-- name: log_set_head
insert into log_head (park_id, size, peaks) values ($1::text, $2::bigint, $3::bytea[])
on conflict (park_id) do update set size = excluded.size, peaks = excluded.peaks;

-- name: log_add_root
insert into log_root (park_id, day, size, root, peaks)
values ($1::text, $2::date, $3::bigint, $4::bytea, $5::bytea[]);

-- name: log_size_at
-- How many leaves were known at $2.
select coalesce((select position + 1 from log_leaf where park_id = $1::text and at <= $2::timestamptz
                 order by at desc, position desc limit 1), 0);

-- name: log_edge_before
-- The newest daily root over at most $2 leaves.
select size, peaks from log_root where park_id = $1::text and size <= $2::bigint order by day desc limit 1;

-- name: log_hashes
select hash from log_leaf where park_id = $1::text and position >= $2::bigint and position < $3::bigint
order by position;

-- name: log_leaves
select position, at, kind, source, boot, seq, digest, t_min, t_max, hash
from log_leaf where park_id = $1::text and position >= $2::bigint and position < $3::bigint order by position;

-- name: log_roots
-- Roots of the days of [$2, $3) with the places they had reached by $4.
select r.day, r.size, r.root, coalesce((
           select array_agg(a.kind || ':' || a.destination order by a.kind, a.destination)
           from log_anchor a
           where a.park_id = r.park_id and a.day = r.day and a.state = 'sent' and a.sent_at <= $4::timestamptz
       ), array[]::text[]) as sent
from log_root r
where r.park_id = $1::text and r.day >= $2::date and r.day < $3::date
order by r.day;

-- ── anchors ──────────────────────────────────────────────────────────────────────────────────────

-- name: anchor_enqueue
-- Each root after the last that was meant for a place; for a new place the newest alone, it vouches for all before it.
-- $3: parks that send there; null: all.
insert into log_anchor (park_id, day, kind, destination)
select r.park_id, r.day, $1::text, $2::text
from log_root r
cross join lateral (
    select max(a.day) as day from log_anchor a
    where a.park_id = r.park_id and a.kind = $1::text and a.destination = $2::text
) last
where ($3::text[] is null or r.park_id = any($3::text[]))
  and (r.day > last.day
       or last.day is null and r.day = (select max(n.day) from log_root n where n.park_id = r.park_id))
on conflict do nothing;

-- name: anchor_places
-- Places that park documents name, with the parks that do.
select a.value ->> 'kind' as kind, a.value ->> 'to' as destination, array_agg(p.park_id order by p.park_id) as parks
from park p, jsonb_array_elements(coalesce(p.document #> '{statement,anchors}', '[]')) a
group by 1, 2 order by 1, 2;

-- name: anchor_take
-- Due anchors of a place, theirs for $4 from now on: one that dies with them gives them back.
with due as (
    select anchor_id from log_anchor
    where kind = $1::text and destination = $2::text and state = 'waiting' and next_at <= now()
    order by day, park_id limit $3::int for update skip locked
), taken as (
    update log_anchor a set next_at = now() + $4::interval, attempts = attempts + 1
    from due where a.anchor_id = due.anchor_id
    returning a.anchor_id, a.park_id, a.day, a.attempts
)
select t.anchor_id, t.park_id, t.day, t.attempts, r.size, r.root
from taken t join log_root r on r.park_id = t.park_id and r.day = t.day
order by t.day, t.park_id;

-- name: anchor_attempt
insert into log_anchor_attempt (anchor_id, attempt, error) values ($1::bigint, $2::int, $3::text)
on conflict do nothing;

-- name: anchor_sent
update log_anchor set state = 'sent', sent_at = now(), receipt = $2::bytea
where anchor_id = $1::bigint and state <> 'sent';

-- name: anchor_failed
update log_anchor set next_at = now() + $2::interval, state = case when $3::boolean then 'given_up' else state end
where anchor_id = $1::bigint and state = 'waiting';

-- name: anchor_states
select park_id, day, kind, destination, state, attempts, sent_at, receipt
from log_anchor where park_id = $1::text and day >= $2::date and day < $3::date order by day, kind, destination;

-- name: anchor_waiting
-- What has not arrived anywhere yet, by place.
select kind, destination, state, count(*) as roots, min(day) as first
from log_anchor where state <> 'sent' group by kind, destination, state order by kind, destination, state;

-- ── what a statement rests on ────────────────────────────────────────────────────────────────────

-- name: evidence_batches
-- Batches known at $4 that carry readings of [$2, $3).
select count(*) from log_leaf l
where l.park_id = $1::text and l.position < $4::bigint and l.kind <> 'tombstone'
  and l.t_max >= $2::timestamptz and l.t_min < $3::timestamptz;

-- name: evidence_losses
-- What sources had given up of [$2, $3) and had not come by $4.
select l.point, l.t_from, l.t_to, l.n, l.reason
from loss_record l
join source s using (source_id)
join batch b on (b.source_id, b.boot, b.seq) = (l.source_id, l.boot, l.seq)
where s.park_id = $1::text and l.t_to >= $2::timestamptz and l.t_from < $3::timestamptz
  and l.recorded_at <= $4::timestamptz and (b.revived_at is null or b.revived_at > $4::timestamptz)
order by l.t_from, l.point, s.source, l.boot, l.seq, l.loss_id;
