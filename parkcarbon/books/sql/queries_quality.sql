-- Substitutions and corrections: facts with effect, review and withdrawal.

-- name: substitution_enter
insert into substitution (
    point_id, from_time, to_time, rule, method, amounts_micro, document, before_micro, after_micro, before_nano_kg,
    after_nano_kg, author, reason
)
values ($1::int, $2::timestamptz, $3::timestamptz, $4::text, $5::text, $6::bigint[], $7::jsonb, $8::bigint, $9::bigint,
        $10::bigint, $11::bigint, $12::text, $13::text)
returning substitution_id;

-- name: substitution_review
insert into substitution_review (
    substitution_id, person, decision, reason, before_micro, after_micro, before_nano_kg, after_nano_kg
)
values ($1::bigint, $2::text, $3::text, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint)
returning substitution_id;

-- name: substitution_withdraw
insert into substitution_withdrawal (
    substitution_id, author, reason, before_micro, after_micro, before_nano_kg, after_nano_kg
)
values ($1::bigint, $2::text, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::bigint)
on conflict do nothing
returning substitution_id;

-- name: substitutions
-- Of a park, by number, as known at $2; $3: only this one. superseded: intervals of the span that are measured by now.
select s.substitution_id, s.point_id, p.point, p.unit, s.from_time, s.to_time, s.rule, s.method, s.amounts_micro,
       s.document, s.before_micro, s.after_micro, s.before_nano_kg, s.after_nano_kg, s.author, s.reason, s.recorded_at,
       r.person as reviewer, r.decision, r.reason as review_reason, r.recorded_at as reviewed_at,
       r.before_micro as counted_before_micro, r.after_micro as counted_after_micro,
       r.before_nano_kg as counted_before_nano_kg, r.after_nano_kg as counted_after_nano_kg,
       w.author as withdrawn_by, w.reason as withdrawal_reason, w.recorded_at as withdrawn_at,
       i.intervals, i.superseded
from substitution s
join point p using (point_id)
left join substitution_review r on r.substitution_id = s.substitution_id and r.recorded_at <= $2::timestamptz
left join substitution_withdrawal w on w.substitution_id = s.substitution_id and w.recorded_at <= $2::timestamptz
cross join lateral (
    select count(*) as intervals,
           count(*) filter (where method in (0, 1)) as superseded
    from interval_15min where point_id = s.point_id and start >= s.from_time and start < s.to_time
) i
where p.park_id = $1::text and s.recorded_at <= $2::timestamptz and ($3::bigint is null or s.substitution_id = $3::bigint)
order by s.substitution_id;

-- name: correction_enter
insert into correction (
    point_id, kind, from_time, to_time, document, author, reason, before_micro, after_micro, before_nano_kg, after_nano_kg
)
values ($1::int, $2::text, $3::timestamptz, $4::timestamptz, $5::jsonb, $6::text, $7::text, $8::bigint, $9::bigint,
        $10::bigint, $11::bigint)
returning correction_id;

-- name: correction_withdraw
insert into correction_withdrawal (
    correction_id, author, reason, before_micro, after_micro, before_nano_kg, after_nano_kg
)
values ($1::bigint, $2::text, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::bigint)
on conflict do nothing
returning correction_id;

-- name: corrections
-- Of a park, by number, as known at $2; $3: only this one.
select c.correction_id, c.point_id, p.point, p.unit, c.kind, c.from_time, c.to_time, c.document, c.author, c.reason,
       c.recorded_at, c.before_micro, c.after_micro, c.before_nano_kg, c.after_nano_kg,
       w.author as withdrawn_by, w.reason as withdrawal_reason, w.recorded_at as withdrawn_at
from correction c
join point p using (point_id)
left join correction_withdrawal w on w.correction_id = c.correction_id and w.recorded_at <= $2::timestamptz
where p.park_id = $1::text and c.recorded_at <= $2::timestamptz and ($3::bigint is null or c.correction_id = $3::bigint)
order by c.correction_id;

-- name: correction_readings
-- How many readings of a point a correction would touch.
select count(*)::bigint from reading
where point_id = $1::int and time >= $2::timestamptz and time <= $3::timestamptz;
