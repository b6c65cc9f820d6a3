"""`parkcarbon indicators`: park indicator, energy, intensities, matching, budgets, duties, measures, uncertainty."""

import argparse
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from parkcarbon.books.indicators import park as indicators
from parkcarbon.books.indicators.budgets import budgets_of
from parkcarbon.books.indicators.comparisons import comparisons_of, intensities_of
from parkcarbon.books.indicators.measures import measures_of, reductions_of
from parkcarbon.books.indicators.power import duties_of, matching_of
from parkcarbon.books.indicators.uncertainty import uncertainty_of
from parkcarbon.books.inventory import Inputs, facts_at, inventory_of, load_inputs
from parkcarbon.kit.db import Session

from .common import add_park, day, moment, open_database, say, say_json
from .indicator_lines import LINES, number

Json = dict[str, Any]
Action = Callable[[Session, argparse.Namespace], Awaitable[Json]]

_PERIODIC = {
    "energy": "comprehensive energy at 当量值 and 等价值, clean share, self-consumption and self-sufficiency",
    "intensity": "emissions and electricity per product, area, output value, person",
    "matching": "hourly matched share",
    "duty": "green-power duty of each tenant",
    "measures": "register of measures and the reductions line",
    "compare": "against base year, year before, period before",
    "uncertainty": "± of each scope at 95 %%, and what contributes most",
}


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    park = actions.add_parser("park", help="national park indicator: year to date, last full year, twelve months")
    park.add_argument("--day", type=day, help="local day the windows end with (default: today)")
    budget = actions.add_parser("budget", help="used, pace and forecast to the end of month and year")
    budget.add_argument("--day", type=day, help="local day of the question (default: today)")
    for name, what in _PERIODIC.items():
        action = actions.add_parser(name, help=what)
        action.add_argument("--period", required=True, help="2026-03 or 2026")
        if name == "compare":
            action.add_argument("--product", default="", help="normalise by its production (default: the base year's)")
    for name, action in actions.choices.items():
        add_park(action)
        if name != "budget":
            action.add_argument("--as-of", type=moment, help="as known then (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    async with open_database() as database, database.transaction() as session:
        found = await _ACTIONS[options.action](session, options)
    if options.json:
        say_json(found)
    elif options.action in LINES:
        say(f"{found['park']} {found.get('period', '')}".rstrip())
        for line in LINES[options.action](found):
            say(line)
    else:
        _say(found)
    return 0


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def _inputs(session: Session, options: argparse.Namespace) -> Inputs:
    return await load_inputs(session, options.park, options.period, now=_now(), as_of=options.as_of)


async def _park(session: Session, options: argparse.Namespace) -> Json:
    found = await indicators.park_indicators(session, options.park, now=_now(), as_of=options.as_of, day=options.day)
    return {"park": options.park, "indicators": [item.document() for item in found]}


async def _energy(session: Session, options: argparse.Namespace) -> Json:
    found = await indicators.period_energy(session, options.park, options.period, now=_now(), as_of=options.as_of)
    return {"park": options.park, **found.document()}


async def _intensity(session: Session, options: argparse.Namespace) -> Json:
    inputs = await _inputs(session, options)
    found = await intensities_of(session, inputs, inventory_of(inputs, final=False))
    return {"park": options.park, "period": options.period, "intensities": [item.document() for item in found]}


async def _matching(session: Session, options: argparse.Namespace) -> Json:
    matching = await matching_of(session, await _inputs(session, options))
    return {"park": options.park, "period": options.period, **matching.document()}


async def _budget(session: Session, options: argparse.Namespace) -> Json:
    facts = await facts_at(session, options.park, now=_now(), as_of=None)
    today = options.day or facts.until.astimezone(facts.zone).date()
    return {"park": options.park, "budgets": [item.document() for item in await budgets_of(session, facts, today)]}


async def _duty(session: Session, options: argparse.Namespace) -> Json:
    found = await duties_of(session, await _inputs(session, options))
    return {"park": options.park, "period": options.period, "duties": [duty.document() for duty in found]}


async def _measures(session: Session, options: argparse.Namespace) -> Json:
    inputs = await _inputs(session, options)
    register = [measure.document() for measure in measures_of(inputs.facts.entries)]
    line = reductions_of(inputs.facts, inputs.period).document()
    return {"park": options.park, "period": options.period, "measures": register, "reductions": line}


async def _compare(session: Session, options: argparse.Namespace) -> Json:
    found = await comparisons_of(
        session, options.park, options.period, now=_now(), as_of=options.as_of, product=options.product
    )
    return {"park": options.park, "period": options.period, "comparisons": [item.document() for item in found]}


async def _uncertainty(session: Session, options: argparse.Namespace) -> Json:
    inputs = await _inputs(session, options)
    found = await uncertainty_of(session, inputs, inventory_of(inputs, final=False))
    scopes = {name: result.document() for name, result in found.items()}
    return {"park": options.park, "period": options.period, "uncertainty": scopes}


_ACTIONS: dict[str, Action] = {
    "park": _park,
    "energy": _energy,
    "intensity": _intensity,
    "matching": _matching,
    "budget": _budget,
    "duty": _duty,
    "measures": _measures,
    "compare": _compare,
    "uncertainty": _uncertainty,
}


def _say(document: object, indent: int = 0) -> None:
    """Print a document as indented names and values; lists of documents are parted by an empty line."""
    pad = "  " * indent
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, dict | list) and value:
                say(f"{pad}{name}:")
                _say(value, indent + 1)
            else:
                say(f"{pad}{name}: {_shown(value)}")
    elif isinstance(document, list):
        for item in document:
            if isinstance(item, dict | list):
                _say(item, indent)
                say("")
            else:
                say(f"{pad}- {_shown(item)}")


def _shown(value: object) -> str:
    if value is None or value in ([], {}):
        return "–"
    return number(value) if isinstance(value, float) else str(value)
