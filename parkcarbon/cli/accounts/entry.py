"""`parkcarbon entry`: list, enter, review and withdraw what is entered beside the meters."""

import argparse
from typing import Any

from parkcarbon.books import entries
from parkcarbon.books.facts import LATEST

from .common import add_decision, add_park, day, known_by, moment, open_database, read_document, say, say_json

_STATES = ("in_force", "pending", "rejected", "superseded", "withdrawn", "withdrawal")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    kinds = actions.add_parser("kinds", help="kinds of entries; with --json their JSON schemas")
    kinds.add_argument("--json", action="store_true", help="print JSON")
    listed = actions.add_parser("list", help="entries with their state")
    add_park(listed)
    listed.add_argument("--kind", help="only this kind; `entry kinds` lists them")
    listed.add_argument("--state", choices=_STATES, help="only what is in this state")
    listed.add_argument("--from", dest="from_day", type=day, help="only those that end after this day")
    listed.add_argument("--to", dest="to_day", type=day, help="only those that begin before this day")
    listed.add_argument("--as-of", type=moment, help="as known then (default: now)")
    entered = actions.add_parser("enter", help="enter a list of entries from YAML or JSON, all or nothing")
    add_park(entered)
    entered.add_argument("file", help="the file; - reads standard input")
    add_decision(entered, reason_needed=False)
    reviewed = actions.add_parser("review", help="approve or reject an entry that another person entered")
    _add_one(reviewed)
    reviewed.add_argument("--decision", choices=entries.DECISIONS, required=True, help="to reject needs --reason")
    add_decision(reviewed, reason_needed=False)
    withdrawn = actions.add_parser("withdraw", help="take an entry out, nothing replacing it")
    _add_one(withdrawn)
    add_decision(withdrawn)


def _add_one(parser: argparse.ArgumentParser) -> None:
    add_park(parser)
    parser.add_argument("entry", type=int, help="number of the entry")


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action == "kinds":
        return _kinds(as_json=options.json)
    async with open_database() as database, database.transaction() as session:
        if options.action == "list":
            found = await entries.list_entries(
                session,
                options.park,
                known_by(options.as_of, LATEST),
                kind=options.kind,
                state=options.state,
                from_day=options.from_day,
                to_day=options.to_day,
            )
            _print(found, as_json=options.json)
        elif options.action == "enter":
            documents = _read(options.file, options.reason)
            numbers = await entries.enter_many(session, options.park, documents, author=options.author)
            if options.json:
                say_json({"entries": numbers})
            else:
                say(f"{options.park}: {len(numbers)} entered, numbers {numbers[0]} to {numbers[-1]}")
        elif options.action == "review":
            await entries.review(
                session,
                options.entry,
                person=options.author,
                decision=options.decision,
                reason=options.reason,
                park=options.park,
            )
            say(f"entry {options.entry} is {options.decision} by {options.author}")
        else:
            number = await entries.withdraw(
                session, options.entry, author=options.author, reason=options.reason, park=options.park
            )
            say(f"entry {options.entry} withdrawn by entry {number}")
    return 0


def _kinds(*, as_json: bool) -> int:
    if as_json:
        say_json(entries.kinds())
        return 0
    for item in entries.kinds():
        say(f"{item['kind']}: {item['about']}{' (needs a second person)' if item['needs_review'] else ''}")
    return 0


def _read(name: str, reason: str) -> list[Any]:
    """The entries of a file: a list, or a mapping with the list under `entries`."""
    document = read_document(name)
    found = document.get("entries") if isinstance(document, dict) and set(document) == {"entries"} else document
    if not isinstance(found, list):
        raise ValueError(f"{name}: a list of entries is expected")  # noqa: TRY004 - what a person gave, not a type
    if reason:
        found = [{"reason": reason, **item} if isinstance(item, dict) else item for item in found]
    return found


_SAID = ("direction", "fuel", "substance", "product", "subject", "category", "status", "what", "measure", "year")


def _said(document: entries.Json) -> str:
    """The amount of an entry and what it is of, in a few words."""
    amount = next((name for name in document if name in ("amount", "amount_t")), "")
    words = [str(document[name]) for name in _SAID if document.get(name) not in (None, "")]
    if amount:
        words.append(f"{document[amount]:,} {document.get('unit', '')}".strip())
    elif document.get("refilled_kg") is not None:
        words.append(f"{document['refilled_kg']:,} kg")
    return " ".join(words) or ", ".join(list(document)[:4])


def _print(found: list[entries.Json], *, as_json: bool) -> None:
    if as_json:
        say_json({"entries": found})
        return
    for item in found:
        review = item["review"]
        decided = f", {review['decision']} by {review['person']}" if review else ""
        whose = f" {item['tenant']}" if item["tenant"] else ""
        marked = " (simulated)" if item["simulated"] else ""
        say(
            f"{item['entry']}: {item['state']} {item['kind']}{whose} {item['from_day']} to {item['to_day']}:"
            f" {_said(item['document'])}; by {item['author']}{decided}, {item['evidence']}{marked}"
        )
