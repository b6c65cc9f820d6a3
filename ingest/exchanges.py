"""Meters that a source found exchanged: a declared boundary for each register of the device, as a dated fact."""

from collections.abc import Iterable

import msgspec
import structlog

from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.model import Model, Source
from parkcarbon.books.derive.stored import moment
from parkcarbon.domain.reading import Kind
from parkcarbon.kit.db import Session
from parkcarbon.wire.body import SerialChange

from .judge import window
from .queries import QUERIES

log = structlog.get_logger(__name__)

Told = tuple[Source, SerialChange, int]
"""Who told of which exchange, and when that was received [ms UTC]."""


async def declare(session: Session, model: Model, told: Iterable[Told]) -> bool:
    """Enter exchanges that are not known yet and make them count; return whether there were any.

    The same exchange told again, in another batch too, changes nothing. A device that is not registered leaves nothing:
    `replay` enters what its batches told.

    Args:
        session: connection inside the transaction, `config_version` locked FOR UPDATE.
        model: the configuration as of that lock.
        told: exchanges in any order.
    """
    parks: set[str] = set()
    for source, change, now_ms in told:
        low, high = window(source, now_ms)
        if not low <= change.t <= high:
            log.warning("exchange.ignored", source=source.name, device=change.device, time_ms=change.t)
            continue
        if await _enter(session, model, source, change):
            parks.add(source.park)
    for park in sorted(parks):
        await announce(session, model, park)
    return bool(parks)


async def _enter(session: Session, model: Model, source: Source, change: SerialChange) -> bool:
    prefix = f"{change.device}/"
    points = [
        point.point_id
        for name, point in model.points.get(source.park, {}).items()
        if name.startswith(prefix) and point.kind is Kind.COUNTER
    ]
    document = {"end_reading": None, "start_reading": None, "serial": change.serial, "was": change.was}
    entered = await session.fetch(
        QUERIES["insert_exchange"],
        points,
        moment(change.t),
        msgspec.json.encode(document).decode(),
        source.name,
        f"serial number changed from {change.was} to {change.serial}",
    )
    if entered:
        log.info("exchange.declared", source=source.name, device=change.device, points=len(entered))
    return bool(entered)
