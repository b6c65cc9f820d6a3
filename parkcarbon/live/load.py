"""Reading a park as it is now from the database."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from parkcarbon.books.derive.model import load_series
from parkcarbon.domain.calorific import filled, varies
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.db import Row, Session, from_ms, load_queries

from .model import FactorRecord, ParkModel, build_model, interval_floor_ms
from .power import Newest, newest_of

QUERIES = load_queries(__package__)
SLOW_LOOK_BACK_MS = 8 * INTERVAL_MS  # so far back is looked for a slow meter's newest interval, as the API does


async def load_park(session: Session, park: str, now_ms: int) -> ParkModel | None:
    """Load a park; None where there is none.

    Args:
        session: in a transaction, so that all tables are of one moment.
        park: id.
        now_ms: time of now [ms UTC]; the episodes in force then count.
    """
    row = await session.fetchrow(QUERIES["park"], park)
    if row is None:
        return None
    tenants = await session.fetch(QUERIES["tenants"], park)
    devices = await session.fetch(QUERIES["devices"], park)
    points = await session.fetch(QUERIES["points"], park, from_ms(now_ms))
    factors = await session.fetch(QUERIES["factors"], park)
    park_row = {**row, "document": document_of(row["document"])}
    model = build_model(park_row, tenants, devices, points, [_factor(item) for item in factors])
    gas = model.factor("gas", "Nm3", model.local(now_ms).year)
    if gas is None or not varies(gas):
        return model
    record = gas.leading.factor
    values = await load_series(session, model.factor_id(record), record)
    return replace(model, gas_values=filled(values))


async def load_newest(session: Session, model: ParkModel, now_ms: int) -> Mapping[int, Newest]:
    """The newest reading, the local day's sums and the newest finished interval of each point.

    Args:
        session: a connection.
        model: the park.
        now_ms: time of now [ms UTC].
    """
    slow_to_ms = interval_floor_ms(now_ms)  # the running interval is not finished
    rows = await session.fetch(
        QUERIES["live"],
        model.park,
        model.local(now_ms).date(),
        from_ms(slow_to_ms - SLOW_LOOK_BACK_MS),
        from_ms(slow_to_ms),
    )
    return newest_of(rows)


def document_of(value: object) -> dict[str, Any]:
    """A JSON document as the driver gives it: text or decoded already."""
    if isinstance(value, str | bytes):
        value = msgspec.json.decode(value)
    return value if isinstance(value, dict) else {}


def _factor(row: Row) -> FactorRecord:
    members = document_of(row["document"])
    for name in ("published_on", "valid_from", "valid_to"):
        members[name] = _day(members.get(name))
    members["recorded_at"] = row["recorded_at"]
    return FactorRecord(row["factor_id"], Factor(**members))


def _day(value: object) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) else None
