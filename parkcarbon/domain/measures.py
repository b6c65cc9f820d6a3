"""Measures that lower emissions: the register, what they saved, what a tonne costs, and the order in which to act.

What a measure saved is already in the inventory: meters show less. It is listed, never subtracted, and it is no credit.

    cost per tonne = (cost / lifetime + running cost) / tonnes a year          [currency/tCO2e]

References:
    accounting rules 3.1 (reduce, then remove inside the value chain, then offset only what is left), 3.2 (a reduction,
    an avoided emission or a self-used kWh is no credit).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .refusal import RefusedError
from .substitution import half_even
from .working import Figure, computed

Json = dict[str, object]
Status = Literal["proposed", "decided", "running", "ended"]
Step = Literal["reduce", "remove", "offset"]

ORDER: Final[tuple[Step, ...]] = ("reduce", "remove", "offset")
NOT_SUBTRACTED: Final = "已含在清单内，不再扣减 already inside the inventory, not subtracted again"
NO_CREDITS: Final = frozenset({"reduction", "avoided_emission", "self_consumption", "export"})


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the register.

    Attributes:
        measure: id.
        zh: name in Chinese.
        en: name in English.
        owner: role that answers for it.
        kind: lowers emissions, or removes CO2 inside the value chain.
        status: how far it is.
        start: first day it works.
        baseline: what would be without it, in words.
        expected_t_per_year: expected reduction [tCO2e/a].
        cost: once [currency].
        running_cost_per_year: negative where it saves money [currency/a].
        lifetime_years: over which the cost is spread.
        currency: of the costs.
        baseline_t: emissions of a year without it [tCO2e]; None: not stated.
        tenant: whose; None: the park's.
        entry_id: entry behind it.
        simulated: True for a demonstration.
    """

    measure: str
    zh: str
    en: str
    owner: str
    kind: Literal["reduce", "remove"]
    status: Status
    start: dt.date
    baseline: str
    expected_t_per_year: float
    cost: float = 0.0
    running_cost_per_year: float = 0.0
    lifetime_years: float = 10.0
    currency: str = "CNY"
    baseline_t: float | None = None
    tenant: str | None = None
    entry_id: int | None = None
    simulated: bool = False

    @property
    def cost_per_tonne(self) -> float | None:
        """What a tonne costs a year, undiscounted [currency/tCO2e]; None where nothing is expected."""
        if self.expected_t_per_year <= 0:
            return None
        return (self.cost / self.lifetime_years + self.running_cost_per_year) / self.expected_t_per_year

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "measure": self.measure,
            "title": {"zh": self.zh, "en": self.en},
            "owner": self.owner,
            "kind": self.kind,
            "status": self.status,
            "tenant": self.tenant,
            "start": self.start.isoformat(),
            "baseline": self.baseline,
            "baseline_t": self.baseline_t,
            "expected_t_per_year": self.expected_t_per_year,
            "cost": self.cost,
            "running_cost_per_year": self.running_cost_per_year,
            "lifetime_years": self.lifetime_years,
            "currency": self.currency,
            "cost_per_tonne": self.cost_per_tonne,
            "entry": self.entry_id,
            "simulated": self.simulated,
        }


@dataclass(frozen=True, slots=True)
class Saving:
    """What a measure saved in some days [1e-9 kg CO2e]."""

    measure: str
    from_day: dt.date
    to_day: dt.date
    nano_kg: int
    how: Literal["metered", "calculated"]
    evidence: str
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReductionLine:
    """One measure in one period [1e-9 kg CO2e]."""

    measure: Measure
    expected_nano_kg: int
    metered_nano_kg: int | None
    calculated_nano_kg: int | None

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "measure": self.measure.measure,
            "title": {"zh": self.measure.zh, "en": self.measure.en},
            "owner": self.measure.owner,
            "expected_t": self.expected_nano_kg / 1e12,
            "metered_t": None if self.metered_nano_kg is None else self.metered_nano_kg / 1e12,
            "calculated_t": None if self.calculated_nano_kg is None else self.calculated_nano_kg / 1e12,
            "simulated": self.measure.simulated,
        }


@dataclass(frozen=True, slots=True)
class Reductions:
    """The reductions line of a period: information beside the inventory."""

    from_day: dt.date
    to_day: dt.date
    lines: tuple[ReductionLine, ...]

    @property
    def metered_nano_kg(self) -> int | None:
        """Metered reductions [1e-9 kg]; None where none was metered."""
        known = [line.metered_nano_kg for line in self.lines if line.metered_nano_kg is not None]
        return sum(known) if known else None

    @property
    def expected_nano_kg(self) -> int:
        """Expected reductions [1e-9 kg]."""
        return sum(line.expected_nano_kg for line in self.lines)

    def document(self) -> Json:
        """As the API gives it."""
        metered = self.metered_nano_kg
        return {
            "from_day": self.from_day.isoformat(),
            "to_day": self.to_day.isoformat(),
            "lines": [line.document() for line in self.lines],
            "expected_t": self.expected_nano_kg / 1e12,
            "metered_t": None if metered is None else metered / 1e12,
            "subtracted": False,
            "note": NOT_SUBTRACTED,
        }

    def figure(self) -> Figure:
        """Metered reductions with their working [t]."""
        terms = tuple(
            Figure(
                line.measure.measure,
                line.metered_nano_kg / 1e12,
                "t",
                label_en=line.measure.en,
                label_zh=line.measure.zh,
                source={"kind": "entry", "entry": line.measure.entry_id, "text": line.measure.baseline},
            )
            for line in self.lines
            if line.metered_nano_kg is not None
        )
        return computed(
            "reductions",
            "sum",
            "t",
            *terms,
            label_en="Reductions by measures",
            label_zh="措施减排量",
            rule="3.2",
            notes=(NOT_SUBTRACTED,),
        )


def reductions(
    measures: Iterable[Measure], savings: Iterable[Saving], from_day: dt.date, to_day: dt.date
) -> Reductions:
    """The reductions line of a period.

    Args:
        measures: the register.
        savings: what was metered or calculated; one that reaches over the period's ends counts pro rata by the day.
        from_day: first day.
        to_day: day after the last.

    Raises:
        RefusedError: a saving of a measure the register does not have, or a negative one (rule 3.2).
    """
    register = sorted(measures, key=lambda measure: (measure.start, measure.measure))
    known = {measure.measure for measure in register}
    chosen = tuple(savings)
    for saving in chosen:
        if saving.measure not in known:
            raise RefusedError("3.2", f"a saving of {saving.measure!r}, which the register of measures does not have")
        if saving.nano_kg < 0:
            raise RefusedError("3.2", f"{saving.measure} saved {saving.nano_kg / 1e12:g} t: a negative reduction")
    lines = tuple(
        _line(measure, [saving for saving in chosen if saving.measure == measure.measure], from_day, to_day)
        for measure in register
        if measure.status in ("running", "ended") and measure.start < to_day
    )
    return Reductions(from_day, to_day, lines)


def _line(measure: Measure, savings: Sequence[Saving], from_day: dt.date, to_day: dt.date) -> ReductionLine:
    expected = round(measure.expected_t_per_year * 1e12 * _years(max(from_day, measure.start), to_day))
    by_how = {how: [s for s in savings if s.how == how] for how in ("metered", "calculated")}
    within = {
        how: [part for saving in found if (part := _within(saving, from_day, to_day)) is not None]
        for how, found in by_how.items()
    }
    metered, calculated = (sum(within[how]) if within[how] else None for how in ("metered", "calculated"))
    return ReductionLine(measure, expected, metered, calculated)


def _years(from_day: dt.date, to_day: dt.date) -> float:
    """Length of `[from_day, to_day)` in calendar years, a leap year being one like any other."""
    passed = 0.0
    for year in range(from_day.year, to_day.year + 1):
        first, end = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
        passed += max((min(end, to_day) - max(first, from_day)).days, 0) / (end - first).days
    return passed


def _within(saving: Saving, from_day: dt.date, to_day: dt.date) -> int | None:
    """The part of a saving that falls into the period, by the day [1e-9 kg]; None: none of its days do.

    The parts of consecutive periods add up to the whole exactly: each is the difference of two rounded running sums.
    """
    first, last = max(from_day, saving.from_day), min(to_day, saving.to_day)
    if first >= last:
        return None
    whole = (saving.to_day - saving.from_day).days
    upto = [half_even(saving.nano_kg * (day - saving.from_day).days, whole) for day in (first, last)]
    return upto[1] - upto[0]


@dataclass(frozen=True, slots=True)
class Option:
    """What a measure could still bring, for a plan that closes a gap."""

    measure: str
    tonnes_per_year: float
    cost_per_tonne: float
    currency: str
    from_day: dt.date


def options(measures: Iterable[Measure], on: dt.date) -> list[Option]:
    """Measures that are not running yet, cheapest tonne first.

    Args:
        measures: the register.
        on: day of the plan; one that would have begun before can begin now.
    """
    found = [
        Option(measure.measure, measure.expected_t_per_year, cost, measure.currency, max(measure.start, on))
        for measure in measures
        if measure.status in ("proposed", "decided") and (cost := measure.cost_per_tonne) is not None
    ]
    return sorted(found, key=lambda option: (option.cost_per_tonne, option.measure))


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a management plan [1e-9 kg CO2e]; `uses` says what an offset is made of."""

    step: Step
    nano_kg: int
    uses: str = "credit"


def check_order(inventory_nano_kg: int, steps: Sequence[PlannedStep]) -> int:
    """What is left after a plan: reduce, then remove, then offset only the rest.

    Args:
        inventory_nano_kg: emissions the plan starts from, with nothing in them subtracted [1e-9 kg].
        steps: in the order they are taken.

    Returns:
        What remains uncovered [1e-9 kg], >= 0.

    Raises:
        RefusedError: a step before its turn, or an offset of more than is left (3.1); an offset made of a reduction,
            an avoided emission or self-used energy (3.2).
    """
    left, reached = inventory_nano_kg, 0
    for step in steps:
        if step.nano_kg < 0:
            raise RefusedError("3.1", f"a step of {step.nano_kg / 1e12:g} t")
        if ORDER.index(step.step) < reached:
            raise RefusedError("3.1", f"{step.step} comes after {ORDER[reached]}: reduce, remove, then offset the rest")
        reached = ORDER.index(step.step)
        if step.step == "offset" and step.uses in NO_CREDITS:
            raise RefusedError("3.2", f"{step.uses} of {step.nano_kg / 1e12:g} t is no credit and offsets nothing")
        if step.nano_kg > left:
            raise RefusedError("3.1", f"{step.step} of {step.nano_kg / 1e12:g} t, but only {left / 1e12:g} t are left")
        left -= step.nano_kg
    return left
