-- The factor library: records, a second person's decisions, loads of series values.

-- name: factor_enter
insert into factor (
    factor, park_id, purpose, carrier, region, gas, basis, unit, value, data_year, publisher, edition, published_on,
    unverified, digest, document, published_year, valid_from, valid_to, licence, source_page, reviewer, author, reason,
    evidence
)
values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::double precision, $10::int,
        $11::text, $12::text, $13::date, $14::boolean, $15::bytea, $16::jsonb, $17::int, $18::date, $19::date, $20::text,
        $21::text, $22::text, $23::text, $24::text, $25::text)
on conflict (digest) do nothing
returning factor_id;

-- name: factor_of_digest
select factor_id from factor where digest = $1::bytea;

-- name: factor_park_exists
select exists (select from park where park_id = $1::text);

-- name: factor_same_proposals
-- Proposals of this park with the very same record: how many there are, and one that is still open or in force.
select count(*) as n,
       min(f.factor_id) filter (where not exists (select from factor_decision d where d.factor_id = f.factor_id
           and d.load_id is null and d.decision in ('rejected', 'withdrawn'))) as open
from factor f where f.park_id = $1::text and f.author is not null and f.factor = $2::text and f.document = $3::jsonb;

-- name: factor_id_taken
-- Whether this id belongs to the catalog or to a series of the park document.
select exists (select from factor where factor = $2::text and (park_id is null or park_id = $1::text)
               and author is null);

-- name: factor_decide
insert into factor_decision (factor_id, load_id, person, decision, reason)
values ($1::int, $2::int, $3::text, $4::text, $5::text)
returning decision_id;

-- name: factor_decide_loads
-- With a series the values that somebody other than the approver loaded for it before.
insert into factor_decision (factor_id, load_id, person, decision, reason)
select l.factor_id, l.load_id, $2::text, 'approved', $3::text
from factor_load l
where l.factor_id = $1::int and lower(btrim(l.author)) <> lower(btrim($2::text))
  and not exists (select from factor_decision d where d.load_id = l.load_id)
order by l.load_id;

-- name: factor_known
-- The catalog's and a park's own records as known at $2; recorded_at of an own one is the moment of its approval.
select factor_id, park_id, document, recorded_at from factor_in_force
where (park_id is null or park_id = $1::text) and recorded_at <= $2::timestamptz
  and (withdrawn_at is null or withdrawn_at > $2::timestamptz)
order by factor_id;

-- name: factor_record
-- One record with what was decided on it, of the catalog or of park $1.
select f.factor_id, f.park_id, f.document, f.recorded_at, f.author, f.reason, f.evidence, d.decision, d.person,
       d.reason as decision_reason, d.recorded_at as decided_at
from factor f
left join lateral (select decision, person, reason, recorded_at from factor_decision
                   where factor_id = f.factor_id and load_id is null order by decision_id desc limit 1) d on true
where f.factor_id = $2::int and (f.park_id is null or f.park_id = $1::text);

-- name: factor_list
-- Records by id, newest version first of each; $2 to $7 narrow, null: all. $8, $9: after this id and number.
select f.factor_id, f.park_id, f.document, f.recorded_at, f.author, f.reason, f.evidence, d.decision, d.person,
       d.reason as decision_reason, d.recorded_at as decided_at
from factor f
left join lateral (select decision, person, reason, recorded_at from factor_decision
                   where factor_id = f.factor_id and load_id is null order by decision_id desc limit 1) d on true
where (f.park_id is null or f.park_id = $1::text)
  and ($2::text is null or f.purpose = $2::text)
  and ($3::text is null or f.region = $3::text)
  and ($4::text is null or f.carrier = $4::text)
  and ($5::int is null or f.data_year = $5::int)
  and ($6::timestamptz is null or exists (
      select from factor_in_force k where k.factor_id = f.factor_id and k.recorded_at <= $6::timestamptz
      and (k.withdrawn_at is null or k.withdrawn_at > $6::timestamptz)))
  and ($7::text is null or coalesce(d.decision, case when f.author is null then 'approved' else 'proposed' end) = $7::text)
  and (f.factor, f.factor_id) > ($8::text, $9::int)
  and (f.author is not null or not exists (
      select from factor n where n.factor = f.factor and n.park_id is not distinct from f.park_id and n.author is null
      and n.factor_id > f.factor_id and ($6::timestamptz is null or n.recorded_at <= $6::timestamptz)))
order by f.factor, f.factor_id limit $10::int;

-- name: factor_loads
select l.load_id, l.factor_id, l.source, l.format, l.digest, l.bytes, l.retrieved_at, l.n, l.first_start, l.last_end,
       l.author, l.reason, l.needs_approval, l.recorded_at, d.decision, d.person
from factor_load l
left join lateral (select decision, person from factor_decision where load_id = l.load_id
                   order by decision_id desc limit 1) d on true
where l.factor_id = $1::int order by l.load_id;

-- name: factor_load_enter
insert into factor_load (factor_id, source, format, digest, bytes, retrieved_at, n, first_start, last_end, author, reason,
                         needs_approval)
values ($1::int, $2::text, $3::text, $4::bytea, $5::bigint, $6::timestamptz, $7::int, $8::timestamptz, $9::timestamptz,
        $10::text, $11::text, $12::boolean)
returning load_id;

-- name: factor_load_span
select first_start, last_end from factor_load where load_id = $2::int and factor_id = $1::int;

-- name: factor_series_values
select distinct on (start) start, span_ms, value from factor_value_in_force
where factor_id = $1::int and withdrawn_at is null order by start, recorded_at desc, load_id desc;

-- name: factor_loads_waiting
select f.factor, l.source, l.n
from factor_load l join factor f using (factor_id)
where f.park_id = $1::text and l.needs_approval
  and not exists (select from factor_decision d where d.load_id = l.load_id)
order by l.load_id;
