"""What Prometheus may know about this process."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters of one application; two applications in one process do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "parkcarbon_api_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "parkcarbon_api_request_seconds",
            "Time from request to the start of its answer",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.streams = Gauge("parkcarbon_api_streams", "Live streams open now", registry=self.registry)
        self.events = Counter("parkcarbon_api_events", "Live events sent", ("event",), registry=self.registry)
        self.now_seconds = Histogram(
            "parkcarbon_api_now_seconds", "Time to compute Now", buckets=_SECONDS, registry=self.registry
        )
        self.notify_seconds = Histogram(
            "parkcarbon_api_notify_to_event_seconds",
            "Time from a database notification to the wake-up of the streams",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.database_up = Gauge("parkcarbon_api_database_up", "1 while the database answers", registry=self.registry)
        self.data_age = Gauge(
            "parkcarbon_api_data_age_seconds", "Age of the newest reading when last looked at", registry=self.registry
        )

    def text(self) -> bytes:
        """Everything in Prometheus text format."""
        return generate_latest(self.registry)


class MetricsMiddleware:
    """Counts requests by route template, so that no path of a caller becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time the request until its answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()

        async def timed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "DELETE") else "other"
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                self._metrics.request_seconds.labels(route).observe(time.perf_counter() - started_s)
            await send(message)

        await self._app(scope, receive, timed_send)
