"""What is short, and what closing it would cost: measures first, GEC for purchased power, credits for the rest.

References:
    accounting rules 3.1 (reduce, then offset what remains), 3.12 (no negative footprint), 4.1, 4.3 (whole GEC, never
    above the purchases), 4.6 (credits in any scope, after reductions).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from parkcarbon.domain.refusal import RefusedError

from .lot import CCER_NANO_KG, GEC_MICRO_KWH

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Prices:
    """Entered prices; None: not known, then no cost is computed.

    Attributes:
        currency: of all.
        gec: one GEC of 1,000 kWh.
        credit: one credit of 1 t CO2e.
    """

    currency: str = "CNY"
    gec: float | None = None
    credit: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One way to close part of the gap.

    Attributes:
        name: `gec`, `credit` or a measure's name.
        kind: `measure`, `gec` or `credit`.
        count: whole units; None for a measure.
        nano_kg: what it lowers or offsets [1e-9 kgCO2e].
        cost: [currency]; None: not known.
    """

    name: str
    kind: str
    count: int | None
    nano_kg: int
    cost: float | None

    @property
    def cost_per_t(self) -> float | None:
        """Cost of one tonne [currency/t]."""
        return None if self.cost is None or self.nano_kg <= 0 else self.cost / (self.nano_kg / 1e12)

    def document(self) -> Json:
        """Plain JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "count": self.count,
            "kg": self.nano_kg / 1e9,
            "cost": self.cost,
            "cost_per_t": self.cost_per_t,
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """What is short and how it could be closed.

    Attributes:
        remaining_nano_kg: emissions on the declared basis before credits [1e-9 kgCO2e]; None: not known.
        retired_nano_kg: credits retired already [1e-9 kgCO2e].
        short_nano_kg: what is short [1e-9 kgCO2e].
        surplus_nano_kg: retired above the remaining emissions [1e-9 kgCO2e]; no negative emission.
        uncovered_micro_kwh: purchased electricity no certificate covers [1e-6 kWh].
        purchase: GEC and credits that would close the gap as it is.
        measures: by cost per tonne, cheapest first.
        after_measures: GEC and credits that would still be needed.
        currency: of all costs.
        notes: sentences.
    """

    remaining_nano_kg: int | None
    retired_nano_kg: int
    short_nano_kg: int | None
    surplus_nano_kg: int
    uncovered_micro_kwh: int | None
    purchase: tuple[Step, ...]
    measures: tuple[Step, ...]
    after_measures: tuple[Step, ...]
    currency: str
    notes: tuple[str, ...] = ()

    def document(self) -> Json:
        """Plain JSON, masses in kg."""
        return {
            "remaining_kg": _kg(self.remaining_nano_kg),
            "retired_kg": self.retired_nano_kg / 1e9,
            "short_kg": _kg(self.short_nano_kg),
            "surplus_kg": self.surplus_nano_kg / 1e9,
            "uncovered_kwh": None if self.uncovered_micro_kwh is None else self.uncovered_micro_kwh / 1e6,
            "currency": self.currency,
            "purchase": [step.document() for step in self.purchase],
            "purchase_cost": total_cost(self.purchase),
            "measures": [step.document() for step in self.measures],
            "after_measures": [step.document() for step in self.after_measures],
            "with_measures_cost": total_cost((*self.measures, *self.after_measures)),
            "notes": list(self.notes),
        }


def plan_gap(
    remaining_nano_kg: int | None,
    retired_nano_kg: int,
    *,
    uncovered_micro_kwh: int | None,
    remainder_kg_per_kwh: float | None,
    prices: Prices,
    measures: Sequence[tuple[str, int, float | None]] = (),
) -> Gap:
    """Plan how to close what is short.

    Whole GEC for the purchased electricity no certificate covers yet (rounded down: never above the purchases), whole
    credits for the rest (rounded up). Measures stand first, cheapest tonne first.

    Args:
        remaining_nano_kg: emissions on the market basis before credits [1e-9 kgCO2e]; None: not known.
        retired_nano_kg: credits retired for the period [1e-9 kgCO2e].
        uncovered_micro_kwh: purchased less covered electricity [1e-6 kWh]; None: not known.
        remainder_kg_per_kwh: factor of the uncovered electricity [kgCO2/kWh]; None: not known.
        prices: as entered.
        measures: (name, saving [1e-9 kgCO2e], cost [currency] or None).

    Raises:
        RefusedError: an amount or a price is negative.
    """
    _refuse_negative(remaining_nano_kg, retired_nano_kg, uncovered_micro_kwh, prices, measures)
    steps = tuple(
        sorted(
            (Step(name, "measure", None, saving, cost) for name, saving, cost in measures),
            key=lambda step: (step.cost_per_t is None, step.cost_per_t or 0.0, step.name),
        )
    )
    currency = prices.currency
    if remaining_nano_kg is None:
        unknown = ("the remaining emissions are not known: no plan",)
        return Gap(None, retired_nano_kg, None, 0, uncovered_micro_kwh, (), steps, (), currency, unknown)
    short = max(remaining_nano_kg - retired_nano_kg, 0)
    surplus = max(retired_nano_kg - remaining_nano_kg, 0)
    notes: tuple[str, ...] = (
        () if remainder_kg_per_kwh is not None else ("the remainder factor is not known: credits only",)
    )
    bought = _buy(short, uncovered_micro_kwh, remainder_kg_per_kwh, prices)
    saved = min(sum(step.nano_kg for step in steps), short)
    after = _buy(short - saved, uncovered_micro_kwh, remainder_kg_per_kwh, prices)
    if steps:
        notes = (*notes, "a saving of purchased electricity lowers the GEC needed further; savings are expected values")
    return Gap(
        remaining_nano_kg, retired_nano_kg, short, surplus, uncovered_micro_kwh, bought, steps, after, currency, notes
    )


def total_cost(steps: Sequence[Step]) -> float | None:
    """Cost of all [currency]; None where one is not known."""
    costs = [step.cost for step in steps if step.nano_kg or step.cost]
    return None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None)


def _buy(short: int, uncovered: int | None, remainder: float | None, prices: Prices) -> tuple[Step, ...]:
    steps = []
    if uncovered and remainder:
        each = round(remainder * GEC_MICRO_KWH * 1000)  # kg/kWh × 1e-6 kWh = 1e-6 kg = 1e3 nano-kg
        count = min(uncovered // GEC_MICRO_KWH, -(-short // each)) if each else 0
        if count:
            lowered = min(count * each, short)
            steps.append(Step("gec", "gec", count, lowered, None if prices.gec is None else count * prices.gec))
            short -= lowered
    if short:
        count = -(-short // CCER_NANO_KG)
        steps.append(Step("credit", "credit", count, short, None if prices.credit is None else count * prices.credit))
    return tuple(steps)


def _refuse_negative(
    remaining: int | None,
    retired: int,
    uncovered: int | None,
    prices: Prices,
    measures: Sequence[tuple[str, int, float | None]],
) -> None:
    named = {"remaining emissions": remaining, "retired credits": retired, "uncovered electricity": uncovered}
    named |= {f"saving of {name}": saving for name, saving, _ in measures}
    for what, amount in named.items():
        if amount is not None and amount < 0:
            raise RefusedError("3.12", f"{what} of {amount / 1e9:g} is negative")
    for what, price in (("a GEC", prices.gec), ("a credit", prices.credit)):
        if price is not None and price < 0:
            raise RefusedError("3.1", f"the price of {what}, {price:g}, is negative")


def _kg(nano: int | None) -> float | None:
    return None if nano is None else nano / 1e9
