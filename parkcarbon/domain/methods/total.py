"""Adding inventories of consecutive periods, exactly: rolling windows, years of months.

References:
    accounting rules 1.15 (one GWP set), 2.9 (one method profile), 2.12 (rolling windows), 6.8 (no rounding before
    display).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from parkcarbon.domain.activities.scope3 import CATEGORIES
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.methods.lines import Json, Scope
from parkcarbon.domain.methods.result import check_consecutive
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError


def total(inventories: Sequence[Inventory]) -> Inventory:
    """Add inventories of consecutive periods of one park.

    Every line stays a line; sums are of integers. Energy that is unknown in one period is unknown in the whole.

    Raises:
        RefusedError: nothing, two parks, a gap or overlap, two GWP sets, two versions of the method.
    """
    check_consecutive([(one.park, one.period, one.from_time, one.to_time) for one in inventories])
    ordered = sorted(inventories, key=lambda one: one.from_time)
    first, last = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return first
    _one(ordered, "1.15", "GWP sets", {one.gwp_set for one in ordered})
    _one(ordered, "2.9", "versions of the method", {one.method_version for one in ordered})
    spent = {name: sum(one.time_ms.get(name, 0) for one in ordered) for name in first.time_ms}
    expected = spent.get("expected", 0)
    missing = [f"{one.period}: scope {s.scope} is not known" for one in ordered for s in one.scopes if _unknown(s)]
    return replace(
        last,
        period=f"{first.period}/{last.period}",
        known_on=max(one.known_on for one in ordered),
        from_time=first.from_time,
        final=all(one.final for one in ordered),
        scopes=tuple(_scope(ordered, number) for number in range(len(first.scopes))),
        scope3=Scope(3, None, tuple(line for one in ordered for line in one.scope3.lines)),
        screening=_screening(ordered),
        not_in_total=tuple(item for one in ordered for item in one.not_in_total),
        beside=tuple(item for one in ordered for item in one.beside),
        energy=_energy([one.energy for one in ordered]),
        completeness_pct=100 * spent.get("measured_time", 0) / expected if expected else None,
        states=_states(spent),
        suspect_hours=sum(one.suspect_hours for one in ordered),
        warnings=tuple(dict.fromkeys([*missing, *(word for one in ordered for word in one.warnings)])),
        cover=_cover(one.cover for one in ordered),
        time_ms=spent,
    )


def _one(ordered: Sequence[Inventory], rule: str, what: str, found: set[str]) -> None:
    if len(found) > 1:
        periods = f"{ordered[0].period} to {ordered[-1].period}"
        raise RefusedError(rule, f"{periods}: two {what} are never added: {', '.join(sorted(found))}")


def _unknown(scope: Scope) -> bool:
    return scope.co2e_nano_kg is None


def _scope(ordered: Sequence[Inventory], number: int) -> Scope:
    """One scope over all periods; absent only where it is absent throughout."""
    parts = [one.scopes[number] for one in ordered]
    lines = tuple(line for part in parts for line in part.lines)
    return Scope(parts[0].scope, parts[0].basis, lines, absent=all(part.absent for part in parts))


def _screening(ordered: Sequence[Inventory]) -> tuple[Json, ...]:
    """The newest decisions, with the entries of all periods."""
    entered = {line.scope3_category for one in ordered for line in one.scope3.lines}
    rows = {row["category"]: row for one in ordered for row in one.screening if row["status"] is not None}
    blank = {row["category"]: row for row in ordered[-1].screening}
    return tuple(
        {**rows.get(category.number, blank[category.number]), "entries": category.number in entered}
        for category in CATEGORIES
    )


def _energy(balances: Sequence[Json]) -> Json:
    """Sums by flow and unit; what is unknown in one period is unknown in the sum."""
    summed: Json = {}
    for name in balances[0]:
        values = [balance[name] for balance in balances]
        if isinstance(values[0], dict):
            by_unit = [value for value in values if isinstance(value, dict)]
            units = sorted(set.intersection(*(set(value) for value in by_unit)))
            summed[name] = {unit: sum(value[unit] for value in by_unit) for unit in units}
            continue
        known = [value for value in values if isinstance(value, int | float)]
        summed[name] = sum(known) if len(known) == len(values) else None
    return summed


def _states(spent: dict[str, int]) -> dict[str, float]:
    times = {method.name.lower(): spent.get(method.name.lower(), 0) for method in Method}
    times["missing"] += max(spent.get("expected", 0) - sum(times.values()), 0)
    whole = sum(times.values())
    return {name: time_ms / whole for name, time_ms in times.items()} if spent.get("expected") else {}


def _cover(covers: Iterable[Cover]) -> Cover:
    """Certificates of all periods together."""
    found = list(covers)
    return Cover(
        covered_micro_kwh=sum(cover.covered_micro_kwh for cover in found),
        void_micro_kwh=sum(cover.void_micro_kwh for cover in found),
        retired_nano_kg=sum(cover.retired_nano_kg for cover in found),
        used=tuple(use for cover in found for use in cover.used),
        pending=tuple(item for cover in found for item in cover.pending),
        refused=tuple(item for cover in found for item in cover.refused),
        proved_micro_kwh=sum(cover.proved_micro_kwh for cover in found),
        notes=tuple(dict.fromkeys(note for cover in found for note in cover.notes)),
    )
