"""`parkcarbon inventory`: a month or year, frozen where it was closed, else as known now or on a past date."""

import argparse
import hashlib
import sys
from typing import Any

import msgspec

from parkcarbon.books.inventory import METHODS
from parkcarbon.books.periods.closing import Answer, answer

from .common import add_park, moment, now, open_reading, say


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_park(parser)
    parser.add_argument("--period", required=True, help="2026-03 or 2026, local to the park")
    parser.add_argument("--as-of", type=moment, help="as known then (ISO 8601 with zone); default: now")
    parser.add_argument("--method", choices=METHODS, default="ghgp", help="method profile; never mixed")
    parser.add_argument("--version", type=int, help="a version that was frozen, whatever became of it")


async def run(options: argparse.Namespace) -> int:
    """Print the inventory; with `--json` the very bytes that are hashed."""
    async with open_reading() as session:
        found = await answer(
            session,
            options.park,
            options.period,
            now=now(),
            as_of=options.as_of,
            method=options.method,
            version=options.version,
        )
    if options.json:
        sys.stdout.write(found.body.decode())
        return 0
    for line in lines(found):
        say(line)
    return 0


def lines(found: Answer) -> list[str]:
    """What a person wants to see first."""
    document: dict[str, Any] = msgspec.json.decode(found.body)
    frozen = "" if found.frozen is None else f", version {found.frozen.version} closed by {found.frozen.closed_by}"
    state = "final" if document["final"] else "provisional"
    method = f"{document['method_profile']} ({document['method_version']})"
    told = [
        f"{document['park']} {document['period']}: {method}, {state}{frozen}",
        f"known on {document['known_on']}, sha256 {hashlib.sha256(found.body).hexdigest()}",
    ]
    if document["method_profile"] == "ghgp":
        told += _scopes(document)
    elif document["method_profile"] == "iso14064":
        told += [
            f"category {part['category']} ({basis}-based), {part['name']['en']}: {_tonnes(part['co2e_kg'], 'CO2e')}"
            for basis in ("location", "market")
            for part in document[basis]["categories"]
        ]
    elif "total_kg" in document:
        told.append(f"total: {_tonnes(document['total_kg'], document['gas'])}")
    told += [f"not in the total: {item['point']}: {item['reason']}" for item in document.get("not_in_total", ())]
    return told + [f"note: {warning}" for warning in document.get("warnings", ())]


def _scopes(document: dict[str, Any]) -> list[str]:
    told = []
    for scope in (*document["scopes"], document["scope3"]):
        basis = f" {scope['basis']}-based" if scope["basis"] else ""
        apart = " (apart)" if scope["scope"] == 3 else ""
        told.append(
            f"scope {scope['scope']}{basis}{apart}: {_tonnes(scope['co2e_kg'], 'CO2e')}, {_lines(scope['lines'])}"
        )
    told += [f"total {name}-based: {_tonnes(total['co2e_kg'], 'CO2e')}" for name, total in document["totals"].items()]
    complete = document["completeness_pct"]
    return [*told, f"completeness: {'not known' if complete is None else f'{complete:.2f} %'}"]


def _tonnes(kg: float | None, gas: str) -> str:
    return "not known" if kg is None else f"{kg / 1e3:,.3f} t {gas}"


def _lines(lines: list[Any]) -> str:
    return f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
