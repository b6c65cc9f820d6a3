"""The register of measures in the books: what was entered, what it saved, and what could still be done.

Savings are shown beside the inventory, which already holds them; nothing here subtracts anything.
"""

import datetime as dt
from collections.abc import Iterable

from parkcarbon.books.amounts import Period
from parkcarbon.books.facts import Entry, Facts
from parkcarbon.catalog.entries import management
from parkcarbon.domain.measures import Measure, Option, Reductions, Saving, options, reductions
from parkcarbon.domain.refusal import RefusedError


def measures_of(entries: Iterable[Entry]) -> list[Measure]:
    """The register.

    Raises:
        RefusedError: a measure stands there twice; the older entry is to be superseded (rule 6.9).
    """
    found: dict[str, Measure] = {}
    for entry in entries:
        content = entry.content
        if not isinstance(content, management.Measure):
            continue
        before = found.get(content.measure)
        if before is not None:
            both = f"entries {before.entry_id} and {entry.entry_id}"
            raise RefusedError("6.9", f"measure {content.measure} is there twice ({both}): supersede one")
        found[content.measure] = _measure(entry, content)
    return list(found.values())


def _measure(entry: Entry, content: management.Measure) -> Measure:
    return Measure(
        measure=content.measure,
        zh=content.title.zh,
        en=content.title.en,
        owner=content.owner,
        kind=content.kind,
        status=content.status,
        start=entry.from_day,
        baseline=content.baseline,
        expected_t_per_year=content.expected_co2e_t_per_year,
        cost=content.cost,
        running_cost_per_year=content.running_cost_per_year,
        lifetime_years=content.lifetime_years,
        currency=content.currency,
        baseline_t=content.baseline_co2e_t,
        tenant=entry.tenant,
        entry_id=entry.entry_id,
        simulated=entry.simulated,
    )


def savings_of(entries: Iterable[Entry]) -> list[Saving]:
    """What was saved, as entered."""
    return [
        Saving(
            measure=entry.content.measure,
            from_day=entry.from_day,
            to_day=entry.to_day,
            nano_kg=round(entry.content.co2e_t * 1e12),
            how=entry.content.how,
            evidence=entry.evidence,
            entry_id=entry.entry_id,
        )
        for entry in entries
        if isinstance(entry.content, management.MeasureSaving)
    ]


def reductions_of(facts: Facts, period: Period) -> Reductions:
    """The reductions line of a period.

    Raises:
        RefusedError: a saving of no measure, or a measure that is there twice.
    """
    return reductions(measures_of(facts.entries), savings_of(facts.entries), period.from_day, period.to_day)


def gap_measures(facts: Facts, on: dt.date, *, days: int = 365) -> list[tuple[str, int, float | None]]:
    """Measures that could still be begun, as the planner of gaps takes them: name, saving [1e-9 kg], cost [currency].

    Args:
        facts: the park as known.
        on: day of the plan.
        days: length of the period that is short; a year's saving and cost count by the day.
    """
    return [_as_step(option, days) for option in options(measures_of(facts.entries), on)]


def _as_step(option: Option, days: int) -> tuple[str, int, float | None]:
    tonnes = option.tonnes_per_year * days / 365
    return option.measure, round(tonnes * 1e12), tonnes * option.cost_per_tonne
