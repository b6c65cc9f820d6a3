"""A park document into the database: kept whole as a fact, projected into tables, and what it changes queued."""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.model import load_model
from parkcarbon.books.derive.project import Projected, projected
from parkcarbon.catalog import park as doc
from parkcarbon.catalog.changes import describe_changes
from parkcarbon.catalog.factors import load_factors
from parkcarbon.kit.db import Database, Session

from .factors import series_factor, sync_factors, sync_series
from .localdays import need_local_days
from .queries import QUERIES

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(slots=True)
class Applied:
    """What an application of a document did."""

    revision: int
    changes: list[str]
    factors: int = 0
    queued: int = 0
    series: dict[str, tuple[int, int]] = field(default_factory=dict)


async def stored_park(session: Session, park: str) -> tuple[int, doc.Park | None]:
    """Return the newest revision of a park document, 0 and None where there is none."""
    row = await session.fetchrow(QUERIES["newest_revision"], park)
    if row is None:
        return 0, None
    return row["revision"], msgspec.json.decode(row["document"], type=doc.Park)


async def differences(database: Database, park: doc.Park) -> list[str]:
    """Return what applying a document would change, one line each."""
    async with database.session() as session:
        _, before = await stored_park(session, park.park)
    return [f"park {park.park} is new"] if before is None else describe_changes(before, park)


async def apply_park(database: Database, park: doc.Park, folder: Path, *, author: str, reason: str) -> Applied:
    """Make a document the park's newest revision, if it changed; enter new factors in any case.

    Args:
        database: where to.
        park: a checked document.
        folder: where the files of its factor series are.
        author: who decided.
        reason: why.
    """
    async with database.transaction() as session:
        await session.fetchval(QUERIES["version_for_update"])
        before = await load_model(session)
        revision, old = await stored_park(session, park.park)
        applied = Applied(revision, [])
        if old is None or _encode(old) != _encode(park):
            applied.revision = revision + 1
            applied.changes = ["new"] if old is None else describe_changes(old, park)
            await _enter(session, park, applied.revision, author=author, reason=reason)
            await _project(session, park)
            await need_local_days(session, park.timezone)
            if old is not None and old.timezone != park.timezone:
                await session.execute(QUERIES["forget_local_days"], park.park)
                await session.execute(QUERIES["forget_local_months"], park.park)
        added = await sync_factors(session, load_factors(), None)
        added += await sync_factors(session, [series_factor(entry) for entry in park.factor_series], park.park)
        applied.factors = len(added)
        for entry in park.factor_series:
            if (span := await sync_series(session, park.park, entry, folder)) is not None:
                applied.series[entry.factor] = span
        if not (applied.changes or added or applied.series):
            return applied
        applied.queued = await announce(session, before, park.park)
    return applied


async def _enter(session: Session, park: doc.Park, revision: int, *, author: str, reason: str) -> None:
    document = _encode(park)
    name, text = park.name, document.decode()
    await session.execute(QUERIES["upsert_park"], park.park, name.zh, name.en, park.timezone, text, revision)
    digest = hashlib.sha256(document).digest()
    await session.execute(QUERIES["insert_revision"], park.park, revision, text, digest, author, reason)


async def _project(session: Session, park: doc.Park) -> None:
    """Bring the tables in line with the document; what is no longer in it is retired, never deleted."""
    key = park.park
    await session.execute(QUERIES["delete_tenants"], key)
    for position, tenant in enumerate(park.tenants):
        await session.execute(QUERIES["insert_tenant"], key, tenant.tenant, tenant.name.zh, tenant.name.en, position)
    await session.execute(QUERIES["retire_sources"], key, [source.source for source in park.sources])
    for source in park.sources:
        public_key = None if source.public_key is None else base64.b64decode(source.public_key)
        window = source.window_from, source.window_to
        await session.execute(
            QUERIES["upsert_source"], key, source.source, source.kind, source.via, public_key, *window
        )
    names = [f"{device.device}/{point.quantity}" for device in park.devices for point in device.points]
    await session.execute(QUERIES["retire_devices"], key, [device.device for device in park.devices])
    await session.execute(QUERIES["retire_points"], key, names)
    ids = {}
    for position, device in enumerate(park.devices):
        ids[device.device] = await _project_device(session, key, position, device)
    for one in projected(park):
        await _project_point(session, (key, ids[one.device.device]), one)


async def _project_device(session: Session, park: str, position: int, device: doc.Device) -> int:
    device_id = await session.fetchval(
        QUERIES["upsert_device"],
        park,
        device.device,
        device.profile,
        device.tenant,
        device.source,
        device.name.zh,
        device.name.en,
        device.bus,
        position,
        device.active,
    )
    return int(device_id)


async def _project_point(session: Session, key: tuple[str, int], one: Projected) -> None:
    """Enter a point and its episodes."""
    point, limits = one.point, one.limits
    point_id = await session.fetchval(
        QUERIES["upsert_point"],
        *key,
        one.name,
        point.quantity,
        point.kind,
        one.unit,
        one.carrier,
        point.flow,
        one.device.tenant,
        limits.period_ms,
        limits.limit_per_h,
        limits.resolution,
        limits.modulus,
        one.device.active,
        point.may_be_negative,
    )
    await session.execute(QUERIES["delete_episodes"], [point_id])
    episodes = [
        (point_id, e.at, e.serial, e.ct, e.pt, e.sign, e.modulus, e.limit_per_h, e.end_reading, e.start_reading)
        for e in point.episodes
    ]
    if episodes:
        await session.executemany(QUERIES["insert_episode"], episodes)
