"""The national park indicator: carbon per unit of energy, its guiding indicators and direct green supply.

    energy-only  = E_energy / tce(等价值),  with process = (E_energy + E_process) / tce(等价值)        [tCO2/tce]

E_energy and E_process come from the method profile `zcp910`, never from another. The limit is tested on the unrounded
value. Whatever the window, the result is a progress figure: acceptance looks at a calendar year, by others.

References:
    accounting rules 2.2 (limits by size), 2.3 (guiding list, exclusions with reasons), 2.4 (等价值, CO2 only, calendar
    year), 2.5, 2.7 (direct supply), 2.10 (direct connection), 2.12 (indicative), 6.8 (no rounding before the test).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

from .datasets import INDICATIVE, NOT_APPLICABLE, DirectConnection, Guiding, Scheme, SizeClass
from .energy import Comprehensive, energy_figure, percent

Json = dict[str, object]

VERDICTS: Final = {
    "met": "达到 met",
    "not_met": "未达到 not met",
    "not_applicable": NOT_APPLICABLE,
    "not_computed": "未计算 not computed",
}
"""What a verdict is called; indicative, not the acceptance result."""
WindowKind = Literal["month", "year_to_date", "full_year", "last_full_year", "rolling_12_months"]
Verdict = Literal["met", "not_met", "not_applicable", "not_computed"]


@dataclass(frozen=True, slots=True)
class Window:
    """The days an indicator speaks of.

    Attributes:
        kind: which.
        from_day: first local day.
        to_day: day after the last.
        months: labels of the months in it, for the working.
    """

    kind: WindowKind
    from_day: dt.date
    to_day: dt.date
    months: tuple[str, ...] = ()

    @property
    def is_year(self) -> bool:
        """True for twelve months: only then its consumption is an annual one."""
        day = self.from_day
        leap = (day.month, day.day) == (2, 29)
        return self.to_day == (dt.date(day.year + 1, 3, 1) if leap else day.replace(year=day.year + 1))


@dataclass(frozen=True, slots=True)
class GuidingValue:
    """What was entered or computed for a guiding indicator; excluded ones say why and have no verdict."""

    value_pct: float | None
    evidence: str = ""
    excluded_because: str = ""
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class GuidingResult:
    """A guiding indicator judged."""

    guiding: Guiding
    value: GuidingValue | None

    @property
    def verdict(self) -> Literal["met", "not_met", "excluded", "not_entered", "not_computed"]:
        """On the unrounded value."""
        if self.value is not None and self.value.excluded_because:
            return "excluded"
        if self.value is None or self.value.value_pct is None:
            return "not_computed" if self.guiding.computed else "not_entered"
        return "met" if self.value.value_pct >= self.guiding.at_least_pct else "not_met"

    def document(self) -> Json:
        """As the API gives it."""
        value = self.value
        return {
            "indicator": self.guiding.indicator,
            "label": {"zh": self.guiding.zh, "en": self.guiding.en},
            "at_least_pct": self.guiding.at_least_pct,
            "value_pct": None if value is None else value.value_pct,
            "verdict": self.verdict,
            "computed": self.guiding.computed,
            "evidence": "" if value is None or value.value_pct is None else value.evidence,
            "excluded_because": "" if value is None else value.excluded_because,
            "entry": None if value is None else value.entry_id,
        }


@dataclass(frozen=True, slots=True)
class DirectSupply:
    """Green power supplied directly: own generation used inside, and dedicated lines; never certificates or trading.

    Attributes:
        supplied_kwh: less what was sold with its certificates [kWh]; None: unknown.
        consumption_kwh: electricity consumed [kWh]; None: unknown.
        at_least_pct: what the notice asks for, in principle [%].
    """

    supplied_kwh: float | None
    consumption_kwh: float | None
    at_least_pct: float

    @property
    def share_pct(self) -> float | None:
        """Share of consumption [%]."""
        return percent(self.supplied_kwh, self.consumption_kwh)

    def document(self) -> Json:
        """As the API gives it."""
        share = self.share_pct
        return {
            "supplied_kwh": self.supplied_kwh,
            "consumption_kwh": self.consumption_kwh,
            "share_pct": share,
            "at_least_pct": self.at_least_pct,
            "reached": None if share is None else share >= self.at_least_pct,
            "note": "原则上 in principle; certificates and trading are not direct supply",
        }

    def figure(self) -> Figure:
        """The share with its working [%]."""
        ratio = computed(
            "ratio",
            "quotient",
            "1",
            Figure("supplied_directly", self.supplied_kwh, "kWh", source={"kind": "interval", "text": "direct supply"}),
            Figure("consumption", self.consumption_kwh, "kWh", source={"kind": "interval", "text": "consumption"}),
        )
        hundred = Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"})
        return computed("direct_green_supply", "product", "%", ratio, hundred, rule="2.7")


@dataclass(frozen=True)
class ParkIndicator:
    """The indicator of one window.

    Attributes:
        scheme: edition.
        window: days.
        energy_nano_kg: E_energy [1e-9 kg CO2]; None: not known.
        process_nano_kg: E_process [1e-9 kg CO2]; None: not known.
        energy: comprehensive energy of the window.
        annual_tce: consumption of a year, which decides the size class; None: not known.
        guiding: judged, in the order of the notice.
        direct: green power supplied directly.
        notes: sentences.
    """

    scheme: Scheme
    window: Window
    energy_nano_kg: int | None
    process_nano_kg: int | None
    energy: Comprehensive
    annual_tce: float | None
    guiding: tuple[GuidingResult, ...]
    direct: DirectSupply
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """Energy-only [tCO2/tce]."""
        return self._per_tce(self.energy_nano_kg)

    @property
    def value_with_process(self) -> float | None:
        """With process emissions [tCO2/tce]."""
        if self.energy_nano_kg is None or self.process_nano_kg is None:
            return None
        return self._per_tce(self.energy_nano_kg + self.process_nano_kg)

    @property
    def size_class(self) -> SizeClass | None:
        """By the annual consumption; None: below the smallest, or not known."""
        return None if self.annual_tce is None else self.scheme.size_class(self.annual_tce)

    @property
    def verdict(self) -> Verdict:
        """Of the energy-only value, unrounded."""
        return self._judge(self.value)

    @property
    def verdict_with_process(self) -> Verdict:
        """Of the value with process, unrounded."""
        return self._judge(self.value_with_process)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is no value or no verdict."""
        found = [self.energy.reason]
        if self.energy_nano_kg is None:
            found.append("emissions of method profile zcp910 are not known for the window")
        if self.process_nano_kg is None:
            found.append("process emissions are not known: no value with process")
        if self.annual_tce is None and not self.energy.reason:
            found.append("the consumption of a whole year is not known: no size class")
        smallest = self.scheme.not_applicable_below_tce
        if self.annual_tce is not None and self.annual_tce < smallest:
            found.append(f"{self.annual_tce:,.6g} tce a year is below {smallest:,.0f} tce: {NOT_APPLICABLE}")
        return tuple(reason for reason in found if reason)

    def document(self) -> Json:
        """As the API gives it."""
        size = self.size_class
        return {
            "indicator": "carbon_per_unit_of_energy",
            "label": {"zh": "单位能耗碳排放", "en": "Carbon per unit of energy (park indicator)"},
            "method_profile": "zcp910",
            "scheme": self.scheme.scheme,
            "document": self.scheme.document,
            "window": self.window.kind,
            "from_day": self.window.from_day.isoformat(),
            "to_day": self.window.to_day.isoformat(),
            "status": INDICATIVE,
            "unit": "tCO2/tce",
            "value": self.value,
            "value_with_process": self.value_with_process,
            "limit": None if size is None else size.limit_tco2_per_tce,
            "verdict": self.verdict,
            "verdict_with_process": self.verdict_with_process,
            "verdict_text": VERDICTS[self.verdict],
            "energy_t": _tonnes(self.energy_nano_kg),
            "process_t": _tonnes(self.process_nano_kg),
            "tce_equal": self.energy.tce("equal"),
            "annual_tce_equal": self.annual_tce,
            "reasons": list(self.reasons),
            "guiding": [result.document() for result in self.guiding],
            "direct_green_supply": self.direct.document(),
            "comprehensive_energy": self.energy.document(),
            "notes": list(self.notes),
        }

    def figure(self, *, with_process: bool = False) -> Figure:
        """The value with its working [tCO2/tce]."""
        terms = [_emissions("energy_emissions", self.energy_nano_kg)]
        if with_process:
            terms.append(_emissions("process_emissions", self.process_nano_kg))
        return computed(
            "park910_with_process" if with_process else "park910",
            "quotient",
            "tCO2/tce",
            computed("emissions", "sum", "t", *terms, rule="2.5"),
            energy_figure(self.energy, "equal"),
            label_en="Carbon per unit of energy (park indicator)",
            label_zh="单位能耗碳排放",
            rule="2.2",
            notes=(INDICATIVE, *self.reasons, *self.notes),
        )

    def _per_tce(self, nano_kg: int | None) -> float | None:
        tce = self.energy.tce("equal")
        return None if nano_kg is None or not tce else nano_kg / 1e12 / tce

    def _judge(self, value: float | None) -> Verdict:
        if value is None or self.annual_tce is None:
            return "not_computed"
        size = self.size_class
        if size is None:
            return "not_applicable"
        return "met" if value <= size.limit_tco2_per_tce else "not_met"


def park_indicator(
    scheme: Scheme,
    window: Window,
    *,
    energy_nano_kg: int | None,
    process_nano_kg: int | None,
    energy: Comprehensive,
    annual_tce: float | None,
    entered: Mapping[str, GuidingValue],
    direct: DirectSupply,
    notes: Sequence[str] = (),
) -> ParkIndicator:
    """Work out the indicator of a window.

    Args:
        scheme: edition of the notice.
        window: days.
        energy_nano_kg: emissions of energy by method profile `zcp910` [1e-9 kg CO2]; None: not known.
        process_nano_kg: emissions of process by the same profile [1e-9 kg CO2]; None: not known.
        energy: comprehensive energy of the same days.
        annual_tce: consumption of a year at 等价值, where the window is not one itself [tce].
        entered: guiding indicators by name; the computed clean-energy share may be excluded here, not replaced.
        direct: green power supplied directly.
        notes: sentences to carry along.

    Raises:
        RefusedError: a guiding indicator that the list does not have, or one without value and reason (rule 2.3).
    """
    known = {guiding.indicator: guiding for guiding in scheme.guiding}
    for name, value in entered.items():
        _check_guiding(name, value, known)
    computed_values = {"clean_energy_share": GuidingValue(energy.clean_share_pct("equal"), "computed from the meters")}
    results = tuple(
        GuidingResult(guiding, _guiding_value(guiding, entered, computed_values)) for guiding in scheme.guiding
    )
    return ParkIndicator(
        scheme=scheme,
        window=window,
        energy_nano_kg=energy_nano_kg,
        process_nano_kg=process_nano_kg,
        energy=energy,
        annual_tce=energy.tce("equal") if window.is_year else annual_tce,
        guiding=results,
        direct=direct,
        notes=tuple(notes),
    )


def _check_guiding(name: str, value: GuidingValue, known: Mapping[str, Guiding]) -> None:
    if name not in known:
        raise RefusedError("2.3", f"{name!r} is no guiding indicator of the list: {', '.join(known)}")
    if value.excluded_because and value.value_pct is not None:
        raise RefusedError("2.3", f"{name} has a value ({value.value_pct:g} %) and is excluded: one of the two")
    if value.value_pct is None and not value.excluded_because:
        raise RefusedError("2.3", f"{name} has neither a value nor a reason to exclude it")
    if value.value_pct is not None and not value.evidence:
        raise RefusedError("2.3", f"{name} {value.value_pct:g} % is entered without evidence")
    if value.value_pct is not None and known[name].computed:
        raise RefusedError("2.3", f"{name} is computed; it can be excluded with a reason, not entered")


def _guiding_value(
    guiding: Guiding, entered: Mapping[str, GuidingValue], computed_values: Mapping[str, GuidingValue]
) -> GuidingValue | None:
    given = entered.get(guiding.indicator)
    return given if given is not None else computed_values.get(guiding.indicator)


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """A green direct connection against its conditions; kept apart from the park indicator."""

    conditions: DirectConnection
    year: int
    self_used_kwh: float
    generation_kwh: float | None
    load_kwh: float | None
    notes: tuple[str, ...] = field(default=())

    def document(self) -> Json:
        """As the API gives it."""
        of_generation = percent(self.self_used_kwh, self.generation_kwh)
        of_load = percent(self.self_used_kwh, self.load_kwh)
        asked = self.conditions.of_load_pct(self.year)
        return {
            "document": self.conditions.document,
            "self_used_kwh": self.self_used_kwh,
            "of_generation_pct": of_generation,
            "of_generation_at_least_pct": self.conditions.self_used_of_generation_pct,
            "of_generation_reached": _at_least(of_generation, self.conditions.self_used_of_generation_pct),
            "of_load_pct": of_load,
            "of_load_at_least_pct": asked,
            "of_load_reached": _at_least(of_load, asked),
            "notes": list(self.notes),
        }


def _at_least(value: float | None, asked: float | None) -> bool | None:
    return None if value is None or asked is None else value >= asked


def _emissions(name: str, nano_kg: int | None) -> Figure:
    return Figure(name, _tonnes(nano_kg), "t", source={"kind": "inventory", "method_profile": "zcp910"}, rule="2.6")


def _tonnes(nano_kg: int | None) -> float | None:
    return None if nano_kg is None else nano_kg / 1e12
