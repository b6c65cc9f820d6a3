"""The energy balance of a park in its books: what is behind each connection point, by the hour, and how it is known.

Nothing here changes anything: hours are flagged, runs are proposed, differences are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from parkcarbon.books.amounts import HOUR_MS, Hourly, Period, parse_period
from parkcarbon.books.facts import Facts, PointFact
from parkcarbon.books.sources import SeriesSource, sources_of
from parkcarbon.catalog.indicators import error_limits
from parkcarbon.catalog.park import Device, Episode, Point
from parkcarbon.catalog.park_tenancy import Connection, FormulaFlow
from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.balance.formula import Formula, evaluate
from parkcarbon.domain.balance.hourly import Balance, Band, Channel, Role, of_channels
from parkcarbon.domain.readings import BoolArray, Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import to_ms as ms_of

Json = dict[str, Any]

HourlySource: TypeAlias = SeriesSource
"""Where amounts by the hour come from."""

ONLY: Final = Connection("grid", Name("并网点", "Grid connection"))
"""The connection point of a park that names none."""

ROLES: Final[Mapping[str, Role]] = {
    "import": "import",
    "export": "export",
    "generation": "generation",
    "charge": "charge",
    "discharge": "discharge",
    "sub_meter": "load",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A point, or formula of points, behind a connection point.

    Attributes:
        channel: its place in the balance.
        terms: points whose amounts it is made of, with factors.
        constant_per_h: of a formula [kWh/h].
        active: False for a retired meter: where it is unknown it is absent.
        since_ms: before this the meter was not there [ms UTC].
        owner: entity that the document names as its owner.
        errors: of a formula: half-widths of its terms' errors [1].
    """

    channel: Channel
    terms: tuple[tuple[str, float], ...]
    constant_per_h: float = 0.0
    active: bool = True
    since_ms: int | None = None
    owner: str | None = None
    errors: tuple[float, ...] = ()


@dataclass(frozen=True)
class Behind:
    """A connection point and its members."""

    connection: Connection
    members: tuple[Member, ...]

    @property
    def points(self) -> tuple[str, ...]:
        """Every point that is read, once."""
        return tuple(dict.fromkeys(point for member in self.members for point, _ in member.terms))


def behind_connections(facts: Facts) -> list[Behind]:
    """What is metered behind each connection point, in the order of the document.

    A retired meter that the document no longer holds counts at the only connection point; where there are several
    nothing says where it was, and it is left out. A sub-meter with others below stands for what is left between them.
    """
    document = facts.document
    connections = document.connections or (ONLY,)
    members: dict[str, list[Member]] = {connection.connection: [] for connection in connections}
    only = connections[0].connection if len(connections) == 1 else None
    devices = {device.device: device for device in document.devices}
    below = _below(facts)
    for fact in facts.metered():
        if fact.carrier != "electricity" or fact.flow not in ROLES:
            continue
        device = devices.get(fact.device)
        place = (device.connection if device is not None else None) or only
        if place is not None:
            members[place].append(_member(fact, device, below.get(fact.point, ())))
    for formula in document.formulas:
        members[formula.connection or connections[0].connection].append(_formula(formula, facts, devices))
    return [Behind(connection, tuple(members[connection.connection])) for connection in connections]


def _below(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Of each sub-meter of electricity, those next below it."""
    found: dict[str, tuple[str, ...]] = {}
    for fact in facts.metered("sub_meter"):
        if fact.below is not None and fact.carrier == "electricity":
            found[fact.below] = (*found.get(fact.below, ()), fact.point)
    return found


def _member(fact: PointFact, device: Device | None, below: tuple[str, ...]) -> Member:
    point = _point_of(device, fact.quantity)
    role = ROLES[fact.flow or ""]
    gives_back = role == "load" and fact.quantity.endswith("_export")
    error, step = meter_error(point), register_step(device, point)
    channel = Channel(fact.point, role, fact.device, error, step, gives_back, fact.tenant)
    first = point.episodes[0].at if point is not None and point.episodes else None
    since = None if first is None else ms_of(first)
    terms = ((fact.point, 1.0), *((point, -1.0) for point in below))
    return Member(channel, terms, 0.0, fact.active, since, None if device is None else device.owner)


def _formula(formula: FormulaFlow, facts: Facts, devices: Mapping[str, Device]) -> Member:
    """The errors of a formula are those of its terms, which stand for it: its channel has none by itself."""
    terms = tuple((term.point, term.factor) for term in formula.terms)
    channel = Channel(formula.formula, ROLES[formula.flow], formula.formula, tenant=formula.tenant)
    active = all(point.active for point in facts.points if point.point in dict(terms))
    errors = []
    for point, _ in terms:
        device, _, quantity = point.partition("/")
        errors.append(meter_error(_point_of(devices.get(device), quantity)))
    return Member(channel, terms, formula.constant_per_h, active, errors=tuple(errors))


def _point_of(device: Device | None, quantity: str) -> Point | None:
    points = () if device is None else device.points
    return next((point for point in points if point.quantity == quantity), None)


def meter_error(point: Point | None, carrier: str = "electricity") -> float:
    """Half-width of the error of a meter with its transformers, 95 %, as a fraction [1].

    From the newest episode that states a class, else the defaults of `catalog/indicators/uncertainty.yaml`.
    """
    limits = error_limits()
    episodes: tuple[Episode, ...] = () if point is None else point.episodes
    newest = episodes[-1] if episodes else None
    meter = limits.of_class("meter", carrier, None if newest is None else newest.accuracy_class).half_width
    if newest is None or (newest.ct == 1 and newest.pt == 1 and newest.ct_class is None):
        return meter
    return float(np.hypot(meter, limits.of_class("ct", carrier, newest.ct_class).half_width))


def register_step(device: Device | None, point: Point | None) -> int:
    """One step of a register after its ratio [1e-6 unit]; from the profile where the document gives none."""
    if device is None or point is None or point.kind != "counter":
        return 0
    resolution = point.resolution
    if not resolution and device.profile in profile_names():
        known = {item.quantity: item.resolution for item in load_profile(device.profile).points}
        resolution = known.get(point.quantity, 0.0)
    newest = point.episodes[-1] if point.episodes else None
    ratio = 1.0 if newest is None else newest.ct * newest.pt
    return round(resolution * ratio * 1e6)


async def balances(session: Session, facts: Facts, from_ms: int, to_ms: int) -> list[Balance]:
    """The hourly balance of every connection point over `[from_ms, to_ms)`, up to the moment of knowledge.

    Args:
        session: a connection.
        facts: the park as known.
        from_ms: start, a local hour [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """
    found = []
    hours = sources_of(facts).hours
    last_ms = end_of(facts, from_ms, to_ms)
    for behind in behind_connections(facts):
        amounts = await hours(session, facts, behind.points, from_ms, last_ms)
        found.append(balance_of(behind, amounts))
    return found


def balance_of(behind: Behind, amounts: Hourly) -> Balance:
    """Put the balance of one connection point together."""
    values, known = _values(behind, amounts)
    used = [m for m in behind.members if m.active or bool(known[m.channel.point].any())]
    for member in used:
        absent = ~known[member.channel.point]
        if member.active:
            absent &= amounts.start_ms < (member.since_ms or 0)
        known[member.channel.point] = known[member.channel.point] | absent
    connection = behind.connection
    band = Band(connection.band_low_pct, connection.band_high_pct, connection.band_of)
    channels = [member.channel for member in used]
    variance = np.zeros(len(amounts.start_ms))
    for member in used:
        for (point, factor), error in zip(member.terms, member.errors, strict=False):
            variance += (factor * error * amounts.of(point)) ** 2
    return of_channels(
        connection.connection, channels, amounts.start_ms, values, known, band=band, more_variance=variance
    )


def _values(behind: Behind, amounts: Hourly) -> tuple[dict[str, Int64Array], dict[str, BoolArray]]:
    rows = {point: amounts.amount_micro[at] for at, point in enumerate(amounts.points)}
    marks = {point: amounts.known[at] for at, point in enumerate(amounts.points)}
    values: dict[str, Int64Array] = {}
    known: dict[str, BoolArray] = {}
    span_ms = int(amounts.start_ms[1] - amounts.start_ms[0]) if len(amounts.start_ms) > 1 else HOUR_MS
    for member in behind.members:
        name = member.channel.point
        formula = Formula(name, member.terms, member.constant_per_h)
        values[name], known[name] = evaluate(formula, rows, marks, span_ms=span_ms)
    return values, known


def period_at(facts: Facts, text: str) -> Period:
    """A month or year of the park that has begun.

    Raises:
        RefusedError: neither, or it has not begun.
    """
    period = parse_period(text, facts.zone)
    if period.from_ms >= ms_of(facts.until):
        raise RefusedError("", f"{text} had not begun by {facts.until.isoformat()}")
    return period


def end_of(facts: Facts, from_ms: int, to_ms: int) -> int:
    """End of a period, or of the last whole hour of it up to which readings are expected [ms UTC]."""
    whole = max(0, ms_of(facts.until) - from_ms) // HOUR_MS * HOUR_MS
    return min(to_ms, from_ms + whole)
