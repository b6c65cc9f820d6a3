"""What the statements process counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

REGISTRY = CollectorRegistry()

TASKS = Counter("parkcarbon_statements_tasks", "Tasks by what became of them", ["outcome"], registry=REGISTRY)
MAILS = Counter("parkcarbon_statements_mails", "Messages by what became of them", ["outcome"], registry=REGISTRY)
WAITING = Gauge("parkcarbon_statements_waiting", "Rows still to be done", ["what", "state"], registry=REGISTRY)
LOOKED = Gauge("parkcarbon_statements_looked_seconds", "When what is due was last looked at", registry=REGISTRY)


def serve(port: int) -> None:
    """Answer Prometheus on a port of every interface."""
    start_http_server(port, registry=REGISTRY)
