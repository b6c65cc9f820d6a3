"""What ingest counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

REGISTRY = CollectorRegistry()

READINGS = Counter("parkcarbon_ingest_readings", "Readings committed", registry=REGISTRY)
BATCHES = Counter("parkcarbon_ingest_batches", "Batches by what became of them", ["verdict"], registry=REGISTRY)
REFUSED = Counter("parkcarbon_ingest_refused", "Whole messages refused", ["reason"], registry=REGISTRY)
QUARANTINED = Counter("parkcarbon_ingest_quarantined", "Single readings set aside", registry=REGISTRY)
POOLS = Counter("parkcarbon_ingest_pools", "Transactions that committed batches", registry=REGISTRY)
POOL_SECONDS = Histogram(
    "parkcarbon_ingest_pool_seconds",
    "Duration of such a transaction",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
WAITING = Gauge("parkcarbon_ingest_waiting_readings", "Readings waiting for a transaction", registry=REGISTRY)
FAILURES = Counter(
    "parkcarbon_ingest_pool_failures", "Transactions that failed and were tried again", registry=REGISTRY
)


def serve(port: int) -> None:
    """Answer Prometheus on a port of every interface."""
    start_http_server(port, registry=REGISTRY)
