"""What stands behind each line of an inventory: metered energy down to registers, entries with their evidence."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from parkcarbon.books.amounts import HOUR_MS, Hourly
from parkcarbon.books.facts import Entry, Facts, PointFact
from parkcarbon.books.inventory import Inputs
from parkcarbon.books.sources import sources_of
from parkcarbon.books.working.energy import Asked, energy_figure, hours_columns, quarters_of, states_source
from parkcarbon.domain.calorific import filled, per_calorific
from parkcarbon.domain.emissions import unit_scale
from parkcarbon.domain.factors import Factor, FactorSeries
from parkcarbon.domain.inventory import Inventory, PointAmount
from parkcarbon.domain.inventory_figures import NOTHING, Backing, factors_figure
from parkcarbon.domain.methods.lines import Line
from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.domain.submeters import outermost
from parkcarbon.domain.working import Figure, computed
from parkcarbon.kit.db import from_ms

DETAIL_POINTS: Final = 40
"""A figure of more points stops at what each of them amounts to; `point:` explains any of them alone."""


@dataclass
class Scene:
    """A park, a period and its inventory, while one figure of it is explained."""

    asked: Asked
    inputs: Inputs
    inventory: Inventory
    now: dt.datetime
    as_of: dt.datetime | None = None
    energies: dict[str, Figure] = field(default_factory=dict)
    hours: dict[tuple[str, ...], Hourly] = field(default_factory=dict)

    @property
    def facts(self) -> Facts:
        """The park as known."""
        return self.asked.facts

    def amount(self, point: str) -> PointAmount | None:
        """Sums of a metered point over the period."""
        return next((amount for amount in self.inputs.points if amount.point == point), None)

    def point(self, point: str) -> PointFact:
        """A metered point.

        Raises:
            LookupError: there is none of this name.
        """
        found = next((item for item in self.facts.metered() if item.point == point), None)
        if found is None:
            raise LookupError(f"there is no metered point {point} in {self.facts.park}")
        return found


async def energy_of(scene: Scene, point: str, *, deep: bool = True) -> Figure:
    """The energy of a metered point, down to registers unless `deep` is False."""
    fact, amount = scene.point(point), scene.amount(point)
    if amount is None:
        amount = PointAmount(point, fact.flow, fact.carrier, fact.unit, 0)
    if not deep:
        note = f"registers: explain point:{point}"
        value = amount.amount if amount.known else None
        return Figure("energy", value, fact.unit, label_en=point, source=states_source(amount), notes=(note,))
    if point not in scene.energies:
        scene.energies[point] = await energy_figure(scene.asked, fact, amount)
    return scene.energies[point]


async def backings(scene: Scene, lines: Iterable[Line]) -> dict[int, Backing]:
    """What stands behind lines, by their identity."""
    chosen = tuple(lines)
    metered = {line.source for line in chosen if not line.entry and scene.amount(line.source) is not None}
    deep = len(metered) <= DETAIL_POINTS
    return {id(line): await _backing(scene, line, deep=deep, metered=line.source in metered) for line in chosen}


async def _backing(scene: Scene, line: Line, *, deep: bool, metered: bool) -> Backing:
    if line.entry:
        return Backing(_entered(scene.facts, line))
    amount = scene.amount(line.source)
    if not metered or amount is None:
        return NOTHING
    energy = await energy_of(scene, line.source, deep=deep)
    activity = _uncovered(line, amount, energy)
    series = next((found for match in line.factors if (found := _series(scene.facts, match.factor)) is not None), None)
    if series is None or line.amount_micro != amount.amount_micro:
        return Backing(activity, amount.intervals)
    axis, columns = await _by_time(scene, line, filled(series) if line.chains else series)
    return Backing(activity, amount.intervals, columns, axis)


def _uncovered(line: Line, amount: PointAmount, energy: Figure) -> Figure:
    """The amount of a line: the whole of the meter, what certificates leave of it, or what they cover."""
    if line.amount_micro == amount.amount_micro:
        return energy
    lots = [f"{used.get('registry')} {used.get('serials')}" for used in line.instruments]
    covered = amount.amount_micro - line.amount_micro
    if line.instruments:
        source = {"kind": "lot", "lots": lots, "of": line.source}
        return Figure(
            "covered",
            line.activity,
            line.activity_unit,
            label_zh="证书覆盖电量",
            label_en="covered by cancelled certificates",
            source=source,
            rule="4.3",
        )
    leaf = Figure(
        "covered",
        covered / 1e6,
        line.activity_unit,
        label_zh="证书覆盖电量",
        label_en="covered by cancelled certificates",
        source={"kind": "lot", "of": line.source},
        notes=("see the line beside this one, and the figure cover",),
    )
    return computed(
        "activity",
        "difference",
        line.activity_unit,
        energy,
        leaf,
        value=line.activity,
        label_zh="未被证书覆盖的外购电量",
        label_en="purchased and not covered",
        rule="3.15",
    )


def _entered(facts: Facts, line: Line) -> Figure:
    """The amount of an entry with who entered and who reviewed it."""
    source: dict[str, object] = {"kind": "entry", "entry": line.entry, "evidence": line.evidence}
    entry = _entry(facts, line.entry)
    if entry is not None:
        source |= {
            "entry_kind": entry.kind,
            "from_day": entry.from_day.isoformat(),
            "to_day": entry.to_day.isoformat(),
            "author": entry.author,
            "reviewer": entry.reviewer,
            "recorded_at": entry.recorded_at.isoformat(),
        }
    notes = ("simulated: not for use outside a demonstration",) if line.simulated else ()
    return Figure(
        "activity",
        line.activity,
        line.activity_unit,
        label_zh=f"{line.source} 活动数据（录入）",
        label_en=f"activity data of {line.source}, entered",
        source=source,
        notes=notes,
    )


def _entry(facts: Facts, name: str) -> Entry | None:
    number = name.partition(":")[2]
    return next((entry for entry in facts.entries if str(entry.entry_id) == number), None)


def _series(facts: Facts, factor: Factor) -> FactorSeries | None:
    if not factor.series:
        return None
    number = next((number for number, record in facts.factors if record == factor), None)
    return None if number is None else facts.series.get(number)


async def _by_time(
    scene: Scene, line: Line, series: FactorSeries
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[float | None, ...]]]:
    """Amounts and factors, or calorific values, by the hour; by the quarter where they change within an hour."""
    hourly = await hours_of(scene, [line.source])
    quarters = np.stack([series.at(hourly.start_ms + step) for step in range(0, HOUR_MS, INTERVAL_MS)])
    if bool(np.all((quarters == quarters[0]) | (np.isnan(quarters) & np.isnan(quarters[0])))):
        starts, (axis, columns) = hourly.start_ms, hours_columns(hourly, line.source, line.activity_unit)
    else:
        starts, axis, columns = await quarters_of(scene.asked, scene.point(line.source))
    values = series.at(starts)
    factor = tuple(None if np.isnan(value) else value for value in values.tolist())
    unit = series.factor.unit
    if line.chains:
        words = ("series", "substituted, rule 6.2")
        axis = {**axis, "calorific value by": tuple(words[flag] for flag in series.substituted_at(starts).tolist())}
        one = factors_figure(per_calorific(line.chains), line.activity_unit).value
        constant = f"kgCO2e/{line.activity_unit} per {unit}"
        return axis, {**columns, f"calorific value [{unit}]": factor, constant: (one,) * len(factor)}
    scale = unit_scale(series.factor, line.activity_unit)
    columns = {**columns, f"factor [{unit}]": factor}
    if scale != 1:
        columns["unit conversion"] = (scale,) * len(factor)
    return axis, columns


async def hours_of(scene: Scene, points: list[str]) -> Hourly:
    """Hourly amounts of points over the period."""
    key = tuple(points)
    if key not in scene.hours:
        period = scene.asked.period
        hours = sources_of(scene.facts).hours
        scene.hours[key] = await hours(scene.asked.session, scene.facts, points, period.from_ms, period.to_ms)
    return scene.hours[key]


async def point_figure(scene: Scene, point: str) -> Figure:
    """A point by the hour, and the registers or readings behind it."""
    energy = await energy_of(scene, point)
    fact = scene.point(point)
    axis, columns = hours_columns(await hours_of(scene, [point]), point, fact.unit)
    if energy.value is None:
        return replace(energy, name=f"point:{point}")
    return computed(
        f"point:{point}",
        "sum_product",
        fact.unit,
        energy,
        value=energy.value,
        label_zh=f"{point} 逐时",
        label_en=f"{point} by the hour",
        columns=columns,
        axis=axis,
        source=energy.source,
    )


def _electric(scene: Scene, flow: str) -> list[PointFact]:
    return [point for point in scene.facts.metered(flow) if point.carrier == "electricity"]


async def flow_figure(scene: Scene, flow: str) -> Figure:
    """Electricity of one flow as the sum of its points; not known where nothing is known of any of them."""
    points = [point.point for point in outermost(_electric(scene, flow))]
    known = [point for point in points if (amount := scene.amount(point)) is not None and amount.known]
    if not known:
        return Figure(flow, None, "kWh", notes=(f"no known point carries the flow {flow}",))
    deep = len(known) <= DETAIL_POINTS
    left = [f"{point} has no readings in this period" for point in points if point not in known]
    return computed(
        flow, "sum", "kWh", *[await energy_of(scene, point, deep=deep) for point in known], notes=tuple(left)
    )


def period_document(scene: Scene) -> dict[str, object]:
    """What any figure of the scene rests on: period, date of knowledge, versions, data states."""
    facts, inventory = scene.facts, scene.inventory
    return {
        "kind": "inventory",
        "park": facts.park,
        "period": inventory.period,
        "from": inventory.from_time,
        "to": inventory.to_time,
        "known_on": inventory.known_on,
        "as_of": None if scene.asked.current else facts.as_of.isoformat(),
        "method_version": inventory.method_version,
        "gwp_set": inventory.gwp_set,
        "fuel_set": inventory.settings.fuel_set,
        "document_revision": facts.revision,
        "final": inventory.final,
        "completeness_pct": inventory.completeness_pct,
        "states": {state: round(share, 9) for state, share in inventory.states.items() if share},
        "readings_until": from_ms(scene.asked.to_ms).isoformat().replace("+00:00", "Z"),
    }
