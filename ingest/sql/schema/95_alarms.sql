-- ── alarms: rules, who decides, where each alarm stands, what people did, what goes out ──────────

create table alarm_rules (               -- fact: each change of a park's alarm document, whole; the newest is in force
    park_id      text  not null references park,
    revision     int   not null,
    document     jsonb not null,
    digest       bytea not null,         -- sha256 of the canonical JSON
    author       text  not null check (btrim(author) <> ''),
    reason       text  not null check (btrim(reason) <> ''),
    recorded_at  timestamptz not null default now(),
    primary key (park_id, revision)
);

create table alarm_lease (               -- who decides: each decision's transaction checks the epoch
    only_row     boolean primary key default true check (only_row),
    holder       text    not null default '',
    epoch        bigint  not null default 0,
    until        timestamptz not null default '-infinity'
);
insert into alarm_lease default values;

create table alarm_state (               -- derived: where a rule stands with a subject
    park_id      text  not null references park,
    rule         text  not null,
    subject      text  not null,
    phase        text  not null check (phase in ('normal', 'pending', 'firing', 'recovering')),
    state        jsonb not null,         -- parkcarbon.domain.alarm.types.AlarmState
    episode_id   bigint,                 -- open alarm
    wake_at      timestamptz,            -- look again although nothing new was seen
    updated_at   timestamptz not null default now(),
    primary key (park_id, rule, subject)
);

create table alarm_episode (             -- derived: an alarm
    episode_id   bigint generated always as identity primary key,
    park_id      text  not null references park,
    rule         text  not null,
    revision     int   not null,         -- of the rules that raised it
    kind         text  not null,
    subject      text  not null,
    priority     text  not null check (priority in ('low', 'medium', 'high')),
    began_at     timestamptz not null,   -- first moment beyond the limit, of the readings
    fired_at     timestamptz not null,
    resolved_at  timestamptz,            -- null: it stands
    historical   boolean not null default false,  -- found in readings that came late: nobody was told
    value        double precision,
    worst        double precision,
    limit_value  double precision,
    unit         text  not null,
    reason_zh    text  not null,
    reason_en    text  not null,
    withheld     text  not null default '',  -- why nobody is told now
    recorded_at  timestamptz not null default now()
);
create index alarm_episode_of on alarm_episode (park_id, fired_at);
create unique index alarm_episode_open on alarm_episode (park_id, rule, subject) where resolved_at is null and not historical;

create table alarm_act (                 -- fact: what a person did with an alarm
    act_id       bigint generated always as identity primary key,
    episode_id   bigint not null references alarm_episode,
    act          text   not null check (act in ('acknowledge', 'comment', 'shelve', 'unshelve', 'out_of_service', 'in_service')),
    person       text   not null check (btrim(person) <> ''),
    comment      text   not null default '',
    until        timestamptz,            -- shelved until, at most 8 h
    recorded_at  timestamptz not null default now(),
    check ((act = 'shelve') = (until is not null)),
    check (act not in ('shelve', 'out_of_service') or btrim(comment) <> '')
);
create index alarm_act_of on alarm_act (episode_id, act_id);

create table alarm_silence (             -- fact: nobody is told of matching alarms for a time
    silence_id   bigint generated always as identity primary key,
    park_id      text   not null references park,
    match        jsonb  not null,        -- labels
    begin_at     timestamptz not null,
    end_at       timestamptz not null,
    author       text   not null check (btrim(author) <> ''),
    comment      text   not null check (btrim(comment) <> ''),
    recorded_at  timestamptz not null default now(),
    ended_at     timestamptz,            -- ended before its time
    ended_by     text,
    check (end_at > begin_at)
);

create table alarm_message (             -- outbox: a message to one receiver, once by its key
    key          text  primary key,      -- episode, why, count, receiver: the same decision makes the same
    park_id      text  not null references park,
    receiver     text  not null,
    channel      text  not null,
    why          text  not null,
    priority     text  not null,
    episodes     bigint[] not null,      -- alarms in it
    subject      text  not null,
    body         text  not null,
    details      jsonb not null,         -- labels, figure, limit, link: what a machine reads
    state        text  not null default 'waiting' check (state in ('waiting', 'sent', 'dead')),
    attempts     int   not null default 0,
    next_at      timestamptz not null default now(),
    last_error   text  not null default '',
    committed_at timestamptz,            -- of the newest reading that led to it
    recorded_at  timestamptz not null default now(),
    sent_at      timestamptz
);
create index alarm_message_waiting on alarm_message (channel, next_at) where state = 'waiting';
create index alarm_message_dead on alarm_message (channel) where state = 'dead';

-- Whoever evaluates hears of what people changed, whoever sends of what is to be sent.
create function tell_of_alarms() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'alarm_message' then
        perform pg_notify('parkcarbon_alarm_message', new.channel);
    elsif tg_table_name = 'alarm_act' then
        perform pg_notify('parkcarbon_alarm', (select park_id from alarm_episode where episode_id = new.episode_id));
    else
        perform pg_notify('parkcarbon_alarm', new.park_id);
    end if;
    return null;
end
$$;
create trigger alarm_rules_told after insert on alarm_rules for each row execute function tell_of_alarms();
create trigger alarm_act_told after insert on alarm_act for each row execute function tell_of_alarms();
create trigger alarm_silence_told after insert or update on alarm_silence for each row execute function tell_of_alarms();
create trigger alarm_message_told after insert on alarm_message for each row execute function tell_of_alarms();
