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
    revived_at   timestamptz,            -- given up by its source, then it came after all: its readings are known since
    unique (source_id, boot, seq)
);
create index batch_known on batch ((greatest(recorded_at, revived_at)), source_id, t_min);

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
