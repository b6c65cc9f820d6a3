-- Substitutions and corrections as facts with effect and withdrawal, and what as-of results need to know of the past.

-- ── what was known when ──────────────────────────────────────────────────────────────────────────

create table config_change (             -- fact: each change of the configuration; results then knew nothing newer
    version     bigint      primary key,
    changed_at  timestamptz not null
);
insert into config_change (version, changed_at) select version, changed_at from config_version;

-- A batch that its source had given up and that came after all: its readings were known from then on.
alter table batch add column revived_at timestamptz;

create index batch_known on batch ((greatest(recorded_at, revived_at)), source_id, t_min);

-- ── corrections ──────────────────────────────────────────────────────────────────────────────────

-- What a correction did to the intervals it touches, when it was entered [1e-6 unit, 1e-9 kg]; null: declared by a
-- source, or entered before effects were recorded.
alter table correction add column before_micro bigint;
alter table correction add column after_micro bigint;
alter table correction add column before_nano_kg bigint;
alter table correction add column after_nano_kg bigint;

create table correction_withdrawal (     -- fact: a correction that no longer counts
    correction_id  bigint primary key references correction,
    author         text not null check (btrim(author) <> ''),
    reason         text not null check (btrim(reason) <> ''),
    before_micro   bigint,
    after_micro    bigint,
    before_nano_kg bigint,
    after_nano_kg  bigint,
    recorded_at    timestamptz not null default now()
);

-- ── substitutions ────────────────────────────────────────────────────────────────────────────────

create table substitution (              -- fact: energy put where none is known, by a rule; counts once approved
    substitution_id bigint generated always as identity primary key,
    point_id       int not null references point,
    from_time      timestamptz not null,
    to_time        timestamptz not null,
    rule           text not null check (rule in ('6.1', '6.2', '6.3')),
    method         text not null check (method in ('conservative', 'mean', 'estimate', 'default')),
    amounts_micro  bigint[] not null,    -- one for each whole interval of the span [1e-6 unit]
    document       jsonb not null,       -- how they came about: reference values, declared default, evidence
    before_micro   bigint not null,      -- of the intervals it changes, when it was proposed
    after_micro    bigint not null,
    before_nano_kg bigint,               -- null: an interval has no factor
    after_nano_kg  bigint,
    author         text not null check (btrim(author) <> ''),
    reason         text not null check (btrim(reason) <> ''),
    recorded_at    timestamptz not null default now(),
    check (from_time < to_time),
    check (mod(extract(epoch from from_time), 900) = 0),
    check (cardinality(amounts_micro) * 900 = extract(epoch from to_time - from_time))
);
create index substitution_of_point on substitution (point_id, from_time);

create table substitution_review (       -- fact: the second person's decision; there is one
    substitution_id bigint primary key references substitution,
    person         text not null check (btrim(person) <> ''),
    decision       text not null check (decision in ('approved', 'rejected')),
    reason         text not null check (btrim(reason) <> ''),
    before_micro   bigint,               -- what it did when it began to count
    after_micro    bigint,
    before_nano_kg bigint,
    after_nano_kg  bigint,
    recorded_at    timestamptz not null default now()
);

create table substitution_withdrawal (   -- fact: a substitution that no longer counts
    substitution_id bigint primary key references substitution,
    author         text not null check (btrim(author) <> ''),
    reason         text not null check (btrim(reason) <> ''),
    before_micro   bigint,
    after_micro    bigint,
    before_nano_kg bigint,
    after_nano_kg  bigint,
    recorded_at    timestamptz not null default now()
);

-- A second person approves, and no two substitutions in force speak of the same interval of a point. The lock makes two
-- decisions at the same instant wait for one another.
create function substitution_reviewed() returns trigger
language plpgsql as $$
declare
    proposed substitution;
    other    bigint;
begin
    select * into proposed from substitution where substitution_id = new.substitution_id;
    perform from point where point_id = proposed.point_id for update;
    if lower(btrim(proposed.author)) = lower(btrim(new.person)) then
        raise exception 'rule 6.1: % entered substitution % and cannot review it: a second person must',
            new.person, new.substitution_id using errcode = 'PR001';
    end if;
    if exists (select from substitution_review where substitution_id = new.substitution_id) then
        raise exception 'rule 6.1: substitution % was reviewed already', new.substitution_id using errcode = 'PR001';
    end if;
    if exists (select from substitution_withdrawal where substitution_id = new.substitution_id) then
        raise exception 'rule 6.1: substitution % was withdrawn', new.substitution_id using errcode = 'PR001';
    end if;
    select s.substitution_id into other
    from substitution s
    join substitution_review r on r.substitution_id = s.substitution_id and r.decision = 'approved'
    where s.point_id = proposed.point_id and s.from_time < proposed.to_time and s.to_time > proposed.from_time
      and not exists (select from substitution_withdrawal w where w.substitution_id = s.substitution_id)
    limit 1;
    if new.decision = 'approved' and other is not null then
        raise exception 'rule 6.1: substitution % is in force for a part of the span of %: withdraw it first',
            other, new.substitution_id using errcode = 'PR001';
    end if;
    return new;
end
$$;

create trigger correction_is_kept before update or delete or truncate on correction
    for each statement execute function fact_is_kept();
create trigger correction_withdrawal_is_kept before update or delete or truncate on correction_withdrawal
    for each statement execute function fact_is_kept();
create trigger substitution_is_kept before update or delete or truncate on substitution
    for each statement execute function fact_is_kept();
create trigger substitution_review_is_kept before update or delete or truncate on substitution_review
    for each statement execute function fact_is_kept();
create trigger substitution_withdrawal_is_kept before update or delete or truncate on substitution_withdrawal
    for each statement execute function fact_is_kept();
create trigger substitution_reviewed before insert on substitution_review
    for each row execute function substitution_reviewed();
