-- The alerts process: who decides, where each alarm stands, its episodes, its messages.

-- ── who decides ──────────────────────────────────────────────────────────────────────────────────

-- name: lease_take
-- By the clock of the database. `before`: until when the last holder held it; null: nobody ever did.
with before as (select until from alarm_lease where until <= clock_timestamp() for update)
update alarm_lease l
set holder = $1::text, epoch = l.epoch + 1, until = clock_timestamp() + make_interval(secs => $2::float8)
from before
returning l.epoch, case when isfinite(before.until) then before.until end as before, clock_timestamp() as now;

-- name: lease_renew
update alarm_lease set until = clock_timestamp() + make_interval(secs => $3::float8)
where holder = $1::text and epoch = $2::bigint
returning epoch;

-- name: lease_release
update alarm_lease set until = clock_timestamp()
where holder = $1::text and epoch = $2::bigint and until > clock_timestamp();

-- name: lease_hold
-- First statement of each decision's transaction. Nobody takes over while it is open; whoever stalls in it is cut off.
select epoch, set_config('idle_in_transaction_session_timeout', $3::text, true) as cut_off
from alarm_lease where holder = $1::text and epoch = $2::bigint
for share;

-- name: lease_now
select holder, epoch, until > clock_timestamp() as held from alarm_lease;

-- ── what is seen ─────────────────────────────────────────────────────────────────────────────────

-- name: parks_watched
-- Parks with rules, with what their evaluation rests on.
select r.park_id, max(r.revision) as revision from alarm_rules r group by r.park_id order by r.park_id;

-- name: newest_readings
-- Of watched points, what is new since $2.
select s.point_id, s.last_time, s.last_value, s.last_quality, s.updated_at
from point_state s
where s.point_id = any($1::int[]) and s.updated_at > $2::timestamptz and s.last_time is not null;

-- name: late_batches
-- Committed since $2, with readings of more than $3 before that.
select b.batch_id, s.source, b.t_min, b.t_max, greatest(b.recorded_at, b.revived_at) as known_at
from batch b
join source s on s.source_id = b.source_id
where s.park_id = $1::text and b.state = 'committed' and b.t_min is not null
  and greatest(b.recorded_at, b.revived_at) > $2::timestamptz
  and b.t_min < greatest(b.recorded_at, b.revived_at) - $3::interval
order by b.t_min;

-- name: database_now
select clock_timestamp() as now;

-- name: silences_now
select silence_id, match, begin_at, end_at, author, comment from alarm_silence
where park_id = $1::text and ended_at is null and end_at > $2::timestamptz
order by silence_id;

-- ── where each alarm stands ──────────────────────────────────────────────────────────────────────

-- name: states_of_park
select rule, subject, state, episode_id, wake_at from alarm_state where park_id = $1::text;

-- name: states_lock
select s.rule, s.subject, s.state, s.episode_id, s.wake_at
from alarm_state s
join unnest($2::text[], $3::text[]) as t (rule, subject) using (rule, subject)
where s.park_id = $1::text
order by s.rule, s.subject
for update of s;

-- name: states_put
insert into alarm_state (park_id, rule, subject, phase, state, episode_id, wake_at)
select $1::text, t.rule, t.subject, t.phase, t.state::jsonb, t.episode_id, t.wake_at
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
    as t (rule, subject, phase, state, episode_id, wake_at)
order by t.rule, t.subject
on conflict (park_id, rule, subject) do update
set phase = excluded.phase, state = excluded.state, episode_id = excluded.episode_id, wake_at = excluded.wake_at,
    updated_at = now();

-- name: states_drop
delete from alarm_state s using unnest($2::text[], $3::text[]) as t (rule, subject)
where s.park_id = $1::text and s.rule = t.rule and s.subject = t.subject;

-- ── episodes ─────────────────────────────────────────────────────────────────────────────────────

-- name: episodes_open
-- One that stands already is kept, and its id returned.
with given as (
    select * from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                         $8::timestamptz[], $9::float8[], $10::float8[], $11::float8[], $12::text[], $13::text[],
                         $14::text[])
        as t (rule, revision, kind, subject, priority, began_at, fired_at, value, worst, limit_value, unit,
              reason_zh, reason_en)
)
insert into alarm_episode (park_id, rule, revision, kind, subject, priority, began_at, fired_at, value, worst,
                           limit_value, unit, reason_zh, reason_en)
select $1::text, rule, revision, kind, subject, priority, began_at, fired_at, value, worst, limit_value, unit,
       reason_zh, reason_en
from given
on conflict (park_id, rule, subject) where resolved_at is null and not historical
    do update set value = excluded.value
returning episode_id, rule, subject;

-- name: episodes_seen
-- What stands now: newest figure, the worst, the sentence, why nobody is told; and since when it is over.
update alarm_episode e
set value = coalesce(t.value, e.value), worst = coalesce(t.worst, e.worst),
    limit_value = coalesce(t.limit_value, e.limit_value),
    reason_zh = coalesce(nullif(t.reason_zh, ''), e.reason_zh),
    reason_en = coalesce(nullif(t.reason_en, ''), e.reason_en), withheld = t.withheld, resolved_at = t.resolved_at
from unnest($1::bigint[], $2::float8[], $3::float8[], $4::float8[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[])
    as t (episode_id, value, worst, limit_value, reason_zh, reason_en, withheld, resolved_at)
where e.episode_id = t.episode_id and e.resolved_at is null;

-- name: episode_overlapping
-- Of a rule and subject, whatever stood at some time of [$4, $5].
select episode_id, historical, began_at, resolved_at, worst from alarm_episode
where park_id = $1::text and rule = $2::text and subject = $3::text and began_at <= $5::timestamptz
  and coalesce(resolved_at, 'infinity') >= $4::timestamptz
order by historical, episode_id
limit 1;

-- name: episode_past
insert into alarm_episode (park_id, rule, revision, kind, subject, priority, began_at, fired_at, resolved_at,
                           historical, value, worst, limit_value, unit, reason_zh, reason_en, withheld)
values ($1::text, $2::text, $3::int, $4::text, $5::text, $6::text, $7::timestamptz, $8::timestamptz,
        $9::timestamptz, true, $10::float8, $11::float8, $12::float8, $13::text, $14::text, $15::text, 'historical')
returning episode_id;

-- name: episode_past_wider
-- The same past seen again, more of it.
update alarm_episode
set began_at = least(began_at, $2::timestamptz), fired_at = least(fired_at, $3::timestamptz),
    resolved_at = greatest(resolved_at, $4::timestamptz), worst = coalesce($5::float8, worst)
where episode_id = $1::bigint and historical;

-- name: episodes_told
-- Who was told of alarms, to be told that they are over although their rule is gone.
select distinct on (m.receiver, e.episode_id) m.receiver, m.channel, m.priority, m.subject, m.details, e.episode_id
from alarm_message m
cross join unnest(m.episodes) as e (episode_id)
where e.episode_id = any($1::bigint[]) and m.why <> 'recovered'
order by m.receiver, e.episode_id, m.recorded_at desc;

-- ── messages ─────────────────────────────────────────────────────────────────────────────────────

-- name: messages_put
-- The same key is the same message: it goes out once.
insert into alarm_message (key, park_id, receiver, channel, why, priority, episodes, subject, body, details, next_at,
                           committed_at)
select t.key, $1::text, t.receiver, t.channel, t.why, t.priority, t.episodes::bigint[], t.subject, t.body,
       t.details::jsonb, t.next_at, t.committed_at
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::timestamptz[], $12::timestamptz[])
    as t (key, receiver, channel, why, priority, episodes, subject, body, details, next_at, committed_at)
on conflict (key) do nothing;

-- name: messages_take
-- Claimed until $3: whoever dies with it leaves it to the next. That an alarm is over waits for the word that it began.
update alarm_message set attempts = attempts + 1, next_at = $3::timestamptz
where key in (
    select m.key from alarm_message m
    where m.channel = $1::text and m.state = 'waiting' and m.next_at <= $2::timestamptz
      and not exists (select from alarm_message e
                      where e.channel = m.channel and e.state = 'waiting' and e.receiver = m.receiver
                        and e.episodes && m.episodes and m.why = 'recovered' and e.why <> 'recovered')
    order by m.priority = 'high' desc, m.recorded_at
    limit $4::int
    for update skip locked)
returning key, park_id, receiver, channel, why, priority, subject, body, details, attempts, committed_at, recorded_at;

-- name: messages_sent
update alarm_message set state = 'sent', sent_at = $2::timestamptz, last_error = '' where key = any($1::text[]);

-- name: message_failed
update alarm_message set next_at = $2::timestamptz, last_error = $3::text, state = $4::text
where key = $1::text and state = 'waiting';

-- name: messages_again
-- The channel takes messages: what waited because it did not goes out now.
update alarm_message set next_at = $2::timestamptz
where channel = $1::text and state = 'waiting' and attempts > 0 and last_error <> '' and next_at > $2::timestamptz;

-- name: channels_waiting
select channel, min(next_at) as next_at from alarm_message where state = 'waiting' group by channel order by channel;

-- name: messages_count
select channel, state, count(*)::int as n from alarm_message where state in ('waiting', 'dead')
group by channel, state;

-- name: states_count
select phase, count(*)::int as n from alarm_state where phase <> 'normal' group by phase;

-- name: message_grow
-- Others of its group came before it went out.
update alarm_message
set why = $2::text, priority = $3::text, episodes = $4::bigint[], subject = $5::text, body = $6::text,
    details = $7::jsonb
where key = $1::text and state = 'waiting' and attempts = 0
returning key;
