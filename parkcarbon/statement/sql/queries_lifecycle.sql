-- Statements: what is stored of them, what is due, what goes out.

-- name: statement_settings
-- The newest document of every park, with the day it was first entered.
select p.park_id, p.timezone, p.document -> 'statement' as statement, min(r.recorded_at) as known_since
from park p join park_revision r using (park_id)
where $1::text is null or p.park_id = $1::text
group by p.park_id order by p.park_id;

-- name: statement_insert
insert into statement (park_id, kind, period, number, version, content, digest, as_of, verdict, missing, prepared_by,
                       supersedes, reason)
values ($1::text, $2::text, $3::text, $4::text, $5::int, $6::bytea, sha256($6::bytea), $7::timestamptz, $8::text,
        $9::jsonb, $10::text, $11::bigint, $12::text)
returning statement_id;

-- name: statement_last_issued
-- The newest issued one of a kind and period, with its content, and how many were issued.
select s.statement_id, s.number, s.version, s.content,
       count(*) over () as issued
from statement s join statement_act a using (statement_id)
where s.park_id = $1::text and s.kind = $2::text and s.period = $3::text and a.act = 'issued'
order by s.statement_id desc limit 1;

-- name: statement_list
select * from statement_standing
where ($1::text is null or park_id = $1::text)
  and ($2::text is null or period = $2::text)
  and ($3::text is null or kind = $3::text)
order by period desc, statement_id desc
limit $4::int;

-- name: statement_one
select * from statement_standing where statement_id = $1::bigint and ($2::text is null or park_id = $2::text);

-- name: statements_to_issue
-- What was approved, or is a flash report, and waits for a signature, and is no task yet.
select s.statement_id, s.park_id, s.period
from statement s
where (s.kind = 'flash' or exists (select from statement_act p
                                   where p.statement_id = s.statement_id and p.act = 'approved'))
  and not exists (select from statement_act a
                  where a.statement_id = s.statement_id and a.act in ('issued', 'rejected'))
  and not exists (select from statement_task t
                  where t.park_id = s.park_id and t.action = 'issue' and t.period = s.period
                    and t.key = s.statement_id::text)
order by s.statement_id;

-- name: statement_content
select content from statement where statement_id = $1::bigint;

-- name: statement_acts
select act_id, statement_id, act, person, digest, comment, recorded_at
from statement_act where statement_id = any($1::bigint[]) order by act_id;

-- name: statement_act_insert
insert into statement_act (statement_id, act, person, digest, comment)
values ($1::bigint, $2::text, $3::text, $4::bytea, $5::text)
returning act_id;

-- name: statement_now
-- The moment that this transaction writes into what it records.
select now();

-- name: statement_files
select statement_id, name, media, octet_length(body) as bytes, digest
from statement_file where statement_id = any($1::bigint[]) order by statement_id, name;

-- name: statement_file
select name, media, body, digest, recorded_at
from statement_file where statement_id = $1::bigint and name = $2::text;

-- name: statement_file_insert
insert into statement_file (statement_id, name, media, body, digest)
values ($1::bigint, $2::text, $3::text, $4::bytea, sha256($4::bytea));

-- name: statement_unsettled
-- Batches that reach into [$2, $3) and were recorded after $4, and points that are about to be computed again.
select
    (select count(*) from batch b join source s using (source_id)
     where s.park_id = $1::text and b.t_max >= $2::timestamptz and b.t_min < $3::timestamptz
       and greatest(b.recorded_at, b.revived_at) > $4::timestamptz) as batches,
    (select count(*) from result_waiting r join point p using (point_id)
     where p.park_id = $1::text and r.from_time < $3::timestamptz and r.to_time > $2::timestamptz) as waiting;

-- name: statement_clock
select clock_timestamp();

-- ── what is due ──────────────────────────────────────────────────────────────────────────────────

-- name: statement_months
-- What is stored of the months of a park from $2 on: newest statement and whether there is a flash report.
select m.period,
       exists (select from statement_standing f
               where f.park_id = $1::text and f.kind = 'flash' and f.period = m.period and f.state <> 'rejected') as flash,
       coalesce(s.state, 'none') as statement, coalesce(s.statement_id, 0) as statement_id,
       coalesce(s.missing <> '[]', false) as pending,
       (select e.event from period_event e where e.park_id = $1::text and e.period = m.period
        order by e.event_id desc limit 1) is not distinct from 'closed' as locked
from unnest($2::text[]) as m (period)
left join lateral (
    select state, statement_id, missing from statement_standing n
    where n.park_id = $1::text and n.kind = 'statement' and n.period = m.period
    order by (n.state <> 'rejected') desc, n.statement_id desc limit 1
) s on true
order by m.period;

-- name: task_insert
insert into statement_task (park_id, action, period, key, due_on, next_at)
values ($1::text, $2::text, $3::text, $4::text, $5::date, $6::timestamptz)
on conflict (park_id, action, period, key) do nothing
returning task_id;

-- name: task_take
-- One task that may be done now; other workers step over it while it is held.
select task_id, park_id, action, period, key, due_on, attempts
from statement_task
where done_at is null and next_at <= $1::timestamptz and ($2::text is null or park_id = $2::text)
order by next_at, task_id
limit 1
for update skip locked;

-- name: task_done
update statement_task set done_at = $2::timestamptz, attempts = attempts + 1, error = '', outcome = $3::text
where task_id = $1::bigint;

-- name: task_failed
update statement_task set attempts = attempts + 1, next_at = $2::timestamptz, error = $3::text
where task_id = $1::bigint;

-- name: task_list
select task_id, park_id, action, period, key, due_on, attempts, next_at, error, outcome, done_at, recorded_at
from statement_task
where ($1::text is null or park_id = $1::text) and ($2::boolean or done_at is null)
order by task_id;

-- name: tasks_waiting
select count(*) filter (where error = '') as waiting, count(*) filter (where error <> '') as failing
from statement_task where done_at is null;

-- ── mail ─────────────────────────────────────────────────────────────────────────────────────────

-- name: delivery_insert
insert into statement_delivery (park_id, statement_id, recipient, key, subject, body)
values ($1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text)
on conflict (key) do nothing
returning delivery_id;

-- name: delivery_take
select delivery_id, park_id, statement_id, recipient, key, subject, body, attempts
from statement_delivery
where sent_at is null and next_at <= $1::timestamptz
order by next_at, delivery_id
limit 1
for update skip locked;

-- name: delivery_sent
update statement_delivery set sent_at = $2::timestamptz, attempts = attempts + 1, error = ''
where delivery_id = $1::bigint;

-- name: delivery_failed
update statement_delivery set attempts = attempts + 1, next_at = $2::timestamptz, error = $3::text
where delivery_id = $1::bigint;

-- name: delivery_list
select delivery_id, statement_id, recipient, subject, attempts, next_at, error, sent_at
from statement_delivery
where park_id = $1::text and ($2::boolean or sent_at is null)
order by delivery_id;

-- name: deliveries_waiting
select count(*) filter (where error = '') as waiting, count(*) filter (where error <> '') as failing
from statement_delivery where sent_at is null;

-- ── keys ─────────────────────────────────────────────────────────────────────────────────────────

-- name: key_insert
-- A key that is on record already stays as it is.
insert into signing_key (fingerprint, public_key, replaces, rotation, person, reason)
values ($1::text, $2::bytea, $3::text, $4::jsonb, $5::text, $6::text)
on conflict (fingerprint) do nothing
returning fingerprint;

-- name: key_list
select k.fingerprint, k.public_key, k.replaces, k.rotation, k.person, k.reason, k.recorded_at,
       r.recorded_at as retired_at, coalesce(r.reason, '') as retired_for
from signing_key k left join signing_key_retired r using (fingerprint)
order by k.recorded_at, k.fingerprint;

-- name: key_retire
insert into signing_key_retired (fingerprint, person, reason) values ($1::text, $2::text, $3::text);
