"""`parkcarbon explain`: any figure down to the registers, as a tree, as JSON or as a spreadsheet with formulas."""

import argparse
import datetime as dt
from pathlib import Path

from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import PREFIXES, about_of, explain, names, open_scene

from .common import add_park, moment, open_database, say, say_json
from .tree import tree_lines


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    listed = ", ".join(str(item["figure"]) for item in PREFIXES)
    parser.add_argument("--figure", help=f"one of {listed}; without it, those of the period are listed")
    parser.add_argument("--period", required=True, help="month 2026-03 or year 2026")
    parser.add_argument("--as-of", type=moment, help="as known then; default: now")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="write a spreadsheet with live formulas")
    parser.add_argument("--no-columns", action="store_true", help="leave hourly columns out of the JSON")


async def run(options: argparse.Namespace) -> int:
    """Explain a figure, or list the figures there are."""
    now = dt.datetime.now(dt.UTC)
    async with open_database() as database, database.transaction() as session:
        if options.figure is None:
            scene = await open_scene(session, options.park, options.period, now=now, as_of=options.as_of)
            found = await names(scene)
            _say_names(found, as_json=options.json)
            return 0
        figure = await explain(session, options.park, options.figure, options.period, now=now, as_of=options.as_of)
    if options.xlsx is not None:
        write_workbook(figure, str(options.xlsx), about_of(figure))
    if options.json:
        say_json(figure.document(columns=not options.no_columns))
    else:
        for line in tree_lines(figure):
            say(line)
    return 0


def _say_names(found: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        say_json({"figures": found})
        return
    for item in found:
        label = item["label"]
        said = f"{label['zh']} {label['en']}" if isinstance(label, dict) else ""
        say(f"{item['figure']:<60} {said}")
