"""The inventory of a local month, from intervals, by `parkcarbon.domain.inventory`."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from parkcarbon.domain.inventory import Inventory as DomainInventory
from parkcarbon.domain.inventory import PointAmount, assemble
from parkcarbon.domain.reading import Method
from parkcarbon.kit.db import Row, from_ms

from .buckets import next_month
from .model import ParkModel
from .problems import ProblemError
from .schemas import Inventory, InventoryLine, InventoryScope
from .store import Store

MONTH = r"^(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])$"


def month_bounds_ms(model: ParkModel, month: str) -> tuple[int, int]:
    """Start and end of a local month [ms UTC].

    Raises:
        ProblemError: 422, not a month.
    """
    if re.fullmatch(MONTH, month) is None:
        raise ProblemError(422, f"{month!r} is not a month like 2026-03")
    first = dt.date(int(month[:4]), int(month[5:]), 1)
    return model.midnight_ms(first), model.midnight_ms(next_month(first))


async def monthly_inventory(store: Store, model: ParkModel, month: str, now_ms: int) -> Inventory:
    """Return the inventory of a month as known now.

    Args:
        store: the database.
        model: the park.
        month: `YYYY-MM`, local.
        now_ms: time of now [ms UTC].

    Raises:
        ProblemError: 422, not a month or one that has not begun.
    """
    start_ms, end_ms = month_bounds_ms(model, month)
    if start_ms > now_ms:
        raise ProblemError(422, f"the month {month} has not begun")
    amounts, states, pending = await store.month(model.park, start_ms, end_ms)
    result = assemble(
        point_amounts(model, amounts, states, expected_ms=min(now_ms, end_ms) - start_ms),
        [record.factor for record in model.factors],
        model.settings,
        park=model.park,
        period=month,
        from_time=from_ms(start_ms),
        to_time=from_ms(end_ms),
        known_on=max(from_ms(now_ms), model.changed_at),  # the database's clock may be ahead of ours
        final=end_ms <= now_ms and not pending,
    )
    return to_answer(result)


def point_amounts(
    model: ParkModel, amounts: Sequence[Row], states: Sequence[Row], *, expected_ms: int
) -> list[PointAmount]:
    """Put the sums of each point together; a metered point without any interval counts as missing time."""
    by_point = {row["point_id"]: row for row in amounts}
    spent: dict[int, list[Row]] = {}
    for state in states:
        spent.setdefault(state["point_id"], []).append(state)
    found = []
    for point in model.metered():
        row = by_point.get(point.point_id)
        if row is None and point.flow is None:
            continue
        mine = spent.get(point.point_id, [])
        found.append(
            PointAmount(
                point=point.point,
                flow=point.flow,
                carrier=point.carrier,
                unit=point.unit,
                amount_micro=row["amount_micro"] if row else 0,
                co2e_nano_kg=row["co2e_nano_kg"] if row else None,
                intervals=row["intervals"] if row else 0,
                measured_ms=sum(item["measured_ms"] for item in mine),
                expected_ms=expected_ms,
                suspect_ms=sum(item["suspect_ms"] for item in mine),
                method_ms={Method(item["method"]): item["known_ms"] for item in mine},
            )
        )
    return found


def to_answer(inventory: DomainInventory) -> Inventory:
    """Return the inventory in the shape of this contract, which is a part of the whole document."""
    document = inventory.document()
    sums = {carrier: _amounts(inventory.energy[carrier]) for carrier in ("gas", "heat")}
    scopes = [
        {
            **_members(InventoryScope, scope.document()),
            "lines": [_members(InventoryLine, x.document()) for x in scope.lines],
        }
        for scope in inventory.scopes
    ]
    shown = {**_members(Inventory, document), "scopes": scopes, "energy": {**inventory.energy, **sums}}
    return Inventory.model_validate(shown)


def _members(model: type[BaseModel], document: Mapping[str, object]) -> dict[str, object]:
    """The members of a document that a model has, by the name they are read under."""
    names = {field.validation_alias or name for name, field in model.model_fields.items()}
    return {name: value for name, value in document.items() if name in names}


def _amounts(by_unit: object) -> list[dict[str, object]]:
    if not isinstance(by_unit, Mapping):
        return []
    return [{"amount": amount, "unit": unit} for unit, amount in by_unit.items()]
