"""How a figure comes about: formula, registers or sums behind each term, factors with their match."""

from collections.abc import Sequence
from dataclasses import dataclass

from parkcarbon.domain.emissions import CarrierFactor
from parkcarbon.domain.inventory import factor_document
from parkcarbon.domain.reading import Quality
from parkcarbon.kit.db import Row, from_ms
from parkcarbon.live.model import HOUR_MS, ParkModel, PointInfo
from parkcarbon.live.power import LOAD_FLOWS, RATE_FLOWS, Newest, PointPower, not_live
from parkcarbon.live.uses import emitting_points

from .moment import Moment
from .schemas import FactorUse, FigureName, Working, WorkingTerm

_LABELS = {
    "import": "grid import",
    "export": "grid export",
    "generation": "generation",
    "charge": "charge",
    "discharge": "discharge",
    "fuel": "fuel",
    "heat": "purchased heat",
}
_UNITS_H = {"kWh": "kW", "Nm3": "Nm3/h", "m3": "m3/h", "GJ": "GJ/h"}
_LIVE_NOTE = "live and indicative; accumulated figures come from 15-minute intervals"
_SLOW_NOTE = "a slow meter enters with the mean of its newest interval (15 min avg)"
_INTERVAL_NOTE = "sum of 15-minute intervals since local midnight, the running one included"


@dataclass(frozen=True)
class Answer:
    """What differs from figure to figure."""

    value: float | None
    unit: str
    formula: str
    terms: list[WorkingTerm]
    factors: list[FactorUse]
    notes: list[str]


def counted_points(model: ParkModel, figure: FigureName) -> list[PointInfo]:
    """Points behind an accumulated figure."""
    if figure == "emissions_today":
        return emitting_points(model)
    if figure == "completeness":
        return [point for point in model.metered() if point.flow is not None]
    flows = ("generation", "export", "import", "charge", "discharge") if figure == "pv" else LOAD_FLOWS
    return [point for flow in flows for point in model.metered("electricity", flow)]


def explain(moment: Moment, figure: FigureName, starts: dict[int, Row]) -> Working:
    """Return the working of a figure.

    Args:
        moment: the state that `Now` was made from.
        figure: which one.
        starts: newest reading of each point up to local midnight.
    """
    answer = _ANSWERS[figure](moment, starts)
    return Working(
        figure=figure,
        value=answer.value,
        unit=answer.unit,
        at=from_ms(moment.now_ms),
        formula=answer.formula,
        terms=answer.terms,
        factors=answer.factors,
        notes=list(dict.fromkeys(answer.notes)),
    )


def _emission_rate(moment: Moment, _: dict[int, Row]) -> Answer:
    used, notes = _live(moment, [item for item in moment.powers if item.power.flow in RATE_FLOWS])
    terms = [_live_term(item) for item in used]
    parts = moment.figures.parts_kgco2e_h
    terms += [
        WorkingTerm(label=f"emission rate, {carrier}", value=value, unit="kgCO2e/h") for carrier, value in parts.items()
    ]
    factors, said = _factors(moment, [item.point for item in used])
    notes += [*said, _LIVE_NOTE]
    if moment.figures.averaged:
        notes.append(_SLOW_NOTE)
    if moment.past.grid_kg_per_kwh is not None:
        terms.append(WorkingTerm(label="grid factor now", value=moment.past.grid_kg_per_kwh, unit="kgCO2e/kWh"))
    for unit in dict.fromkeys(item.point.unit for item in used if item.point.carrier == "gas"):
        gas = moment.model.factor_at("gas", unit, moment.now_ms)
        if gas is not None:
            terms.append(WorkingTerm(label="gas factor now", value=gas.co2e, unit=f"kgCO2e/{unit}"))
    formula = "grid import × grid factor + gas × gas factor + heat × heat factor"
    return Answer(moment.figures.emission_rate_kgco2e_h, "kgCO2e/h", formula, terms, factors, notes)


def _load(moment: Moment, _: dict[int, Row]) -> Answer:
    mine = [item for item in moment.powers if item.power.carrier == "electricity" and item.power.flow in LOAD_FLOWS]
    used, notes = _live(moment, mine)
    formula = "import - export + generation + discharge - charge"
    return Answer(moment.figures.load_kw, "kW", formula, [_live_term(item) for item in used], [], [*notes, _LIVE_NOTE])


def _energy_today(moment: Moment, starts: dict[int, Row]) -> Answer:
    terms = [
        _day_term(moment, point, starts, _micro(moment, point), point.unit)
        for point in counted_points(moment.model, "energy_today")
    ]
    notes = [_INTERVAL_NOTE]
    if moment.today.cost is not None:
        terms.append(WorkingTerm(label="cost", value=moment.today.cost, unit=moment.model.currency))
        price = moment.model.price_per_kwh
        notes.append(f"cost = grid import × {price} {moment.model.currency}/kWh; own generation has no price here")
    formula = "import - export + generation + discharge - charge, in kWh since local midnight"
    return Answer(moment.today.load_kwh, "kWh", formula, terms, [], notes)


def _emissions_today(moment: Moment, starts: dict[int, Row]) -> Answer:
    points = counted_points(moment.model, "emissions_today")
    terms = []
    for point in points:
        terms.append(_day_term(moment, point, starts, _micro(moment, point), point.unit))
        nano = moment.newest.get(point.point_id, Newest()).day_nano_kg
        terms.append(
            WorkingTerm(
                label=f"emission, {_label(point)}",
                value=None if nano is None else nano / 1e9,
                unit="kgCO2e",
                point=point.point,
            )
        )
    terms.append(WorkingTerm(label="market-based total", value=moment.today.market_kg, unit="kgCO2e"))
    factors, notes = _factors(moment, points, market=True)
    formula = "sum over intervals of amount × location-based factor; scope 1 gas, scope 2 electricity and heat"
    return Answer(moment.today.location_kg, "kgCO2e", formula, terms, factors, [_INTERVAL_NOTE, *notes])


def _pv(moment: Moment, starts: dict[int, Row]) -> Answer:
    terms = [
        _day_term(moment, point, starts, _micro(moment, point), point.unit)
        for point in counted_points(moment.model, "pv")
    ]
    terms.append(WorkingTerm(label="load", value=moment.today.load_kwh, unit="kWh"))
    terms.append(WorkingTerm(label="self-sufficiency", value=moment.today.self_sufficiency_pct, unit="%"))
    formula = "(generation - export) ÷ generation; self-sufficiency = (generation - export) ÷ load"
    return Answer(moment.today.self_consumption_pct, "%", formula, terms, [], [_INTERVAL_NOTE])


def _completeness(moment: Moment, _: dict[int, Row]) -> Answer:
    terms = [
        WorkingTerm(
            label=f"measured hours, {point.point}",
            value=moment.newest.get(point.point_id, Newest()).day_measured_ms / HOUR_MS,
            unit="h",
            point=point.point,
        )
        for point in counted_points(moment.model, "completeness")
    ]
    today = moment.today
    terms.append(WorkingTerm(label="measured hours", value=today.measured_h, unit="h"))
    terms.append(WorkingTerm(label="expected hours", value=today.expected_h, unit="h"))
    notes = ["a reading is due once its period is over; interpolated and substituted time does not count as measured"]
    return Answer(today.completeness_pct, "%", "measured ÷ expected meter-hours since local midnight", terms, [], notes)


_ANSWERS = {
    "emission_rate": _emission_rate,
    "load": _load,
    "energy_today": _energy_today,
    "emissions_today": _emissions_today,
    "pv": _pv,
    "completeness": _completeness,
}


def _live(moment: Moment, powers: list[PointPower]) -> tuple[list[PointPower], list[str]]:
    """Those that a live figure is made of, and what is to be said of the ones that come from files."""
    out = not_live(moment.powers)
    used = [item for item in powers if item not in out]
    notes = [f"{item.point.point} comes from files: it is not in this live figure" for item in powers if item in out]
    notes += [
        f"{item.point.point} comes from files and no live meter shows its flow: this figure is unknown between files"
        for item in used
        if item.power.from_files and item.per_h is None
    ]
    return used, notes


def _label(point: PointInfo) -> str:
    return _LABELS.get(point.flow or "", point.flow or point.quantity)


def _micro(moment: Moment, point: PointInfo) -> float | None:
    micro = moment.newest.get(point.point_id, Newest()).day_micro
    return None if micro is None else micro / 1e6


def _live_term(item: PointPower) -> WorkingTerm:
    label = _label(item.point) + (", 15 min avg" if item.power.averaged else "")
    return WorkingTerm(
        label=label,
        value=item.per_h,
        unit=_UNITS_H.get(item.point.unit, f"{item.point.unit}/h"),
        point=item.source.point,
        time=None if item.time_ms is None else from_ms(item.time_ms),
        register_value=item.shown,
        quality=_quality(item.quality),
    )


def _day_term(moment: Moment, point: PointInfo, starts: dict[int, Row], value: float | None, unit: str) -> WorkingTerm:
    seen = moment.newest.get(point.point_id, Newest())
    start = starts.get(point.point_id)
    return WorkingTerm(
        label=_label(point),
        value=value,
        unit=unit,
        point=point.point,
        time=None if seen.time_ms is None else from_ms(seen.time_ms),
        register_value=seen.value,
        quality=_quality(seen.quality),
        start_register=None if start is None else start["value"],
        start_time=None if start is None else start["time"],
    )


def _quality(code: int | None) -> str | None:
    return None if code is None else Quality(code).name.lower()


def _factors(moment: Moment, points: Sequence[PointInfo], *, market: bool = False) -> tuple[list[FactorUse], list[str]]:
    """Factors of these points, each once, with what is to be said of them."""
    model, year = moment.model, moment.model.local(moment.now_ms).year
    found: list[CarrierFactor] = []
    notes: list[str] = []
    for carrier, unit in dict.fromkeys((point.carrier, point.unit) for point in points):
        factor = model.factor(carrier, unit, year)
        if factor is None:
            notes.append(f"{carrier} in {unit} has no factor: it is not in the total")
            continue
        found.append(factor)
        other = model.factor(carrier, unit, year, "market") if market and carrier == "electricity" else None
        if other is not None:
            found.append(other)
    documents = {
        (match.factor.factor, match.match): factor_document(match) for factor in found for match in factor.matches
    }
    notes += [note for factor in found for note in factor.notes]
    notes += [f"{name} is unverified" for (name, _), item in documents.items() if item["unverified"]]
    return [FactorUse.model_validate(item) for item in documents.values()], notes
