"""`parkcarbon tenants`: the park's total by tenant (allocation) and by legal entity, with the elimination table."""

import argparse
import datetime as dt

from parkcarbon.books.tenants.figures import allocation_document, entity_document
from parkcarbon.books.tenants.views import build_allocation, build_entities

from .common import add_park, moment, open_database, say, say_json

_TOTALS = ("scope1", "scope2_location", "scope2_market", "scope3")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    views = (
        actions.add_parser("allocation", help="the park's total split by the declared rule; parts add up exactly"),
        actions.add_parser("entity", help="each legal entity's own scopes, and what leads to the park's total"),
    )
    for view in views:
        add_park(view)
        view.add_argument("--period", required=True, help="2026-03 or 2026")
        view.add_argument("--as-of", type=moment, help="as known then (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    now = dt.datetime.now(dt.UTC)
    async with open_database() as database, database.transaction() as session:
        if options.action == "allocation":
            document = allocation_document(
                await build_allocation(session, options.park, options.period, now=now, as_of=options.as_of)
            )
        else:
            document = entity_document(
                *await build_entities(session, options.park, options.period, now=now, as_of=options.as_of)
            )
    if options.json:
        say_json({"park": options.park, "period": options.period, **document})
    elif options.action == "allocation":
        _say_rows(document["tenants"], "tenant")
        for rule in document["rules"]:
            say(f"rule {rule['rule']} ({rule['carrier']}): {rule['words']['en']}")
    else:
        _say_rows(document["entities"], "entity")
        for row in document["eliminations"]:
            say(
                f"less {row['medium']} {row['seller']} to {row['buyer']} ({row['basis']}): {row['amount']:,.3f}"
                f" {row['unit']}, {row['co2e_kg']:,.3f} kg from {row['from_total']} of {row['from_entity']}"
            )
        for row in document["reconciliation"]:
            park = "not known" if row["park_kg"] is None else f"{row['park_kg']:,.3f} kg"
            say(
                f"{row['total']} ({row['basis']}): {row['entities_kg']:,.3f} - {row['eliminated_kg']:,.3f} kg,"
                f" park {park}, difference {row['difference_nano_kg']} nano-kg"
            )
    if not options.json:
        for note in document["notes"]:
            say(f"note: {note}")
    return 0


def _say_rows(rows: list[dict[str, object]], key: str) -> None:
    say(f"{'kg CO2e':<24}" + "".join(f"{total:>20}" for total in _TOTALS))
    for row in rows:
        cells = [row[total] for total in _TOTALS]
        say(f"{row[key]!s:<24}" + "".join(f"{'unknown':>20}" if c is None else f"{c:>20,.3f}" for c in cells))
