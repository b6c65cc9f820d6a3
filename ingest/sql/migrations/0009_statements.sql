-- Statements: frozen records, acts of persons, issued files, tasks, mail, keys.

-- ── statements: what was frozen, who put a name to it, what was issued, what is due ──────────────

create table signing_key (               -- fact: the public half of a key that statements are signed with
    fingerprint  text  primary key,      -- as `statement verify --key` takes it
    public_key   bytea not null,
    replaces     text  references signing_key,  -- the key before; null: the first one
    rotation     jsonb not null default '{}',   -- record of the rotation, signed by both
    person       text  not null,
    reason       text  not null,
    recorded_at  timestamptz not null default now()
);

create table signing_key_retired (       -- fact: a key that signs nothing any more
    fingerprint  text primary key references signing_key,
    person       text not null,
    reason       text not null check (btrim(reason) <> ''),
    recorded_at  timestamptz not null default now()
);

create table statement (                 -- fact: a record as it was frozen, before anybody approved it
    statement_id  bigint generated always as identity primary key,
    park_id       text  not null references park,
    kind          text  not null check (kind in ('flash', 'statement', 'annual')),
    period        text  not null check (period ~ '^[0-9]{4}(-(0[1-9]|1[0-2]))?$'),
    number        text  not null,
    version       int   not null,        -- one more than were issued before: checked by the trigger
    content       bytea not null,        -- canonical JSON without acts and time of issue
    digest        bytea not null check (digest = sha256(content)),  -- what people put their names to
    as_of         timestamptz not null,  -- moment of knowledge
    verdict       text  not null,
    missing       jsonb not null,        -- what was not there yet, who owes it, and until when
    prepared_by   text  check (btrim(prepared_by) <> ''),  -- null: nobody, the scheduler froze it
    supersedes    bigint references statement,
    reason        text  not null default '',
    recorded_at   timestamptz not null default now(),
    check ((kind = 'annual') = (length(period) = 4))
);
create index statement_of on statement (park_id, kind, period, statement_id);

create table statement_act (             -- fact: what was done with it, and by whom
    act_id        bigint generated always as identity primary key,
    statement_id  bigint not null references statement,
    act           text   not null check (act in ('reviewed', 'approved', 'rejected', 'comment', 'issued')),
    person        text   check (btrim(person) <> ''),  -- null: nobody, the process signed what was approved
    digest        bytea  not null,       -- of the content that the person saw
    comment       text   not null default '',
    recorded_at   timestamptz not null default now(),
    check (person is not null or act = 'issued')
);
create index statement_act_of on statement_act (statement_id, act_id);

create table statement_file (            -- fact: an issued file; nothing is ever written over
    statement_id  bigint not null references statement,
    name          text   not null check (name ~ '^[a-z][a-z0-9.]{1,40}$'),
    media         text   not null,
    body          bytea  not null,
    digest        bytea  not null check (digest = sha256(body)),
    recorded_at   timestamptz not null default now(),
    primary key (statement_id, name)
);

create table statement_task (            -- derived: what is due; whoever does it holds the row
    task_id       bigint generated always as identity primary key,
    park_id       text not null references park,
    action        text not null check (action in ('flash', 'prepare', 'remind', 'issue', 'lock')),
    period        text not null,
    key           text not null default '',  -- tells two of one action apart: a day, a statement
    due_on        date not null,
    attempts      int  not null default 0,
    next_at       timestamptz not null default now(),
    error         text not null default '',  -- of the last attempt
    outcome       text not null default '',
    done_at       timestamptz,               -- null: still to be done
    recorded_at   timestamptz not null default now(),
    unique (park_id, action, period, key)
);
create index statement_task_due on statement_task (next_at) where done_at is null;

create table statement_delivery (        -- derived: mail that is to go out, once to each
    delivery_id   bigint generated always as identity primary key,
    park_id       text not null references park,
    statement_id  bigint references statement,  -- null: a reminder
    recipient     text not null,
    key           text not null unique,   -- the same again is not queued again; also its Message-ID
    subject       text not null,
    body          text not null,
    attempts      int  not null default 0,
    next_at       timestamptz not null default now(),
    error         text not null default '',
    sent_at       timestamptz,
    recorded_at   timestamptz not null default now()
);
create index statement_delivery_waits on statement_delivery (next_at) where sent_at is null;

-- One at a time of a kind and period; its version follows from what was issued; a re-issue says what it replaces and why.
create function statement_prepared() returns trigger
language plpgsql as $$
declare
    open_id bigint;
    last    statement;
    issued  int;
begin
    perform pg_advisory_xact_lock(hashtextextended('statement ' || new.park_id, 0));
    select s.statement_id into open_id from statement s
    where s.park_id = new.park_id and s.kind = new.kind and s.period = new.period
      and not exists (select from statement_act a where a.statement_id = s.statement_id and a.act in ('issued', 'rejected'));
    if open_id is not null then
        raise exception 'rule 6.9: the % of % was prepared already: statement % waits for a second person', new.kind,
            new.period, open_id using errcode = 'PR001';
    end if;
    select count(*) into issued from statement s join statement_act a using (statement_id)
    where s.park_id = new.park_id and s.kind = new.kind and s.period = new.period and a.act = 'issued';
    select s.* into last from statement s join statement_act a using (statement_id)
    where s.park_id = new.park_id and s.kind = new.kind and s.period = new.period and a.act = 'issued'
    order by s.statement_id desc limit 1;
    if new.version <> issued + 1 or new.supersedes is distinct from last.statement_id then
        raise exception 'rule 6.9: version % of the % of % does not follow from what was issued', new.version, new.kind,
            new.period using errcode = 'PR001';
    end if;
    if new.supersedes is not null and btrim(new.reason) = '' then
        raise exception 'rule 6.9: % version % is issued again only with a reason', last.number, new.version
            using errcode = 'PR001';
    end if;
    return new;
end
$$;

-- Nobody reviews or approves what they prepared; what the scheduler froze needs two persons beside it.
create function statement_acted() returns trigger
language plpgsql as $$
declare
    about   statement;
    ended   text;
begin
    select * into about from statement where statement_id = new.statement_id for update;
    if new.digest is distinct from about.digest then
        raise exception 'rule 6.9: this is not the content of statement %: read it again', new.statement_id
            using errcode = 'PR001';
    end if;
    if new.act = 'comment' then
        if btrim(new.comment) = '' then
            raise exception 'rule 6.9: a comment says something' using errcode = 'PR001';
        end if;
        return new;
    end if;
    select act into ended from statement_act
    where statement_id = new.statement_id and act in ('issued', 'rejected') limit 1;
    if ended is not null then
        raise exception 'rule 6.9: statement % was % already', new.statement_id, ended using errcode = 'PR001';
    end if;
    if new.act in ('reviewed', 'approved') then
        if about.kind = 'flash' then
            raise exception 'rule 6.9: a flash report has no verdict and needs nobody''s approval' using errcode = 'PR001';
        end if;
        if lower(btrim(about.prepared_by)) = lower(btrim(new.person)) then
            raise exception 'rule 6.9: % prepared statement % and cannot have it %: a second person must', new.person,
                new.statement_id, new.act using errcode = 'PR001';
        end if;
        if exists (select from statement_act where statement_id = new.statement_id and act = 'approved') then
            raise exception 'rule 6.9: statement % was approved already', new.statement_id using errcode = 'PR001';
        end if;
    end if;
    if new.act = 'reviewed' and exists (
        select from statement_act where statement_id = new.statement_id and act = 'reviewed'
           and lower(btrim(person)) = lower(btrim(new.person))
    ) then
        raise exception 'rule 6.9: % reviewed statement % already', new.person, new.statement_id using errcode = 'PR001';
    end if;
    if new.act = 'approved' and about.prepared_by is null and not exists (
        select from statement_act where statement_id = new.statement_id and act = 'reviewed'
           and lower(btrim(person)) <> lower(btrim(new.person))
    ) then
        raise exception 'rule 6.9: nobody but the scheduler prepared statement %: another person than % reviews it first',
            new.statement_id, new.person using errcode = 'PR001';
    end if;
    if new.act = 'rejected' and btrim(new.comment) = '' then
        raise exception 'rule 6.9: a statement is rejected with a reason' using errcode = 'PR001';
    end if;
    if new.act = 'issued' and about.kind <> 'flash' and not exists (
        select from statement_act where statement_id = new.statement_id and act = 'approved'
    ) then
        raise exception 'rule 6.9: statement % was not approved: a second person must', new.statement_id
            using errcode = 'PR001';
    end if;
    return new;
end
$$;

-- What is issued has its files from the same transaction, and gets none later.
create function statement_file_at_issue() returns trigger
language plpgsql as $$
begin
    if not exists (
        select from statement_act where statement_id = new.statement_id and act = 'issued' and recorded_at = now()
    ) then
        raise exception 'rule 6.9: files of statement % are archived when it is issued, not later', new.statement_id
            using errcode = 'PR001';
    end if;
    if exists (select from statement_file where statement_id = new.statement_id and name = new.name) then
        raise exception 'rule 6.9: % of statement % is archived already and is never written over', new.name,
            new.statement_id using errcode = 'PR001';
    end if;
    return new;
end
$$;

create function statement_is_archived() returns trigger
language plpgsql as $$
begin
    if new.act = 'issued' and not exists (
        select from statement_file where statement_id = new.statement_id and name = 'json'
    ) then
        raise exception 'rule 6.9: statement % is issued without its record', new.statement_id using errcode = 'PR001';
    end if;
    return null;
end
$$;

create function statement_told() returns trigger
language plpgsql as $$
begin
    perform pg_notify('parkcarbon_statement', (select park_id from statement where statement_id = new.statement_id));
    return null;
end
$$;

create trigger signing_key_is_kept before update or delete or truncate on signing_key
    for each statement execute function fact_is_kept();
create trigger signing_key_retired_is_kept before update or delete or truncate on signing_key_retired
    for each statement execute function fact_is_kept();
create trigger statement_is_kept before update or delete or truncate on statement
    for each statement execute function fact_is_kept();
create trigger statement_act_is_kept before update or delete or truncate on statement_act
    for each statement execute function fact_is_kept();
create trigger statement_file_is_kept before update or delete or truncate on statement_file
    for each statement execute function fact_is_kept();
create trigger statement_prepared before insert on statement for each row execute function statement_prepared();
create trigger statement_acted before insert on statement_act for each row execute function statement_acted();
create trigger statement_file_at_issue before insert on statement_file
    for each row execute function statement_file_at_issue();
create constraint trigger statement_is_archived after insert on statement_act deferrable initially deferred
    for each row execute function statement_is_archived();
create trigger statement_is_there after insert on statement for each row execute function statement_told();
create trigger statement_act_is_there after insert on statement_act for each row execute function statement_told();

-- Where each statement stands: `superseded` once a later version was issued, `locked` while its period is closed.
create view statement_standing as
select s.statement_id, s.park_id, s.kind, s.period, s.number, s.version, s.digest, s.as_of, s.verdict, s.missing,
       s.prepared_by, s.supersedes, s.reason, s.recorded_at,
       i.recorded_at as issued_at,
       case
           when r.act_id is not null then 'rejected'
           when i.act_id is null and p.act_id is not null then 'approved'
           when i.act_id is null and v.act_id is not null then 'reviewed'
           when i.act_id is null then 'prepared'
           when exists (
               select from statement n join statement_act a using (statement_id)
               where n.supersedes = s.statement_id and a.act = 'issued'
           ) then 'superseded'
           when s.kind <> 'flash' and (
               select e.event from period_event e where e.park_id = s.park_id and e.period = s.period
               order by e.event_id desc limit 1
           ) is not distinct from 'closed' then 'locked'
           else 'issued'
       end as state
from statement s
left join statement_act i on i.statement_id = s.statement_id and i.act = 'issued'
left join statement_act r on r.statement_id = s.statement_id and r.act = 'rejected'
left join statement_act p on p.statement_id = s.statement_id and p.act = 'approved'
left join lateral (
    select min(act_id) as act_id from statement_act where statement_id = s.statement_id and act = 'reviewed'
) v on true;
