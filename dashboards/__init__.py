"""What people look at: the live page (`web`) and dashboards as code (`grafana`)."""
