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
do $$
declare
    timescale boolean := exists (select from pg_extension where extname = 'timescaledb');
begin
    -- by month like the intervals, so that a month can be swapped; on TimescaleDB one table
    execute $table$
create table rollup_hour (
    point_id int not null, start timestamptz not null,
    amount_micro bigint not null, co2e_nano_kg bigint, coverage real not null, method smallint not null,
    known_ms bigint not null, measured_ms bigint not null, suspect_ms bigint not null,
    primary key (point_id, start)
)
$table$ || case when timescale then ' with (fillfactor = 70)' else ' partition by range (start)' end;
end
$$;
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

create table reprice (                   -- queue: what is to be priced anew, by point and month UTC; energy stays
    point_id   int  not null references point,
    month      date not null,
    from_time  timestamptz not null,
    to_time    timestamptz not null,
    queued_at  timestamptz not null default now(),
    primary key (point_id, month)
);

-- Local days of a month that is being priced anew: what they will have. Work of one worker; nothing of value is in it.
create unlogged table reprice_day (
    month        date   not null,
    point_id     int    not null,
    day          date   not null,
    co2e_nano_kg bigint,
    primary key (month, point_id, day)
);

create view result_waiting as            -- results that are about to be computed or priced anew
select point_id, from_time, to_time, reason, queued_at from recompute
union all
select point_id, from_time, to_time, 'changed factors', queued_at from reprice;

-- Makes a month's partition of a partitioned table; called before the transaction that needs it (ingest/partitions.py).
create function ensure_partition(parent text, child text, from_time timestamptz, to_time timestamptz)
returns void
language plpgsql as $$
begin
    if to_regclass(child) is null then
        execute format('create table %I (like %I including all)', child, parent);
        if parent = 'rollup_hour' then  -- its rows are updated four times an hour
            execute format('alter table %I set (fillfactor = 70)', child);
        end if;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, from_time, to_time);
    end if;
end
$$;

-- ── a month priced anew ──────────────────────────────────────────────────────────────────────────
-- The temporary tables reprice_point and reprice_grid (ingest/sql/queries.sql, make_staging) say which rows get which
-- factor. reprice_hours takes the hours that change meanwhile. The arithmetic is that of parkcarbon.domain.emissions.nano_kg: two products of doubles, rounded half to even.

-- The rows of a table as they are with these prices.
create function repriced(source text) returns text
language sql immutable as $$
select format('select i.point_id, i.start, i.amount_micro, i.coverage, i.method, i.measured_ms, i.suspect,'
    ' case when p.point_id is null then i.co2e_nano_kg'
    ' else round(i.amount_micro::float8 * coalesce(g.per_unit, p.per_unit) * 1e3)::bigint end as co2e_nano_kg,'
    ' case when p.point_id is null then i.factor_id when p.grp is null then p.factor_id else g.factor_id end as factor_id,'
    ' case when p.point_id is null then i.match when p.grp is null then p.match else g.match end as match'
    ' from %I i left join reprice_point p on p.point_id = i.point_id and i.start >= p.low and i.start < p.high'
    ' left join reprice_grid g on g.grp = p.grp and g.start = i.start', source)
$$;

-- The hours of the intervals in a table, as roll_up_hours makes them.
create function hours_of_intervals(source text) returns text
language sql immutable as $$
select format('select i.point_id, date_bin(''1 hour'', i.start, timestamptz ''epoch''), sum(i.amount_micro)::bigint,'
    ' case when count(i.co2e_nano_kg) = count(*) then sum(i.co2e_nano_kg)::bigint end,'
    ' (sum(round(i.coverage * 900000)) / 3600000)::real, max(i.method), sum(round(i.coverage * 900000))::bigint,'
    ' sum(i.measured_ms)::bigint, sum(case when i.suspect then 900000 else 0 end)::bigint from %s group by 1, 2', source)
$$;

-- Writes a month beside the one in use, with new prices, and its hours; nobody is kept waiting. Returns its rows.
create function rewrite_month(intervals text, hours text, low timestamptz, high timestamptz) returns bigint
language plpgsql
set work_mem = '192MB' set maintenance_work_mem = '192MB' set max_parallel_maintenance_workers = 0
set max_parallel_workers_per_gather = 0 as $$
declare
    next_intervals text := intervals || '_next';
    next_hours     text := hours || '_next';
    bounds         text := format('check (start >= %L and start < %L)', low, high);
    written        bigint;
begin
    analyze reprice_point;  -- else the planner hashes the month and not the prices
    analyze reprice_grid;
    execute format('drop table if exists %I, %I', next_intervals, next_hours);
    execute format('create table %I (like %I including defaults, constraint next_bounds %s)', next_intervals, intervals, bounds);
    execute format('insert into %I %s', next_intervals, repriced(intervals));
    get diagnostics written = row_count;
    execute format('alter table %I add primary key (point_id, start)', next_intervals);
    execute format('create table %I (like %I including defaults, constraint next_bounds %s) with (fillfactor = 70)',
                   next_hours, hours, bounds);
    execute format('insert into %I %s', next_hours, hours_of_intervals(format('%I i', next_intervals)));
    execute format('alter table %I add primary key (point_id, start)', next_hours);
    execute format('analyze %I', next_intervals);
    execute format('analyze %I', next_hours);
    return written;
end
$$;

-- What the local days inside a month that is written anew will have, from its hours (of zones that are not full hours from
-- UTC from its intervals). lows: begins of the days, ascending; days: their dates.
create function sum_days(source text, of_month date, points int[], days date[], lows timestamptz[]) returns void
language plpgsql set work_mem = '64MB' as $$
begin
    execute format('insert into reprice_day (month, point_id, day, co2e_nano_kg)'
                   ' select $1, h.point_id, $3[width_bucket(h.start, $4)],'
                   ' case when count(h.co2e_nano_kg) = count(*) then sum(h.co2e_nano_kg)::bigint end'
                   ' from %I h where h.point_id = any($2) and h.start >= $4[1] group by 2, 3', source)
    using of_month, points, days, lows;
end
$$;

-- Takes over what changed since the month was written. The caller holds config_version FOR UPDATE, so nobody writes.
-- horizon: the oldest transaction that was running then; written: what rewrite_month returned. Leaves the hours that
-- changed in the temporary table reprice_hours, and the days of the month as reprice_day has them. Returns the rows taken.
create function take_over(intervals text, hours text, of_month date, horizon text, written bigint) returns bigint
language plpgsql set work_mem = '64MB' as $$
declare
    next_intervals text := intervals || '_next';
    next_hours     text := hours || '_next';
    taken          bigint;
    gone           bigint;
    present        bigint;
begin
    analyze reprice_point;
    analyze reprice_grid;
    execute format('create temporary table reprice_changed on commit drop as'
                   ' select * from %I where age(xmin) <= age(%L::xid8::xid)', intervals, horizon);
    get diagnostics taken = row_count;
    execute format('delete from %I n using reprice_changed c where n.point_id = c.point_id and n.start = c.start', next_intervals);
    get diagnostics gone = row_count;
    execute format('insert into %I %s', next_intervals, repriced('reprice_changed'));
    insert into reprice_hours
    select distinct point_id, date_bin('1 hour', start, timestamptz 'epoch') from reprice_changed;
    analyze reprice_changed;
    analyze reprice_hours;
    execute format('select count(*) from %I', intervals) into present;
    if present <> written - gone + taken then  -- rows were deleted, too
        execute format('with lost as (delete from %I n where not exists'
                       ' (select from %I i where i.point_id = n.point_id and i.start = n.start) returning point_id, start)'
                       ' insert into reprice_hours select distinct point_id, date_bin(''1 hour'', start, timestamptz ''epoch'')'
                       ' from lost', next_intervals, intervals);
    end if;
    execute format('delete from %I n using reprice_hours c where n.point_id = c.point_id and n.start = c.start', next_hours);
    execute format('insert into %I %s', next_hours, hours_of_intervals(format(
        '(select distinct point_id, start from reprice_hours) c cross join generate_series(0, 3) k join %I i'
        ' on i.point_id = c.point_id and i.start = c.start + k * interval ''15 minutes''', next_intervals)));
    update rollup_day r set co2e_nano_kg = d.co2e_nano_kg
    from reprice_day d
    where d.month = of_month and r.point_id = d.point_id and r.day = d.day
      and r.co2e_nano_kg is distinct from d.co2e_nano_kg;
    delete from reprice_day where month = of_month;
    return taken;
end
$$;

-- Puts a new month in the place of the old one.
create function put_in_place(parent text, part text, next text, low timestamptz, high timestamptz) returns void
language plpgsql as $$
begin
    execute format('alter table %I detach partition %I', parent, part);
    execute format('drop table %I', part);
    execute format('alter table %I rename to %I', next, part);
    execute format('alter table %I rename constraint %I to %I', part, next || '_pkey', part || '_pkey');
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part, low, high);
    execute format('alter table %I drop constraint next_bounds', part);
end
$$;
