-- The role that dashboards read with: schema `report` and nothing else, never writing, never for long. Names and password
-- come as settings of the transaction, because these statements take no parameters.

-- name: role_settings
select set_config('parkcarbon.report_role', $1::text, true), set_config('parkcarbon.report_password', $2::text, true);

-- name: make_role
do $$
declare
    role_name text := current_setting('parkcarbon.report_role');
    password text := current_setting('parkcarbon.report_password');
begin
    if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I', role_name);
    end if;
    execute format('alter role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 20', role_name);
    execute format('alter role %I set default_transaction_read_only = on', role_name);
    execute format('alter role %I set statement_timeout = ''30s''', role_name);
    execute format('alter role %I set timezone = ''UTC''', role_name);
    if password <> '' then
        execute format('alter role %I password %L', role_name, password);
    end if;
    execute format('revoke create on schema public from %I', role_name);
    execute format('grant usage on schema report to %I', role_name);
    execute format('grant select on all tables in schema report to %I', role_name);
    execute format('alter default privileges in schema report grant select on tables to %I', role_name);
end
$$;
