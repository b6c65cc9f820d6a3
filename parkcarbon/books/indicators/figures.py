"""Any indicator as a figure with its working, by name.

`park910` and `park910_with_process` (with `:last_full_year` or `:rolling_12_months`, else the year to date up to the
end of the period), `energy_calorific`, `energy_equal`, `clean_energy_share`, `direct_green_supply`,
`self_consumption`, `self_sufficiency`, `hourly_matched_share`, `reductions`, `uncertainty:<scope>`, `duty:<tenant>`,
`budget:<name>:<what>`, `intensity:<tenant or park>:<name>:<kgCO2e or kWh>`, `compare:<kind>:<figure>`.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from parkcarbon.books.indicators.budgets import budgets_of
from parkcarbon.books.indicators.comparisons import comparisons_of, intensities_of
from parkcarbon.books.indicators.measures import reductions_of
from parkcarbon.books.indicators.park import park_indicators, period_energy
from parkcarbon.books.indicators.power import duties_of, matching_of
from parkcarbon.books.indicators.uncertainty import uncertainty_of
from parkcarbon.books.inventory import inventory_of, load_inputs
from parkcarbon.domain.indicators.compare import comparison_figure
from parkcarbon.domain.indicators.energy import (
    clean_share_figure,
    energy_figure,
    intensity_figure,
    own_generation_figure,
)
from parkcarbon.domain.uncertainty.inventory import uncertainty_figure
from parkcarbon.domain.working import Figure
from parkcarbon.kit.db import Session

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """What is asked, and by what knowledge."""

    session: Session
    park: str
    period: str
    now: dt.datetime
    as_of: dt.datetime | None
    rest: tuple[str, ...]

    def part(self, at: int, default: str = "") -> str:
        """One part of the name after the first."""
        return self.rest[at] if at < len(self.rest) else default


async def indicator_figure(
    session: Session,
    park: str,
    name: str,
    period: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
) -> Figure:
    """An indicator of a period with its working.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        name: as the head of this file lists them.
        period: `2026-03` or `2026`; a budget is always of today.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        LookupError: there is no such indicator, or none of this name in the period.
        RefusedError: a rule forbids what it would rest on.
    """
    first, *rest = name.split(":")
    if first not in _FIGURES:
        raise LookupError(f"there is no indicator {first!r}; there are {', '.join(sorted(_FIGURES))}")
    return await _FIGURES[first](Asked(session, park, period, now, as_of, tuple(rest)), first)


async def _park910(asked: Asked, name: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    day = inputs.period.to_day - dt.timedelta(days=1)
    found = await park_indicators(asked.session, asked.park, now=asked.now, as_of=asked.as_of, day=day)
    window = asked.part(0, "year_to_date")
    chosen = [item for item in found if item.window.kind == window]
    if not chosen:
        raise LookupError(f"there is no window {window!r}; there are {', '.join(i.window.kind for i in found)}")
    return chosen[0].figure(with_process=name == "park910_with_process")


async def _energy(asked: Asked, name: str) -> Figure:
    energy = await period_energy(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    if name == "clean_energy_share":
        return clean_share_figure(energy.comprehensive, "calorific" if asked.part(0) == "calorific" else "equal")
    if name == "direct_green_supply":
        return energy.direct.figure()
    if name in ("self_consumption", "self_sufficiency"):
        return own_generation_figure(
            energy.own, "self_consumption" if name == "self_consumption" else "self_sufficiency"
        )
    return energy_figure(energy.comprehensive, "calorific" if name == "energy_calorific" else "equal")


async def _matching(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    return (await matching_of(asked.session, inputs)).figure()


async def _reductions(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    return reductions_of(inputs.facts, inputs.period).figure()


async def _uncertainty(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    found = await uncertainty_of(asked.session, inputs, inventory_of(inputs, final=False))
    scope = asked.part(0, "total_location")
    return uncertainty_figure(f"uncertainty_{scope}", _one(found, scope, "scope").total)


async def _duty(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    by_tenant = {duty.tenant: duty for duty in await duties_of(asked.session, inputs)}
    return _one(by_tenant, asked.part(0), "duty of tenant").figure()


async def _budget(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    today = asked.now.astimezone(inputs.facts.zone).date()
    states = {f"{item.name}:{item.what}": item for item in await budgets_of(asked.session, inputs.facts, today)}
    return _one(states, f"{asked.part(0, 'park')}:{asked.part(1, 'co2e_location')}", "budget").figure()


async def _intensity(asked: Asked, _: str) -> Figure:
    inputs = await load_inputs(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    found = await intensities_of(asked.session, inputs, inventory_of(inputs, final=False))
    by_name = {f"{item.tenant or 'park'}:{item.name}:{item.numerator_unit}": item for item in found}
    return intensity_figure(_one(by_name, ":".join(asked.rest), "intensity"))


async def _compare(asked: Asked, _: str) -> Figure:
    found = await comparisons_of(asked.session, asked.park, asked.period, now=asked.now, as_of=asked.as_of)
    by_kind = {comparison.kind: comparison for comparison in found}
    chosen = _one({str(kind): item for kind, item in by_kind.items()}, asked.part(0), "comparison")
    name = asked.part(1, "total_location")
    _one({change.name: change for change in chosen.changes}, name, "figure to compare")
    return comparison_figure(chosen, name)


def _one(found: Mapping[str, T], name: str, what: str) -> T:
    if name not in found:
        raise LookupError(f"there is no {what} {name!r}; there are {', '.join(sorted(found)) or 'none'}")
    return found[name]


_FIGURES: Final[Mapping[str, Callable[[Asked, str], Awaitable[Figure]]]] = {
    "park910": _park910,
    "park910_with_process": _park910,
    "energy_calorific": _energy,
    "energy_equal": _energy,
    "clean_energy_share": _energy,
    "direct_green_supply": _energy,
    "self_consumption": _energy,
    "self_sufficiency": _energy,
    "hourly_matched_share": _matching,
    "reductions": _reductions,
    "uncertainty": _uncertainty,
    "duty": _duty,
    "budget": _budget,
    "intensity": _intensity,
    "compare": _compare,
}

INDICATORS: Final = tuple(_FIGURES)
"""First parts of the names of all indicators."""
