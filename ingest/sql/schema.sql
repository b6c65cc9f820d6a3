-- ParkCarbon schema. Facts are append-only and carry recorded_at; derived tables can be rebuilt from facts.
-- Times are UTC with millisecond resolution; the database never sees a named time zone.
-- reading and interval_15min are hypertables where TimescaleDB is, else partitioned by month (ingest/partitions.py).
-- This file is what the migrations add up to: a test replays them and compares.

-- ── configuration ────────────────────────────────────────────────────────────────────────────────

-- One row. A pool reads it FOR SHARE; whoever changes factors, episodes, corrections or the park model takes it FOR UPDATE.
create table config_version (
    only_row    boolean     primary key default true check (only_row),
    version     bigint      not null default 1,
    changed_at  timestamptz not null default now()
);
insert into config_version default values;

create table park (
    park_id      text        primary key,
    name_zh      text        not null,
    name_en      text        not null,
    timezone     text        not null,   -- IANA name, used by Python only
    document     jsonb       not null,   -- newest park_revision, projected into the tables below
    revision     int         not null,
    recorded_at  timestamptz not null default now()
);

create table park_revision (             -- fact: each change of the park model, whole
    park_id      text        not null references park,
    revision     int         not null,
    document     jsonb       not null,
    digest       bytea       not null,   -- sha256 of the canonical JSON
    author       text        not null,
    reason       text        not null,
    recorded_at  timestamptz not null default now(),
    primary key (park_id, revision)
);

create table tenant (
    park_id   text not null references park,
    tenant    text not null,
    name_zh   text not null,
    name_en   text not null,
    position  int  not null,
    primary key (park_id, tenant)
);

create table source (                    -- whoever may send batches: edge agents, gateways, imports
    source_id     int  generated always as identity primary key,
    park_id       text not null references park,
    source        text not null,
    kind          text not null check (kind in ('edge', 'gateway', 'import')),
    via           text,                  -- gateway that relays it, if any
    public_key    bytea,                 -- Ed25519; when set, every batch must be signed
    window_from   timestamptz,           -- an import declares its own time range; null: 400 days behind
    window_to     timestamptz,
    active        boolean not null default true,
    status        jsonb,                 -- last status message
    status_at     timestamptz,
    unique (park_id, source)
);

create table device (
    device_id   int  generated always as identity primary key,
    park_id     text not null references park,
    device      text not null,
    profile     text not null,
    tenant      text,                    -- null: the park's own
    source      text,
    name_zh     text not null,
    name_en     text not null,
    bus         text not null default '',
    position    int  not null,           -- order on the bus
    active      boolean not null default true,
    unique (park_id, device)
);

create table point (
    point_id      int  generated always as identity primary key,
    park_id       text not null references park,
    device_id     int  not null references device,
    point         text not null,         -- device/quantity
    quantity      text not null,
    kind          text not null check (kind in ('counter', 'gauge', 'delta')),
    unit          text not null,
    carrier       text not null check (carrier in ('electricity', 'gas', 'heat', 'none')),
    flow          text,                  -- import, export, generation, charge, discharge, fuel, heat, sub_meter, process
    tenant        text,
    period_ms     int  not null,
    limit_per_h   double precision,      -- most that can flow in an hour [unit/h], before ratio
    resolution    double precision not null default 0,  -- one register step [unit]
    modulus       double precision,      -- register rolls over at this value [unit]; null: no rollover
    active        boolean not null default true,
    unique (park_id, point)
);

create table episode (                   -- projected from the park document: dated facts about one physical meter
    point_id      int  not null references point,
    at            timestamptz not null,
    serial        text,
    ct            double precision not null default 1,
    pt            double precision not null default 1,
    sign          smallint not null default 1,
    modulus       double precision,
    limit_per_h   double precision,
    end_reading   double precision,      -- last register of the meter before this episode
    start_reading double precision,      -- first register of the meter of this episode
    primary key (point_id, at)
);

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
    unique (digest)
);

create table factor_value (              -- fact: hourly intensity or calorific value; the newest recorded_at wins
    factor_id    int not null references factor,
    start        timestamptz not null,
    span_ms      int not null,
    value        double precision not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    primary key (factor_id, start, recorded_at)
);

create table correction (                -- fact: a person's decision about readings of one point
    correction_id bigint generated always as identity primary key,
    point_id      int  not null references point,
    kind          text not null check (kind in ('exclude', 'boundary', 'retime')),
    from_time     timestamptz not null,
    to_time       timestamptz not null,
    document      jsonb not null,        -- exclude: {}; boundary: {end_reading, start_reading}; retime: {offset_ms}
    author        text not null,
    reason        text not null,
    recorded_at   timestamptz not null default now()
);

create table api_token (
    token_id     int  generated always as identity primary key,
    digest       bytea not null unique,  -- sha256 of the token
    label        text not null,
    role         text not null check (role in ('admin', 'viewer', 'wall')),
    park_id      text references park,   -- null: every park
    recorded_at  timestamptz not null default now(),
    revoked_at   timestamptz
);

-- ── custody ──────────────────────────────────────────────────────────────────────────────────────

create table batch (                     -- fact: what a source sent, and what became of it
    batch_id     bigint generated always as identity primary key,
    source_id    int    not null references source,
    boot         text   not null,
    seq          bigint not null,
    state        text   not null check (state in ('committed', 'tombstone')),
    digest       bytea  not null,        -- sha256 of the frame (of the old header line for a tombstone)
    header       text   not null,
    raw          bytea,                  -- the frame, zstd-compressed; null for a tombstone
    made         timestamptz not null,
    n            int    not null,
    t_min        timestamptz,
    t_max        timestamptz,
    via          text,
    recorded_at  timestamptz not null default now(),
    unique (source_id, boot, seq)
);

do $$
declare
    timescale boolean := exists (select from pg_extension where extname = 'timescaledb');
begin
    -- fact: the register as it was shown; an index over batch.raw
    execute $table$
create table reading (
    point_id   int              not null,
    time       timestamptz      not null,
    value      double precision,         -- null: not available
    quality    smallint         not null,
    span_ms    int              not null default 0,   -- delta readings: length of [time, time + span)
    batch_id   bigint           not null,
    primary key (point_id, time)
)
$table$ || case when timescale then '' else ' partition by range (time)' end;
    if timescale then
        perform create_hypertable('reading', 'time', chunk_time_interval => interval '30 days',
                                  create_default_indexes => false);
    end if;
end
$$;

create table delta_correction (          -- fact: a later batch gave another value for a delta; the newest (made, source, boot, seq) counts
    point_id    int              not null,
    time        timestamptz      not null,
    value       double precision,
    quality     smallint         not null,
    span_ms     int              not null,
    made        timestamptz      not null,
    batch_id    bigint           not null,
    recorded_at timestamptz      not null default now(),
    primary key (point_id, time, batch_id)
);

create table reading_conflict (          -- fact: the same counter or gauge reading with another value; the stored one is kept
    point_id    int              not null,
    time        timestamptz      not null,
    kept        double precision,
    other       double precision,
    batch_id    bigint           not null,
    recorded_at timestamptz      not null default now(),
    primary key (point_id, time, batch_id)
);

create table quarantine (                -- fact: readings that cannot be stored (yet), with the reason
    batch_id     bigint not null references batch,
    row          int    not null,        -- position in the batch
    park_id      text   not null,
    point        text   not null,
    time_ms      bigint,                 -- as sent; may be nonsense
    value_text   text,                   -- as sent
    quality      smallint,
    span_ms      int,
    reason       text   not null,
    recorded_at  timestamptz not null default now(),
    released_at  timestamptz,            -- moved into reading after its point was registered
    primary key (batch_id, row)
);
create index quarantine_waiting on quarantine (park_id, point) where released_at is null;

create table dead_letter (               -- fact: whole messages that were refused
    dead_letter_id bigint generated always as identity primary key,
    topic        text  not null,
    payload      bytea not null,         -- the first MiB
    payload_bytes bigint not null,
    reason       text  not null,
    detail       text  not null,
    recorded_at  timestamptz not null default now()
);

create table loss_record (               -- fact: readings a source had to give up, told by its tombstones
    loss_id      bigint generated always as identity primary key,
    source_id    int    not null references source,
    boot         text   not null,
    seq          bigint not null,        -- of the thinned batch
    point        text   not null,
    t_from       timestamptz not null,
    t_to         timestamptz not null,
    n            int    not null,
    reason       text   not null,
    recorded_at  timestamptz not null default now()
);

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
