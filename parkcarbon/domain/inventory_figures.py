"""The lines, scopes and totals of an inventory as figures: amount × factors, each factor with its record.

The exact value of a line is a sum of rounded intervals, or an amount times a product rounded once; its figure says how
far that may be from the product of the terms shown.

References:
    accounting rules 1.3 (electricity is CO2 only), 3.13 (two bases side by side), 3.15 (remainder), 6.8 (no rounding).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from .calorific import per_calorific
from .emissions import Step
from .factors import FactorMatch
from .methods.lines import Line, Scope, factor_document, rfc3339
from .working import Figure, computed, same

Columns: TypeAlias = Mapping[str, tuple[float | None, ...]]
Axis: TypeAlias = Mapping[str, tuple[str | int | None, ...]]

ROUNDED: Final = 1e-9
"""CO2e is rounded to 1e-9 kg once an interval or once an amount [kg]."""

HALF_MICRO: Final = 0.5e-6
"""Amounts are rounded to 1e-6 of their unit."""


@dataclass(frozen=True)
class Backing:
    """What stands behind a line beside what the line says itself.

    Attributes:
        activity: the amount with its working; None: the line's own number, as entered.
        intervals: how many rounded intervals the line sums up; 1 for an amount that was multiplied as a whole.
        columns: amounts and factors by the hour, where the factor is a series.
        axis: the hours.
    """

    activity: Figure | None = None
    intervals: int = 1
    columns: Columns = field(default_factory=dict)
    axis: Axis = field(default_factory=dict)


NOTHING: Final = Backing()
Backed: TypeAlias = Callable[[Line], Backing]


def line_figure(line: Line, backing: Backing = NOTHING) -> Figure:
    """One line: its amount times its factors.

    Args:
        line: of an inventory.
        backing: the working of its amount, and hourly columns for a factor by the hour.
    """
    figure = _line(line, backing)
    return replace(
        figure,
        label_en=line.source if line.basis is None else f"{line.source}, {line.basis}-based",
        label_zh=line.source if line.basis is None else f"{line.source}（基于{_BASES[line.basis]}）",
        notes=tuple(part for part in line.note.split("; ") if part),
        source=_line_source(line),
    )


def _line(line: Line, backing: Backing) -> Figure:
    activity = _activity(line, backing)
    name, value = f"line:{line.source}", line.co2e_nano_kg / 1e9
    rounded = ROUNDED * (backing.intervals + 1)
    if line.chains and not backing.columns:
        factor = factors_figure(line.chains, line.activity_unit)
        within = rounded + HALF_MICRO * abs(factor.value or 0.0)
        return computed(name, "product", "kgCO2e", activity, factor, value=value, rule=_rule(line), within=within)
    if backing.columns:
        return _by_time(line, backing, activity, rounded)
    if line.instruments and not line.co2e_nano_kg:
        zero = Figure("factor", 0.0, f"kgCO2e/{line.activity_unit}", source={"kind": "lot", "lots": _lots(line)})
        return computed(name, "product", "kgCO2e", activity, zero, value=value, rule="3.15")
    return Figure(name, value, "kgCO2e")


def _by_time(line: Line, backing: Backing, activity: Figure, rounded: float) -> Figure:
    """Amounts times factors by the hour; what the stored intervals hold beside that is a term of its own."""
    name, value = f"line:{line.source}", line.co2e_nano_kg / 1e9
    records = (_behind(line),) if line.chains else tuple(_record(provenance(match)) for match in line.factors)
    product = computed(
        name,
        "sum_product",
        "kgCO2e",
        activity,
        *records,
        rule=_rule(line),
        columns=backing.columns,
        axis=backing.axis,
        within=rounded,
    )
    if same(value, product.value, rounded):
        return replace(product, value=value)
    rest = Figure(
        "not_by_factor",
        value - (product.value or 0.0),
        "kgCO2e",
        label_zh="以其他因子计算的时段",
        label_en="intervals computed with other values of the factor, or about to be computed again",
        source={"kind": "interval", "point": line.source},
    )
    return computed(name, "sum", "kgCO2e", product, rest, value=value, rule=_rule(line))


def _behind(line: Line) -> Figure:
    """What stands behind calorific values by the hour: everything else that a fuel is multiplied with."""
    factor = factors_figure(per_calorific(line.chains), line.activity_unit)
    return replace(
        factor,
        name="factor_per_calorific_value",
        label_zh="每单位热值的排放因子",
        label_en="emission factor per unit of calorific value; the hours above have the values",
    )


_BASES: Final = {"location": "位置", "market": "市场"}


def _rule(line: Line) -> str:
    if line.basis == "market":
        return "3.15"
    return {"electricity": "1.3", "gas": "1.12", "heat": "1.13"}.get(line.carrier, "")


def _line_source(line: Line) -> dict[str, object]:
    source: dict[str, object] = {"kind": "line", "scope": line.scope, "basis": line.basis, "states": dict(line.states)}
    known = {"entry": line.entry, "evidence": line.evidence, "simulated": line.simulated, "tenant": line.tenant}
    return source | {name: value for name, value in known.items() if value}


def _lots(line: Line) -> list[str]:
    return [f"{used.get('registry')} {used.get('serials')}" for used in line.instruments]


def _activity(line: Line, backing: Backing) -> Figure:
    if backing.activity is not None:
        return backing.activity
    kind = "entry" if line.entry else "interval"
    source: dict[str, object] = {"kind": kind, "source": line.source, "entry": line.entry, "evidence": line.evidence}
    source["simulated"] = line.simulated
    return Figure(
        "activity",
        line.activity,
        line.activity_unit,
        label_zh=f"{line.source} 活动数据",
        label_en=f"activity data of {line.source}",
        source={name: value for name, value in source.items() if value},
    )


def factors_figure(chains: Mapping[str, Sequence[Step]], unit: str) -> Figure:
    """Emission per unit of an amount: the sum over gases of the product of their steps.

    Args:
        chains: by gas.
        unit: of the amount.
    """
    gases = [_chain(gas, steps, unit) for gas, steps in chains.items()]
    if len(gases) == 1:
        return gases[0]
    return computed(
        "factor", "sum", f"kgCO2e/{unit}", *gases, label_zh="排放因子", label_en="emission factor, all gases"
    )


def _chain(gas: str, steps: Sequence[Step], unit: str) -> Figure:
    if len(steps) == 1 and steps[0].unit.endswith(f"/{unit}"):
        return _step(steps[0])
    return computed(
        f"factor_{gas}",
        "product",
        f"kgCO2e/{unit}",
        *map(_step, steps),
        value=math.prod(step.value for step in steps),
        label_zh=f"排放因子 {gas}",
        label_en=f"emission factor, {gas}",
    )


def _step(step: Step) -> Figure:
    if step.match is None:
        zh, en = STEPS.get(step.name, ("", ""))
        return Figure(
            step.name, step.value, step.unit, label_zh=zh, label_en=en, source={"kind": "setting", "name": step.name}
        )
    document = provenance(step.match)
    zh, en = STEPS.get(step.name, ("排放因子", "emission factor"))
    return Figure(
        step.name,
        step.value,
        step.unit,
        label_zh=f"{zh} {step.match.factor.factor}",
        label_en=f"{en} {step.match.factor.factor}",
        source={"kind": "factor", **document},
        notes=_factor_notes(document),
    )


STEPS: Final = {
    "factor": ("排放因子", "emission factor"),
    "unit_conversion": ("单位换算", "unit conversion"),
    "energy": ("单位换算", "unit conversion"),
    "calorific_value": ("低位/高位发热量", "calorific value"),
    "carbon_content": ("单位热值含碳量", "carbon content"),
    "oxidation": ("碳氧化率", "oxidation"),
    "co2_per_carbon": ("CO₂与碳的质量比 44/12", "mass of CO2 per carbon, 44/12"),
    "warming_potential": ("全球变暖潜势", "global warming potential"),
    "density": ("密度", "density"),
}


def provenance(match: FactorMatch) -> dict[str, object]:
    """A factor, how it matched, and all that its record says of where it comes from."""
    factor = match.factor
    more: dict[str, object] = {
        "title": factor.title,
        "publication": factor.publication,
        "source_page": factor.source_page,
        "licence": factor.licence,
        "reviewer": factor.reviewer,
        "recorded_at": None if factor.recorded_at is None else rfc3339(factor.recorded_at),
        "valid_from": None if factor.valid_from is None else factor.valid_from.isoformat(),
        "valid_to": None if factor.valid_to is None else factor.valid_to.isoformat(),
    }
    return {**factor_document(match), **{name: value for name, value in more.items() if value}}


def _record(document: dict[str, object]) -> Figure:
    value = document["value"]
    return Figure(
        "factor",
        value if isinstance(value, float) else None,
        str(document["unit"]),
        label_zh=f"排放因子 {document['factor']}",
        label_en=f"emission factor {document['factor']}",
        source={"kind": "factor", **document},
        notes=_factor_notes(document),
    )


def _factor_notes(document: Mapping[str, object]) -> tuple[str, ...]:
    notes = [f"match: {document['match']}"]
    if document["unverified"]:
        notes.append("not seen in its source: unverified 未核实")
    return tuple(notes)


def scope_figure(name: str, scope: Scope, backed: Backed = lambda _: NOTHING) -> Figure:
    """A scope as the sum of its lines; None where nothing is known of it.

    Args:
        name: of the figure, for example `scope2_location`.
        scope: of an inventory.
        backed: gives what stands behind each line.
    """
    if not scope.lines:
        value = 0.0 if scope.absent else None
        note = "the boundary is declared to hold no source of it" if scope.absent else "no source of it is known"
        return Figure(name, value, "kgCO2e", source={"kind": "setting", "name": "absent"}, notes=(note,))
    total = scope.co2e_nano_kg
    lines = [line_figure(line, backed(line)) for line in scope.lines]
    within = sum(line.within for line in lines) if len(lines) > 1 else 0.0
    return computed(
        name, "sum", "kgCO2e", *lines, value=None if total is None else total / 1e9, rule="3.13", within=within
    )


def total_figure(name: str, *scopes: Figure) -> Figure:
    """A total over scopes; not known where any of them is not."""
    return computed(name, "sum", "kgCO2e", *scopes, rule="3.8")
