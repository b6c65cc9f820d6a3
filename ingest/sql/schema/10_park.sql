-- ParkCarbon schema. Facts are append-only and carry recorded_at; derived tables can be rebuilt from facts.
-- Times are UTC with millisecond resolution; the database never sees a named time zone.
-- reading and interval_15min are hypertables where TimescaleDB is, else partitioned by month (ingest/partitions.py).
-- These files, in the order of their names, are what the migrations add up to: a test replays them and compares.

-- ── configuration ────────────────────────────────────────────────────────────────────────────────

-- One row. A pool reads it FOR SHARE; whoever changes factors, episodes, corrections or the park model takes it FOR UPDATE.
create table config_version (
    only_row    boolean     primary key default true check (only_row),
    version     bigint      not null default 1,
    changed_at  timestamptz not null default now()
);
insert into config_version default values;

create table config_change (             -- fact: each change of the configuration; results then knew nothing newer
    version     bigint      primary key,
    changed_at  timestamptz not null
);
insert into config_change (version, changed_at) select version, changed_at from config_version;

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
    may_be_negative boolean not null default false,  -- of amounts: one below zero is no error (settlements, net meters)
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

create table correction (                -- fact: a person's decision about readings of one point
    correction_id bigint generated always as identity primary key,
    point_id      int  not null references point,
    kind          text not null check (kind in ('exclude', 'boundary', 'retime')),
    from_time     timestamptz not null,
    to_time       timestamptz not null,
    document      jsonb not null,        -- exclude: {}; boundary: {end_reading, start_reading}; retime: {offset_ms}
    author        text not null,
    reason        text not null,
    recorded_at   timestamptz not null default now(),
    before_micro  bigint,                -- of the intervals it touches, when it was entered [1e-6 unit]; null: declared
    after_micro   bigint,                -- by a source, or entered before effects were recorded
    before_nano_kg bigint,
    after_nano_kg bigint
);

create table api_token (
    token_id     int  generated always as identity primary key,
    digest       bytea not null unique,  -- sha256 of the token
    label        text not null,
    role         text not null,          -- what it opens: docs/operators.md
    park_id      text references park,   -- null: every park
    recorded_at  timestamptz not null default now(),
    revoked_at   timestamptz,
    person       text not null default '',  -- who acts with it: the second person is another one than the first
    constraint api_token_role_check check (role in ('admin', 'editor', 'approver', 'auditor', 'viewer', 'wall'))
);
