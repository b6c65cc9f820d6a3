-- What people see of alarms and do with them: the list, one alarm, acts, silences, the report.

-- name: alarm_list
-- The newest first; $4 and $5 are those of the last one of the page before.
select e.episode_id, e.rule, e.revision, e.kind, e.subject, e.priority, e.began_at, e.fired_at, e.resolved_at,
       e.historical, e.value, e.worst, e.limit_value, e.unit, e.reason_zh, e.reason_en, e.withheld,
       case when s.episode_id = e.episode_id then s.phase end as phase,
       (s.state ->> 'shelved_until_ms')::bigint as shelved_until_ms,
       coalesce((s.state ->> 'out_of_service')::boolean, false) as out_of_service,
       a.person as acknowledged_by, a.recorded_at as acknowledged_at, a.comment as acknowledged_comment
from (
    select * from alarm_episode
    where park_id = $1::text
      and ($2::text = 'all' or (resolved_at is null and not historical))
      and ($3::text is null or rule = $3::text)
      and ($4::timestamptz is null or (fired_at, episode_id) < ($4::timestamptz, $5::bigint))
      and ($6::bigint[] is null or episode_id = any($6::bigint[]))
    order by fired_at desc, episode_id desc
    limit $7::int
) e
left join alarm_state s on s.park_id = e.park_id and s.rule = e.rule and s.subject = e.subject
left join lateral (
    select person, recorded_at, comment from alarm_act
    where episode_id = e.episode_id and act = 'acknowledge'
    order by act_id limit 1
) a on true
order by e.fired_at desc, e.episode_id desc;

-- name: alarm_standing_count
select count(*) from alarm_episode where park_id = $1::text and resolved_at is null and not historical;

-- name: alarm_acts
select act, person, recorded_at, comment, until from alarm_act where episode_id = $1::bigint order by act_id;

-- name: alarm_messages
select receiver, why, state, sent_at, last_error from alarm_message
where park_id = $1::text and episodes @> array[$2::bigint]
order by recorded_at, key;

-- name: alarm_of_act
select rule, subject, resolved_at, historical from alarm_episode
where park_id = $1::text and episode_id = $2::bigint;

-- name: act_alone
-- Each decision's transaction holds this row for share: none decides while it is held so.
select epoch from alarm_lease for update;

-- name: alarm_act_enter
insert into alarm_act (episode_id, act, person, comment, until, recorded_at)
values ($1::bigint, $2::text, $3::text, $4::text, $5::timestamptz, $6::timestamptz);

-- name: silence_list
select silence_id, match, begin_at, end_at, author, comment, recorded_at, ended_at, ended_by
from alarm_silence
where park_id = $1::text
  and ($2::bigint is null or silence_id = $2::bigint)
  and ($3::timestamptz is null or (ended_at is null and end_at > $3::timestamptz))
order by silence_id desc
limit 1000;

-- name: silence_enter
insert into alarm_silence (park_id, match, begin_at, end_at, author, comment, recorded_at)
values ($1::text, $2::jsonb, $3::timestamptz, $4::timestamptz, $5::text, $6::text, $7::timestamptz)
returning silence_id;

-- name: silence_end
update alarm_silence set ended_at = $3::timestamptz, ended_by = $4::text
where park_id = $1::text and silence_id = $2::bigint and ended_at is null and end_at > $3::timestamptz
returning silence_id;

-- name: report_episodes
-- Fired in the time, or before it and standing in it.
select e.episode_id, e.rule, e.subject, e.priority, e.fired_at, e.resolved_at, e.historical,
       (select min(recorded_at) from alarm_act a where a.episode_id = e.episode_id and a.act = 'acknowledge')
           as acknowledged_at,
       (select count(*) from alarm_act a where a.episode_id = e.episode_id and a.act = 'shelve')::int as shelved
from alarm_episode e
where e.park_id = $1::text and e.fired_at < $3::timestamptz
  and (e.fired_at >= $2::timestamptz or e.resolved_at is null or e.resolved_at > $2::timestamptz);
