"""Comprehensive energy in standard coal, clean-energy share, self-consumption and self-sufficiency, intensities.

    tce(当量值) = Σ kWh × 0.1229 / 1000 + Σ GJ / 29.307
    tce(等价值) = Σ kWh × e(year) / 1000 + Σ GJ / 29.307      e: coal use of thermal power in the year [kgce/kWh]

Electricity is what the park consumes: import + generation - export; storage losses are in it, what is still in storage
too. It counts once, so fuel that makes electricity inside is not counted again as electricity: own generation here is
what no fuel was burnt for. Fuel used as raw material is not energy.

References:
    accounting rules 1.18 (the two values differ by 2.5 times; which one is printed), 2.4 (the park indicator counts
    electricity at 等价值), 2.5 (raw material); 27 and 28 of the glossary for the two shares of own generation.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

from .datasets import Conversion, EqualValue

Json = dict[str, object]
Basis = Literal["calorific", "equal"]

BASIS_NAMES: Final[dict[Basis, str]] = {"calorific": "当量值 calorific value", "equal": "等价值 equal value"}


@dataclass(frozen=True, slots=True)
class EnergyUse:
    """Energy of one kind that was consumed in the period.

    Attributes:
        name: of the source, for example `electricity` or `boiler-gas/gas_volume_base`.
        carrier: `electricity`, `heat`, or the fuel.
        amount: consumed [kWh for electricity, else GJ by net calorific value]; None: not known.
        clean: of it from clean sources [same unit].
        fossil_gas: True for natural gas, which some schemes call clean.
        feedstock: True for fuel used as raw material; not energy.
        source: for the working: where the amount comes from.
    """

    name: str
    carrier: str
    amount: float | None
    clean: float = 0.0
    fossil_gas: bool = False
    feedstock: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be consumed.

        Raises:
            RefusedError: a negative amount, or more clean energy than energy.
        """
        if self.amount is None:
            return
        if not math.isfinite(self.amount) or self.amount < 0:
            raise RefusedError("2.5", f"{self.name}: {self.amount} is no amount of energy")
        if not 0 <= self.clean <= self.amount * (1 + 1e-12):
            raise RefusedError("2.3", f"{self.name}: {self.clean} clean of {self.amount}")

    @property
    def unit(self) -> str:
        """Of the amount."""
        return "kWh" if self.carrier == "electricity" else "GJ"


@dataclass(frozen=True)
class Comprehensive:
    """Comprehensive energy of a period.

    Attributes:
        year: the values are for.
        uses: what was counted, raw material left out.
        conversion: standard coal.
        equal: electricity at 等价值; None: there is no value for the year.
        left_out: what was not counted and why.
    """

    year: int
    uses: tuple[EnergyUse, ...]
    conversion: Conversion
    equal: EqualValue | None
    left_out: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why 等价值 was not computed; empty: it was."""
        found = [f"no 等价值 of electricity is known for {self.year}: not computed"] if self.equal is None else []
        found += [f"{use.name} is not known: not computed" for use in self.uses if use.amount is None]
        if not self.uses:
            found.append("no energy is known: not computed")
        return "; ".join(found)

    def electricity_kgce(self, basis: Basis) -> float | None:
        """What a kWh counts [kgce/kWh]."""
        if basis == "calorific":
            return self.conversion.calorific_kgce_per_kwh
        return None if self.equal is None else self.equal.kgce_per_kwh

    def of(self, use: EnergyUse, basis: Basis, amount: float | None = None) -> float | None:
        """Standard coal of one use [tce]; of `amount` instead of the whole where given; None: not known."""
        quantity = use.amount if amount is None else amount
        if quantity is None or use.amount is None:
            return None
        if use.carrier != "electricity":
            return quantity / self.conversion.gj_per_tce
        per_kwh = self.electricity_kgce(basis)
        return None if per_kwh is None else quantity * per_kwh / 1000

    def tce(self, basis: Basis) -> float | None:
        """The whole [tce]; None where the basis has no value for the year, or nothing is known."""
        parts = [self.of(use, basis) for use in self.uses]
        known = [part for part in parts if part is not None]
        return math.fsum(known) if parts and len(known) == len(parts) else None

    def clean_tce(self, basis: Basis, *, gas_is_clean: bool = False) -> float | None:
        """Clean energy [tce]."""
        parts = [self.of(use, basis, use.amount if gas_is_clean and use.fossil_gas else use.clean) for use in self.uses]
        known = [part for part in parts if part is not None]
        return math.fsum(known) if parts and len(known) == len(parts) else None

    def clean_share_pct(self, basis: Basis, *, gas_is_clean: bool = False) -> float | None:
        """Clean energy of comprehensive energy [%]."""
        return percent(self.clean_tce(basis, gas_is_clean=gas_is_clean), self.tce(basis))

    def document(self) -> Json:
        """As the API gives it; both values, each with its name."""
        return {
            "year": self.year,
            "calorific": {"name": BASIS_NAMES["calorific"], **self._basis("calorific")},
            "equal": {"name": BASIS_NAMES["equal"], **self._basis("equal"), "reason": self.reason},
            "uses": [
                {
                    "name": use.name,
                    "carrier": use.carrier,
                    "amount": use.amount,
                    "unit": use.unit,
                    "clean": use.clean,
                    "calorific_tce": self.of(use, "calorific"),
                    "equal_tce": self.of(use, "equal"),
                    "source": use.source,
                }
                for use in self.uses
            ],
            "left_out": list(self.left_out),
        }

    def _basis(self, basis: Basis) -> Json:
        return {
            "tce": self.tce(basis),
            "electricity_kgce_per_kwh": self.electricity_kgce(basis),
            "clean_tce": self.clean_tce(basis),
            "clean_share_pct": self.clean_share_pct(basis),
            "clean_share_with_gas_pct": self.clean_share_pct(basis, gas_is_clean=True),
        }


def comprehensive(
    uses: Iterable[EnergyUse], *, year: int, conversion: Conversion, equal: EqualValue | None
) -> Comprehensive:
    """Count the energy of a period.

    Args:
        uses: everything consumed; raw material among it is left out, named.
        year: of the values.
        conversion: standard coal.
        equal: electricity at 等价值 of the year; None: not computed.
    """
    chosen = tuple(uses)
    left_out = tuple(
        f"{use.name}: {'–' if use.amount is None else f'{use.amount:g}'} {use.unit} used as raw material is not energy"
        for use in chosen
        if use.feedstock
    )
    counted = tuple(use for use in chosen if not use.feedstock)
    return Comprehensive(year, counted, conversion, equal, left_out)


def percent(part: float | None, whole: float | None) -> float | None:
    """A share [%]; None where either is unknown or there is nothing to share."""
    return None if part is None or whole is None or whole <= 0 else 100 * part / whole


@dataclass(frozen=True, slots=True)
class OwnGeneration:
    """What became of own generation; two different shares that are often confused.

    Attributes:
        generation_micro: own generation [1e-6 kWh]; None: unknown.
        export_micro: fed into the grid [1e-6 kWh]; None: unknown.
        load_micro: load [1e-6 kWh]; None: unknown.
    """

    generation_micro: int | None
    export_micro: int | None
    load_micro: int | None

    @property
    def self_used_micro(self) -> int | None:
        """Generation that was used inside [1e-6 kWh]; None where either side is unknown."""
        if self.generation_micro is None or self.export_micro is None:
            return None
        return max(self.generation_micro - self.export_micro, 0)

    @property
    def self_consumption_pct(self) -> float | None:
        """光伏自用率: self-used of generation [%]."""
        return percent(self.self_used_micro, self.generation_micro)

    @property
    def self_sufficiency_pct(self) -> float | None:
        """自给率: self-used of load [%]."""
        return percent(self.self_used_micro, self.load_micro)

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "generation_kwh": _kwh(self.generation_micro),
            "export_kwh": _kwh(self.export_micro),
            "self_used_kwh": _kwh(self.self_used_micro),
            "load_kwh": _kwh(self.load_micro),
            "self_consumption_pct": self.self_consumption_pct,
            "self_sufficiency_pct": self.self_sufficiency_pct,
        }


@dataclass(frozen=True, slots=True)
class Intensity:
    """Emissions or energy per something.

    Attributes:
        name: of the denominator: a product, `floor area`, `output value`, …
        tenant: whose; None: the park's.
        numerator: emissions or energy.
        numerator_unit: `kgCO2e` or `kWh` or `tce`.
        denominator: None: nothing was entered.
        denominator_unit: for example `t`, `m2`, `10^4 CNY`.
        notes: sentences, for example which months have no entry.
    """

    name: str
    tenant: str | None
    numerator: float | None
    numerator_unit: str
    denominator: float | None
    denominator_unit: str
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float | None:
        """Numerator by denominator; None where either is unknown or the denominator is zero."""
        if self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator

    @property
    def unit(self) -> str:
        """Of the value."""
        return f"{self.numerator_unit}/{self.denominator_unit}"

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "name": self.name,
            "tenant": self.tenant,
            "value": self.value,
            "unit": self.unit,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "notes": list(self.notes),
        }


def energy_figure(result: Comprehensive, basis: Basis) -> Figure:
    """Comprehensive energy with its working [tce]."""
    return computed(
        f"energy_{basis}",
        "sum",
        "tce",
        *_use_figures(result, basis, clean=False),
        label_en=f"Comprehensive energy consumption ({basis} value)",
        label_zh=f"综合能源消费量（{'当量值' if basis == 'calorific' else '等价值'}）",
        rule="1.18",
        notes=tuple(note for note in (result.reason if basis == "equal" else "", *result.left_out) if note),
    )


def clean_share_figure(result: Comprehensive, basis: Basis) -> Figure:
    """Clean-energy share with its working [%]."""
    share = computed(
        "share",
        "quotient",
        "1",
        computed("clean_energy", "sum", "tce", *_use_figures(result, basis, clean=True)),
        energy_figure(result, basis),
    )
    hundred = Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"})
    return computed(
        "clean_energy_share",
        "product",
        "%",
        share,
        hundred,
        label_en="Clean-energy share",
        label_zh="清洁能源消费占比",
        rule="2.3",
        notes=(f"at {BASIS_NAMES[basis]}; natural gas is not counted as clean",),
    )


def _use_figures(result: Comprehensive, basis: Basis, *, clean: bool) -> Sequence[Figure]:
    figures = []
    for use in result.uses:
        amount = Figure(
            f"{use.name}_{'clean' if clean else 'amount'}",
            use.clean if clean else use.amount,
            use.unit,
            source={"kind": "interval", "text": use.source or use.name},
        )
        figures.append(computed(use.name, "product", "tce", amount, _coal(result, use, basis)))
    return figures


def _coal(result: Comprehensive, use: EnergyUse, basis: Basis) -> Figure:
    """Standard coal per unit of a use."""
    if use.carrier != "electricity":
        one = Figure("one", 1.0, "tce", source={"kind": "setting", "text": "per tonne of standard coal"})
        heat = Figure(
            "gj_per_tce",
            result.conversion.gj_per_tce,
            "GJ/tce",
            source={"kind": "setting", "text": "1 kgce = 29,307 kJ"},
        )
        return computed("tce_per_gj", "quotient", "tce/GJ", one, heat)
    kgce = result.electricity_kgce(basis)
    origin = BASIS_NAMES[basis] if basis == "calorific" or result.equal is None else result.equal.source
    value = Figure("kgce_per_kwh", kgce, "kgce/kWh", source={"kind": "setting", "text": origin})
    kilo = Figure("kilo", 1000.0, "kg/t", source={"kind": "setting", "text": "kg per tonne"})
    return computed("tce_per_kwh", "quotient", "tce/kWh", value, kilo)


def own_generation_figure(own: OwnGeneration, share: Literal["self_consumption", "self_sufficiency"]) -> Figure:
    """Self-consumption or self-sufficiency with its working [%]."""
    whole = ("generation", own.generation_micro) if share == "self_consumption" else ("load", own.load_micro)
    difference = computed(
        "generation_less_export",
        "difference",
        "kWh",
        _energy("generation", own.generation_micro),
        _energy("export", own.export_micro),
    )
    none = Figure("none", 0.0, "kWh", source={"kind": "setting", "text": "never below zero"})
    self_used = computed("self_used", "maximum", "kWh", difference, none)
    ratio = computed("ratio", "quotient", "1", self_used, _energy(*whole))
    return computed(
        share,
        "product",
        "%",
        ratio,
        Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"}),
        label_en="Self-consumption rate" if share == "self_consumption" else "Self-sufficiency rate",
        label_zh="光伏自用率（自发自用率）" if share == "self_consumption" else "自给率",
        rule="5.1",
    )


def intensity_figure(intensity: Intensity) -> Figure:
    """An intensity with its working."""
    return computed(
        f"intensity_{intensity.name}",
        "quotient",
        intensity.unit,
        Figure("numerator", intensity.numerator, intensity.numerator_unit, source={"kind": "inventory"}),
        Figure(
            "denominator",
            intensity.denominator,
            intensity.denominator_unit,
            source={"kind": "entry", "text": intensity.name},
        ),
        notes=intensity.notes,
    )


def _energy(name: str, micro: int | None) -> Figure:
    return Figure(name, _kwh(micro), "kWh", source={"kind": "interval", "text": name})


def _kwh(micro: int | None) -> float | None:
    return None if micro is None else micro / 1e6
