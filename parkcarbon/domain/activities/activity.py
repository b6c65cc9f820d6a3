"""Activity data: what was burnt, lost, made, bought or delivered, as entered with its evidence.

An `Activity` is plain and complete: everything a calculation needs and may not guess is on it. Amounts are integers of
a millionth of their unit. What could never be right is refused here; what is right but has no factor is reported as not
in the total where the inventory is assembled.

References:
    accounting rules 1.10 (NCV and HHV), 1.11 (one default set), 1.13 (heat), 1.15 (one GWP set), 6.10 (units, negative
    amounts), 6.7 (data states).
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError

Kind = Literal[
    "electricity",
    "fuel",
    "feedstock",
    "refrigerant",
    "process",
    "heat",
    "steam",
    "cooling",
    "scope3",
    "removal",
]
Direction = Literal["received", "delivered", "generated"]
Origin = Literal["", "grid", "fossil", "non_fossil", "inside"]
Calorific = Literal["NCV", "HHV"]

UNITS: Final[dict[str, frozenset[str]]] = {
    "electricity": frozenset({"kWh", "MWh"}),
    "fuel": frozenset({"kg", "t", "L", "m3", "Nm3", "GJ", "kWh", "MWh"}),
    "feedstock": frozenset({"kg", "t", "L", "m3", "Nm3", "GJ", "kWh", "MWh"}),
    "refrigerant": frozenset({"g", "kg", "t"}),
    "heat": frozenset({"GJ", "MJ", "kWh", "MWh"}),
    "steam": frozenset({"t", "kg"}),
    "cooling": frozenset({"GJ", "MJ", "kWh", "MWh"}),
}
"""What each kind may be measured in; a kind that is not here takes the unit of its factor."""

MOST_MICRO: Final = 10**18
"""More of anything is a slip of the pen [1e-6 of its unit]: 1e12 of a unit; 64 bits hold nine times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFactor:
    """A factor that came with the entry: a supplier's, a laboratory's, a life-cycle data set's.

    Attributes:
        value: kg or t of the gas per unit.
        unit: for example `tCO2/GJ` or `kgCO2e/t`.
        publisher: who says so.
        document: certificate, invoice, data set and its edition.
        data_year: year the value describes.
        basis: calorific basis of a factor per energy of a fuel.
        gwp_set: set behind a CO2e value; None: not stated, and a note says so.
        life_cycle: True for a carbon-footprint value; right in scope 3 only.
        unverified: True when the number was assumed or not seen in its source.
    """

    value: float
    unit: str
    publisher: str
    document: str
    data_year: int | None = None
    basis: Calorific | None = None
    gwp_set: str | None = None
    life_cycle: bool = False
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalorificValue:
    """A measured or certified calorific value of the fuel that was burnt.

    Attributes:
        value: energy [GJ per `per`].
        per: `t` or `10^4Nm3`.
        basis: net (NCV) or gross (HHV).
        document: laboratory report or supplier's certificate.
    """

    value: float
    per: Literal["t", "10^4Nm3"]
    basis: Calorific
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GasState:
    """The state in which a gas meter counted its cubic metres.

    Attributes:
        temperature_c: gas temperature [degC].
        pressure_kpa_abs: absolute gas pressure [kPa].
        compressibility_ratio: Z / Z_n of the gas; 1 for low pressure.
    """

    temperature_c: float
    pressure_kpa_abs: float
    compressibility_ratio: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SteamState:
    """The state of delivered steam and what comes back of it.

    Attributes:
        pressure_mpa_abs: absolute pressure [MPa]; None: not known, and the steam is refused.
        temperature_c: temperature [degC]; None: likewise.
        condensate_return_pct: mass that comes back as condensate [%]; None: likewise.
        condensate_temperature_c: of the condensate [degC]; needed when any comes back.
        dryness_pct: vapour by mass of wet steam [%]; 100 for dry saturated and superheated steam.
    """

    pressure_mpa_abs: float | None = None
    temperature_c: float | None = None
    condensate_return_pct: float | None = None
    condensate_temperature_c: float | None = None
    dryness_pct: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One amount of one thing over some days.

    Attributes:
        activity: id, unique within an inventory, for example `entry:12`.
        kind: what it is.
        subject: fuel, substance, product, `steam`, …: carriers and fuels as the factor records name them.
        amount_micro: amount [1e-6 of `unit`], >= 0.
        unit: see `UNITS`.
        from_day: first local day.
        to_day: day after the last.
        source: what the line is called, for example `boiler 2`; empty: the id.
        tenant: whose; None: the park's.
        evidence: what proves it.
        state: how well it is known.
        simulated: True for a demonstration.
        factor: a factor that came with it.
        factor_id: id of a record of the factor library that goes before the search.
        basis: calorific basis of an amount in energy units.
        calorific: a calorific value of its own.
        density_kg_per_m3: of a fuel in litres or of a gas that is charged by mass.
        gas_state: conditions of raw cubic metres.
        standard_temperature_c: what the Nm3 of the amount refer to; None: the park's declared standard.
        steam: state of steam.
        cop: coefficient of performance of bought cooling.
        origin: of electricity, heat and cooling: from the grid, from fossil or non-fossil sources by a direct line or
            network, or made inside the boundary.
        direction: received, delivered to others, or generated for own use.
        biogenic: True for a fuel from biomass; None: as the fuel is known.
        bunker: True for fuel of international bunkers: listed apart, never deducted.
        category: GHG Protocol scope 3 category, 1 to 15.
        group: `visitors_charging`, `visitors_travel`, `employees_charging`, `fleet_contracted`: a line of its own.
        counted_elsewhere: True when the energy already went through a meter of scope 1 or 2: shown, not added.
        gwp_set: set that the entry was made under; None: the park's.
        fuel_set: fuel default set that the entry was made under; None: the park's.
        region: of electricity elsewhere; empty: the park's.
        blend: own blend of substances, (name, share by mass [%]).
        method: named measured method of a removal.
        note: words of whoever entered it.
    """

    activity: str
    kind: Kind
    subject: str
    amount_micro: int
    unit: str
    from_day: dt.date
    to_day: dt.date
    source: str = ""
    tenant: str | None = None
    evidence: str = ""
    state: Method = Method.MANUAL
    simulated: bool = False
    factor: GivenFactor | None = None
    factor_id: str = ""
    basis: Calorific | None = None
    calorific: CalorificValue | None = None
    density_kg_per_m3: float | None = None
    gas_state: GasState | None = None
    standard_temperature_c: float | None = None
    steam: SteamState | None = None
    cop: float | None = None
    origin: Origin = ""
    direction: Direction = "received"
    biogenic: bool | None = None
    bunker: bool = False
    category: int | None = None
    group: str = ""
    counted_elsewhere: bool = False
    gwp_set: str | None = None
    fuel_set: str | None = None
    region: str = ""
    blend: tuple[tuple[str, float], ...] = ()
    method: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never be right.

        Raises:
            RefusedError: negative amount, wrong dimension, impossible period or category.
        """
        if self.kind not in get_args(Kind):
            raise RefusedError("", f"{self.activity}: {self.kind!r} is not a kind of activity")
        if self.amount_micro < 0:
            raise RefusedError("6.10", f"{self.activity}: {self.amount:g} {self.unit} is negative")
        if self.amount_micro > MOST_MICRO:
            raise RefusedError("6.10", f"{self.activity}: {self.amount:g} {self.unit} is more than any park can have")
        if self.unit not in UNITS.get(self.kind, {self.unit}):
            known = ", ".join(sorted(UNITS[self.kind]))
            raise RefusedError("6.10", f"{self.activity}: {self.kind} in {self.unit!r}; it is measured in {known}")
        if self.to_day <= self.from_day:
            raise RefusedError("6.10", f"{self.activity}: {self.from_day} to {self.to_day} is no period")
        if (self.category is None) == (self.kind == "scope3") or (self.category or 1) not in range(1, 16):
            raise RefusedError("3.8", f"{self.activity}: category {self.category} of {self.kind}; scope 3 has 1 to 15")

    @property
    def amount(self) -> float:
        """Amount [unit]."""
        return self.amount_micro / 1e6

    @property
    def name(self) -> str:
        """What its line is called."""
        return self.source or self.activity


def within(activity: Activity, from_day: dt.date, to_day: dt.date) -> Activity | None:
    """The part of an activity that falls into `[from_day, to_day)`; None where nothing does.

    An amount is spread evenly over its days; the parts of consecutive periods add up to the whole exactly, as each is
    the difference of two rounded running sums.

    >>> year = Activity(activity="e", kind="process", subject="lime", amount_micro=100, unit="t",
    ...                 from_day=dt.date(2026, 1, 1), to_day=dt.date(2027, 1, 1))
    >>> part = within(year, dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    >>> (part.amount_micro, part.to_day) if part else None
    (8, datetime.date(2026, 2, 1))
    """
    first, last = max(activity.from_day, from_day), min(activity.to_day, to_day)
    if first >= last:
        return None
    if (first, last) == (activity.from_day, activity.to_day):
        return activity
    days = (activity.to_day - activity.from_day).days
    upto = [activity.amount_micro * (day - activity.from_day).days // days for day in (first, last)]
    return replace(activity, amount_micro=upto[1] - upto[0], from_day=first, to_day=last)
