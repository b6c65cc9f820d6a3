-- What a statement is composed of, beside what the books ask.

-- name: open_substitutions
-- Substitutions of [$2, $3) that waited for a second person at a moment of knowledge.
select s.substitution_id
from substitution s join point p using (point_id)
where p.park_id = $1::text and s.from_time < $3::timestamptz and s.to_time > $2::timestamptz
  and s.recorded_at <= $4::timestamptz
  and not exists (select from substitution_review r
                  where r.substitution_id = s.substitution_id and r.recorded_at <= $4::timestamptz)
  and not exists (select from substitution_withdrawal w
                  where w.substitution_id = s.substitution_id and w.recorded_at <= $4::timestamptz)
order by s.substitution_id;
