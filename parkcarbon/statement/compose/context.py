"""What all pages of a statement share: facts, amounts, figures so far; everything is read once, through one session.

The facts are those of `order.as_of`; amounts are the stored ones, which `books.periods.closing` freezes too.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from parkcarbon.books.amounts import Hourly, Period, hourly_amounts, parse_period, point_amounts
from parkcarbon.books.facts import QUERIES, Facts, load_facts
from parkcarbon.books.indicators.park import Months
from parkcarbon.books.indicators.uncertainty import uncertainty_of
from parkcarbon.books.inventory import Inputs, inventory_of, with_entries
from parkcarbon.books.quality.balance import end_of
from parkcarbon.books.quality.reconcile import BillCheck, reconcile
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.uncertainty.inventory import InventoryUncertainty
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.statement.sheet import Sheet

from .order import Order

if TYPE_CHECKING:
    from .lines import Book

BASES: Final[tuple[Basis, ...]] = ("location", "market")


class Context:
    """A statement in the making.

    Attributes:
        session: the one connection that everything is read through.
        order: what is asked for.
        facts: the park as known at `order.as_of`; `facts.now` is that moment too, so that amounts are the stored ones.
        period: whole local month or year.
        inputs: what the inventory follows from; stored amounts.
        inventory: on the profile `ghgp`.
        closed: True when the period was closed by `order.as_of`.
        sheet: figures so far; every page enters its own with `sheet.put`.
        book: lines of the inventory with the ids of their figures, once `lines.book_of` made it.
    """

    def __init__(self, session: Session, order: Order, inputs: Inputs, *, closed: bool) -> None:
        self.session = session
        self.order = order
        self.facts: Facts = inputs.facts
        self.period: Period = inputs.period
        self.inputs = inputs
        self.closed = closed
        self.inventory: Inventory = inventory_of(inputs, final=closed)
        self.sheet = Sheet()
        self.book: Book | None = None
        self._months = StoredMonths(self)
        self._rows: dict[str, tuple[Int64Array, BoolArray]] = {}
        self._start_ms: Int64Array | None = None
        self._bills: tuple[BillCheck, ...] | None = None
        self._uncertainty: dict[str, InventoryUncertainty] | None = None

    @property
    def basis(self) -> Basis:
        """Scope 2 basis that is judged; the other one stands beside it."""
        return self.facts.document.method.neutrality_basis

    @property
    def other_basis(self) -> Basis:
        """The basis that is not judged."""
        return "location" if self.basis == "market" else "market"

    @cached_property
    def device_names(self) -> dict[str, Name]:
        """Names of the devices of the park document."""
        return {device.device: device.name for device in self.facts.document.devices}

    @cached_property
    def intervals(self) -> dict[str, int]:
        """How many stored intervals each point has in the period."""
        return {point.point: point.intervals for point in self.inputs.points}

    @property
    def end_ms(self) -> int:
        """End of the period, or of the last whole hour by which readings are expected [ms UTC]."""
        return end_of(self.facts, self.period.from_ms, self.period.to_ms)

    @property
    def months(self) -> "StoredMonths":
        """Other periods, each read once: `await context.months.inputs("2026-09")`."""
        return self._months

    async def hourly(self, points: Sequence[str]) -> Hourly:
        """Amounts of points by the local hour from the begin of the period to `end_ms`; each point is read once."""
        wanted = list(dict.fromkeys(points))
        unread = [point for point in wanted if point not in self._rows]
        if unread or self._start_ms is None:
            found = await hourly_amounts(self.session, self.facts, unread, self.period.from_ms, self.end_ms)
            self._start_ms = found.start_ms
            for at, point in enumerate(unread):
                self._rows[point] = (found.amount_micro[at], found.known[at])
        hours = len(self._start_ms)
        amount = np.zeros((len(wanted), hours), dtype=np.int64)
        known = np.zeros((len(wanted), hours), dtype=np.bool_)
        for at, point in enumerate(wanted):
            amount[at], known[at] = self._rows[point]
        return Hourly(tuple(wanted), self._start_ms, amount, known)

    async def bills(self) -> tuple[BillCheck, ...]:
        """The gate against the bills that end within the period, on their own days."""
        if self._bills is None:
            self._bills = (await reconcile(self.session, self.facts, self.period, ())).bills
        return self._bills

    async def uncertainty(self) -> dict[str, InventoryUncertainty]:
        """The ± at 95 % of `scope1`, `scope2_location`, `scope2_market`, `total_location`, `total_market`, `scope3`."""
        if self._uncertainty is None:
            self._uncertainty = await uncertainty_of(self.session, self.inputs, self.inventory)
        return self._uncertainty


class StoredMonths(Months):
    """Inputs of any period as known at the statement's moment, with stored amounts; each is read once.

    `books.indicators.park` takes it where it takes `Months`.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context.session, context.facts.park, context.order.now, context.facts.as_of)
        self._facts = context.facts
        self._inputs = {context.period.label: context.inputs}
        self._supplied: dict[str, Inputs] = {}

    async def supplied(self, label: str) -> Inputs:
        """As `inputs`, but without the sub-meters of electricity, of which a park may have a thousand.

        Results are the same on each method: they count what is supplied, sub-meters only say who used it.
        """
        if label in self._inputs:
            return self._inputs[label]
        if label not in self._supplied:
            self._supplied[label] = await self._read(label, without_loads(self._facts))
        return self._supplied[label]

    async def _load(self, label: str) -> Inputs:
        return await self._read(label, self._facts)

    async def _read(self, label: str, facts: Facts) -> Inputs:
        return await stored_inputs(self.session, facts, parse_period(label, facts.zone))


async def stored_inputs(session: Session, facts: Facts, period: Period) -> Inputs:
    """What the inventory of a period follows from, with stored amounts."""
    points = await point_amounts(session, facts, period.from_ms, period.to_ms)
    return await with_entries(session, facts, period, points)


async def open_context(session: Session, order: Order) -> Context:
    """Read what every page needs.

    Args:
        session: the one connection, best in a transaction that sees one moment of the database.
        order: what is asked for.

    Raises:
        RefusedError: no such period, or one that had not begun by `order.as_of`.
        LookupError: there is no such park, or it was not known by then.
    """
    facts = replace(await load_facts(session, order.park, order.as_of), now=order.as_of)
    period = parse_period(order.period, facts.zone)
    if period.is_month == (order.kind == "annual"):
        raise RefusedError(
            "3.9", f"{order.kind} of {order.period}: a statement of kind annual is of a year, others of a month"
        )
    if from_ms(period.from_ms) > order.as_of:
        raise RefusedError("", f"{order.period} had not begun by {order.as_of.isoformat()}")
    inputs = await stored_inputs(session, facts, period)
    closed = bool(await session.fetchval(QUERIES["period_closed"], order.park, order.period, order.as_of))
    return Context(session, order, inputs, closed=closed)


def without_loads(facts: Facts) -> Facts:
    """The park without its sub-meters of electricity: what is supplied to it is all there."""
    points = tuple(p for p in facts.points if (p.carrier, p.flow) != ("electricity", "sub_meter"))
    return replace(facts, points=points)


def local_time(facts: Facts, at_ms: int) -> dt.datetime:
    """A moment in the park's time zone."""
    return from_ms(at_ms).astimezone(facts.zone)
