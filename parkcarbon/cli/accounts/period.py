"""`parkcarbon period`: the state of months and years, closing them, and what changed since."""

import argparse
from typing import Any

from parkcarbon.books.periods import closing as periods
from parkcarbon.books.periods.difference import difference
from parkcarbon.kit.db import Session

from .common import add_decision, add_park, now, open_reading, open_writing, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    add_park(actions.add_parser("list", help="every period with its state"))
    _period(actions.add_parser("show", help="its steps and versions, and what stands against closing it"))
    step = actions.add_parser("provisional", help="say that a period that is over is complete for all one knows")
    _period(step)
    add_decision(step, reason_needed=False)
    step = actions.add_parser("close", help="freeze a provisional period; another person than who made it provisional")
    _period(step)
    add_decision(step, reason_needed=False)
    step.add_argument("--override", action="store_true", help="close over what is open; needs --reason")
    step = actions.add_parser("reopen", help="open a period again; what was frozen stays")
    _period(step)
    add_decision(step)
    step = actions.add_parser("difference", help="what changed since it was closed, line by line, and why")
    _period(step)
    step.add_argument("--version", type=int, help="this version against the one before it; default: the newest and now")


def _period(parser: argparse.ArgumentParser) -> None:
    add_park(parser)
    parser.add_argument("period", help="2026-03 or 2026")


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action in ("list", "show", "difference"):
        async with open_reading() as session:
            return await _read(session, options)
    async with open_writing() as session:
        return await _write(session, options)


async def _read(session: Session, options: argparse.Namespace) -> int:
    park = options.park
    if options.action == "list":
        found = await periods.list_periods(session, park, now=now())
        if options.json:
            say_json({"periods": [item.document() for item in found]})
        else:
            for item in found:
                say(_line(item))
        return 0
    if options.action == "difference":
        changed = await difference(session, park, options.period, now=now(), version=options.version)
        if options.json:
            say_json(changed)
        else:
            _print_difference(changed)
        return 0 if changed["identical"] else 1
    standing = await periods.standing(session, park, options.period)
    open_points = (
        await periods.obstacles(session, park, options.period, now=now()) if standing.state != "closed" else []
    )
    versions = await periods.versions(session, park, options.period)
    if options.json:
        against = [obstacle.document() for obstacle in open_points]
        say_json(standing.document() | {"versions": versions, "obstacles": against})
        return 0
    say(_line(standing))
    for event in standing.events:
        say(f"  {event['recorded_at']} {event['event']} by {event['person']}: {event['reason'] or 'no reason given'}")
    for version in versions:
        say(f"  version {version['version']} {version['method']} as of {version['as_of']}, sha256 {version['digest']}")
    for obstacle in open_points:
        say(f"  {'cannot' if obstacle.hard else 'should not'} be closed: {obstacle.message}")
    return 0


async def _write(session: Session, options: argparse.Namespace) -> int:
    decided: dict[str, Any] = {"person": options.author, "reason": options.reason}
    if options.action == "close":
        done = await periods.close(
            session, options.park, options.period, **decided, now=now(), override=options.override
        )
        if options.json:
            say_json({"period": done.period, "version": done.version, "digest": done.digest.hex(), "as_of": done.as_of})
        else:
            say(f"{done.period} closed, version {done.version}, sha256 {done.digest.hex()}")
        return 0
    if options.action == "provisional":
        standing = await periods.make_provisional(session, options.park, options.period, **decided, now=now())
    else:
        standing = await periods.reopen(session, options.park, options.period, **decided)
    if options.json:
        say_json(standing.document())
    else:
        say(_line(standing))
    return 0


def _line(standing: periods.Standing) -> str:
    version = f", version {standing.version}" if standing.version else ""
    due = f", to be closed by {standing.lock_by}" if standing.lock_by and standing.state != "closed" else ""
    return f"{standing.period}: {standing.state}{version}{due}"


def _print_difference(changed: dict[str, Any]) -> None:
    to = changed["to"]
    newer = f"version {to['version']}" if to["version"] else f"what is known on {to['known_on']}"
    if changed["identical"]:
        say(f"{changed['period']}: version {changed['from']['version']} is the same as {newer}")
        return
    say(f"{changed['period']}: version {changed['from']['version']} against {newer}")
    for line in changed["lines"]:
        basis = f" {line['basis']}" if line["basis"] else ""
        why = "; ".join(line["causes"]) or "no fact recorded since explains it"
        say(f"  scope {line['scope']}{basis} {line['source']}: {line['change_kg']:+,.3f} kg ({why})")
    for name, total in changed["totals"].items():
        change = "not known" if total["change_kg"] is None else f"{total['change_kg']:+,.3f} kg"
        say(f"  total {name}-based: {change}")
    if changed["credits_retired_kg"]:
        tonnes = changed["credits_retired_kg"] / 1000
        say(f"  {tonnes:,.3f} t of credits were retired for it: see whether they still cover it")
    if changed["also_changed"]:
        say(f"  also changed: {', '.join(changed['also_changed'])}")
