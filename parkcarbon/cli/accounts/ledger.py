"""`parkcarbon ledger`: certificates and credits: enter lots, cancel, retire, transfer, sell; what they cover."""

import argparse
import datetime as dt
from typing import Final

from parkcarbon.books.instruments import ledger
from parkcarbon.books.instruments.accounts import load_allowance
from parkcarbon.books.instruments.claims import cover_of, gap_for, perform
from parkcarbon.books.instruments.documents import ActDocument, Json, event_document, lot_document, read_lot
from parkcarbon.books.inventory import facts_at
from parkcarbon.domain.instruments.event import EventKind
from parkcarbon.kit.db import Session

from .common import add_decision, add_park, day, moment, open_database, read_document, say, say_json

ACTS: Final[dict[str, tuple[EventKind, str]]] = {
    "apply": ("pending", "note that a cancellation or retirement was applied for"),
    "cancel": ("cancelled", "certificates used for a consumption"),
    "retire": ("retired", "credits retired for a statement period"),
    "transfer": ("transferred", "serials to other books, or out of the database"),
    "sell": ("sold", "serials to a buyer"),
    "expire": ("expired", "certificates cancelled because they are too old"),
    "surrender": ("surrendered", "CCER for the compliance of an enterprise"),
}


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    lots = actions.add_parser("lots", help="lots and what became of their serials")
    add_park(lots)
    lots.add_argument("--as-of", type=moment, help="as known then (default: now)")
    entered = actions.add_parser("enter", help="enter lots from YAML or JSON, all or nothing")
    add_park(entered)
    entered.add_argument("file", help="a lot, or a list of lots; - reads standard input")
    add_decision(entered)
    for verb, (_, what) in ACTS.items():
        _add_act(actions.add_parser(verb, help=what, description=what))
    confirmed = actions.add_parser("confirm", help="confirm a claim as the second person")
    add_park(confirmed)
    confirmed.add_argument("event", type=int, help="number of the event")
    add_decision(confirmed)
    struck = actions.add_parser("strike", help="strike what was entered in error, as a second person")
    add_park(struck)
    one = struck.add_mutually_exclusive_group(required=True)
    one.add_argument("--event", type=int, help="number of the event")
    one.add_argument("--lot", type=int, help="number of the lot")
    add_decision(struck)
    _add_views(actions)


def _add_act(parser: argparse.ArgumentParser) -> None:
    add_park(parser)
    parser.add_argument("lot", type=int, help="number of the lot")
    parser.add_argument("--first", help="first serial number (default: of the lot)")
    parser.add_argument("--count", type=int, help="how many (default: to the end of the lot)")
    parser.add_argument("--on", dest="on_day", type=day, required=True, help="day of the act in its registry")
    parser.add_argument("--period", help="month or year of the consumption, statement or compliance")
    parser.add_argument("--tenant", help="for whose consumption or obligation (default: the park's)")
    parser.add_argument("--limit-kwh", type=float, help="what a tenant bought, where its meters do not tell")
    parser.add_argument("--to-park", help="transferred to these books (default: out of the database)")
    parser.add_argument("--counterparty", default="", help="buyer or receiver")
    parser.add_argument("--public-record", help="where anyone can see it")
    parser.add_argument("--evidence", default="", help="what proves it")
    add_decision(parser)


def _add_views(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    covered = actions.add_parser("cover", help="what instruments do to a period")
    short = actions.add_parser("gap", help="what is short, and what closing it would cost")
    for parser in (covered, short):
        add_park(parser)
        parser.add_argument("--period", required=True, help="month or year")
        parser.add_argument("--as-of", type=moment, help="as known then (default: now)")
    covered.add_argument("--tenant", help="only its claims, against its own meters")
    allowance = actions.add_parser("allowance", help="allowances of an obligated enterprise")
    add_park(allowance)
    allowance.add_argument("--enterprise", required=True, help="tenant")
    allowance.add_argument("--year", type=int, required=True, help="compliance year")
    allowance.add_argument("--as-of", type=moment, help="as known then (default: now)")


async def run(options: argparse.Namespace) -> int:
    """Do it."""
    now = dt.datetime.now(dt.UTC)
    async with open_database() as database, database.transaction() as session:
        if options.action in ACTS:
            answer = await _act(session, options, now)
        else:
            answer = await _VERBS[options.action](session, options, now)
    if options.json:
        say_json(answer)
    else:
        _print(options.action, answer)
    return 0


async def _act(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    kind, _ = ACTS[options.action]
    wanted = ActDocument(
        kind=kind,
        on_day=options.on_day,
        first=options.first,
        count=options.count,
        period=options.period,
        tenant=options.tenant,
        limit_kwh=options.limit_kwh,
        to_park=options.to_park,
        counterparty=options.counterparty,
        public_record=options.public_record,
        evidence=options.evidence,
    )
    said = {"author": options.author, "reason": options.reason}
    number = await perform(session, options.park, options.lot, wanted, now=now, **said)
    return {"lot": options.lot, "event": number, "kind": kind}


async def _enter(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    given = read_document(options.file)
    facts = await facts_at(session, options.park, now=now, as_of=None)
    numbers = []
    for document in given if isinstance(given, list) else [given]:
        lot = read_lot(document, facts.zone)
        said = {"author": options.author, "reason": options.reason}
        numbers.append(await ledger.enter_lot(session, options.park, lot, **said))
    return {"lots": numbers}


async def _confirm(session: Session, options: argparse.Namespace, _: dt.datetime) -> Json:
    said = {"person": options.author, "reason": options.reason}
    return {"event": options.event, "review": await ledger.confirm(session, options.park, options.event, **said)}


async def _strike(session: Session, options: argparse.Namespace, _: dt.datetime) -> Json:
    review = await ledger.strike(
        session,
        options.park,
        person=options.author,
        reason=options.reason,
        lot_id=options.lot,
        event_id=options.event,
    )
    return {"lot": options.lot, "event": options.event, "review": review}


async def _lots(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    facts = await facts_at(session, options.park, now=now, as_of=options.as_of)
    found = await ledger.load_ledger(session, options.park, facts.as_of)
    parts = found.stretches(facts.until.astimezone(facts.zone).date())
    return {
        "lots": [
            lot_document(lot, [part for part in parts if part.lot.lot_id == lot.lot_id], options.park)
            for lot in sorted(found.lots, key=lambda lot: lot.lot_id)
        ],
        "events": [event_document(event) for event in found.events if options.park in (event.park, event.to_park)],
    }


async def _cover(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    _, cover = await cover_of(
        session, options.park, options.period, now=now, as_of=options.as_of, tenant=options.tenant
    )
    return {"park": options.park, "period": options.period, "tenant": options.tenant, **cover.document()}


async def _gap(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    gap, _ = await gap_for(session, options.park, options.period, now=now, as_of=options.as_of)
    return {"park": options.park, "period": options.period, **gap.document()}


async def _allowance(session: Session, options: argparse.Namespace, now: dt.datetime) -> Json:
    facts = await facts_at(session, options.park, now=now, as_of=options.as_of)
    return (await load_allowance(session, facts, options.enterprise, options.year)).document()


_VERBS: Final = {
    "lots": _lots,
    "enter": _enter,
    "confirm": _confirm,
    "strike": _strike,
    "cover": _cover,
    "gap": _gap,
    "allowance": _allowance,
}


def _print(action: str, answer: Json) -> None:
    {"lots": _print_lots, "cover": _print_cover, "gap": _print_gap}.get(action, _print_members)(answer)


def _print_lots(answer: Json) -> None:
    for lot in answer["lots"]:
        marked = " (simulated)" if lot["simulated"] else ""
        say(f"{lot['lot']}: {lot['kind']} {lot['registry']} {lot['serials']}, {lot['origin']}{marked}")
        for part in lot["stretches"]:
            event = f", event {part['event']}" if part["event"] else ""
            say(f"    {part['status']} {part['count']}: {part['serials']} in {part['holder']}{event}")


_EFFECTS: Final = {
    "covers_purchased": "covers purchased electricity",
    "proves_self_use": "proves self-used electricity, lowers nothing",
    "offsets": "retired, beside the inventory",
    "void": "sold: this self-used electricity claims nothing",
    "none": "sold with what was exported: changes nothing here",
}


_STEPS: Final = {"gec": "GEC", "credit": "credits"}


def _print_cover(answer: Json) -> None:
    say(f"{answer['period']}: {answer['covered_kwh']:,.3f} kWh covered, {answer['void_kwh']:,.3f} kWh void")
    say(f"{answer['proved_kwh']:,.3f} kWh proved as self-used, {answer['retired_kg'] / 1000:,.3f} t CO2e retired")
    for name in ("used", "pending", "refused"):
        for item in answer[name]:
            why = item.get("reason") or _EFFECTS.get(item.get("effect"), item.get("effect"))
            rule = f"rule {item['rule']}: " if name == "refused" else ""
            say(f"    {name}: {item['kind']} {item['serials']}: {rule}{why}")
    for note in answer["notes"]:
        say(f"note: {note}")


def _print_gap(answer: Json) -> None:
    say(f"{answer['period']}: {_tonnes(answer['remaining_kg'])} remain, {_tonnes(answer['retired_kg'])} retired")
    short = answer["short_kg"]
    say(
        f"short: {_tonnes(short)}"
        + ("" if answer["uncovered_kwh"] is None else f", {answer['uncovered_kwh']:,.3f} kWh without certificates")
    )
    currency = answer["currency"]
    for title, steps, total in (
        ("to buy", "purchase", "purchase_cost"),
        ("measures not running yet", "measures", None),
        ("to buy after them", "after_measures", "with_measures_cost"),
    ):
        if steps != "purchase" and not answer["measures"]:
            continue
        say(f"{title}:")
        for step in answer[steps]:
            count = "" if step["count"] is None else f"{step['count']:,} × "
            name = _STEPS.get(step["name"], step["name"])
            say(f"    {count}{name}: {_tonnes(step['kg'])}, {_money(step['cost'], currency)}")
        if total is not None:
            say(f"    together: {_money(answer[total], currency)}")
    for note in answer["notes"]:
        say(f"note: {note}")


def _tonnes(kg: float | None) -> str:
    return "not known" if kg is None else f"{kg / 1000:,.3f} t CO2e"


def _money(amount: float | None, currency: str) -> str:
    return "price not entered" if amount is None else f"{amount:,.2f} {currency}"


def _print_members(answer: Json) -> None:
    for name, value in answer.items():
        if isinstance(value, list):
            if value:
                say(f"{name}:")
            for item in value:
                say(f"    {item}")
        elif value is not None or name.endswith("_kg"):
            say(f"{name}: {'not known' if value is None else f'{value:,}' if isinstance(value, float) else value}")
