"""The one door to MQTT: a connection that comes back, with subscriptions that survive and messages that wait.

`publish` waits for the broker's PUBACK, which proves nothing: what must arrive is told so by its receiver. Messages are
acknowledged to the broker as they are consumed, so a slow consumer slows the broker down instead of filling memory.

```
NotConnectedError    a ConnectionError: not connected, or the connection ended before the broker answered
```
"""

import asyncio
import contextlib
import random
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, DisconnectFlags
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from .backoff import Backoff
from .clock import Clock
from .log import OutageLog, get
from .mqttprobe import speaks_v5
from .reconnect import Protocol, Reconnect
from .service import within

INBOX_MAX = 2000
_UNSUPPORTED = (1, 132)  # CONNACK: unacceptable protocol version, in 3.1.1 and in 5

_log = get("mqtt")


class NotConnectedError(ConnectionError):
    """There is no connection, or it ended before the broker answered."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is and how to be let in.

    Attributes:
        host: name or address.
        port: TCP port.
        username: None for anonymous.
        password: None where none is asked for.
        tls: None for a plain connection.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    @classmethod
    def from_url(
        cls, url: str, *, ca_file: Path | None = None, cert_file: Path | None = None, key_file: Path | None = None
    ) -> "Broker":
        """Parse `mqtt://[user[:password]@]host[:port]`, or `mqtts://…` for TLS.

        Args:
            url: the address; reserved characters in user and password are percent-encoded.
            ca_file: certificate authority of the broker; None: those the system trusts.
            cert_file: own certificate, for a broker that asks for one.
            key_file: its key.

        Raises:
            ValueError: naming what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError(
                f"not a broker address, want mqtt://host:port or mqtts://host:port: {_without_password(url)!r}"
            )
        tls = None
        if parts.scheme == "mqtts":
            tls = ssl.create_default_context(cafile=ca_file)
            if cert_file is not None:
                tls.load_cert_chain(cert_file, key_file)
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if tls else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
        )


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says in our name when we are gone; also said by ourselves when we leave."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class Message:
    """A message that arrived."""

    topic: str
    payload: bytes
    retain: bool = False


class Mqtt:
    """A connection to one broker, kept up by `run`.

    Args:
        broker: where to.
        client_id: unique at the broker; a second one with the same id throws the first one out.
        clock: time.
        rng: jitter of the waiting times.
        will: makes the last will at each connect.
        timeout_s: longest wait for an answer of the broker [s].
        keepalive_s: a silent connection is found dead after one and a half times this [s].
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        clock: Clock,
        rng: random.Random,
        will: Callable[[], Will] | None = None,
        timeout_s: float = 10.0,
        keepalive_s: int = 20,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self._clock = clock
        self._will = will
        self._timeout_s = timeout_s
        self._keepalive_s = keepalive_s
        self._reconnect = Reconnect(Backoff(first_s=0.25, ceiling_s=15.0, rng=rng))
        self._asked = False
        self._filters: dict[str, int] = {}
        self._session: _Session | None = None
        self._number = 0
        self._up = asyncio.Event()
        self._inbox: asyncio.Queue[tuple[_Session, int, Message]] = asyncio.Queue()
        self._probes: dict[str, asyncio.Event] = {}
        self._outage = OutageLog(_log.bind(broker=f"{broker.host}:{broker.port}"), "broker", clock)
        self._overflow = OutageLog(_log, "inbox", clock)

    # ── what users call ──────────────────────────────────────────────────────────────────────────

    @property
    def protocol(self) -> int | None:
        """Level in use, 5 or 4 (3.1.1); None while not connected."""
        return None if self._session is None else int(self._session.protocol)

    async def connected(self) -> int:
        """Wait for a connection with all subscriptions made; return its number, from 1."""
        await self._up.wait()
        return self._number

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand over a message with QoS 1 and wait for the broker's word.

        Raises:
            NotConnectedError: no connection, it ended, or no answer came in time.
        """
        session = self._session
        if session is None:
            raise NotConnectedError("not connected")
        await session.call(session.client.publish(topic, payload, qos=1, retain=retain, timeout=self._timeout_s))

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1, now and after every reconnect."""
        self._filters[topic_filter] = 1
        if self._session is not None:
            with contextlib.suppress(NotConnectedError):
                await self._subscribe(self._session, topic_filter)

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what arrives, over reconnects, to one consumer; asking for the next frees the place of the last."""
        while True:
            session, mid, message = await self._inbox.get()
            session.client.acknowledge(mid)
            yield message

    async def probe_shared(self, topic: str, *, wait_s: float = 2.0) -> bool:
        """Find out, by a message to ourselves, whether the broker knows shared subscriptions.

        Args:
            topic: one that we may publish and subscribe to, used by nobody else.
            wait_s: how long to wait for the message [s].
        """
        shared = f"$share/probe-{secrets.token_hex(4)}/{topic}"
        heard = self._probes[topic] = asyncio.Event()
        try:
            await self.connected()
            session = self._session
            if session is None:
                return False
            await self._subscribe(session, shared)
            await self.publish(topic, b"probe")
            if not await within(wait_s, heard.wait()):
                return False
            await session.call(session.client.unsubscribe(shared))
        except NotConnectedError:
            return False
        finally:
            del self._probes[topic]
        return True

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        while True:
            await self._clock.sleep(await self._once())

    # ── one connection ───────────────────────────────────────────────────────────────────────────

    async def _once(self) -> float:
        """Live through one connection; return how long to wait before the next [s]."""
        try:
            await self._ask_protocol()
        except OSError as error:
            self._outage.down(error=str(error))
            return self._reconnect.failed()
        will = None if self._will is None else self._will()
        client = _Client(self._broker, self._client_id, self._reconnect.protocol, will, self._limits)
        try:
            await client.enter()
        except aiomqtt.MqttError as error:
            return self._failed(error)
        session = _Session(client, self._reconnect.protocol)
        self._reconnect.connected(self._clock.monotonic())
        try:
            await self._live(session)
        except (aiomqtt.MqttError, NotConnectedError) as error:
            self._outage.down(error=str(error))
        finally:
            leaving = self._session is session and not session.lost.done()
            self._up.clear()
            self._session = None
            session.end()
            await client.leave(will if leaving else None)
        return self._reconnect.lost(self._clock.monotonic())

    async def _ask_protocol(self) -> None:
        """Find out once what the broker speaks."""
        if self._asked:
            return
        there, name = self._broker, f"{self._client_id}.probe"
        v5 = await speaks_v5(there.host, there.port, there.tls, client_id=name, timeout_s=self._timeout_s / 2)
        self._reconnect.learn(v5=v5)
        self._asked = v5 is not None

    def _failed(self, error: aiomqtt.MqttError) -> float:
        code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
        level = code.value if isinstance(code, ReasonCode) else code
        if level in _UNSUPPORTED and self._reconnect.protocol is Protocol.V5:
            return self._reconnect.unsupported()  # asked again at once with the older protocol: no outage
        self._outage.down(error=str(error))
        return self._reconnect.hung_up() if isinstance(error, _HungUpError) else self._reconnect.failed()

    @property
    def _limits(self) -> tuple[float, int]:
        return self._timeout_s, self._keepalive_s

    async def _live(self, session: "_Session") -> None:
        # Read from the start: amqtt answers a SUBSCRIBE only after the retained messages were acknowledged.
        reader = asyncio.ensure_future(self._read(session))
        try:
            for topic_filter in list(self._filters):
                await self._subscribe(session, topic_filter)
            self._session = session
            self._number += 1
            self._up.set()
            self._outage.up(protocol=int(session.protocol))
            await reader
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, session: "_Session") -> None:
        try:
            async for message in session.client.messages:
                self._take(session, message)
        except aiomqtt.MqttError:
            session.end()
            raise

    async def _subscribe(self, session: "_Session", topic_filter: str) -> None:
        codes = await session.call(session.client.subscribe(topic_filter, qos=1))
        for code in codes:
            if (code.value if isinstance(code, ReasonCode) else code) >= 128:
                _log.error("subscription_refused", filter=topic_filter, code=str(code))

    def _take(self, session: "_Session", message: aiomqtt.Message) -> None:
        topic, payload = message.topic.value, message.payload
        probe = self._probes.get(topic)
        if probe is not None:
            probe.set()
        if probe is not None or not isinstance(payload, bytes) or self._inbox.qsize() >= INBOX_MAX:
            if probe is None:
                self._overflow.down(topic=topic)
            session.client.acknowledge(message.mid if message.qos else 0)
            return
        self._overflow.up()
        self._inbox.put_nowait((session, message.mid if message.qos else 0, Message(topic, payload, message.retain)))


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


class _Session:
    """One connection: the client and the moment it ends."""

    def __init__(self, client: "_Client", protocol: Protocol) -> None:
        self.client = client
        self.protocol = protocol
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def call(self, awaitable: Any) -> Any:
        """Await an answer of the broker, but not beyond the end of the connection."""
        call = asyncio.ensure_future(awaitable)
        try:
            await asyncio.wait((call, self.lost), return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise NotConnectedError("the connection ended before the broker answered")
            return call.result()
        except aiomqtt.MqttError as error:
            raise NotConnectedError(str(error)) from error
        finally:
            call.cancel()


class _HungUpError(aiomqtt.MqttError):
    """The broker closed the connection, or kept silent, instead of answering."""


class _Client(aiomqtt.Client):
    """aiomqtt with what it lacks: manual acknowledgement, an early end noticed, reason codes heard, sockets closed."""

    def __init__(
        self, broker: Broker, client_id: str, protocol: Protocol, will: Will | None, limits: tuple[float, int]
    ) -> None:
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion(int(protocol)),
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            clean_session=True if protocol is Protocol.V311 else None,
            clean_start=True if protocol is Protocol.V5 else MQTT_CLEAN_START_FIRST_ONLY,
            timeout=limits[0],
            keepalive=limits[1],
            max_inflight_messages=64,
            tls_context=broker.tls,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),  # an answer must not wait for the next one
        )
        self.pending_calls_threshold = 1000
        self._client.manual_ack_set(on=True)
        self._client.connect_timeout = limits[0]
        self._forbidden = 0

    async def enter(self) -> None:
        """Connect; also when cancelled, no half-open connection is left."""
        attempt = asyncio.ensure_future(self.__aenter__())
        try:
            await asyncio.shield(attempt)
        except aiomqtt.MqttError as error:
            silent = self._client.socket() is not None and "timed out" in str(error)
            self._abandon()
            if silent:
                raise _HungUpError("the broker does not answer") from None
            raise
        except asyncio.CancelledError:
            with contextlib.suppress(aiomqtt.MqttError):
                await attempt
            self._abandon()
            raise

    async def leave(self, farewell: Will | None) -> None:
        """Disconnect politely where possible, within a short time."""
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(2.0):
                if farewell is not None:
                    await self.publish(farewell.topic, farewell.payload, qos=1, retain=farewell.retain)
                await self.__aexit__(None, None, None)
        self._abandon()

    def acknowledge(self, mid: int) -> None:
        """Tell the broker that a message was taken; 0 for one that needs no word."""
        if mid and self._client.is_connected():
            self._client.ack(mid, 1)

    def _abandon(self) -> None:
        self._client.on_disconnect = None
        self._client._reset_sockets()  # noqa: SLF001 - the only way to close the socket now
        if self._misc_task is not None:
            self._misc_task.cancel()
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # has been heard

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(_HungUpError("the broker hung up before it answered"))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self, client: PahoClient, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self._forbidden += 1
            if self._forbidden == 1:
                _log.error("publish_refused", client=self.identifier, reason=str(reason_code))
        super()._on_publish(client, userdata, mid, reason_code, properties)
