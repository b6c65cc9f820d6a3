"""Uncertainty of an inventory in the books: classes of the park document, entered assumptions, and the data set."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from parkcarbon.books.amounts import HOUR_MS, Period
from parkcarbon.books.facts import Entry, Facts
from parkcarbon.books.indicators.power import hourly_source
from parkcarbon.books.inventory import Inputs
from parkcarbon.books.quality.balance import HourlySource
from parkcarbon.catalog.entries import management
from parkcarbon.catalog.indicators import error_limits
from parkcarbon.catalog.park import Device, Episode, Point
from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.inventory import Inventory, PointAmount
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.reading import INTERVAL_MS, Method
from parkcarbon.domain.uncertainty.inventory import (
    EpisodeSpan,
    InventoryUncertainty,
    Metering,
    inventory_uncertainty,
)
from parkcarbon.domain.uncertainty.limits import Limit
from parkcarbon.kit.db import Session, to_ms

Json = dict[str, Any]
BASES: Final[tuple[Basis, ...]] = ("location", "market")
_STATES: Final = {
    Method.INTERPOLATED: "interpolated",
    Method.SUBSTITUTED: "substituted",
    Method.ESTIMATED: "estimated",
    Method.MANUAL: "manual",
}


async def uncertainty_of(
    session: Session, inputs: Inputs, inventory: Inventory, *, hourly: HourlySource | None = None
) -> dict[str, InventoryUncertainty]:
    """The ± of each scope and of the totals, by name: `scope1`, `scope2_location`, …, `total_market`, `scope3`.

    Args:
        session: a connection; read only where a meter was exchanged within the period.
        inputs: what the inventory follows from.
        inventory: its lines.
        hourly: where hourly amounts come from; None: the stored ones.
    """
    facts, period = inputs.facts, inputs.period
    meters = await metering_of(session, facts, inputs.points, period, hourly=hourly)
    factors, amounts = assumptions_of(facts.entries, period)
    groups = {"scope1": inventory.scope(1).lines, "scope3": inventory.scope3.lines}
    for basis in BASES:
        groups[f"scope2_{basis}"] = inventory.scope(2, basis).lines
        groups[f"total_{basis}"] = inventory.lines(basis)
    return {
        name: inventory_uncertainty(lines, meters, factors, error_limits(), amounts) for name, lines in groups.items()
    }


def assumptions_of(entries: Iterable[Entry], period: Period) -> tuple[dict[str, Limit], dict[str, Limit]]:
    """What was entered for the period: limits by factor id or purpose, and limits by source of an amount."""
    factors: dict[str, Limit] = {}
    amounts: dict[str, Limit] = {}
    for entry in entries:
        content = entry.content
        if not isinstance(content, management.UncertaintyAssumption):
            continue
        if entry.from_day >= period.to_day or entry.to_day <= period.from_day:
            continue
        source = f"{content.source} (entry {entry.entry_id})"
        limit = Limit(content.half_width_pct / 100, not content.published, source)
        (amounts if content.subject == "amount" else factors)[content.name] = limit
    return factors, amounts


async def metering_of(
    session: Session,
    facts: Facts,
    points: Sequence[PointAmount],
    period: Period,
    *,
    hourly: HourlySource | None = None,
) -> dict[str, Metering]:
    """Meters, transformers and data states behind the amounts of a period, by point."""
    found = {}
    devices = {device.device: device for device in facts.document.devices}
    for amount in points:
        device, point = _declared(devices, amount.point)
        episodes = _episodes(point, period)
        shares = await _shares(session, facts, amount, episodes, period=period, hourly=hourly)
        spans = tuple(
            _span(device, point, episode, share, period) for episode, share in zip(episodes, shares, strict=True)
        )
        found[amount.point] = Metering(
            point=amount.point,
            spans=spans,
            resolution=_step(device, point, episodes[-1]),
            intervals=amount.method_ms.get(Method.MEASURED, 0) // INTERVAL_MS,
            states=_states(amount.method_ms),
        )
    return found


def _declared(devices: Mapping[str, Device], name: str) -> tuple[Device | None, Point | None]:
    """Device and point of the document; a retired one is in it no longer."""
    device_name, _, quantity = name.partition("/")
    device = devices.get(device_name)
    points = () if device is None else device.points
    return device, next((point for point in points if point.quantity == quantity), None)


def _episodes(point: Point | None, period: Period) -> list[Episode | None]:
    """Episodes that reach into the period, in order; None stands for the time before the first, or without any."""
    declared = () if point is None else point.episodes
    before = [episode for episode in declared if to_ms(episode.at) <= period.from_ms]
    within = [episode for episode in declared if period.from_ms < to_ms(episode.at) < period.to_ms]
    return [before[-1] if before else None, *within]


async def _shares(
    session: Session,
    facts: Facts,
    amount: PointAmount,
    episodes: Sequence[Episode | None],
    *,
    period: Period,
    hourly: HourlySource | None,
) -> list[float]:
    """Part of the amount that each episode counted; by the hour, the hour of the exchange going to the new meter."""
    if len(episodes) == 1:
        return [1.0]
    source = hourly or hourly_source(facts)
    hours = await source(session, facts, [amount.point], period.from_ms, period.to_ms)
    values = hours.of(amount.point)
    total = int(values.sum())
    ends = [to_ms(episode.at) for episode in episodes[1:] if episode is not None]
    if not total:
        return [1.0 / len(episodes)] * len(episodes)
    cuts = [0, *((end - period.from_ms) // HOUR_MS for end in ends), len(values)]
    return [int(values[low:high].sum()) / total for low, high in pairwise(cuts)]


def _span(
    device: Device | None, point: Point | None, episode: Episode | None, share: float, period: Period
) -> EpisodeSpan:
    limits = error_limits()
    name = "unknown" if device is None else device.device
    carrier = "none" if point is None else QUANTITIES[point.quantity].carrier
    if episode is None:
        return EpisodeSpan(name, share, limits.of_class("meter", carrier, None))
    ratio = episode.ct != 1 or episode.ct_class is not None
    until = episode.calibrated_until
    return EpisodeSpan(
        episode=f"{name}@{episode.at.isoformat()}",
        share=share,
        meter=limits.of_class("meter", carrier, episode.accuracy_class),
        ct=limits.of_class("ct", carrier, episode.ct_class) if ratio and carrier == "electricity" else None,
        calibrated=None if until is None else until >= period.to_day,
    )


def _step(device: Device | None, point: Point | None, episode: Episode | None) -> float:
    """One step of the register after the meter ratio [unit of the point]."""
    if device is None or point is None or point.kind != "counter":
        return 0.0
    resolution = point.resolution
    if not resolution and device.profile in profile_names():
        known = {item.quantity: item.resolution for item in load_profile(device.profile).points}
        resolution = known.get(point.quantity, 0.0)
    return resolution * (1.0 if episode is None else episode.ct * episode.pt)


def _states(method_ms: Mapping[Method, int]) -> dict[str, tuple[float, int]]:
    """Share of the known time and number of intervals of each state that was not measured.

    The share of the amount is taken to be that of the time.
    """
    known = sum(spent for method, spent in method_ms.items() if method is not Method.MISSING)
    return {
        name: (method_ms[method] / known, max(method_ms[method] // INTERVAL_MS, 1))
        for method, name in _STATES.items()
        if known and method_ms.get(method, 0) > 0
    }
