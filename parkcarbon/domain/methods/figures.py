"""The sum of a method profile as a figure: amount x factors by line, what is delivered subtracted.

References:
    accounting rules 2.6 (received less delivered), 2.9 (each profile is its own number), 6.8 (no rounding).
"""

from collections.abc import Sequence
from typing import Final

from parkcarbon.domain.inventory_figures import factors_figure
from parkcarbon.domain.methods.result import MethodLine, MethodResult, Part
from parkcarbon.domain.working import Figure, computed

_ROUNDED_KG: Final = 1e-9  # twice half a step: the line and the amount it is shown with
_ROUNDED_AMOUNT: Final = 0.5e-6
_RULE: Final = {"zcp910": "2.6", "gbt32150": "1.14"}


def method_figure(name: str, result: MethodResult, parts: Sequence[Part] | None = None) -> Figure:
    """The sum of a result, or of some parts of it; not known where it has no lines.

    Args:
        name: of the figure.
        result: of a profile beside `ghgp`.
        parts: of its formula; None: all.
    """
    lines = [line for line in result.lines if parts is None or line.part in parts]
    unit = f"kg{result.unit}"
    if not lines:
        return Figure(name, None, unit, notes=(f"nothing is known of it on profile {result.profile}",))
    added = [_line_figure(line, unit) for line in lines if line.part != "delivered"]
    taken = [_line_figure(line, unit) for line in lines if line.part == "delivered"]
    rule = _RULE[result.profile]
    total = sum(line.nano_kg for line in lines) / 1e9
    within = sum(term.within for term in (*added, *taken))
    received = computed("received", "sum", unit, *added, rule=rule)
    if not taken:
        return computed(name, "sum", unit, *added, value=total, rule=rule, within=within)
    delivered = computed("delivered", "sum", unit, *taken, rule=rule)
    return computed(name, "difference", unit, received, delivered, value=total, rule=rule, within=within)


def _line_figure(line: MethodLine, unit: str) -> Figure:
    """One line, as a positive number."""
    source: dict[str, object] = {"kind": "line", "source": line.name, "simulated": line.simulated}
    activity = Figure("activity", line.amount_micro / 1e6, line.unit, source=source, label_en=line.name)
    if line.chains:
        factor = factors_figure(line.chains, line.unit)
    else:
        factor = Figure("factor", 0.0, f"{unit}/{line.unit}", source={"kind": "setting", "name": line.note})
    within = _ROUNDED_KG + _ROUNDED_AMOUNT * abs(factor.value or 0.0)
    return computed(
        f"{line.part}:{line.name}",
        "product",
        unit,
        activity,
        factor,
        value=abs(line.nano_kg) / 1e9,
        label_en=line.name,
        label_zh=line.name,
        rule=line.rule,
        notes=(line.note,) if line.note else (),
        within=within,
    )
