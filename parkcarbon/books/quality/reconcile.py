"""Gate against sub-meters against the supplier's bills, and what storage kept: sums that meters must agree on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parkcarbon.books.amounts import Period, midnight_ms
from parkcarbon.books.facts import QUERIES, Entry, Facts
from parkcarbon.books.quality.balance import ONLY, balances, meter_error
from parkcarbon.books.sources import sources_of
from parkcarbon.catalog.entries.metering import Bill, StateOfCharge
from parkcarbon.catalog.indicators import error_limits
from parkcarbon.catalog.park_tenancy import Storage
from parkcarbon.domain.balance.hourly import Balance
from parkcarbon.domain.balance.reconcile import Difference, Side, combined_error
from parkcarbon.domain.balance.storage import StorageLoss, storage_loss
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.reading import OUTSIDE_ENERGY, Method, Quality
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.kit.db import to_ms as ms_of

Json = dict[str, Any]

HOUR_MS: Final = 3_600_000
SOC_NEAR_MS: Final = HOUR_MS
"""A state of charge counts for a moment at most this far from it [ms]."""

_FLOWS: Final = {("electricity", "import"): "import", ("electricity", "export"): "export", ("gas", "import"): "fuel"}
_PER_UNIT: Final = {("MWh", "kWh"): 1000.0, ("kWh", "GJ"): 0.0036, ("MWh", "GJ"): 3.6}
_USABLE: Final = [int(quality) for quality in Quality if quality not in OUTSIDE_ENERGY]


@dataclass(frozen=True)
class BillCheck:
    """One bill against the gate meter, on the bill's own days.

    Attributes:
        entry: as it was entered.
        bill: what it says.
        difference: gate less bill; None: no meter or no common unit.
        unit: of the amounts compared.
        cost_per_unit: cost by billed unit [currency/unit].
        notes: what a reader should know.
    """

    entry: Entry
    bill: Bill
    difference: Difference | None
    unit: str
    cost_per_unit: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reconciliation:
    """Everything of a period that two meters must agree on.

    Attributes:
        period: month or year.
        connections: by connection point: what was supplied less what sub-meters show; the band is allowed.
        bills: those that end within the period.
    """

    period: Period
    connections: Mapping[str, Difference]
    bills: tuple[BillCheck, ...]


async def reconcile(
    session: Session, facts: Facts, period: Period, read: Sequence[Balance] | None = None
) -> Reconciliation:
    """Compare gate, sub-meters and bills of a period.

    Args:
        session: a connection.
        facts: the park as known.
        period: month or year.
        read: balances of the period that are there already; none of them: bills alone are compared.
    """
    given = await balances(session, facts, period.from_ms, period.to_ms) if read is None else read
    found = {balance.connection: gate_against_sub_meters(balance) for balance in given if balance.has("load")}
    bills = [
        (entry, entry.content)
        for entry in facts.entries
        if isinstance(entry.content, Bill) and period.from_day < entry.to_day <= period.to_day
    ]
    return Reconciliation(period, found, tuple([await _bill(session, facts, entry, bill) for entry, bill in bills]))


def gate_against_sub_meters(balance: Balance) -> Difference:
    """Supply less charge and export, against the sum of the metered loads, over the known hours."""
    gate = (
        balance.total("import")
        + balance.total("generation")
        + balance.total("discharge")
        - balance.total("charge")
        - balance.total("export")
    )
    known = balance.known
    sums = balance.amount_micro[:, known].sum(axis=1).tolist()
    parts = list(zip(balance.channels, sums, strict=True))
    outer = [(channel.error, int(amount)) for channel, amount in parts if channel.role != "load"]
    inner = [(channel.error, int(amount)) for channel, amount in parts if channel.role == "load"]
    missing_h = float((~known).sum())
    low, high = (float(limit[known].sum()) for limit in balance.limits)
    whole = bool(known.any())
    return Difference(
        Side("gate", gate if whole else None, combined_error(outer), missing_h),
        Side("sub_meters", balance.total("load") if whole else None, combined_error(inner), missing_h),
        (low, high),
    )


async def _bill(session: Session, facts: Facts, entry: Entry, bill: Bill) -> BillCheck:
    """On the bill's own days; the meters are those of its carrier and direction."""
    cost = None if bill.cost is None or not bill.amount else bill.cost / bill.amount
    start, end = (midnight_ms(day, facts.zone) for day in (entry.from_day, entry.to_day))
    flow = "heat" if bill.carrier == "heat" else _FLOWS.get((bill.carrier, bill.direction))
    amounts = await sources_of(facts).totals(session, facts, start, min(end, ms_of(facts.until)))
    metered = [p for p in amounts if (p.carrier, p.flow) == (bill.carrier, flow) and _billed(facts, p, bill)]
    if not metered:
        return BillCheck(
            entry, bill, None, bill.unit, cost, (f"no meter shows {bill.carrier} {bill.direction} for this bill",)
        )
    unit = metered[0].unit
    scale = 1.0 if bill.unit == unit else _PER_UNIT.get((bill.unit, unit))
    if scale is None:
        return BillCheck(entry, bill, None, bill.unit, cost, (f"the bill is in {bill.unit}, the meters in {unit}",))
    errors = [(meter_error(_document_point(facts, p.point), p.carrier), p.amount_micro) for p in metered]
    missing_h = sum(missing_ms(p) for p in metered) / HOUR_MS
    gate = None if missing_h or end > ms_of(facts.until) else sum(p.amount_micro for p in metered)
    billed = round(bill.amount * scale * 1e6)
    half_width, note = _bill_error(bill, errors)
    sides = (
        Side("gate", gate, combined_error(errors), missing_h),
        Side("bill", billed, half_width * billed),
    )
    return BillCheck(entry, bill, Difference(*sides), unit, cost, (note,) if note else ())


def _billed(facts: Facts, amount: PointAmount, bill: Bill) -> bool:
    """True where a point is behind the connection point of a bill."""
    if bill.connection is None or bill.carrier != "electricity":
        return True
    name = amount.point.partition("/")[0]
    device = next((device for device in facts.document.devices if device.device == name), None)
    return (None if device is None else device.connection or ONLY.connection) == bill.connection


def _bill_error(bill: Bill, errors: Sequence[tuple[float, int]]) -> tuple[float, str]:
    if bill.accuracy_class:
        return error_limits().of_class("meter", bill.carrier, bill.accuracy_class).half_width, ""
    return max(error for error, _ in errors), "class of the supplier's meter not given: as the park's own, assumed"


def _document_point(facts: Facts, point: str) -> Any:
    name, _, quantity = point.partition("/")
    for device in facts.document.devices:
        if device.device == name:
            return next((found for found in device.points if found.quantity == quantity), None)
    return None


def missing_ms(amount: PointAmount) -> int:
    """Time of a period that is not known [ms]."""
    known = sum(spent for method, spent in amount.method_ms.items() if method is not Method.MISSING)
    return max(amount.expected_ms - known, 0)


@dataclass(frozen=True)
class StorageOf:
    """A store and its loss over a period.

    Attributes:
        storage: of the park document.
        loss: of the period.
        soc_from_pct: state of charge at the beginning [%].
        soc_to_pct: at the end [%].
        missing_h: hours in which charge or discharge is not known.
    """

    storage: Storage
    loss: StorageLoss | None
    soc_from_pct: float | None
    soc_to_pct: float | None
    missing_h: float = 0.0


async def storage_of(session: Session, facts: Facts, start_ms: int, end_ms: int) -> list[StorageOf]:
    """The loss of every store over `[start_ms, end_ms)`; unknown where energy or a state of charge is.

    Args:
        session: a connection.
        facts: the park as known.
        start_ms: begin [ms UTC].
        end_ms: end, exclusive [ms UTC].
    """
    if not facts.document.storage:
        return []
    amounts = {p.point: p for p in await sources_of(facts).totals(session, facts, start_ms, end_ms)}
    found = []
    for storage in facts.document.storage:
        socs = [await soc_at(session, facts, storage, at_ms) for at_ms in (start_ms, end_ms)]
        charge, discharge = amounts.get(storage.charge), amounts.get(storage.discharge)
        missing = [missing_ms(point) for point in (charge, discharge) if point is not None]
        loss = None
        if charge is not None and discharge is not None and not any(missing):
            loss = storage_loss(
                charge.amount_micro,
                discharge.amount_micro,
                soc_from_pct=socs[0],
                soc_to_pct=socs[1],
                capacity_kwh=storage.capacity_kwh,
            )
        found.append(StorageOf(storage, loss, socs[0], socs[1], sum(missing) / HOUR_MS))
    return found


def stores_behind(balance: Balance, stores: Sequence[StorageOf]) -> list[StorageOf]:
    """The stores whose charge is a channel of a balance."""
    points = {channel.point for channel in balance.channels}
    return [found for found in stores if found.storage.charge in points]


async def soc_at(session: Session, facts: Facts, storage: Storage, at_ms: int) -> float | None:
    """State of charge at a moment [%]: the gauge's last value of the hour before, else what was entered nearby."""
    if storage.soc is not None and storage.soc in facts.point_ids:
        arguments = (facts.point_ids[storage.soc], from_ms(at_ms - SOC_NEAR_MS), from_ms(at_ms))
        row = await session.fetchrow(QUERIES["gauge_at"], *arguments, facts.as_of, _USABLE)
        if row is not None:
            return float(row["value"])
    entered = [
        (abs(ms_of(entry.content.at.astimezone(dt.UTC)) - at_ms), entry.content.soc_pct)
        for entry in facts.entries
        if isinstance(entry.content, StateOfCharge) and entry.content.storage == storage.storage
    ]
    near = [found for found in sorted(entered) if found[0] <= SOC_NEAR_MS]
    return near[0][1] if near else None
