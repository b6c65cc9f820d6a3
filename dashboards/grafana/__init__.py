"""Grafana dashboards as code: panels read the views of schema `report`, nothing else."""
