-- What panels ask. They choose columns of schema `report` and nothing else: no formula and no factor stands here
-- (tests/unit/test_grafana_panels.py). Macros and variables are Grafana's; `_zh` becomes `_en` in English dashboards.

-- name: variable_park
select park as __value, name_zh as __text from report.park order by park;

-- name: overview_today
select load_kwh, grid_import_kwh, generation_kwh, co2e_location_kg, self_consumption_pct, self_sufficiency_pct
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time desc limit 1;

-- name: overview_completeness
select completeness_pct
from report.quality_day where park = ${park:sqlstring} and $__timeFilter(time) order by time desc limit 1;

-- name: overview_power
select time, load_kw, grid_import_kw, generation_kw, discharge_kw, charge_kw, grid_export_kw
from report.balance_${step:raw} where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: overview_rate
select time, emission_rate_kg_per_h
from report.balance_${step:raw} where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: overview_tenants
select time, name_zh as metric, use_kw
from report.tenant_hour where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: overview_alarms
select fired_at, priority, rule, subject, value, limit_value, unit, reason_zh, acknowledged_by
from report.alarm where park = ${park:sqlstring} and standing order by fired_at desc;

-- name: overview_statements
select period, kind, number, version, state, verdict, issued_at
from report.statement where park = ${park:sqlstring} order by time desc limit 5;

-- name: energy_days
select time, grid_import_kwh, generation_kwh, discharge_kwh
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: energy_load_days
select time, load_kwh, grid_export_kwh, charge_kwh
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: energy_months
select time, load_kwh, grid_import_kwh, generation_kwh, grid_export_kwh
from report.balance_month where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: energy_tenants
select time, name_zh as metric, use_kwh
from report.tenant_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: energy_other_carriers
select time, gas_m3, heat_gj
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: energy_flows
select day, carrier, flow, amount, unit, coverage, data_state
from report.flow_day where park = ${park:sqlstring} and $__timeFilter(time) order by day desc, carrier, flow;

-- name: emissions_days
select time, electricity_co2e_kg, gas_co2e_kg, heat_co2e_kg
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: emissions_rate
select time, emission_rate_kg_per_h
from report.balance_hour where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: emissions_months
select time, co2e_location_kg
from report.balance_month where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: emissions_both
select time, co2e_location_kg, co2e_market_kg
from report.inventory where park = ${park:sqlstring} and not whole_year and $__timeFilter(time) order by time;

-- name: emissions_inventory
select period, version, closed, scope1_kg, scope2_location_kg, scope2_market_kg, co2e_location_kg, co2e_market_kg, scope3_kg,
       completeness_pct, closed_at, closed_by
from report.inventory where park = ${park:sqlstring} order by period desc;

-- name: emissions_tenants
select time, name_zh as metric, co2e_location_kg
from report.tenant_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: emissions_lines
select scope, basis, source, carrier, tenant, activity, activity_unit, co2e_kg, factors, unverified
from report.inventory_line where park = ${park:sqlstring}
and period = (select max(period) from report.inventory where park = ${park:sqlstring} and not whole_year)
order by scope, basis, source;

-- name: renewables_today
select generation_kwh, self_consumption_pct, self_sufficiency_pct
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time desc limit 1;

-- name: renewables_power
select time, generation_kw, grid_export_kw
from report.balance_hour where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: renewables_days
select time, generation_kwh, grid_export_kwh
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: renewables_shares
select time, self_consumption_pct, self_sufficiency_pct
from report.balance_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: certificates_covered
select time, grid_import_kwh, covered_kwh
from report.inventory where park = ${park:sqlstring} and not whole_year and $__timeFilter(time) order by time;

-- name: certificates
select kind, registry, first_serial, serials, technology, plant, vintage, generation_month, pending, cancelled, retired, sold,
       transferred, expired, left_over, covers_kwh, cancelled_kwh, credit_kg, retired_kg, simulated
from report.certificate where park = ${park:sqlstring} order by kind, registry, first_serial;

-- name: quality_completeness
select time, completeness_pct
from report.quality_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: quality_states
select time, points_measured, points_interpolated, points_substituted, points_estimated, points_manual, points_missing
from report.quality_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: quality_hours
select time, expected_h, measured_h, known_h, suspect_h
from report.quality_day where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: devices
select device, name_zh, tenant, source, bus, last_seen, silent_for_s, silent, reported_state, reported_detail, from_files
from report.device where park = ${park:sqlstring} order by silent desc, position;

-- name: device_points
select point, value, unit, time, quality
from report.point where park = ${park:sqlstring} order by point;

-- name: quality_questions
select time, point, kind from report.question where park = ${park:sqlstring} and $__timeFilter(time) order by time desc;

-- name: quality_quarantine
select point, reason, readings, first_at, last_at from report.quarantine where park = ${park:sqlstring} order by last_at desc;

-- name: quality_losses
select time, source, point, lost_from, lost_to, readings, reason
from report.loss where park = ${park:sqlstring} and $__timeFilter(time) order by time desc;

-- name: quality_conflicts
select known_at, point, time, kept, other
from report.conflict where park = ${park:sqlstring} and $__timeFilter(known_at) order by known_at desc;

-- name: statements
select period, kind, number, version, state, verdict, missing, prepared_by, issued_at, reason, digest
from report.statement where park = ${park:sqlstring} order by period desc, version desc;

-- name: statement_tasks
select due_on, action, period, attempts, next_at, error
from report.statement_task where park = ${park:sqlstring} and done_at is null order by due_on;

-- name: statement_figures
select period, kind, version, figure, value, unit, shown
from report.statement_figure where park = ${park:sqlstring}
and statement = (select max(statement) from report.statement where park = ${park:sqlstring})
order by figure;

-- name: health_now
select newest_reading_age_s, results_waiting, results_waiting_s, dead_letters_24h, quarantined_readings, log_sealed_age_s
from report.health;

-- name: health_outgoing
select statement_tasks_failing, statement_mails_waiting, alarm_messages_waiting, alarm_messages_dead, alarm_epoch,
       alarm_lease_left_s, connections, database_bytes
from report.health;

-- name: health_delay
select time, source as metric, delay_s
from report.batch where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: health_readings
select time, source as metric, readings
from report.batch where park = ${park:sqlstring} and $__timeFilter(time) order by time;

-- name: health_sources
select source, kind, via, online, batches_waiting, readings_waiting, hours_left, backlog, clock, status_at
from report.source where park = ${park:sqlstring} and active order by source;

-- name: health_dead_letters
select time, topic, reason, detail, payload_bytes from report.dead_letter where $__timeFilter(time) order by time desc;

-- name: health_alarm_messages
select time, receiver, channel, why, priority, state, attempts, delay_s, last_error
from report.alarm_message where park = ${park:sqlstring} and $__timeFilter(time) order by time desc;
