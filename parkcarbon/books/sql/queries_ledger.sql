-- Instruments: lots by serial range, events on parts of them, reviews. Serial numbers travel as text: they may be longer
-- than a bigint.

-- name: lots_at
-- Lots in the books of park $1, or that came into them, in force at $2.
select l.lot_id, l.park_id, l.tenant, l.kind, l.registry, l.serial_prefix, lower(l.serials)::text as first,
       (upper(l.serials) - lower(l.serials))::text as count, l.serial_digits, l.unit_micro_kwh, l.unit_nano_kg, l.carrier,
       l.technology, l.plant, l.project, l.commissioned, l.market, lower(l.generated) as generated_from,
       upper(l.generated) as generated_to, l.granularity, l.generation_month, l.vintage, l.origin, l.issued_for, l.tradable,
       l.contract, l.unit_cost_micro, l.currency, l.criteria, l.evidence, l.simulated, l.author, l.recorded_at
from instrument_lot l
where l.recorded_at <= $2::timestamptz
  and (l.park_id = $1::text or exists (
      select from instrument_event e where e.lot_id = l.lot_id and e.to_park = $1::text and e.recorded_at <= $2::timestamptz))
  and not exists (
      select from instrument_review r
      where r.lot_id = l.lot_id and r.decision = 'struck' and r.recorded_at <= $2::timestamptz)
order by l.registry, l.serial_prefix, lower(l.serials);

-- name: events_at
-- Events in force at $2 on the lots $1, with the person who had confirmed them by then.
select e.event_id, e.lot_id, e.kind, e.serial_prefix, lower(e.serials)::text as first,
       (upper(e.serials) - lower(e.serials))::text as count, l.serial_digits, e.park_id, e.to_park, e.on_day, e.tenant,
       e.claim_from, e.claim_to, e.limit_micro_kwh, e.counterparty, e.public_record, e.evidence, e.author, e.reason,
       e.recorded_at, (
           select r.person from instrument_review r
           where r.event_id = e.event_id and r.decision = 'confirmed' and r.recorded_at <= $2::timestamptz) as confirmed_by
from instrument_event e join instrument_lot l using (lot_id)
where e.lot_id = any($1::bigint[]) and e.recorded_at <= $2::timestamptz
  and not exists (
      select from instrument_review r
      where r.event_id = e.event_id and r.decision = 'struck' and r.recorded_at <= $2::timestamptz)
order by e.event_id;

-- name: insert_lot
insert into instrument_lot (
    park_id, tenant, kind, registry, serial_prefix, serials, serial_digits, unit_micro_kwh, unit_nano_kg, carrier,
    technology, plant, project, commissioned, market, generated, granularity, generation_month, vintage, origin, issued_for,
    tradable, contract, unit_cost_micro, currency, criteria, evidence, simulated, author, reason)
values (
    $1::text, $2::text, $3::text, $4::text, $5::text, numrange($6::text::numeric, $7::text::numeric), $8::smallint,
    $9::bigint, $10::bigint, $11::text, $12::text, $13::text, $14::text, $15::date, $16::text,
    tstzrange($17::timestamptz, $18::timestamptz), $19::text, $20::date, $21::int, $22::text, $23::text, $24::boolean,
    $25::text, $26::bigint, $27::text, $28::jsonb, $29::text, $30::boolean, $31::text, $32::text)
returning lot_id;

-- name: insert_event
-- $3 is the first number after the lot's prefix, $4 how many; null: from the first of the lot, to its end.
insert into instrument_event (
    lot_id, registry, serial_prefix, serials, park_id, kind, to_park, on_day, tenant, claim_from, claim_to,
    limit_micro_kwh, park_limit_micro_kwh, counterparty, public_record, evidence, author, reason)
select l.lot_id, l.registry, l.serial_prefix,
       numrange(coalesce($3::text::numeric, lower(l.serials)),
                coalesce(coalesce($3::text::numeric, lower(l.serials)) + $4::text::numeric, upper(l.serials))),
       $2::text, $5::text, $6::text, $7::date, $8::text, $9::date, $10::date, $11::bigint, $12::bigint, $13::text,
       $14::text, $15::text, $16::text, $17::text
from instrument_lot l where l.lot_id = $1::bigint
returning event_id;

-- name: lot_of_event
select lot_id from instrument_event where event_id = $1::bigint and park_id = $2::text;

-- name: lot_of_park
select lot_id from instrument_lot where lot_id = $1::bigint and park_id = $2::text;

-- name: insert_instrument_review
insert into instrument_review (lot_id, event_id, decision, person, reason)
values ($1::bigint, $2::bigint, $3::text, $4::text, $5::text)
returning review_id;

-- name: lock_claims
-- Claims of a park one after the other; the trigger takes the same lock.
select pg_advisory_xact_lock(hashtextextended('claims ' || $1::text, 0));

-- name: instrument_history
-- Everything that was ever said of a lot: events, confirmations, strikes, in order.
select e.event_id, e.kind as what, e.author as person, e.reason, e.recorded_at
from instrument_event e where e.lot_id = $1::bigint
union all
select r.event_id, r.decision, r.person, r.reason, r.recorded_at
from instrument_review r left join instrument_event e using (event_id)
where r.lot_id = $1::bigint or e.lot_id = $1::bigint
order by recorded_at, event_id;

-- name: lot_issued_for
select issued_for from instrument_lot where lot_id = $1::bigint;
