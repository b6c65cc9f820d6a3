"""Lines of an inventory and the scopes they make up: exact integers, with factors, evidence and data state.

References:
    accounting rules 1.3 (Chinese electricity factors are CO2 only), 1.19 (biogenic CO2 is a memo item), 3.8 (by gas and
    scope), 6.7 (data states), 6.8 (nothing is rounded before display); ISO 14064-1:2018, 5.2.4 (categories 1 to 6).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from parkcarbon.domain.emissions import Basis, Step
from parkcarbon.domain.factors import FactorMatch, Match

Json = dict[str, object]
ScopeNumber = Literal[1, 2, 3]

GASES: Final = ("CO2", "CH4", "N2O")
CO2E: Final = "CO2e"
"""Where a source gives CO2e without its gases."""

_FALLBACKS: Final = frozenset({Match.NATIONAL_FALLBACK, Match.LOCATION_FALLBACK, Match.WORLD_DEFAULT})


@dataclass(frozen=True, slots=True)
class Line:
    """One source in one scope.

    Attributes:
        source: point (`device/quantity`) or name of the activity.
        carrier: `electricity`, `gas`, `heat`, or the fuel, substance or product.
        activity: amount [activity_unit].
        activity_unit: its unit.
        gases: mass by gas [kg]; `CO2e` where the source does not split it; biogenic CO2 is not among them.
        co2e_nano_kg: in the total [1e-9 kgCO2e].
        factors: every factor used and how it matched.
        note: sentences, parted by semicolons.
        scope: 1, 2 or 3.
        basis: `location` or `market` for scope 2 electricity and cooling; None: the same on both.
        category: of ISO 14064-1, 1 to 6.
        kind: `electricity`, `fuel`, `refrigerant`, `process`, `heat`, `steam`, `cooling` or `scope3`.
        amount_micro: the amount, exact [1e-6 activity_unit].
        tenant: whose; None: the park's.
        biogenic_nano_kg: CO2 of biomass, a memo outside the total [1e-9 kg].
        gas_nano_kg: the total by gas, as CO2e [1e-9 kg]; adds up to `co2e_nano_kg`.
        states: share of the amount by data state.
        chains: by gas, the numbers whose product is kgCO2e per unit of the amount.
        instruments: certificates behind the line.
        evidence: what proves an entered amount.
        simulated: True for a demonstration.
        scope3_category: 1 to 15 in scope 3.
        group: a line of its own within a category, for example `visitors_charging`.
        entry: id of the activity behind it; empty for a metered point.
    """

    source: str
    carrier: str
    activity: float
    activity_unit: str
    gases: Mapping[str, float]
    co2e_nano_kg: int
    factors: tuple[FactorMatch, ...]
    note: str
    scope: ScopeNumber = 1
    basis: Basis | None = None
    category: int = 1
    kind: str = ""
    amount_micro: int = 0
    tenant: str | None = None
    biogenic_nano_kg: int = 0
    gas_nano_kg: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, float] = field(default_factory=dict)
    chains: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    instruments: tuple[Json, ...] = ()
    evidence: str = ""
    simulated: bool = False
    scope3_category: int | None = None
    group: str = ""
    entry: str = ""

    @property
    def unverified(self) -> bool:
        """True when a number behind the line was not seen in its source."""
        return any(match.unverified for match in self.factors)

    def document(self) -> Json:
        """As the API gives it."""
        members: Json = {
            "source": self.source,
            "carrier": self.carrier,
            "kind": self.kind,
            "scope": self.scope,
            "basis": self.basis,
            "iso14064_category": self.category,
            "tenant": self.tenant,
            "activity": self.activity,
            "activity_unit": self.activity_unit,
            "gases": {gas: self.gases.get(gas) for gas in GASES},
            "co2e_kg": self.co2e_nano_kg / 1e9,
            "co2e_by_gas_kg": {gas: nano / 1e9 for gas, nano in sorted(self.gas_nano_kg.items())},
            "biogenic_co2_kg": self.biogenic_nano_kg / 1e9,
            "states": dict(self.states),
            "factors": [factor_document(match) for match in self.factors],
            "unverified": self.unverified,
            "instruments": list(self.instruments),
            "evidence": self.evidence,
            "simulated": self.simulated,
            "entry": self.entry,
            "note": self.note,
        }
        if self.scope == 3:
            members |= {"scope3_category": self.scope3_category, "group": self.group}
        return members


@dataclass(frozen=True, slots=True)
class Scope:
    """The lines of one scope on one basis; no lines: nothing is known of it, which is not zero.

    Attributes:
        scope: 1, 2 or 3.
        basis: of scope 2.
        lines: in order of their source.
        absent: True when the boundary is declared to hold no source of this scope: then no lines are zero.
    """

    scope: ScopeNumber
    basis: Basis | None
    lines: tuple[Line, ...]
    absent: bool = False

    @property
    def co2e_nano_kg(self) -> int | None:
        """Total [1e-9 kg], exact; None: not known."""
        return sum(line.co2e_nano_kg for line in self.lines) if self.lines or self.absent else None

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "scope": self.scope,
            "basis": self.basis,
            "co2e_kg": kilograms(self.co2e_nano_kg),
            "absent": self.absent,
            "lines": [line.document() for line in self.lines],
        }


def by_gas(lines: Iterable[Line]) -> dict[str, int]:
    """The total of lines by gas as CO2e [1e-9 kg], exact."""
    sums: dict[str, int] = {}
    for line in lines:
        for gas, nano in line.gas_nano_kg.items():
            sums[gas] = sums.get(gas, 0) + nano
    return dict(sorted(sums.items()))


def kilograms(nano_kg: int | None) -> float | None:
    """For display [kg]."""
    return None if nano_kg is None else nano_kg / 1e9


def factor_document(match: FactorMatch) -> Json:
    """A factor and how it matched, as the API gives it."""
    factor = match.factor
    return {
        "factor": factor.factor,
        "value": factor.value,
        "unit": factor.unit,
        "gas": factor.gas,
        "basis": factor.basis,
        "purpose": factor.purpose,
        "region": factor.region,
        "data_year": factor.data_year,
        "publisher": factor.publisher,
        "edition": factor.edition,
        "published_on": None if factor.published_on is None else factor.published_on.isoformat(),
        "unverified": factor.unverified,
        "match": match.match.name.lower(),
        "fallback": match.match in _FALLBACKS,
    }


def rfc3339(time: dt.datetime) -> str:
    """RFC 3339 in UTC with `Z`."""
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
