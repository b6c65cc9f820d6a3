"""Activity data that is entered: electricity, fuel, refrigerant, process, heat, steam, cooling, scope 3.

Each kind is a Struct that turns itself into `Activity`; days, tenant and evidence stand beside the document. What
breaks a rule whatever the factors are, such as cubic metres without their conditions, is refused when it is read.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal, Protocol

from msgspec import Meta, Struct, field

from parkcarbon.catalog.terms import Celsius, GasConditions, Positive
from parkcarbon.domain.activities.activity import Activity, Calorific, CalorificValue, GasState, SteamState
from parkcarbon.domain.activities.scope3 import Screened
from parkcarbon.domain.refusal import RefusedError

from .activity_base import (
    ActivityEntry,
    Frame,
    Fuel,
    FuelUnit,
    GwpSet,
    HeatUnit,
    MeasuredCalorificValue,
    SupplierFactor,
    Text,
)


class Electricity(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Electricity that no meter of the park shows.

    Attributes:
        amount: [unit].
        unit: kWh or MWh.
        direction: bought, made for own use, or delivered to others; what is delivered is never netted.
        origin: `grid`; `non_fossil` for a dedicated line of a renewable plant.
        region: of the grid, where it is not the park's.
        supplier: supplier's rate, for the market-based figure alone.
    """

    amount: float
    unit: Literal["kWh", "MWh"] = "kWh"
    direction: Literal["received", "generated", "delivered"] = "received"
    origin: Literal["grid", "fossil", "non_fossil"] = "grid"
    region: str = ""
    supplier: SupplierFactor | None = None

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "electricity", "electricity", self.amount, self.unit),
            direction=self.direction,
            origin=self.origin,
            region=self.region,
            factor=self.supplier.given() if self.supplier else None,
        )


class FuelBurnt(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fuel that is burnt, by mass, volume or energy.

    Attributes:
        fuel: as the factor records name it: gas, diesel, anthracite, wood, …
        amount: [unit].
        unit: raw `m3` need `gas_conditions`; litres need `density_kg_per_m3`; energy needs `basis`.
        basis: NCV or HHV of an amount in energy.
        standard_temperature_c: what the Nm3 refer to, where it is not the park's standard [degC].
        gas_conditions: at the meter.
        density_kg_per_m3: of a liquid [kg/m3].
        calorific_value: measured, before the default.
        supplier: a factor that goes before the defaults.
        factor: id of a record of the factor library that goes before them.
        gwp_set: set the entry was made under; another than the park's is refused.
        fuel_set: likewise.
        biogenic: True for biomass; null: as the fuel is known.
        bunker: international bunkers: listed apart, never deducted.
    """

    fuel: Fuel
    amount: float
    unit: FuelUnit
    basis: Calorific | None = None
    standard_temperature_c: Celsius | None = None
    gas_conditions: GasConditions | None = None
    density_kg_per_m3: Positive | None = None
    calorific_value: MeasuredCalorificValue | None = None
    supplier: SupplierFactor | None = None
    factor: str = ""
    gwp_set: GwpSet | None = None
    fuel_set: str | None = None
    biogenic: bool | None = None
    bunker: bool = False

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        gas, heat = self.gas_conditions, self.calorific_value
        return replace(
            self.blank(
                frame, "feedstock" if isinstance(self, Feedstock) else "fuel", self.fuel, self.amount, self.unit
            ),
            basis=self.basis,
            standard_temperature_c=self.standard_temperature_c,
            gas_state=None
            if gas is None
            else GasState(
                temperature_c=gas.temperature_c,
                pressure_kpa_abs=gas.pressure_kpa_abs,
                compressibility_ratio=gas.compressibility_ratio,
            ),
            density_kg_per_m3=self.density_kg_per_m3,
            calorific=None
            if heat is None
            else CalorificValue(value=heat.value, per=heat.per, basis=heat.basis, document=heat.document),
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
            gwp_set=self.gwp_set,
            fuel_set=self.fuel_set,
            biogenic=self.biogenic,
            bunker=self.bunker,
        )


class Feedstock(FuelBurnt, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fuel used as raw material: not burnt, out of the energy sum, shown beside the total."""


class Refrigerant(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Gas that escaped: refilled on the day of the entry, or the balance of a store over its days.

    Attributes:
        substance: `R-410A`, `HFC-134a`, `SF6`, `CH4`, …
        refilled_kg: mass refilled, taken as what was lost [kg].
        balance: instead: stock before and after, bought, and given back or destroyed [kg].
        blend_pct: own blend: substance and share by mass [%].
        factor: id of a GWP record of the declared set.
        gwp_set: set the entry was made under; another than the park's is refused.
    """

    substance: Text
    refilled_kg: float | None = None
    balance: "RefrigerantBalance | None" = None
    blend_pct: dict[str, Positive] = field(default_factory=dict)
    factor: str = ""
    gwp_set: GwpSet | None = None

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "refrigerant", self.substance, self.lost_kg, "kg"),
            blend=tuple(sorted(self.blend_pct.items())),
            factor_id=self.factor,
            gwp_set=self.gwp_set,
        )

    @property
    def lost_kg(self) -> float:
        """Mass that escaped [kg].

        Raises:
            RefusedError: neither or both ways of saying it, or a balance in which the store grew by itself.
        """
        if (self.refilled_kg is None) == (self.balance is None):
            raise RefusedError("1.17", f"{self.substance}: either refilled_kg or balance")
        if self.balance is None:
            return self.refilled_kg or 0.0
        lost = self.balance.lost_kg
        if lost < 0:
            raise RefusedError("1.17", f"{self.substance}: the balance gains {-lost:g} kg from nowhere")
        return lost


class RefrigerantBalance(Struct, frozen=True, forbid_unknown_fields=True):
    """Stock of a refrigerant over the days of the entry [kg]."""

    opening_kg: Annotated[float, Meta(ge=0)]
    bought_kg: Annotated[float, Meta(ge=0)]
    given_back_kg: Annotated[float, Meta(ge=0)]
    closing_kg: Annotated[float, Meta(ge=0)]

    @property
    def lost_kg(self) -> float:
        """Opening + bought - given back - closing [kg], exact in decimals."""
        terms = (self.opening_kg, self.bought_kg, -self.given_back_kg, -self.closing_kg)
        return float(sum(Decimal(repr(term)) for term in terms))


class Process(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Output of a product whose making emits; the factor is given or named. Counts once a second person approved it."""

    needs_review: ClassVar[bool] = True

    product: Text
    amount: float
    unit: Text = "t"
    supplier: SupplierFactor | None = None
    factor: str = ""
    gwp_set: GwpSet | None = None

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "process", self.product, self.amount, self.unit),
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
            gwp_set=self.gwp_set,
        )


class Heat(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Heat that is bought, delivered or made inside; heat made inside is scope 1 by its fuel, never again scope 2.

    Attributes:
        amount: [unit].
        unit: of energy.
        origin: fossil or non-fossil; `inside`: made within the boundary.
        direction: bought or delivered to others.
        supplier: supplier's factor; without it the default counts for fossil heat alone.
        factor: id of a record of the factor library.
    """

    amount: float
    unit: HeatUnit = "GJ"
    origin: Literal["fossil", "non_fossil", "inside"]
    direction: Literal["received", "delivered"] = "received"
    supplier: SupplierFactor | None = None
    factor: str = ""

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "heat", "heat", self.amount, self.unit),
            origin=self.origin,
            direction=self.direction,
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
        )


class Steam(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Steam by the tonne: heat by its enthalpy (IAPWS-IF97) less that of the condensate that goes back.

    Attributes:
        amount_t: mass [t].
        pressure_mpa_abs: absolute pressure [MPa].
        temperature_c: temperature [degC].
        condensate_return_pct: share that comes back [%].
        condensate_temperature_c: of the condensate [degC]; needed when any comes back.
        dryness_pct: vapour by mass of wet steam [%].
        origin: fossil or non-fossil; `inside`: made within the boundary.
        direction: bought or delivered to others.
        supplier: supplier's factor per GJ.
        factor: id of a record of the factor library.
    """

    amount_t: float
    pressure_mpa_abs: Positive | None = None
    temperature_c: Celsius | None = None
    condensate_return_pct: float | None = None
    condensate_temperature_c: Celsius | None = None
    dryness_pct: float = 100.0
    origin: Literal["fossil", "non_fossil", "inside"]
    direction: Literal["received", "delivered"] = "received"
    supplier: SupplierFactor | None = None
    factor: str = ""

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "steam", "steam", self.amount_t, "t"),
            steam=SteamState(
                pressure_mpa_abs=self.pressure_mpa_abs,
                temperature_c=self.temperature_c,
                condensate_return_pct=self.condensate_return_pct,
                condensate_temperature_c=self.condensate_temperature_c,
                dryness_pct=self.dryness_pct,
            ),
            origin=self.origin,
            direction=self.direction,
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
        )


class Cooling(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cooling that is bought: a supplier's factor or the coefficient of performance of its plant; there is no default.

    Attributes:
        amount: [unit].
        unit: of energy.
        cop: kWh of cooling per kWh of electricity.
        origin: `inside`: made within the boundary, where its electricity is already counted.
        supplier: supplier's factor.
        factor: id of a record of the factor library.
    """

    amount: float
    unit: HeatUnit = "GJ"
    cop: Positive | None = None
    origin: Literal["", "inside"] = ""
    supplier: SupplierFactor | None = None
    factor: str = ""

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "cooling", "cooling", self.amount, self.unit),
            cop=self.cop,
            origin=self.origin,
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
        )


class Scope3(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An activity of one of the fifteen categories, times a factor; apart from scopes 1 and 2.

    Attributes:
        category: 1 to 15.
        subject: what it is, for example `inbound steel by rail`.
        amount: [unit].
        unit: what it is counted in, as in the factor.
        supplier: factor that comes with it.
        factor: id of a record of the factor library; life-cycle values are right here.
        group: a line of its own within the category.
        counted_elsewhere: it went through a meter of scope 1 or 2 already: shown, not added.
    """

    category: Annotated[int, Meta(ge=1, le=15)]
    subject: Text
    amount: float
    unit: Text
    supplier: SupplierFactor | None = None
    factor: str = ""
    group: Literal["", "visitors_charging", "visitors_travel", "employees_charging", "fleet_contracted"] = ""
    counted_elsewhere: bool = False

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(
            self.blank(frame, "scope3", self.subject, self.amount, self.unit, category=self.category),
            factor=self.supplier.given() if self.supplier else None,
            factor_id=self.factor,
            group=self.group,
            counted_elsewhere=self.counted_elsewhere,
        )


class Removal(ActivityEntry, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A removal inside the boundary by a named, measured method: reported apart, never subtracted from emissions.

    Attributes:
        subject: for example `mangrove belt`; planting alone is no removal.
        removed_t: carbon dioxide removed, as measured [t CO2].
        method: standard or protocol it was measured by; without one it is refused.
    """

    needs_review: ClassVar[bool] = True

    subject: Text
    removed_t: float
    method: str = ""

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        return replace(self.blank(frame, "removal", self.subject, self.removed_t, "tCO2"), method=self.method)


class Scope3Screening(Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided on one category of scope 3, from the entry's first day on; all fifteen are to be stated.

    Attributes:
        category: 1 to 15.
        status: included (entries follow), estimated, or not significant.
        why: reason in words.
        estimate_t: size of the category [t CO2e].
    """

    category: Annotated[int, Meta(ge=1, le=15)]
    status: Literal["included", "estimated", "not_significant"]
    why: Text
    estimate_t: Annotated[float, Meta(ge=0)] | None = None

    def screened(self) -> Screened:
        """As the domain has it."""
        return Screened(self.category, self.status, self.why, self.estimate_t)


KINDS: Final[dict[str, type[Struct]]] = {
    "electricity": Electricity,
    "fuel": FuelBurnt,
    "feedstock": Feedstock,
    "refrigerant": Refrigerant,
    "process": Process,
    "heat": Heat,
    "steam": Steam,
    "cooling": Cooling,
    "scope3": Scope3,
    "scope3_screening": Scope3Screening,
    "removal": Removal,
}
"""Kind of entry and its Struct."""


class EntryLike(Protocol):
    """An entry in force, as the books load it."""

    @property
    def entry_id(self) -> int:
        """Number of the entry."""

    @property
    def content(self) -> Struct:
        """Its document, typed."""

    @property
    def tenant(self) -> str | None:
        """Whose."""

    @property
    def from_day(self) -> dt.date:
        """First local day."""

    @property
    def to_day(self) -> dt.date:
        """Day after the last."""

    @property
    def evidence(self) -> str:
        """What proves it."""

    @property
    def simulated(self) -> bool:
        """True for a demonstration."""


def activities_of(entries: Iterable[EntryLike]) -> tuple[Activity, ...]:
    """The activities among some entries; pass every entry that overlaps the period, `assemble` takes its days."""
    return tuple(
        entry.content.activity(
            Frame(
                name=f"entry:{entry.entry_id}",
                from_day=entry.from_day,
                to_day=entry.to_day,
                tenant=entry.tenant,
                evidence=entry.evidence,
                simulated=entry.simulated,
            )
        )
        for entry in entries
        if isinstance(entry.content, ActivityEntry)
    )


def screening_of(entries: Iterable[EntryLike], before: dt.date) -> tuple[Screened, ...]:
    """Decisions on scope 3 in force before a day, the newest on each category last."""
    decided = [(entry.from_day, entry.entry_id, entry.content) for entry in entries if entry.from_day < before]
    ordered = sorted(decided, key=lambda item: item[:2])
    return tuple(content.screened() for _, _, content in ordered if isinstance(content, Scope3Screening))
