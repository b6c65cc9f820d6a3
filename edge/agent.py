"""The composition root: everything that an agent is made of, in one task group."""

import asyncio
import dataclasses
import random
import zlib
from pathlib import Path

from parkcarbon.catalog.profiles import load_profile, profile_hash
from parkcarbon.kit.clock import AnchoredClock, Clock
from parkcarbon.kit.log import get
from parkcarbon.kit.mqtt import Broker, Mqtt, Will
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.frame import load_key
from parkcarbon.wire.sender import Description, Sender, SenderSettings, offline_status
from parkcarbon.wire.thin import thinner
from parkcarbon.wire.topics import Address

from .collector import Author, Collector, Store
from .config import Bus, EdgeConfig, TcpBus
from .device import PolledDevice
from .errors import BackfillError, ConfigError
from .modbus import Link, SerialTarget, Target, TcpTarget
from .ntp import synchronised
from .poller import BusPoller
from .serials import Serials

OUTBOX_FILE = "outbox.db"
SERIALS_FILE = "serials.json"
_DAY_MS = 86_400_000
_CLOCK_MARGIN_MS = 60_000

_log = get("edge")


class Agent:
    """One agent.

    Args:
        config: what it does.
        clock: time.
        rng: jitter.

    Raises:
        ConfigError: a file that the configuration names cannot be used.
    """

    def __init__(self, config: EdgeConfig, *, clock: Clock, rng: random.Random) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._address = Address(config.park, config.source)
        self._author = _author(config)
        self._broker = _broker(config)
        data = Path(config.data)
        self._anchored = AnchoredClock(
            clock,
            synced=synchronised if config.wait_for_ntp else lambda: True,
            earliest_ms=_earliest_ms(data / OUTBOX_FILE),
        )
        self._outbox = Outbox(
            data / OUTBOX_FILE,
            clock=clock,
            max_bytes=config.max_outbox_mb << 20,
            keep_ms=round(config.keep_days * _DAY_MS),
            journal=Path(config.journal) if config.journal else None,
            thin=thinner(clock.now_ms, key=self._author.key),
        )
        self._serials = Serials(data / SERIALS_FILE)
        self._links: dict[Target, Link] = {}
        self._devices: list[PolledDevice] = []

    async def run(self) -> None:
        """Poll, keep and send until cancelled."""
        config = self._config
        if self._outbox.set_aside is not None:
            _log.error("outbox_damaged", set_aside=str(self._outbox.set_aside))
        mqtt = Mqtt(
            self._broker,
            client_id=f"{config.park}.{config.source}",
            clock=self._clock,
            rng=self._rng,
            will=lambda: Will(self._address.status, offline_status(config.source, self._clock.now_ms())),
        )
        sender = Sender(
            outbox=self._outbox,
            publisher=mqtt,
            address=self._address,
            clock=self._clock,
            rng=self._rng,
            settings=SenderSettings(status_every_s=config.status_s),
            describe=self._describe,
        )
        store = Store(self._outbox, self._author, self._clock, journal=config.journal is not None)
        collector = Collector(
            store,
            clock=self._clock,
            flush_s=config.flush_s,
            flush_readings=config.flush_readings,
            changes=self._serials,
            appended=sender.wake,
        )
        pollers = [self._poller(bus, collector, sender) for bus in config.buses]
        _log.info("started", source=config.source, devices=len(self._devices), boot=self._outbox.boot)
        try:
            for topic_filter in sender.filters:
                await mqtt.subscribe(topic_filter)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(mqtt.run(), name="mqtt")
                tasks.create_task(sender.run(), name="sender")
                tasks.create_task(_listen(mqtt, sender), name="listener")
                tasks.create_task(collector.run(), name="collector")
                for bus, poller in zip(config.buses, pollers, strict=True):
                    tasks.create_task(poller.run(), name=f"bus {bus.bus}")
                if config.backfill is not None:
                    tasks.create_task(self._backfill(Path(config.backfill), store, sender), name="backfill")
        finally:
            for link in self._links.values():
                await link.close()
            self._outbox.close()
            _log.info("stopped", source=config.source)

    def _poller(self, bus: Bus, collector: Collector, sender: Sender) -> BusPoller:
        target = target_of(bus)
        if target not in self._links:
            self._links[target] = Link(target, self._clock)
        now_ms = self._anchored.stamp().time_ms
        devices = [PolledDevice(device, load_profile(device.profile), now_ms) for device in bus.devices]
        for device in devices:
            device.serial_note = self._serials.note(device.name)
        self._devices += devices
        return BusPoller(
            bus.bus,
            reader=self._links[target],
            devices=devices,
            clock=self._clock,
            stamps=self._anchored,
            sink=collector.take,
            serials=self._serials,
            report=sender.report,
        )

    async def _backfill(self, path: Path, store: Store, sender: Sender) -> None:
        from .backfill import Backfill

        try:
            await Backfill(path, store, clock=self._clock, appended=sender.wake).run()
        except BackfillError as error:
            _log.error("backfill_failed", error=str(error))

    def _describe(self) -> Description:
        return Description(
            clock="synced" if self._anchored.stamp().certain else "uncertain",
            devices=tuple(device.status() for device in self._devices),
        )


async def _listen(mqtt: Mqtt, sender: Sender) -> None:
    async for message in mqtt.messages():
        await sender.handle(message.topic, message.payload)


def target_of(bus: Bus) -> Target:
    """Return where a bus is; buses at one address share a connection."""
    if isinstance(bus, TcpBus):
        return TcpTarget(bus.host, bus.port)
    return SerialTarget(bus.path, bus.baud, bus.parity, bus.stop_bits)


def rng_of(config: EdgeConfig) -> random.Random:
    """Return the source of jitter: another one for each agent."""
    return random.Random(zlib.crc32(f"{config.park}/{config.source}".encode()))  # noqa: S311 - jitter, no secret


def _author(config: EdgeConfig) -> Author:
    names = sorted({device.profile for bus in config.buses for device in bus.devices})
    key = None
    if config.key_file is not None:
        try:
            key = load_key(Path(config.key_file).read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(f"key_file: {config.key_file}: {error}") from None
    return Author(config.park, config.source, tuple(profile_hash(name) for name in names), key)


def _broker(config: EdgeConfig) -> Broker:
    ca_file = Path(config.ca_file) if config.ca_file else None
    try:
        broker = Broker.from_url(config.broker, ca_file=ca_file)
        password = Path(config.password_file).read_text().strip() if config.password_file else broker.password
    except (OSError, ValueError) as error:
        raise ConfigError(f"broker: {error}") from None
    return dataclasses.replace(broker, username=config.username or broker.username, password=password)


def _earliest_ms(outbox: Path) -> int:
    """Return the time that it must at least be: a clock that shows less has lost its way [ms UTC]."""
    floor_ms = 1_577_836_800_000  # 2020
    try:
        return max(floor_ms, outbox.stat().st_mtime_ns // 1_000_000 - _CLOCK_MARGIN_MS)
    except OSError:
        return floor_ms
