-- ── the log: committed batches of each park in one order that is never changed ───────────────────

create table log_leaf (                  -- fact: a batch became known; its place among all of its park
    park_id   text        not null references park,
    position  bigint      not null,      -- from 0, without gaps
    at        timestamptz not null,      -- recorded_at of the batch; where it was revived: revived_at
    kind      text        not null check (kind in ('committed', 'tombstone', 'revived')),
    source    text        not null,
    boot      text        not null,
    seq       bigint      not null,
    digest    bytea       not null,      -- of the frame; of a tombstone: of the header line that was given up
    t_min     timestamptz,               -- readings are in [t_min, t_max]; null: there are none
    t_max     timestamptz,
    hash      bytea       not null,      -- of the leaf: parkcarbon/statement/log/leaf.py
    primary key (park_id, position)
);
create index log_leaf_at on log_leaf (park_id, at, position);

create table log_root (                  -- fact: root over everything that was committed before the end of a day UTC
    park_id     text        not null references park,
    day         date        not null,
    size        bigint      not null,
    root        bytea       not null,
    peaks       bytea[]     not null,    -- roots of the complete subtrees: enough to go on from here
    recorded_at timestamptz not null default now(),
    primary key (park_id, day)
);

create table log_head (                  -- where the log of a park ends; follows from its leaves
    park_id text   primary key references park,
    size    bigint not null,
    peaks   bytea[] not null
) with (fillfactor = 50);

create table log_state (                 -- one row: everything that became known by then is in the logs
    only_row     boolean     primary key default true check (only_row),
    sealed_until timestamptz not null default 'epoch'
);
insert into log_state default values;

create table log_anchor (                -- a root on its way to a place outside; what was sent stays as it is
    anchor_id   bigint generated always as identity primary key,
    park_id     text        not null,
    day         date        not null,
    kind        text        not null check (kind in ('mail', 'rfc3161', 'object_lock')),
    destination text        not null,
    state       text        not null default 'waiting' check (state in ('waiting', 'sent', 'given_up')),
    attempts    int         not null default 0,
    next_at     timestamptz not null default now(),
    sent_at     timestamptz,
    receipt     bytea,                   -- what the other side answered: a time stamp token, a message id
    foreign key (park_id, day) references log_root,
    unique (park_id, day, kind, destination),
    check ((state = 'sent') = (sent_at is not null))
);
create index log_anchor_waiting on log_anchor (next_at) where state = 'waiting';

create table log_anchor_attempt (        -- fact: an attempt and how it ended
    anchor_id   bigint      not null references log_anchor,
    attempt     int         not null,
    error       text        not null,    -- empty: it arrived
    recorded_at timestamptz not null default now(),
    primary key (anchor_id, attempt)
);

-- What became known of batches, and when: a batch once, one that was given up and came after all twice.
create index batch_revived on batch (recorded_at) where revived_at is not null;
create view log_event as
select s.park_id, greatest(b.recorded_at, b.revived_at) as at, b.state as kind, s.source, b.boot, b.seq, b.digest,
       b.t_min, b.t_max
from batch b join source s using (source_id) where b.revived_at is null
union all
select s.park_id, b.recorded_at, 'tombstone', s.source, b.boot, b.seq, sha256(convert_to(b.header, 'UTF8')),
       b.t_min, b.t_max
from batch b join source s using (source_id) where b.revived_at is not null
union all
select s.park_id, b.revived_at, 'revived', s.source, b.boot, b.seq, b.digest, b.t_min, b.t_max
from batch b join source s using (source_id) where b.revived_at is not null;

create trigger log_leaf_is_kept before update or delete or truncate on log_leaf
    for each statement execute function fact_is_kept();
create trigger log_root_is_kept before update or delete or truncate on log_root
    for each statement execute function fact_is_kept();
create trigger log_anchor_attempt_is_kept before update or delete or truncate on log_anchor_attempt
    for each statement execute function fact_is_kept();

-- New leaves follow the last one: positions without gaps, in the order of (at, source, boot, seq).
create function log_leaf_follows() returns trigger
language plpgsql as $$
declare
    wrong record;
begin
    select * into wrong from (
        select a.park_id, a.position, p.position as before,
               (a.at, a.source collate "C", a.boot collate "C", a.seq, a.kind collate "C")
                   > (p.at, p.source collate "C", p.boot collate "C", p.seq, p.kind collate "C") as ascends
        from added a left join log_leaf p on p.park_id = a.park_id and p.position = a.position - 1
    ) t
    where position > 0 and before is null or not coalesce(ascends, true)
    limit 1;
    if found then
        raise exception 'rule 6.9: leaf % of % does not follow the one before it', wrong.position, wrong.park_id
            using errcode = 'PR001';
    end if;
    return null;
end
$$;
create trigger log_leaf_follows after insert on log_leaf referencing new table as added
    for each statement execute function log_leaf_follows();

-- A root is that of the day after the last one, and its size never falls.
create function log_root_follows() returns trigger
language plpgsql as $$
declare
    last log_root;
begin
    select * into last from log_root where park_id = new.park_id order by day desc limit 1;
    if found and (new.day <> last.day + 1 or new.size < last.size) then
        raise exception 'rule 6.9: the root of % over % batches does not follow that of % over %',
            new.day, new.size, last.day, last.size using errcode = 'PR001';
    end if;
    return new;
end
$$;
create trigger log_root_follows before insert on log_root for each row execute function log_root_follows();

create function log_anchor_is_kept() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        if old.state <> 'sent' and (new.park_id, new.day, new.kind, new.destination)
            = (old.park_id, old.day, old.kind, old.destination) then
            return new;
        end if;
    end if;
    raise exception 'rule 6.9: what was sent out of the house is kept as it is' using errcode = 'PR001';
end
$$;
create trigger log_anchor_is_kept before update or delete on log_anchor
    for each row execute function log_anchor_is_kept();
create trigger log_anchor_stays before truncate on log_anchor for each statement execute function fact_is_kept();

-- Writing transactions live for 30 s and what is younger than 60 s is not sealed. One that was slower than that waits
-- for the sealer, and is refused where what is sealed has passed it: it is to be tried again, in a new transaction.
create function log_not_passed() returns trigger
language plpgsql as $$
declare
    moment timestamptz := greatest(new.recorded_at, new.revived_at);
    sealed timestamptz;
begin
    if moment > clock_timestamp() - interval '30 s' then
        return null;
    end if;
    perform pg_advisory_xact_lock_shared(hashtextextended('parkcarbon log', 0));
    select sealed_until into sealed from log_state;
    if moment <= sealed then
        raise exception 'batch % of % became known at %, the log is sealed until %', new.seq, new.boot, moment, sealed
            using errcode = '40001';
    end if;
    return null;
end
$$;
create trigger log_not_passed after insert on batch for each row execute function log_not_passed();
create trigger log_not_passed_again after update on batch for each row
    when (old.revived_at is distinct from new.revived_at) execute function log_not_passed();
