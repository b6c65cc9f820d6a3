-- Statements of ingest. Prepared on both stores by tests/integration/test_db_statements.py.

-- name: ensure_partition
select ensure_partition($1::text, $2::text, $3::timestamptz, $4::timestamptz);
