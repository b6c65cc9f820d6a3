"""Keeping a Grafana in step with the dashboards here, and leaving everything else in it alone."""
