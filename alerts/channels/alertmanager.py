"""Prometheus Alertmanager as a receiver: each alarm of a message becomes an alert, its end resolves it.

An alert is known by its labels, so these stay the same from the first message to the recovery: they name the alarm,
never its figure. An alert ends at `endsAt`; that of a standing alarm lies far ahead: nothing is sent while nothing
changes.

References:
    https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (postAlerts)
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import httpx

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.service import within

from .base import HEARTBEAT, Channel, ChannelError, Message

STANDS: Final = dt.timedelta(days=30)
"""How long an alert stands without another message."""
BEATS: Final = dt.timedelta(minutes=3)
"""How long a heartbeat stands: it is gone when three were missed."""
FOR_GOOD: Final = frozenset({400, 413, 422})
SEVERITY: Final = {"low": "info", "medium": "warning", "high": "critical"}


class AlertmanagerChannel(Channel):
    """An Alertmanager.

    Args:
        url: `alertmanager://host:9093`, with a path where it has a prefix; `alertmanagers://user:password@host` for
            TLS.
        clock: time.
        total_s: longest time for a message [s].
    """

    def __init__(self, url: str, clock: Clock, *, total_s: float = 10.0) -> None:
        scheme, _, rest = url.partition("://")
        at = httpx.URL(f"{'https' if scheme.endswith('s') else 'http'}://{rest}")
        if not at.host:
            raise ValueError("an Alertmanager needs a host")
        self._auth = httpx.BasicAuth(at.username, at.password) if at.username else None
        self._url = at.copy_with(username=None, password=None, path=at.path.rstrip("/") + "/api/v2/alerts")
        # made once: reading the system's authorities takes longer than a message
        self._tls = httpx.create_ssl_context() if at.scheme == "https" else False
        self._clock = clock
        self._total_s = total_s

    async def send(self, message: Message) -> None:
        """Hand a message over.

        Raises:
            ChannelError: it was not taken.
        """
        if message.why != HEARTBEAT and not message.details.get("alarms"):
            raise ChannelError("no alarm is in it: Alertmanager takes nothing else", retryable=False)
        now = dt.datetime.fromtimestamp(self._clock.now_ms() / 1000, dt.UTC)
        answer = await within(self._total_s, self._post(alerts_of(message, now), message.fingerprint))
        if answer is None:
            raise ChannelError(f"no answer within {self._total_s:g} s", retryable=True)
        if not answer.is_success:
            after = answer.headers.get("Retry-After", "")
            raise ChannelError(
                f"HTTP {answer.status_code}: {answer.text[:200]}",
                retryable=answer.status_code not in FOR_GOOD,
                after_s=float(after) if after.isdecimal() else None,
            )

    async def _post(self, alerts: list[dict[str, Any]], fingerprint: str) -> httpx.Response:
        try:
            async with httpx.AsyncClient(
                timeout=self._total_s, auth=self._auth, verify=self._tls, trust_env=False
            ) as client:
                return await client.post(self._url, json=alerts, headers={"Idempotency-Key": fingerprint})
        except httpx.HTTPError as error:
            raise ChannelError(f"no answer: {type(error).__name__}", retryable=True) from None


def alerts_of(message: Message, now: dt.datetime) -> list[dict[str, Any]]:
    """The alerts of a message, as Alertmanager takes them."""
    details = message.details
    if message.why == HEARTBEAT:
        labels = {"alertname": "ParkCarbonHeartbeat", "severity": "none"}
        return [_alert(labels, {"summary": message.subject}, now, now + BEATS, "")]
    made = []
    for alarm in details.get("alarms", ()):
        labels = {
            "alertname": alarm["rule"],
            "park": details["park"],
            "kind": alarm["kind"],
            "subject": alarm["subject"],
            "severity": SEVERITY[alarm["priority"]],
        }
        notes = {
            "summary": f"{alarm['name']['zh']} {alarm['name']['en']}".strip(),
            "description": f"{alarm['reason']['zh']}\n{alarm['reason']['en']}".strip(),
            "why": message.why,
            "key": message.key,
        } | {name: str(alarm[name]) for name in ("value", "limit", "unit") if alarm.get(name) is not None}
        began = dt.datetime.fromtimestamp(alarm["fired_ms"] / 1000, dt.UTC)
        ended = alarm.get("resolved_ms")
        until = now + STANDS if ended is None else max(began, dt.datetime.fromtimestamp(ended / 1000, dt.UTC))
        made.append(_alert(labels, notes, began, until, alarm.get("link", "")))
    return made


def _alert(
    labels: Mapping[str, str], notes: Mapping[str, str], begin: dt.datetime, end: dt.datetime, link: str
) -> dict[str, Any]:
    alert: dict[str, Any] = {
        "labels": dict(labels),
        "annotations": dict(notes),
        "startsAt": begin.isoformat(timespec="milliseconds"),
        "endsAt": end.isoformat(timespec="milliseconds"),
    }
    return alert | ({"generatorURL": link} if link else {})
