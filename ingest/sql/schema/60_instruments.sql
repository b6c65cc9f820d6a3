-- ── instruments: certificates, contracts and credits by serial, and what became of each ──────────

create extension if not exists btree_gist;

create table instrument_lot (            -- fact: serials that came into the books; in_force falls with a strike, nothing else changes
    lot_id          bigint    generated always as identity primary key,
    park_id         text      not null references park,
    tenant          text,                -- entity that holds it; null: the park's operator
    kind            text      not null check (kind in ('GEC', 'GO', 'I-REC', 'green_power_contract', 'CCER', 'other_credit')),
    claim           text      not null generated always as (case
                        when kind in ('CCER', 'other_credit') then 'credit'
                        when kind = 'green_power_contract' then 'contract'
                        else 'certificate' end) stored,
    registry        text      not null check (registry ~ '^[a-z0-9][a-z0-9._/-]*$'),  -- one numbering: a serial is there once
    serial_prefix   text      not null default '' check (serial_prefix !~ '[0-9]$' and serial_prefix !~ '[a-z\s]'),
    serials         numrange  not null,  -- numbers after the prefix, [first, last + 1)
    serial_digits   smallint  not null default 0,   -- printed with leading zeros to this width
    unit_micro_kwh  bigint    check (unit_micro_kwh > 0),    -- electricity behind one serial [1e-6 kWh]
    unit_nano_kg    bigint    check (unit_nano_kg > 0),      -- one credit [1e-9 kgCO2e]
    carrier         text      not null default 'electricity',
    technology      text      not null,
    plant           text      check (plant ~ '^[a-z0-9][a-z0-9._/-]*$'),   -- null: a project that generates no power
    project         text      not null default '',
    commissioned    date,
    market          text      not null,
    generated       tstzrange not null,  -- when the electricity was generated, or the reduction happened
    granularity     text      not null check (granularity in ('hour', 'month', 'period')),
    generation_month date,               -- first local day; a GEC is valid for two years from here
    vintage         int       not null,  -- local year of generation
    origin          text      not null check (origin in ('own_pv', 'own_use', 'third_party_roof', 'green_power_contract', 'bought')),
    issued_for      text      check (issued_for in ('exported', 'self_used')),  -- of generation inside the park
    tradable        boolean   not null,
    contract        text      check (contract <> ''),
    unit_cost_micro bigint    check (unit_cost_micro >= 0),  -- [1e-6 of the currency a serial]; null: not known
    currency        text      not null default '',
    criteria        jsonb     not null default '{}',         -- quality of a credit: true, false, absent = not known
    evidence        text      not null check (evidence <> ''),
    simulated       boolean   not null default false,
    author          text      not null check (author <> ''),
    reason          text      not null check (reason <> ''),
    in_force        boolean   not null default true,
    recorded_at     timestamptz not null default now(),
    unique (lot_id, registry, serial_prefix),
    constraint instrument_lot_whole check (
        not isempty(serials) and lower_inc(serials) and not upper_inc(serials) and lower(serials) >= 0
        and lower(serials) = trunc(lower(serials)) and upper(serials) = trunc(upper(serials))),
    constraint instrument_lot_time check (
        not isempty(generated) and lower_inc(generated) and not upper_inc(generated)
        and not lower_inf(generated) and not upper_inf(generated)
        and (granularity <> 'hour' or upper(generated) - lower(generated) <= interval '1 hour')),
    constraint instrument_lot_unit check (
        (unit_nano_kg is not null) = (kind in ('CCER', 'other_credit'))
        and (unit_micro_kwh is not null or kind in ('CCER', 'other_credit'))
        and (kind <> 'GEC' or unit_micro_kwh = 1000000000)
        and (kind <> 'CCER' or unit_nano_kg = 1000000000000)),
    constraint instrument_lot_plant check (plant is not null or kind in ('CCER', 'other_credit')),
    constraint instrument_lot_month check (
        (kind <> 'GEC' or generation_month is not null)
        and (generation_month is null or generation_month = date_trunc('month', generation_month::timestamp)::date)),
    constraint instrument_lot_origin check (
        (issued_for is not null) = (origin in ('own_pv', 'own_use', 'third_party_roof'))
        and (issued_for is null or unit_micro_kwh is not null)
        and (origin <> 'own_use' or (issued_for = 'self_used' and not tradable))
        and (contract is not null or origin not in ('third_party_roof', 'green_power_contract'))),
    constraint instrument_lot_storage check (technology not in ('storage', 'battery')),
    constraint instrument_lot_hydro check (
        kind <> 'GEC' or technology <> 'hydro'
        or (commissioned is not null and (commissioned >= '2023-01-01' or not tradable))),
    constraint instrument_lot_serials_once
        exclude using gist (registry with =, serial_prefix with =, serials with &&) where (in_force),
    -- GEC or CCER or any other kind for what one plant generated at one time, never two
    constraint instrument_lot_generation_once
        exclude using gist (plant with =, generated with &&, kind with <>)
        where (in_force and plant is not null and kind <> 'green_power_contract')
);
create index instrument_lot_park on instrument_lot (park_id);

create table instrument_event (          -- fact: what was done with serials of one lot
    event_id        bigint    generated always as identity primary key,
    lot_id          bigint    not null,
    registry        text      not null,
    serial_prefix   text      not null,
    serials         numrange  not null,
    park_id         text      not null references park,      -- who did it: the holder
    kind            text      not null check (
                        kind in ('pending', 'transferred', 'cancelled', 'retired', 'sold', 'expired', 'surrendered')),
    to_park         text      references park,               -- transferred to these books; null: out of the database
    final           boolean   not null generated always as (
                        kind <> 'pending' and (kind <> 'transferred' or to_park is null)) stored,
    on_day          date      not null,  -- local day of the act in its registry
    tenant          text,                -- for whose consumption or obligation; null: the park
    claim_from      date,                -- consumption, statement or compliance period
    claim_to        date,                -- day after it
    limit_micro_kwh bigint,              -- cancelled: what the claimant bought (own-use: self-used) in the period, as known
    park_limit_micro_kwh bigint,         -- the same of the whole park
    counterparty    text      not null default '',
    public_record   text      check (public_record <> ''),   -- where anyone can see it; null: nowhere
    evidence        text      not null default '',
    author          text      not null check (author <> ''),
    reason          text      not null check (reason <> ''),
    in_force        boolean   not null default true,
    recorded_at     timestamptz not null default now(),
    foreign key (lot_id, registry, serial_prefix) references instrument_lot (lot_id, registry, serial_prefix),
    constraint instrument_event_whole check (
        not isempty(serials) and lower_inc(serials) and not upper_inc(serials)
        and lower(serials) = trunc(lower(serials)) and upper(serials) = trunc(upper(serials))),
    constraint instrument_event_claim check (
        (claim_from is not null and claim_to > claim_from) = (kind in ('pending', 'cancelled', 'retired', 'surrendered'))
        and (claim_from is null) = (claim_to is null)),
    constraint instrument_event_months check (        -- statements are for whole months
        kind <> 'retired' or (extract(day from claim_from) = 1 and extract(day from claim_to) = 1)),
    constraint instrument_event_limit check (
        (kind = 'cancelled') = (limit_micro_kwh is not null and park_limit_micro_kwh is not null)),
    constraint instrument_event_enterprise check (kind <> 'surrendered' or tenant is not null),
    constraint instrument_event_to check (to_park is null or kind = 'transferred'),
    -- a serial is used once: across lots, periods, tenants and parks
    constraint instrument_event_used_once
        exclude using gist (registry with =, serial_prefix with =, serials with &&)
        where (in_force and kind <> 'pending' and (kind <> 'transferred' or to_park is null)),
    constraint instrument_event_pending_once
        exclude using gist (registry with =, serial_prefix with =, serials with &&) where (in_force and kind = 'pending')
);
create index instrument_event_lot on instrument_event (lot_id);
create index instrument_event_park on instrument_event (park_id, claim_from);

create table instrument_review (         -- fact: what a second person said of a lot or an event
    review_id    bigint generated always as identity primary key,
    lot_id       bigint references instrument_lot,
    event_id     bigint references instrument_event,
    decision     text   not null check (decision in ('confirmed', 'struck')),
    person       text   not null check (person <> ''),
    reason       text   not null check (reason <> ''),
    recorded_at  timestamptz not null default now(),
    constraint instrument_review_of_one check (num_nonnulls(lot_id, event_id) = 1),
    constraint instrument_review_confirms_events check (decision = 'struck' or event_id is not null),
    unique (event_id, decision),
    unique (lot_id, decision)
);

create function instrument_refuse(rule text, message text) returns void
language plpgsql as $$
begin
    raise exception 'rule %: %', rule, message using errcode = 'PR001';
end
$$;

create function instrument_lot_guard() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        -- one numbering at a time: who comes second sees the first one's row and is refused instead of dead-locked
        perform pg_advisory_xact_lock(hashtextextended('serials ' || new.registry || ' ' || new.serial_prefix, 0));
        if new.plant is not null then
            perform pg_advisory_xact_lock(hashtextextended('plant ' || new.plant, 0));
        end if;
        if not new.in_force then
            perform instrument_refuse('6.9', 'a lot is in force until a second person strikes it');
        end if;
        return new;
    end if;
    if tg_op = 'UPDATE' and old.in_force and not new.in_force
        and to_jsonb(new) - array['in_force', 'claim'] = to_jsonb(old) - array['in_force', 'claim']
        and exists (select from instrument_review r where r.lot_id = old.lot_id and r.decision = 'struck') then
        return new;
    end if;
    perform instrument_refuse('6.9', 'lots are facts: they are struck by a second person, never changed or deleted');
    return null;
end
$$;

-- Serials of a lot that a park holds, by the transfers in force so far.
create function instrument_held(of_lot bigint, by_park text) returns nummultirange
language plpgsql stable as $$
declare
    held nummultirange;
    moved record;
begin
    select case when l.park_id = by_park then nummultirange(l.serials) else '{}' end into held
    from instrument_lot l where l.lot_id = of_lot;
    for moved in
        select e.serials, e.park_id, e.to_park from instrument_event e
        where e.lot_id = of_lot and e.kind = 'transferred' and e.in_force order by e.event_id
    loop
        if moved.park_id = by_park then
            held := held - nummultirange(moved.serials);
        end if;
        if moved.to_park = by_park then
            held := held + nummultirange(moved.serials);
        end if;
    end loop;
    return held;
end
$$;

-- What the kind of a lot permits, and when.
create function instrument_permitted(event instrument_event, lot instrument_lot) returns void
language plpgsql as $$
declare
    wanted text := case event.kind when 'cancelled' then 'certificate' when 'retired' then 'credit' end;
begin
    if lot.claim = 'contract' and event.kind not in ('transferred', 'expired') then
        perform instrument_refuse('4.1', format('a green-power contract counts only through its GEC: %s is not %s', lot.lot_id, event.kind));
    end if;
    if wanted = 'certificate' and lot.claim <> wanted then
        perform instrument_refuse('4.6', format('%s of lot %s is a credit: it is retired, never cancelled for electricity', lot.kind, lot.lot_id));
    elsif wanted = 'credit' and lot.claim <> wanted then
        perform instrument_refuse('4.3', format('%s of lot %s covers electricity: it is cancelled, never retired as an offset', lot.kind, lot.lot_id));
    elsif event.kind = 'surrendered' and lot.kind <> 'CCER' then
        perform instrument_refuse('4.5', format('only CCER are surrendered for compliance, not %s of lot %s', lot.kind, lot.lot_id));
    end if;
    if event.kind in ('sold', 'transferred') and not lot.tradable then
        perform instrument_refuse('4.1', format('lot %s is not tradable: it cannot be %s', lot.lot_id, event.kind));
    end if;
    if lot.kind = 'GEC' and event.kind in ('sold', 'transferred') and (
        lot.origin in ('bought', 'green_power_contract') or exists (
            select from instrument_event e where e.lot_id = lot.lot_id and e.in_force
            and e.kind = 'transferred' and e.serials && event.serials)) then
        perform instrument_refuse('4.2', format('a GEC is traded once: serials of lot %s were traded before', lot.lot_id));
    end if;
    if lot.kind = 'GEC' and (event.on_day >= lot.generation_month + interval '24 months') <> (event.kind = 'expired') then
        perform instrument_refuse('4.2', format('a GEC of %s is valid for 24 months: %s on %s', lot.generation_month, event.kind, event.on_day));
    end if;
    if event.kind in ('cancelled', 'retired', 'surrendered') and ((upper(lot.generated) - interval '1 microsecond') at time zone 'UTC')::date > event.on_day then
        perform instrument_refuse('3.4', format('lot %s reaches to %s, after %s: only what has happened can be used', lot.lot_id, upper(lot.generated), event.on_day));
    end if;
    if event.kind = 'retired' and event.on_day >= event.claim_to + interval '12 months' then
        perform instrument_refuse('3.4', format('retired on %s, more than 12 months after the period ended before %s', event.on_day, event.claim_to));
    end if;
end
$$;

-- Certificates never claim more than what was bought (own-use: self-used) in any period they name.
create function instrument_within_limit(event instrument_event, lot instrument_lot) returns void
language plpgsql as $$
declare
    own_use boolean := coalesce(lot.issued_for = 'self_used', false);
    period record;
    claimed numeric;
begin
    for period in
        select distinct on (span, whole) span, whole, most from (
            select daterange(e.claim_from, e.claim_to) span, side.whole, side.most, e.event_id
            from (select event.*  union all
                  select c.* from instrument_event c join instrument_lot l using (lot_id)
                  where c.park_id = event.park_id and c.kind = 'cancelled' and c.in_force
                  and coalesce(l.issued_for = 'self_used', false) = own_use
                  and daterange(c.claim_from, c.claim_to) @> daterange(event.claim_from, event.claim_to)
                  and c.claim_to <= (c.recorded_at at time zone 'UTC')::date) e,  -- else more was bought since
            lateral (values (true, e.park_limit_micro_kwh), (false, e.limit_micro_kwh)) side (whole, most)
            where side.whole or e.tenant is not distinct from event.tenant) named
        order by span, whole, event_id desc
    loop
        select coalesce(sum((upper(c.serials) - lower(c.serials)) * l.unit_micro_kwh), 0) into claimed
        from instrument_event c join instrument_lot l using (lot_id)
        where c.park_id = event.park_id and c.kind = 'cancelled' and c.in_force
        and coalesce(l.issued_for = 'self_used', false) = own_use
        and daterange(c.claim_from, c.claim_to) <@ period.span
        and (period.whole or c.tenant is not distinct from event.tenant);
        claimed := claimed + (upper(event.serials) - lower(event.serials)) * lot.unit_micro_kwh;
        if claimed > period.most then
            perform instrument_refuse('4.3', format(
                '%s kWh would be claimed for %s, %s kWh were %s', trim_scale(claimed / 1000000), period.span,
                trim_scale(period.most / 1000000.0), case when own_use then 'self-used' else 'purchased' end));
        end if;
    end loop;
end
$$;

create function instrument_event_guard() returns trigger
language plpgsql as $$
declare
    lot instrument_lot;
    before record;
begin
    if tg_op = 'UPDATE' and old.in_force and not new.in_force
        and to_jsonb(new) - array['in_force', 'final'] = to_jsonb(old) - array['in_force', 'final']
        and exists (select from instrument_review r where r.event_id = old.event_id and r.decision = 'struck') then
        return new;
    elsif tg_op <> 'INSERT' then
        perform instrument_refuse('6.9', 'events are facts: they are struck by a second person, never changed or deleted');
    end if;
    if current_setting('transaction_isolation') = 'repeatable read' then
        perform instrument_refuse('3.5', 'events are entered in read committed transactions: a snapshot would not see the others');
    end if;
    -- claims of a park one after the other, then events of a lot: always in this order
    if new.kind = 'cancelled' then
        perform pg_advisory_xact_lock(hashtextextended('claims ' || new.park_id, 0));
    end if;
    select * into lot from instrument_lot l where l.lot_id = new.lot_id for update;
    if lot.lot_id is null or not lot.in_force or not new.in_force then
        perform instrument_refuse('3.5', format('there is no lot %s in force', new.lot_id));
    elsif not new.serials <@ lot.serials then
        perform instrument_refuse('3.5', format('serials %s are not all in lot %s, %s', new.serials, lot.lot_id, lot.serials));
    elsif not nummultirange(new.serials) <@ instrument_held(lot.lot_id, new.park_id) then
        perform instrument_refuse('3.5', format('%s does not hold all of the serials %s of lot %s', new.park_id, new.serials, lot.lot_id));
    elsif new.on_day > (now() at time zone 'UTC')::date + 1 then
        perform instrument_refuse('3.4', format('%s is in the future', new.on_day));
    elsif new.tenant is not null and not exists (
        select from tenant t where t.park_id = new.park_id and t.tenant = new.tenant) then
        perform instrument_refuse('3.5', format('%s has no tenant %s', new.park_id, new.tenant));
    end if;
    select e.* into before from instrument_event e
    where e.lot_id = lot.lot_id and e.in_force and e.serials && new.serials and (
        e.final or (e.kind = 'pending' and (e.park_id, e.claim_from, e.claim_to) is distinct from (new.park_id, new.claim_from, new.claim_to))
        or (e.kind = 'pending' and (new.kind = 'pending' or e.tenant is distinct from new.tenant)))
    order by e.event_id limit 1;
    if found then
        perform instrument_refuse('3.5', format('serials %s of lot %s are %s since %s (event %s)', before.serials * new.serials, lot.lot_id, before.kind, before.on_day, before.event_id));
    end if;
    perform instrument_permitted(new, lot);
    if new.kind = 'cancelled' then
        perform instrument_within_limit(new, lot);
    end if;
    return new;
end
$$;

create function instrument_review_guard() returns trigger
language plpgsql as $$
declare
    of_lot bigint := new.lot_id;
    author text;
    standing boolean;
begin
    if tg_op <> 'INSERT' then
        perform instrument_refuse('6.9', 'reviews are facts: never changed or deleted');
    end if;
    if new.event_id is not null then
        select e.lot_id into of_lot from instrument_event e where e.event_id = new.event_id;
    end if;
    perform from instrument_lot l where l.lot_id = of_lot for update;
    if new.event_id is not null then
        select e.author, e.in_force into author, standing from instrument_event e where e.event_id = new.event_id;
    else
        select l.author, l.in_force into author, standing from instrument_lot l where l.lot_id = new.lot_id;
    end if;
    if not coalesce(standing, false) then
        perform instrument_refuse('6.9', 'there is no such lot or event in force');
    elsif lower(btrim(author)) = lower(btrim(new.person)) then
        perform instrument_refuse('6.9', format('%s cannot review what %s entered: a second person is needed', new.person, author));
    elsif new.lot_id is not null and exists (select from instrument_event e where e.lot_id = new.lot_id and e.in_force) then
        perform instrument_refuse('6.9', format('lot %s has events in force; strike them first', new.lot_id));
    elsif new.decision = 'struck' and exists (
        select from instrument_event moved join instrument_event later
            on later.lot_id = moved.lot_id and later.event_id > moved.event_id and later.in_force
            and later.park_id = moved.to_park and later.serials && moved.serials
        where moved.event_id = new.event_id) then
        perform instrument_refuse('6.9', format('serials of event %s were used where they went; strike that first', new.event_id));
    end if;
    return new;
end
$$;

create function instrument_strike() returns trigger
language plpgsql as $$
begin
    if new.decision = 'struck' then
        update instrument_lot set in_force = false where lot_id = new.lot_id;
        update instrument_event set in_force = false where event_id = new.event_id;
    end if;
    return null;
end
$$;

create trigger guard before insert or update or delete on instrument_lot for each row execute function instrument_lot_guard();
create trigger guard before insert or update or delete on instrument_event for each row execute function instrument_event_guard();
create trigger guard before insert or update or delete on instrument_review for each row execute function instrument_review_guard();
create trigger strike after insert on instrument_review for each row execute function instrument_strike();
create trigger guard_all before truncate on instrument_lot for each statement execute function instrument_lot_guard();
create trigger guard_all before truncate on instrument_event for each statement execute function instrument_event_guard();
create trigger guard_all before truncate on instrument_review for each statement execute function instrument_review_guard();
