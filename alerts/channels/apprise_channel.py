"""The one door to Apprise: mail, DingTalk, WeCom, Feishu, web hooks, SMS gateways, whatever its URLs name.

Apprise says of a message only whether it thinks that it went out, and takes a chat robot's "200, refused" for success.
So the answers are read here as well: each plug-in speaks through its module's `requests`, which is put behind a witness
that keeps the answers of the thread it is called in. A plug-in that speaks otherwise is believed as it is.

References:
    https://github.com/caronc/apprise/wiki; errcode of robots: DingTalk "custom robot access", WeCom "group robot".
"""

import logging
import sys
import threading
import warnings
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, Final

import apprise
from apprise.manager_plugins import NotificationManager

from .base import Channel, ChannelError, Message
from .threads import Threads

CONNECT_S: Final = 5.0
"""Longest wait for a connection [s]."""
READ_S: Final = 10.0
"""Longest silence of a server that was reached [s]."""
TOTAL_S: Final = 20.0
"""Longest time for a message [s]."""
FOR_GOOD: Final = frozenset({400, 410, 413, 422})
"""Answers that a later try does not change."""
REFUSALS: Final = ("errcode", "code", "StatusCode", "error_code")
"""Members of a robot's answer, one of them other than 0 means: not taken."""

_here = threading.local()
_KINDS: Final = {
    "low": apprise.NotifyType.INFO,
    "medium": apprise.NotifyType.WARNING,
    "high": apprise.NotifyType.FAILURE,
}


class AppriseChannel(Channel):
    """A receiver named by an Apprise URL.

    Args:
        url: for example `mailtos://user:password@mail.example.org?to=desk@example.org`, `dingtalk://SECRET@TOKEN`,
            `wecombot://KEY`, `feishu://TOKEN`, `jsons://example.org/alarms`.

    Raises:
        ValueError: Apprise does not know what it names; the text does not show it.
    """

    def __init__(
        self, url: str, *, connect_s: float = CONNECT_S, read_s: float = READ_S, total_s: float = TOTAL_S
    ) -> None:
        self._url = url
        self._connect_s, self._read_s, self._total_s = connect_s, read_s, total_s
        self._threads = Threads()
        _load()
        scheme, separator, _ = url.partition("://")
        plugin = self._plugin()
        if plugin is None:
            named = f"{scheme}://…" if separator and scheme.isalnum() else "it"
            raise ValueError(f"{named} is no Apprise URL with all its parts")
        self._robot = scheme.lower() in {"dingtalk", "wecombot", "feishu", "lark"}
        _watch(sys.modules[type(plugin).__module__])
        for base in type(plugin).__mro__:
            if base.__module__ == "apprise.plugins.email.base":
                _watch(sys.modules[base.__module__])

    async def send(self, message: Message) -> None:
        """Hand a message over.

        Raises:
            ChannelError: it was not taken.
        """
        await self._threads.run(lambda: self._send(message), self._total_s)

    def _plugin(self) -> Any:
        return apprise.Apprise.instantiate(
            self._url, asset=apprise.AppriseAsset(app_id="ParkCarbon", app_desc="ParkCarbon")
        )

    def _send(self, message: Message) -> None:
        plugin = self._plugin()
        plugin.socket_connect_timeout, plugin.socket_read_timeout = self._connect_s, self._read_s
        plugin.request_rate_per_sec = 0  # a pause would hold the thread; the outbox has its own
        plugin.notify_format = apprise.NotifyFormat.TEXT
        _mark(plugin, message)
        seen = _here.seen = _Seen(message)
        try:
            taken = plugin.notify(
                title=message.subject,
                body=f"{message.body}\n#{message.fingerprint}" if self._robot else message.body,
                notify_type=apprise.NotifyType.SUCCESS if message.why == "recovered" else _KINDS[message.priority],
                body_format=apprise.NotifyFormat.TEXT,
            )
        finally:
            del _here.seen
        seen.judge(robot=self._robot)
        if not taken:
            raise ChannelError(seen.words() or "it was not taken", retryable=True)


@cache
def _load() -> None:
    """Find the plug-ins; one of them asks for a module that Python is about to drop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        NotificationManager().load_modules()  # type: ignore[no-untyped-call]


class _Seen:
    """What came back while a thread handed over one message."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.answers: list[Any] = []
        self.failure = ""
        self.warnings: list[str] = []

    def words(self) -> str:
        return self.failure or "; ".join(dict.fromkeys(self.warnings))

    def judge(self, *, robot: bool) -> None:
        for answer in self.answers:
            status = answer.status_code
            if not 200 <= status < 300:
                raise ChannelError(f"HTTP {status}", retryable=status not in FOR_GOOD, after_s=_seconds(answer.headers))
            if robot and (said := _refused(answer)):
                raise ChannelError(f"the robot refused it: {said}", retryable=True)


def _seconds(headers: Mapping[str, str]) -> float | None:
    after = headers.get("Retry-After", "")
    return float(after) if after.isdecimal() else None


def _refused(answer: Any) -> str:
    try:
        said = answer.json()
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    for name in REFUSALS:
        if said.get(name):
            words = said.get("errmsg") or said.get("msg") or said.get("StatusMessage") or ""
            return f"{name} {said[name]} {words}".strip()[:300]
    return ""


def _mark(plugin: Any, message: Message) -> None:
    """Put the key where the channel can carry it: a header of mail or web hook, a member of a JSON web hook."""
    headers = getattr(plugin, "headers", None)
    if isinstance(headers, dict):
        headers["Idempotency-Key"] = message.fingerprint
    extras = getattr(plugin, "payload_extras", None)
    if isinstance(extras, dict) and type(plugin).__name__ == "NotifyJSON":
        extras.setdefault("key", message.key)
        extras.setdefault("why", message.why)
        extras.setdefault("priority", message.priority)
        extras.setdefault("details", dict(message.details))


class _Witness(ModuleType):
    """`requests` as a plug-in sees it; keeps what came back."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.real = real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        return self.seeing(found) if name in {"request", "get", "post", "put", "patch", "delete"} else found

    def seeing(self, call: Any) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            seen: _Seen | None = getattr(_here, "seen", None)
            try:
                answer = call(*args, **kwargs)
            except Exception as error:
                if seen is not None:  # its text would show the address and what is secret in it
                    seen.failure = f"no answer: {type(error).__name__}"
                raise
            if seen is not None:
                seen.answers.append(answer)
            return answer

        return ask


def _watch(module: ModuleType) -> None:
    real = getattr(module, "requests", None)
    if isinstance(real, ModuleType) and not isinstance(real, _Witness):
        module.requests = _Witness(real)  # type: ignore[attr-defined]
    make = getattr(module, "make_msgid", None)
    if make is not None and not hasattr(make, "of_key"):

        def make_msgid(idstring: str | None = None, domain: str | None = None) -> str:
            seen: _Seen | None = getattr(_here, "seen", None)
            if seen is None:
                return str(make(idstring, domain))
            return f"<{seen.message.fingerprint}.parkcarbon@{domain or 'localhost'}>"

        make_msgid.of_key = True  # type: ignore[attr-defined]
        module.make_msgid = make_msgid  # type: ignore[attr-defined]


class _Warnings(logging.Handler):
    """Keeps what Apprise warns of in the thread that sends; its debug lines, which show secrets, are not kept."""

    def emit(self, record: logging.LogRecord) -> None:
        seen: _Seen | None = getattr(_here, "seen", None)
        if seen is not None:
            seen.warnings.append(record.getMessage()[:300])


_log = logging.getLogger("apprise")
_log.addHandler(_Warnings(logging.WARNING))
_log.propagate = False
