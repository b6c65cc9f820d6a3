-- Rules of a park: each revision whole, the newest in force.

-- name: rules_newest
select revision, document, author, reason, recorded_at
from alarm_rules
where park_id = $1
order by revision desc
limit 1;

-- name: rules_revisions
select revision, document
from alarm_rules
where park_id = $1 and revision = any($2::int[]);

-- name: rules_lock
select park_id from park where park_id = $1 for no key update;

-- name: rules_insert
insert into alarm_rules (park_id, revision, document, digest, author, reason)
values ($1, $2, $3::jsonb, $4, $5, $6)
returning recorded_at;
