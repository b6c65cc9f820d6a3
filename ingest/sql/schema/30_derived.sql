-- ── derived ──────────────────────────────────────────────────────────────────────────────────────

create table point_state (               -- where the scan of a point stands; the row that a pool locks
    point_id       int  primary key references point,
    state          bytea,                -- scan state, JSON
    last_time      timestamptz,          -- newest reading of any quality, for the live page
    last_value     double precision,
    last_quality   smallint,
    updated_at     timestamptz not null default now()
) with (fillfactor = 50);

create table point_checkpoint (          -- the scan state at each UTC midnight
    point_id  int         not null references point,
    at        timestamptz not null,
    state     bytea       not null,
    primary key (point_id, at)
);

do $$
declare
    timescale boolean := exists (select from pg_extension where extname = 'timescaledb');
begin
    -- derived: what the scan says, replaced as a whole, never added to
    execute $table$
create table interval_15min (
    point_id      int         not null,
    start         timestamptz not null,
    amount_micro  bigint      not null,
    coverage      real        not null,  -- part of the interval over which the amount is known
    method        smallint    not null,  -- 0 measured 1 interpolated 2 substituted 3 estimated 4 manual 5 missing
    measured_ms   int         not null,  -- time in the interval that is measured [ms]
    suspect       boolean     not null default false,
    co2e_nano_kg  bigint,                -- location-based; null: no factor applies or none was found
    factor_id     int,
    match         smallint,              -- domain.factors.Match
    primary key (point_id, start)
)
$table$ || case when timescale then '' else ' partition by range (start)' end;
    if timescale then
        perform create_hypertable('interval_15min', 'start', chunk_time_interval => interval '30 days',
                                  create_default_indexes => false);
    end if;
end
$$;

-- Roll-ups, made again from what is below them: known_ms is the time over which the amount is known, coverage its
-- part of the period, method the worst; CO2e is null where that of any interval is.
create table rollup_hour (
    point_id int not null, start timestamptz not null,
    amount_micro bigint not null, co2e_nano_kg bigint, coverage real not null, method smallint not null,
    known_ms bigint not null, measured_ms bigint not null, suspect_ms bigint not null,
    primary key (point_id, start)
) with (fillfactor = 70);
create table rollup_day (                -- day: a local day of the park
    point_id int not null, day date not null,
    amount_micro bigint not null, co2e_nano_kg bigint, coverage real not null, method smallint not null,
    known_ms bigint not null, measured_ms bigint not null, suspect_ms bigint not null,
    primary key (point_id, day)
) with (fillfactor = 70);
create table rollup_month (              -- month: first local day
    point_id int not null, month date not null,
    amount_micro bigint not null, co2e_nano_kg bigint, coverage real not null, method smallint not null,
    known_ms bigint not null, measured_ms bigint not null, suspect_ms bigint not null,
    primary key (point_id, month)
) with (fillfactor = 70);

create table boundary (                  -- derived: where one register line ends and the next begins
    point_id     int  not null,
    at           timestamptz not null,
    kind         text not null check (kind in ('declared', 'rollover', 'inferred', 'glitch')),
    old_value    double precision,
    new_value    double precision,
    amount_micro bigint,                 -- energy given to the step; null: missing
    primary key (point_id, at, kind)
);

create table question (                  -- derived: what a person should look at
    point_id  int  not null,
    at        timestamptz not null,
    kind      text not null,
    document  jsonb not null,
    primary key (point_id, at, kind)
);

create table recompute (                 -- queue: spans whose intervals are to be computed again
    point_id   int not null references point,
    from_time  timestamptz not null,
    to_time    timestamptz not null,
    reason     text not null,
    held_until timestamptz not null default now(),
    queued_at  timestamptz not null default now(),
    primary key (point_id, from_time, to_time)
);

-- Makes a month's partition of a partitioned table; called before the transaction that needs it (ingest/partitions.py).
create function ensure_partition(parent text, child text, from_time timestamptz, to_time timestamptz) returns void
language plpgsql as $$
begin
    if to_regclass(child) is null then
        execute format('create table %I (like %I including all)', child, parent);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, from_time, to_time);
    end if;
end
$$;
