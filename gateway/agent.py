"""The composition root: everything that a gateway is made of, in one task group."""

import random
import zlib
from pathlib import Path

from parkcarbon.kit.clock import Clock
from parkcarbon.kit.log import get
from parkcarbon.kit.mqtt import Mqtt, Will
from parkcarbon.kit.service import serve
from parkcarbon.wire.sender import offline_status
from parkcarbon.wire.topics import Address

from .config import GatewayConfig, broker
from .relay import Relay
from .store import Store

QUEUE_FILE = "queue.db"
_DAY_MS = 86_400_000

_log = get("gateway")


async def run(config: GatewayConfig, *, clock: Clock, rng: random.Random) -> None:
    """Relay until cancelled."""
    address = Address(config.park, config.gateway)
    name = f"{config.park}.{config.gateway}"
    local = Mqtt(broker(config.local_broker, "local_broker"), client_id=f"{name}.local", clock=clock, rng=rng)
    uplink = Mqtt(
        broker(config.uplink_broker, "uplink_broker", config.uplink_ca_file),
        client_id=name,
        clock=clock,
        rng=rng,
        will=lambda: Will(address.status, offline_status(config.gateway, clock.now_ms())),
    )
    store = Store(
        Path(config.data) / QUEUE_FILE,
        clock=clock,
        max_bytes=config.max_queue_mb << 20,
        keep_ms=round(config.keep_days * _DAY_MS),
    )
    relay = Relay(
        address=address,
        sources=config.sources,
        store=store,
        local=local,
        uplink=uplink,
        clock=clock,
        rng=rng,
        status_s=config.status_s,
    )
    _log.info("started", gateway=config.gateway, sources=len(config.sources), waiting=store.load().depth)
    try:
        await serve({"local broker": local.run, "uplink": uplink.run, "relay": relay.run})
    finally:
        store.close()
        _log.info("stopped", gateway=config.gateway)


def rng_of(config: GatewayConfig) -> random.Random:
    """Return the source of jitter: another one for each gateway."""
    return random.Random(zlib.crc32(f"{config.park}/{config.gateway}".encode()))  # noqa: S311 - jitter, no secret
