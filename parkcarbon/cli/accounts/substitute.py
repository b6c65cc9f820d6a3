"""`parkcarbon substitute`: replace missing energy by a rule, review it, withdraw it, list what stands in for what."""

import argparse
from typing import Any

from parkcarbon.books.quality import substitutions
from parkcarbon.books.quality.corrections import EVER
from parkcarbon.books.quality.substitutions import RULES, Wanted
from parkcarbon.kit.db import Session

from .common import add_decision, add_park, known_by, moment, now, open_reading, open_writing, say, say_json


def describe(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True)
    for action, what in (
        ("propose", "work a substitution out, enter nothing"),
        ("enter", "enter it; it waits for review"),
    ):
        draft = actions.add_parser(action, help=what, description=what)
        add_park(draft)
        draft.add_argument("--point", required=True, help="device/quantity")
        draft.add_argument("--from", dest="start", type=moment, required=True, help="begin, on a quarter of an hour")
        draft.add_argument("--to", dest="end", type=moment, required=True, help="end, exclusive")
        draft.add_argument(
            "--method",
            choices=sorted(RULES),
            required=True,
            help="conservative (rule 6.1), mean of the values before and after or estimate (6.2), default (6.3)",
        )
        draft.add_argument("--reference-days", type=int, default=14, help="days on each side to refer to (14)")
        draft.add_argument("--total", type=float, help="estimate: the amount of the whole span")
        draft.add_argument("--declared-per-h", type=float, help="default: the declared amount of an hour")
        draft.add_argument("--evidence", default="", help="estimate, default: what the value rests on")
        draft.add_argument("--exclude", action="store_true", help="leave out the readings of the span, they are wrong")
        if action == "enter":
            add_decision(draft)
    review = actions.add_parser("review", help="approve or reject, as a second person")
    review.add_argument("--decision", choices=("approved", "rejected"), required=True, help="what is decided")
    withdraw = actions.add_parser("withdraw", help="let a substitution count no longer")
    for decision in (review, withdraw):
        decision.add_argument("number", type=int, help="number of the substitution")
        add_park(decision)
        add_decision(decision)
    listed = actions.add_parser("list", help="every substitution with its state and effect")
    add_park(listed)
    listed.add_argument("--as-of", type=moment, help="as known then (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Do what was asked."""
    if options.action == "list":
        async with open_reading() as session:
            found = await substitutions.listed(session, options.park, as_of=known_by(options.as_of, EVER))
        _print(options, found)
        return 0
    async with open_writing() as session:
        document = await _ACTIONS[options.action](session, options)
    _print(options, [document])
    return 0


async def _propose(session: Session, options: argparse.Namespace) -> dict[str, Any]:
    draft = await substitutions.propose(session, options.park, _wanted(options), now=now())
    return draft.document()


async def _enter(session: Session, options: argparse.Namespace) -> dict[str, Any]:
    done = await substitutions.enter(
        session, options.park, _wanted(options), author=options.author, reason=options.reason, now=now()
    )
    return await substitutions.one(session, options.park, done.number)


async def _review(session: Session, options: argparse.Namespace) -> dict[str, Any]:
    said = {"person": options.author, "decision": options.decision, "reason": options.reason}
    await substitutions.review(session, options.park, options.number, **said)
    return await substitutions.one(session, options.park, options.number)


async def _withdraw(session: Session, options: argparse.Namespace) -> dict[str, Any]:
    await substitutions.withdraw(session, options.park, options.number, author=options.author, reason=options.reason)
    return await substitutions.one(session, options.park, options.number)


_ACTIONS = {"propose": _propose, "enter": _enter, "review": _review, "withdraw": _withdraw}


def _wanted(options: argparse.Namespace) -> Wanted:
    return Wanted(
        options.point,
        options.start,
        options.end,
        options.method,
        reference_days=options.reference_days,
        total=options.total,
        declared_per_h=options.declared_per_h,
        evidence=options.evidence,
        exclude=options.exclude,
    )


def _print(options: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    if options.json:
        say_json(found if options.action == "list" else found[0])
        return
    for one in found:
        say(_line(one))


def _line(one: dict[str, Any]) -> str:
    """A substitution, or a draft of one, in one line."""
    effect, unit = one["effect"], one["unit"]
    kg = "no factor" if effect["difference_kg"] is None else f"{effect['difference_kg']:+,.3f} kgCO2e"
    what = f"{one['substitution']} {one['state']}" if "substitution" in one else "draft"
    span = f"{one['from'].isoformat()} to {one['to'].isoformat()}"
    line = (
        f"{what}: {one['point']} {span} {one['method']} (rule {one['rule']}) {one['total']:,.3f} {unit} in"
        f" {one['intervals']} intervals; effect {effect['difference']:+,.3f} {unit}, {kg}"
    )
    if one.get("superseded_intervals"):
        line += f"; {one['superseded_intervals']} intervals are measured by now"
    if one.get("author"):
        line += f"; {one['author']}: {one['reason']}"
    if one.get("review"):
        line += f"; {one['review']['decision']} by {one['review']['person']}: {one['review']['reason']}"
    return line
