"""Comparison with the base year, the year before and the period before; only where like is compared with like.

    plain:       change = now - before
    normalised:  expected = before × output_now / output_before,   change = now - expected

A percentage is given only where the meter set and the boundary are comparable; else the reasons are given instead. A
change is information: it is already inside the inventory of both periods and is never subtracted again.

References:
    accounting rule 3.2; terms 45, 47 and 51 of the glossary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, computed

from .energy import percent

Json = dict[str, object]
Kind = Literal["base_year", "year_on_year", "previous_period"]

COMPLETE_PCT: Final = 95.0
"""Product setting: below it a period is not compared (rule 6.7 knows no legal value)."""

LABELS: Final[dict[Kind, tuple[str, str]]] = {
    "base_year": ("减排量（相对基准年）", "Reduction against base year"),
    "year_on_year": ("同比", "Year on year"),
    "previous_period": ("环比", "On previous period"),
}


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What is compared of one period.

    Attributes:
        label: of the period, `2026-03` or `2026`.
        nano_kg: emissions by name, for example `scope1`, `scope2_location` [1e-9 kg CO2e]; None: not known.
        boundary: what the boundary is, in words or as a digest; equal texts are the same boundary.
        points: meters it rests on; empty: not known, for example of a base year that was entered.
        completeness_pct: share of the metered time that was measured.
        output: what was produced, by product; absent: not entered.
        days: length of the period.
        simulated: True when it rests on entries of a demonstration.
        comparable_by_statement: True when a reviewed entry states that the boundary is the same.
    """

    label: str
    nano_kg: Mapping[str, int | None]
    boundary: str
    points: frozenset[str] = frozenset()
    completeness_pct: float | None = None
    output: Mapping[str, float] = field(default_factory=dict)
    days: int = 0
    simulated: bool = False
    comparable_by_statement: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One figure now and before [1e-9 kg CO2e]."""

    name: str
    now: int | None
    before: int | None
    expected: float | None
    comparable: bool

    @property
    def difference(self) -> int | None:
        """Now less before."""
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def pct(self) -> float | None:
        """Change against before [%]; None where the two are not comparable."""
        return percent(self.difference, self.before) if self.comparable else None

    @property
    def normalised(self) -> float | None:
        """Now less what the output of now would have emitted at the intensity of before [1e-9 kg]."""
        return None if self.now is None or self.expected is None else self.now - self.expected

    @property
    def normalised_pct(self) -> float | None:
        """Normalised change against the expected [%]; None where not comparable."""
        return percent(self.normalised, self.expected) if self.comparable else None

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "name": self.name,
            "now_kg": _kg(self.now),
            "before_kg": _kg(self.before),
            "difference_kg": _kg(self.difference),
            "change_pct": self.pct,
            "expected_kg": _kg(self.expected),
            "normalised_difference_kg": _kg(self.normalised),
            "normalised_change_pct": self.normalised_pct,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two periods side by side; `reasons` say why no percentage is given."""

    kind: Kind
    now: PeriodFacts
    before: PeriodFacts
    changes: tuple[Change, ...]
    product: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def comparable(self) -> bool:
        """True when meter set, boundary and length allow a percentage."""
        return not self.reasons

    def document(self) -> Json:
        """As the API gives it."""
        zh, en = LABELS[self.kind]
        return {
            "kind": self.kind,
            "label": {"zh": zh, "en": en},
            "now": self.now.label,
            "before": self.before.label,
            "comparable": self.comparable,
            "reasons": list(self.reasons),
            "normalised_by": self.product or None,
            "simulated": self.now.simulated or self.before.simulated,
            "changes": [change.document() for change in self.changes],
            "notes": list(self.notes),
        }


def compare(kind: Kind, now: PeriodFacts, before: PeriodFacts, *, product: str = "") -> Comparison:
    """Compare two periods.

    Args:
        kind: with what.
        now: the period of the statement.
        before: what it is compared with.
        product: output that both are normalised by; empty: not normalised.

    Raises:
        RefusedError: a negative output.
    """
    reasons = tuple(_reasons(now, before))
    scale, notes = _scale(now, before, product)
    changes = tuple(
        Change(
            name,
            now.nano_kg[name],
            previous := before.nano_kg[name],
            None if scale is None or previous is None else previous * scale,
            not reasons,
        )
        for name in now.nano_kg
        if name in before.nano_kg
    )
    return Comparison(kind, now, before, changes, product if scale is not None else "", reasons, notes)


def _reasons(now: PeriodFacts, before: PeriodFacts) -> list[str]:
    """Why the two cannot be compared."""
    found = []
    if now.boundary != before.boundary and not before.comparable_by_statement:
        found.append(f"the boundary of {before.label} is another one: {before.boundary or 'not stated'}")
    if now.points and before.points and now.points != before.points:
        found.append(f"the meter set changed: {_difference(now.points, before.points)}")
    if not before.points and not before.comparable_by_statement:
        found.append(f"the meter set of {before.label} is not known")
    if abs(now.days - before.days) > max(0.1 * before.days, 3):
        found.append(f"{now.label} has {now.days} days, {before.label} {before.days}")
    found += [
        f"{facts.label} is only {facts.completeness_pct:.3g} % measured"
        for facts in (now, before)
        if facts.completeness_pct is not None and facts.completeness_pct < COMPLETE_PCT
    ]
    return found


def _difference(now: frozenset[str], before: frozenset[str]) -> str:
    added, gone = sorted(now - before), sorted(before - now)
    parts = [f"new {', '.join(added[:5])}" if added else "", f"gone {', '.join(gone[:5])}" if gone else ""]
    return "; ".join(part for part in parts if part)


def _scale(now: PeriodFacts, before: PeriodFacts, product: str) -> tuple[float | None, tuple[str, ...]]:
    if not product:
        return None, ()
    current, previous = now.output.get(product), before.output.get(product)
    if current is None or previous is None:
        missing = now.label if current is None else before.label
        return None, (f"no output of {product} is entered for {missing}: not normalised",)
    for facts, output in ((now, current), (before, previous)):
        if output < 0:
            raise RefusedError("6.10", f"output of {product} in {facts.label} is {output:g}: it cannot be negative")
    if not previous:
        return None, (f"no {product} was made in {before.label}: there is nothing to normalise by",)
    return current / previous, ()


def comparison_figure(comparison: Comparison, name: str) -> Figure:
    """The normalised change of one figure with its working, or the plain one without output [kgCO2e]."""
    change = next(change for change in comparison.changes if change.name == name)
    now = Figure(f"{name}_now", _kg(change.now), "kgCO2e", source={"kind": "inventory", "period": comparison.now.label})
    before = Figure(
        f"{name}_before", _kg(change.before), "kgCO2e", source={"kind": "inventory", "period": comparison.before.label}
    )
    notes = (*comparison.reasons, *comparison.notes)
    if change.expected is None:
        return computed(f"compare_{name}", "difference", "kgCO2e", now, before, rule="3.2", notes=notes)
    ratio = computed(
        "output_ratio",
        "quotient",
        "1",
        _output("output_now", comparison.now, comparison.product),
        _output("output_before", comparison.before, comparison.product),
    )
    expected = computed("expected", "product", "kgCO2e", before, ratio)
    return computed(f"compare_{name}", "difference", "kgCO2e", now, expected, rule="3.2", notes=notes)


def _output(name: str, facts: PeriodFacts, product: str) -> Figure:
    return Figure(name, facts.output[product], product, source={"kind": "entry", "text": facts.label})


def _kg(nano: float | None) -> float | None:
    return None if nano is None else nano / 1e9
