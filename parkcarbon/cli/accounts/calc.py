"""`parkcarbon calc FILE`: emissions of a file of activity lines, without a database."""

import argparse
import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .tree import tree_lines

if TYPE_CHECKING:
    from parkcarbon.calc.engine import Result


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", help="YAML or JSON; - reads standard input; see docs/calc.md and docs/examples/calc")
    parser.add_argument("--text", action="store_true", help="print the working as an indented tree, not as JSON")
    parser.add_argument("--no-working", action="store_true", help="leave the working out of the JSON")
    parser.add_argument("--xlsx", type=Path, help="also write the working as a spreadsheet with live formulas")
    parser.add_argument("--output", type=Path, help="write the answer here, not to standard output")


async def run(options: argparse.Namespace) -> int:
    """Calculate, as any verb of the books is run."""
    return calculate_file(options)


def calculate_file(options: argparse.Namespace) -> int:
    """Calculate; 1 where the file is wrong, with every problem on a line of its own."""
    from parkcarbon.calc.engine import calculate
    from parkcarbon.calc.loader import CalcError, load
    from parkcarbon.catalog.factors import load_factors

    name = "standard input" if options.file == "-" else options.file
    text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    try:
        result = calculate(load(text, name), load_factors(), now=dt.datetime.now(dt.UTC))
    except CalcError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.xlsx is not None:
        _write_workbook(result, options.xlsx)
    document = result.document(working=not options.no_working)
    answer = _tree(result) if options.text else json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    if options.output is None:
        sys.stdout.write(f"{answer}\n")
    else:
        options.output.write_text(f"{answer}\n", encoding="utf-8")
    return 0


def _tree(result: "Result") -> str:
    lines = [line for figure in result.figures for line in tree_lines(figure)]
    return "\n".join([*lines, *(f"! {warning}" for warning in result.inventory.warnings)])


def _write_workbook(result: "Result", path: Path) -> None:
    from parkcarbon.books.workbook.workbook import About, write_workbook

    inventory = result.inventory
    facts = [
        ("名称 name", result.name),
        ("期间 period", inventory.period),
        ("方法 method", inventory.method_version),
        ("GWP", inventory.gwp_set),
        ("知悉日期 known on", inventory.known_on),
    ]
    about = About("试算", "Trial calculation", facts=facts, notes=inventory.warnings)
    write_workbook(result.figures, str(path), about)
