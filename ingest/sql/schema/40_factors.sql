-- ── factors: facts, the catalog's and organisations' own ────────────────────────────────────────

create table factor (                    -- fact: emission factors and calorific values, catalog and organisation's own
    factor_id     int  generated always as identity primary key,
    factor        text not null,         -- catalog id, for example CN-2023-JS
    park_id       text references park,  -- null: catalog
    purpose       text not null,
    carrier       text not null,
    region        text not null,
    gas           text not null,
    basis         text not null default '',
    unit          text not null,
    value         double precision,      -- null: a series, values in factor_value
    data_year     int,
    publisher     text not null,
    edition       text not null,
    published_on  date,
    unverified    boolean not null default false,
    digest        bytea not null,        -- of the whole record: the same record is never entered twice
    document      jsonb not null,
    recorded_at   timestamptz not null default now(),
    published_year int,                  -- where only the year of publication is known
    valid_from    date,                  -- first day it applies to; null: no bound
    valid_to      date,                  -- day after the last
    licence       text not null default '',
    source_page   text not null default '',
    reviewer      text not null default '',
    author        text,                  -- who proposed it; null: catalog or park document
    reason        text not null default '',
    evidence      text not null default '',
    unique (digest)
);

create table factor_load (               -- fact: where values of a series came from
    load_id        int generated always as identity primary key,
    factor_id      int not null references factor,
    source         text not null,        -- address, or name of a file
    format         text not null check (format in ('csv', 'json')),
    digest         bytea not null,       -- sha256 of what was read
    bytes          bigint not null,
    retrieved_at   timestamptz not null,
    n              int not null,         -- values in it
    first_start    timestamptz not null,
    last_end       timestamptz not null,
    author         text not null check (btrim(author) <> ''),
    reason         text not null,
    needs_approval boolean not null,     -- false: read from the very address that was approved with the record
    recorded_at    timestamptz not null default now()
);

create table factor_value (              -- fact: hourly intensity or calorific value; the newest recorded_at wins
    factor_id    int not null references factor,
    start        timestamptz not null,
    span_ms      int not null,
    value        double precision not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    load_id      int references factor_load,  -- null: came with a park document
    primary key (factor_id, start, recorded_at)
);

create table factor_decision (           -- fact: a second person's word on an organisation's own record, or on a load
    decision_id bigint generated always as identity primary key,
    factor_id   int not null references factor,
    load_id     int references factor_load,  -- null: about the record itself
    person      text not null check (btrim(person) <> ''),
    decision    text not null check (decision in ('approved', 'rejected', 'withdrawn')),
    reason      text not null,
    recorded_at timestamptz not null default now(),
    unique nulls not distinct (factor_id, load_id, decision)
);

-- Facts are only ever added to.
create function factor_is_kept() returns trigger
language plpgsql as $$
begin
    raise exception 'rule 6.9: % holds facts; a correction is a new record with its reason', tg_table_name
        using errcode = 'PR001';
end
$$;
create trigger factor_is_kept before update or delete or truncate on factor
    for each statement execute function factor_is_kept();
create trigger factor_value_is_kept before update or delete or truncate on factor_value
    for each statement execute function factor_is_kept();
create trigger factor_load_is_kept before update or delete or truncate on factor_load
    for each statement execute function factor_is_kept();
create trigger factor_decision_is_kept before update or delete or truncate on factor_decision
    for each statement execute function factor_is_kept();

-- A second person decides, once, and two approved records never answer the same question for the same day. The locks
-- make two decisions at the same instant wait for each other, so the later one sees the earlier.
create function factor_decided() returns trigger
language plpgsql as $$
declare
    proposed factor;
    entered  text;
    before   text;
    other    text;
begin
    select * into proposed from factor where factor_id = new.factor_id for update;
    entered := proposed.author;
    if new.load_id is not null then
        select author into entered from factor_load where load_id = new.load_id and factor_id = new.factor_id;
        if not found then
            raise exception 'rule 6.9: load % is none of %', new.load_id, proposed.factor using errcode = 'PR001';
        end if;
    end if;
    if entered is null then
        raise exception 'rule 6.9: % came with the catalog or the park document: there is nothing to decide',
            proposed.factor using errcode = 'PR001';
    end if;
    if lower(btrim(entered)) = lower(btrim(new.person)) then
        raise exception 'rule 6.9: % entered % and cannot decide on it: a second person must', new.person, proposed.factor
            using errcode = 'PR001';
    end if;
    select decision into before from factor_decision
    where factor_id = new.factor_id and load_id is not distinct from new.load_id order by decision_id desc limit 1;
    if before is distinct from (case when new.decision = 'withdrawn' then 'approved' end) then
        raise exception 'rule 6.9: % is %, it cannot be % now',
            proposed.factor, coalesce(before, 'only proposed'), new.decision using errcode = 'PR001';
    end if;
    if new.decision <> 'approved' or new.load_id is not null then
        return new;
    end if;
    perform pg_advisory_xact_lock(hashtextextended(concat_ws('|', proposed.park_id, proposed.purpose, proposed.carrier), 0));
    select f.factor into other
    from factor f join factor_decision a on a.factor_id = f.factor_id and a.load_id is null and a.decision = 'approved'
    where f.park_id = proposed.park_id and f.purpose = proposed.purpose and f.carrier = proposed.carrier
      and f.region = proposed.region and f.gas = proposed.gas and f.basis = proposed.basis
      and f.data_year is not distinct from proposed.data_year
      and daterange(f.valid_from, f.valid_to) && daterange(proposed.valid_from, proposed.valid_to)
      and not exists (select from factor_decision w
                      where w.factor_id = f.factor_id and w.load_id is null and w.decision = 'withdrawn')
    limit 1;
    if other is not null then
        raise exception 'rule 1.11: % overlaps %, which is approved for the same days: withdraw that one first',
            proposed.factor, other using errcode = 'PR001';
    end if;
    return new;
end
$$;
create trigger factor_decided before insert on factor_decision for each row execute function factor_decided();

-- What may be used. recorded_at is the moment of knowledge: of an organisation's own record that of its approval.
create view factor_in_force as
select f.factor_id, f.factor, f.park_id, f.purpose, f.carrier, f.region, f.gas, f.data_year,
       case when f.author is null then f.document
            else f.document || jsonb_build_object('own', true, 'reviewer', a.person) end as document,
       coalesce(a.recorded_at, f.recorded_at) as recorded_at, w.recorded_at as withdrawn_at
from factor f
left join factor_decision a on a.factor_id = f.factor_id and a.load_id is null and a.decision = 'approved'
left join factor_decision w on w.factor_id = f.factor_id and w.load_id is null and w.decision = 'withdrawn'
where f.author is null or a.decision_id is not null;

create view factor_value_in_force as
select v.factor_id, v.start, v.span_ms, v.value, v.load_id,
       coalesce(a.recorded_at, v.recorded_at) as recorded_at, w.recorded_at as withdrawn_at
from factor_value v
left join factor_load l on l.load_id = v.load_id
left join factor_decision a on a.load_id = v.load_id and a.decision = 'approved'
left join factor_decision w on w.load_id = v.load_id and w.decision = 'withdrawn'
where v.load_id is null or not l.needs_approval or a.decision_id is not null;
