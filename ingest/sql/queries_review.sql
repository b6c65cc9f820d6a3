-- What a person should know of a park: read by `review` and `token list`.

-- name: review_questions
select p.point, q.at, q.kind, q.document::text as document
from question q
join point p using (point_id)
where p.park_id = $1::text and q.at >= $2::timestamptz and q.at < $3::timestamptz
order by q.at, p.point, q.kind;

-- name: review_boundaries
select p.point, p.unit, b.at, b.kind, b.old_value, b.new_value, b.amount_micro
from boundary b
join point p using (point_id)
where p.park_id = $1::text and b.at >= $2::timestamptz and b.at < $3::timestamptz
order by b.at, p.point, b.kind;

-- name: review_corrections
select p.point, c.correction_id, c.kind, c.from_time, c.to_time, c.document::text as document, c.author, c.reason,
       c.recorded_at, c.before_micro, c.after_micro, p.unit, w.author as withdrawn_by, w.reason as withdrawal_reason
from correction c
join point p using (point_id)
left join correction_withdrawal w using (correction_id)
where p.park_id = $1::text and c.to_time >= $2::timestamptz and c.from_time < $3::timestamptz
order by c.correction_id;

-- name: review_conflicts
select p.point, r.time, r.kept, r.other
from reading_conflict r
join point p using (point_id)
where p.park_id = $1::text and r.time >= $2::timestamptz and r.time < $3::timestamptz
order by r.time, p.point, r.batch_id;

-- name: review_losses
select s.source, l.point, l.t_from, l.t_to, l.n, l.reason
from loss_record l
join source s using (source_id)
join batch b on (b.source_id, b.boot, b.seq) = (l.source_id, l.boot, l.seq)
where s.park_id = $1::text and b.state = 'tombstone' and l.t_to >= $2::timestamptz and l.t_from < $3::timestamptz
order by l.t_from, l.point;

-- name: review_refused
-- Refused messages of a park; the topic is all that is certain of them.
select topic, reason, detail, recorded_at
from dead_letter
where topic like 'parkcarbon/v1/' || $1::text || '/%'
  and recorded_at >= $2::timestamptz and recorded_at < $3::timestamptz
order by dead_letter_id;

-- name: review_tokens
select label, role, person, park_id, recorded_at, revoked_at from api_token order by token_id;

-- name: review_substitutions
select p.point, p.unit, s.substitution_id, s.from_time, s.to_time, s.rule, s.method, s.before_micro, s.after_micro,
       s.author, s.reason, s.recorded_at, r.decision, r.person, w.author as withdrawn_by,
       (select count(*) from interval_15min i where i.point_id = s.point_id and i.start >= s.from_time
        and i.start < s.to_time and i.method in (0, 1)) as superseded, cardinality(s.amounts_micro) as intervals
from substitution s
join point p using (point_id)
left join substitution_review r using (substitution_id)
left join substitution_withdrawal w using (substitution_id)
where p.park_id = $1::text and s.to_time > $2::timestamptz and s.from_time < $3::timestamptz
order by s.substitution_id;
