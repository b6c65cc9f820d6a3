-- Roles and persons of the books: who enters, who approves, who only looks.

alter table api_token drop constraint api_token_role_check;
alter table api_token add constraint api_token_role_check check (role in ('admin', 'editor', 'approver', 'auditor', 'viewer', 'wall'));
alter table api_token add column person text not null default '';

-- ── entries: facts that people enter beside the meters, and the second person's word on them ─────

-- Facts are only ever added to. An attempt to change one is refused with the rule's number (parkcarbon/books/refusals.py).
create function fact_is_kept() returns trigger
language plpgsql as $$
begin
    raise exception 'rule 6.9: % holds facts; a correction is a new row with its reason', tg_table_name
        using errcode = 'PR001';
end
$$;

create table entry (                     -- fact: one entry; a later one supersedes it, or withdraws it
    entry_id      bigint generated always as identity primary key,
    park_id       text not null references park,
    kind          text not null,         -- one of parkcarbon/catalog/entries
    tenant        text,                  -- null: the park's own
    from_day      date not null,         -- first local day it speaks of
    to_day        date not null,         -- day after the last
    document      jsonb not null,        -- checked against its kind before it comes here
    evidence      text not null,         -- what proves it: number of an invoice, digest of a file …
    author        text not null check (btrim(author) <> ''),
    reason        text not null,
    needs_review  boolean not null,      -- as its kind said when it was entered: it counts once approved
    supersedes    bigint references entry,
    withdrawn     boolean not null default false,  -- true: what it supersedes no longer counts, and nothing replaces it
    simulated     boolean not null default false,
    recorded_at   timestamptz not null default now(),
    check (from_day < to_day),
    check (not withdrawn or supersedes is not null)
);
create index entry_of_park on entry (park_id, from_day);

create table entry_review (              -- fact: a second person's decision; there is one
    entry_id     bigint primary key references entry,
    person       text not null check (btrim(person) <> ''),
    decision     text not null check (decision in ('approved', 'rejected')),
    reason       text not null,
    recorded_at  timestamptz not null default now()
);

-- One successor at a time, of the same park and kind, with a reason. The row lock makes two at the same instant wait.
create function entry_succeeds() returns trigger
language plpgsql as $$
declare
    before entry;
    other  bigint;
begin
    if new.supersedes is null then
        return new;
    end if;
    select * into before from entry where entry_id = new.supersedes for update;
    if before.park_id is distinct from new.park_id or before.kind is distinct from new.kind then
        raise exception 'rule 6.9: entry % is no % of this park', new.supersedes, new.kind using errcode = 'PR001';
    end if;
    if before.withdrawn then
        raise exception 'rule 6.9: entry % is a withdrawal; enter anew', new.supersedes using errcode = 'PR001';
    end if;
    if btrim(new.reason) = '' then
        raise exception 'rule 6.9: entry % is superseded without a reason', new.supersedes using errcode = 'PR001';
    end if;
    select e.entry_id into other
    from entry e left join entry_review r using (entry_id)
    where e.supersedes = new.supersedes and r.decision is distinct from 'rejected';
    if other is not null then
        raise exception 'rule 6.9: entry % was superseded already, by entry %', new.supersedes, other
            using errcode = 'PR001';
    end if;
    if exists (select from entry_review where entry_id = new.supersedes and decision = 'rejected') then
        raise exception 'rule 6.9: entry % was rejected by its reviewer; enter anew', new.supersedes
            using errcode = 'PR001';
    end if;
    return new;
end
$$;

create function entry_review_by_another() returns trigger
language plpgsql as $$
declare
    reviewed entry;
    other    bigint;
begin
    select * into reviewed from entry where entry_id = new.entry_id for update;
    if lower(btrim(reviewed.author)) = lower(btrim(new.person)) then
        raise exception 'rule 6.9: % entered entry % and cannot review it: a second person must', new.person, new.entry_id
            using errcode = 'PR001';
    end if;
    select e.entry_id into other
    from entry e left join entry_review r using (entry_id)
    where e.supersedes = new.entry_id and r.decision is distinct from 'rejected';
    if other is not null then
        raise exception 'rule 6.9: entry % was superseded by entry %: review that one', new.entry_id, other
            using errcode = 'PR001';
    end if;
    if exists (select from entry_review where entry_id = new.entry_id) then
        raise exception 'rule 6.9: entry % was reviewed already', new.entry_id using errcode = 'PR001';
    end if;
    return new;
end
$$;

create trigger entry_is_kept before update or delete or truncate on entry
    for each statement execute function fact_is_kept();
create trigger entry_review_is_kept before update or delete or truncate on entry_review
    for each statement execute function fact_is_kept();
create trigger entry_succeeds before insert on entry for each row execute function entry_succeeds();
create trigger entry_review_by_another before insert on entry_review
    for each row execute function entry_review_by_another();
