-- What Grafana's own alert rules ask, for the health of the platform alone: one row, one number. Park alarms live in `alerts`.
-- No macros: the files of provisioning would need them escaped.

-- name: rule_no_readings
select newest_reading_age_s from report.health;

-- name: rule_results_waiting
select results_waiting_s from report.health;

-- name: rule_log_not_sealed
select log_sealed_age_s from report.health;

-- name: rule_dead_letters
select dead_letters_24h from report.health;

-- name: rule_statement_tasks
select statement_tasks_failing from report.health;

-- name: rule_alarm_evaluator
select alarm_lease_left_s from report.health;

-- name: rule_alarm_messages_waiting
select alarm_message_waiting_s from report.health;

-- name: rule_alarm_messages_dead
select alarm_messages_dead from report.health;
