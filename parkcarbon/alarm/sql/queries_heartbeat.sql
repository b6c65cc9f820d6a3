-- The dead man's switch: a message through the whole path, so that its absence is the alarm.

-- name: heartbeat_ground
-- What a heartbeat tells: of readings the newest commit, of messages those that nobody has taken.
select (select min(park_id) from park) as park_id,
       (select max(updated_at) from point_state) as committed_at,
       (select count(*)::int from alarm_message where state = 'waiting' and why <> 'heartbeat') as waiting,
       (select count(*)::int from alarm_message where state = 'dead' and why <> 'heartbeat') as dead,
       (select max(sent_at) from alarm_message where why = 'heartbeat' and state = 'sent') as sent_at;

-- name: heartbeat_clear
-- Older ones that nobody took are superseded; of those that went out the newest is kept.
delete from alarm_message m
where m.why = 'heartbeat' and m.key <> $1::text
  and (m.state <> 'sent'
       or m.sent_at < (select max(n.sent_at) from alarm_message n where n.why = 'heartbeat' and n.state = 'sent'));

-- name: heartbeat_last
select max(sent_at) as sent_at, max(recorded_at) as recorded_at from alarm_message where why = 'heartbeat';
