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
