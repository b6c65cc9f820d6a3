"""The result of a method profile beside `ghgp`: its lines, what it lists apart, and a sum that is never mixed.

References:
    accounting rules 1.14 (the edition of a method is stored with each result), 2.9 (two profiles are two numbers, never
    added or quoted for one another).
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from parkcarbon.domain.emissions import Step
from parkcarbon.domain.factors import FactorMatch
from parkcarbon.domain.methods.lines import Json, factor_document, kilograms
from parkcarbon.domain.refusal import RefusedError

Profile = Literal["gbt32150", "zcp910"]
Part = Literal["combustion", "process", "electricity", "heat", "delivered"]


@dataclass(frozen=True, slots=True)
class Edition:
    """The edition of a method and from when it applies."""

    document: str
    from_day: str
    to_day: str | None = None


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One source in a method's sum.

    Attributes:
        name: point or entry.
        part: of the method's formula.
        carrier: `electricity`, `heat`, fuel or product.
        amount_micro: amount [1e-6 unit].
        unit: of the amount.
        nano_kg: what it adds [1e-9 kg]; below zero on the subtracted line alone.
        factors: behind it.
        chains: by gas, the numbers whose product is kg per unit.
        note: sentences.
        rule: number of the rule it follows.
        tenant: whose; None: the park's.
        simulated: True for a demonstration.
    """

    name: str
    part: Part
    carrier: str
    amount_micro: int
    unit: str
    nano_kg: int
    factors: tuple[FactorMatch, ...] = ()
    chains: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    note: str = ""
    rule: str = ""
    tenant: str | None = None
    simulated: bool = False

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "source": self.name,
            "part": self.part,
            "carrier": self.carrier,
            "activity": self.amount_micro / 1e6,
            "activity_unit": self.unit,
            "co2_kg": self.nano_kg / 1e9,
            "factors": [factor_document(match) for match in self.factors],
            "rule": self.rule,
            "tenant": self.tenant,
            "simulated": self.simulated,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class EnergyInput:
    """Energy that was consumed: what an indicator per unit of energy divides by.

    Attributes:
        name: point or entry; `electricity` for the whole consumption.
        carrier: `electricity`, `heat` or the fuel.
        amount_micro: consumed [1e-6 kWh for electricity, else 1e-6 GJ by net calorific value]; None: not known.
        clean_micro: of it from clean sources [same].
        feedstock: True for fuel used as raw material, which is no energy.
        bunker: True for fuel of international bunkers.
        note: where an amount is not known, why.
    """

    name: str
    carrier: str
    amount_micro: int | None
    clean_micro: int = 0
    feedstock: bool = False
    bunker: bool = False
    note: str = ""

    @property
    def unit(self) -> str:
        """Of the amount."""
        return "kWh" if self.carrier == "electricity" else "GJ"

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "source": self.name,
            "carrier": self.carrier,
            "amount": None if self.amount_micro is None else self.amount_micro / 1e6,
            "clean": self.clean_micro / 1e6,
            "unit": self.unit,
            "feedstock": self.feedstock,
            "bunker": self.bunker,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What one park and period come to on one method profile.

    Attributes:
        profile: which.
        edition: document and dates of the method.
        park: id.
        period: month, year, or `2025-04/2026-03`.
        known_on: moment of knowledge.
        from_time: begin.
        to_time: end.
        final: True when nothing is pending.
        unit: what the sum is in: CO2 or CO2e.
        lines: of the sum.
        listed: shown and not in the sum, with the reason: bunkers, raw material.
        not_in_total: what has no factor.
        energy: what was consumed.
        direct_micro_kwh: green power supplied directly: self-used and by dedicated lines [1e-6 kWh]; None: not known.
        warnings: sentences.
    """

    profile: Profile
    edition: Edition
    park: str
    period: str
    known_on: str
    from_time: str
    to_time: str
    final: bool
    unit: Literal["CO2", "CO2e"]
    lines: tuple[MethodLine, ...]
    listed: tuple[Json, ...] = ()
    not_in_total: tuple[Json, ...] = ()
    energy: tuple[EnergyInput, ...] = ()
    direct_micro_kwh: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def nano_kg(self) -> int | None:
        """The sum [1e-9 kg]; None where nothing is known."""
        return sum(line.nano_kg for line in self.lines) if self.lines else None

    @property
    def energy_nano_kg(self) -> int | None:
        """All but process [1e-9 kg]; None where nothing is known of it."""
        parts = [line.nano_kg for line in self.lines if line.part != "process"]
        return sum(parts) if parts else None

    @property
    def process_nano_kg(self) -> int:
        """Process [1e-9 kg]; a park without entries of it has none."""
        return sum(line.nano_kg for line in self.lines if line.part == "process")

    def document(self) -> Json:
        """Plain JSON, in the shape of the HTTP contract."""
        return {
            "park": self.park,
            "period": self.period,
            "method_profile": self.profile,
            "method_version": f"{self.profile}-1",
            "method_edition": self.edition.document,
            "edition_from": self.edition.from_day,
            "edition_to": self.edition.to_day,
            "known_on": self.known_on,
            "from": self.from_time,
            "to": self.to_time,
            "final": self.final,
            "gas": self.unit,
            "total_kg": kilograms(self.nano_kg),
            "energy_kg": kilograms(self.energy_nano_kg),
            "process_kg": self.process_nano_kg / 1e9,
            "lines": [line.document() for line in self.lines],
            "listed": list(self.listed),
            "not_in_total": list(self.not_in_total),
            "energy": [energy.document() for energy in self.energy],
            "direct_supply_kwh": None if self.direct_micro_kwh is None else self.direct_micro_kwh / 1e6,
            "warnings": list(self.warnings),
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are hashed."""
        return json.dumps(
            self.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()


def add(results: Sequence[MethodResult]) -> MethodResult:
    """Add the results of consecutive periods of one park on one method profile, exactly.

    Raises:
        RefusedError: two profiles, two parks, or periods that overlap or leave a gap.
    """
    ordered = consecutive(results)
    first = ordered[0]
    if profiles := {result.profile for result in ordered} - {first.profile}:
        reason = f"results of {first.profile} and {', '.join(sorted(profiles))} are two numbers and are never added"
        raise RefusedError("2.9", reason)
    known = [result.direct_micro_kwh for result in ordered if result.direct_micro_kwh is not None]
    editions = tuple(dict.fromkeys(result.edition.document for result in ordered))
    note = (f"the window rests on {len(editions)} editions: {'; '.join(editions)}",) if len(editions) > 1 else ()
    return replace(
        first,
        edition=ordered[-1].edition,
        period=f"{ordered[0].period}/{ordered[-1].period}" if len(ordered) > 1 else first.period,
        known_on=max(result.known_on for result in ordered),
        to_time=ordered[-1].to_time,
        final=all(result.final for result in ordered),
        lines=tuple(line for result in ordered for line in result.lines),
        listed=tuple(item for result in ordered for item in result.listed),
        not_in_total=tuple(item for result in ordered for item in result.not_in_total),
        energy=tuple(item for result in ordered for item in result.energy),
        direct_micro_kwh=sum(known) if len(known) == len(ordered) else None,
        warnings=tuple(dict.fromkeys([*note, *(word for result in ordered for word in result.warnings)])),
    )


def consecutive(results: Sequence[MethodResult]) -> list[MethodResult]:
    """Results in the order of their time.

    Raises:
        RefusedError: none, two parks, or periods that overlap or leave a gap.
    """
    check_consecutive([(result.park, result.period, result.from_time, result.to_time) for result in results])
    return sorted(results, key=lambda result: result.from_time)


def check_consecutive(spans: Sequence[tuple[str, str, str, str]]) -> None:
    """Refuse what cannot be added up.

    Args:
        spans: (park, period, begin, end) in any order.

    Raises:
        RefusedError: nothing, two parks, or periods that overlap or leave a gap.
    """
    if not spans:
        raise RefusedError("", "nothing to add up")
    if parks := {park for park, *_ in spans} - {spans[0][0]}:
        raise RefusedError("", f"{spans[0][0]} and {', '.join(sorted(parks))} are different parks")
    ordered = sorted(spans, key=lambda span: span[2])
    for before, after in itertools.pairwise(ordered):
        if before[3] != after[2]:
            raise RefusedError("2.12", f"{before[1]} ends at {before[3]} and {after[1]} begins at {after[2]}")
