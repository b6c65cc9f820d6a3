"""What the alerts process counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

REGISTRY = CollectorRegistry()
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86_400)

LAG = Histogram(
    "parkcarbon_alerts_evaluation_lag_seconds",
    "From a reading committed to its decision committed",
    registry=REGISTRY,
    buckets=_SECONDS,
)
HANDED_OVER = Histogram(
    "parkcarbon_alerts_handover_seconds",
    "From a reading committed to its first message handed over",
    ["channel"],
    registry=REGISTRY,
    buckets=_SECONDS,
)
LOOK = Histogram("parkcarbon_alerts_look_seconds", "One look at a park", registry=REGISTRY, buckets=_SECONDS)
LOOKED = Gauge("parkcarbon_alerts_looked_seconds", "When parks were last looked at", registry=REGISTRY)
RULES = Gauge("parkcarbon_alerts_rules", "Rules by what became of them", ["park", "state"], registry=REGISTRY)
WATCHED = Gauge("parkcarbon_alerts_watched", "Rules times what they watch", ["park"], registry=REGISTRY)
FAILED = Counter("parkcarbon_alerts_rule_failures", "Rules that could not be judged", ["kind"], registry=REGISTRY)
ALARMS = Gauge("parkcarbon_alerts_alarms", "Alarms by phase", ["phase"], registry=REGISTRY)
DECISIONS = Counter("parkcarbon_alerts_decisions", "What was decided", ["action"], registry=REGISTRY)
REFUSED = Counter("parkcarbon_alerts_refused", "Decisions refused: another evaluator decides", registry=REGISTRY)
EPOCH = Gauge("parkcarbon_alerts_epoch", "Epoch of this evaluator; 0: another decides", registry=REGISTRY)
MESSAGES = Gauge("parkcarbon_alerts_messages", "Messages not handed over", ["channel", "state"], registry=REGISTRY)
SENT = Counter("parkcarbon_alerts_sent", "Attempts to hand over by outcome", ["channel", "outcome"], registry=REGISTRY)


def serve(port: int) -> None:
    """Answer Prometheus on a port of every interface."""
    start_http_server(port, registry=REGISTRY)
