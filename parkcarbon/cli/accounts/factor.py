"""`parkcarbon factor`: list, find, show, propose and decide on factors, load hourly series, warnings."""

import argparse
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from parkcarbon.books.library import factors as library
from parkcarbon.books.library.factors import Decision, Record, State, Wanted
from parkcarbon.books.library.files import Columns, Format
from parkcarbon.books.library.series import Values, fetch_values, list_loads, load_values, read_values
from parkcarbon.books.library.warnings import factor_warnings
from parkcarbon.catalog.strict import document_problems
from parkcarbon.domain.factors import PURPOSES, Factor, lookup, named
from parkcarbon.kit.db import Session

from .common import add_decision, add_park, day, moment, open_database, read_document, say, say_json

_PURPOSES: Final = ", ".join(sorted(PURPOSES))


class Proposed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A factor as a person writes it in a file."""

    factor: str
    purpose: str
    region: str
    unit: str
    publisher: str
    edition: str
    source_page: str
    evidence: str
    carrier: str = ""
    gas: str = ""
    basis: str = ""
    title: str = ""
    value: float | None = None
    series: bool = False
    data_year: int | None = None
    published_on: dt.date | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    licence: str = ""


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    listed = actions.add_parser("list", help="records with their state")
    _narrow(listed)
    listed.add_argument(
        "--state", choices=get_args(State), help="only what was decided so; only approved ones are used"
    )
    listed.add_argument("--limit", type=int, default=1000, help="at most so many (1000)")
    found = actions.add_parser("find", help="look a factor up as a calculation does, with how it matched")
    _narrow(found)
    found.add_argument("--gas", default="", help="one, or several by comma in order of preference")
    found.add_argument("--on", type=day, help="day of the activity, against the validity of records")
    found.add_argument("--basis", help="NCV, HHV, 当量值 or 等价值")
    found.add_argument("--factor", help="this very record; refused if it is for another purpose")
    shown = actions.add_parser("show", help="one record with its decisions and loads")
    _one(shown)
    proposed = actions.add_parser("propose", help="enter an own factor from a YAML file; a second person approves it")
    add_park(proposed)
    proposed.add_argument("file", help="the record, complete; see docs/factors.md")
    add_decision(proposed)
    decided = actions.add_parser("decide", help="approve, reject or withdraw what another person proposed")
    _one(decided)
    decided.add_argument("decision", choices=get_args(Decision), help="withdrawn: only after approved")
    decided.add_argument("--load", type=int, help="a load of values; without it the record itself")
    add_decision(decided)
    series = actions.add_parser("series", help="load hourly values from a file or an address")
    _one(series)
    series.add_argument("source", help="file, or http(s) address")
    series.add_argument("--format", choices=get_args(Format), help="default: by name or as the server says")
    series.add_argument("--time-column", default="start", help="begin of each value's span (start)")
    series.add_argument("--value-column", default="value", help="the values (value)")
    series.add_argument("--span-s", type=float, default=3600.0, help="length of each value's span (3600)")
    add_decision(series)
    warned = actions.add_parser("warnings", help="what is overtaken, old, unverified or waits for a second person")
    add_park(warned)
    warned.add_argument("--since", type=day, help="day on which the year's factors were chosen (default: 1 January)")


def _narrow(parser: argparse.ArgumentParser) -> None:
    add_park(parser)
    parser.add_argument("--purpose", choices=sorted(PURPOSES), metavar="PURPOSE", help=f"one of {_PURPOSES}")
    parser.add_argument("--region", help="for example China/JS")
    parser.add_argument("--carrier", help="for example electricity, gas, heat")
    parser.add_argument("--year", type=int, help="data year; of find: year of the activity")
    parser.add_argument("--known-on", type=moment, help="only what could be used at this moment")


def _one(parser: argparse.ArgumentParser) -> None:
    add_park(parser)
    parser.add_argument("number", type=int, help="number of the record, as list and propose print it")


async def run(options: argparse.Namespace) -> int:
    """Do it; what is fetched is fetched before the transaction begins."""
    if options.action == "series":
        options.values = await _values(options)
    async with open_database() as database, database.transaction() as session:
        await _ACTIONS[options.action](session, options)
    return 0


async def _list(session: Session, options: argparse.Namespace) -> None:
    wanted = Wanted(
        purpose=options.purpose,
        region=options.region,
        carrier=options.carrier,
        data_year=options.year,
        known_on=options.known_on,
        state=options.state,
    )
    found = await library.list_records(session, options.park, wanted, limit=options.limit)
    if options.json:
        say_json({"factors": [_document(record) for record in found]})
        return
    for record in found:
        say(_line(record))


async def _find(session: Session, options: argparse.Namespace) -> None:
    known_on = options.known_on or _now()
    if options.purpose is None:
        raise ValueError("find needs --purpose")
    records = [factor for _, factor in await library.load_known(session, options.park, known_on)]
    if options.factor is not None:
        match = named(records, options.factor, known_on, purposes=frozenset({options.purpose}))
    else:
        match = lookup(
            records,
            purpose=options.purpose,
            region=options.region or "",
            gas=tuple(options.gas.split(",")),
            carrier=options.carrier or "",
            data_year=options.year or known_on.year,
            known_on=known_on,
            on=options.on,
            basis=options.basis,
        )
    how = match.match.name.lower()
    if options.json:
        say_json({**_terms(match.factor), "match": how, "notes": list(match.notes)})
        return
    value = "series" if match.factor.value is None else match.factor.value
    say(f"{match.factor.factor} {value} {match.factor.unit} ({how}), {_source(match.factor)}")
    for note in match.notes:
        say(f"  {note}")


async def _show(session: Session, options: argparse.Namespace) -> None:
    record = await library.show(session, options.park, options.number)
    loads = [dict(row) for row in await list_loads(session, options.park, options.number)]
    for load in loads:
        load["digest"] = bytes(load["digest"]).hex()
    if options.json:
        say_json({**_document(record), "loads": loads})
        return
    for name, value in _document(record).items():
        if value not in (None, "", False):
            say(f"{name}: {value}")
    for load in loads:
        said = load["decision"] or ("waits" if load["needs_approval"] else "approved address")
        say(f"load {load['load_id']}: {load['n']} values from {load['source']}, sha256 {load['digest']}, {said}")


async def _propose(session: Session, options: argparse.Namespace) -> None:
    raw = read_document(options.file)
    if problems := list(document_problems(raw, Proposed)):
        raise ValueError("\n".join(f"{options.file}: {problem}" for problem in problems))
    given = msgspec.structs.asdict(msgspec.convert(raw, Proposed))
    evidence = given.pop("evidence")
    number = await library.propose(
        session,
        options.park,
        Factor(**given),
        author=options.author,
        reason=options.reason,
        evidence=evidence,
        now=_now(),
    )
    if options.json:
        say_json({"number": number})
    else:
        say(f"{given['factor']} is proposed as number {number}; it counts once another person approved it")


async def _decide(session: Session, options: argparse.Namespace) -> None:
    queued = await library.decide(
        session,
        options.park,
        options.number,
        options.decision,
        person=options.author,
        reason=options.reason,
        load_id=options.load,
    )
    if options.json:
        say_json({"number": options.number, "decision": options.decision, "points_queued": queued})
    else:
        say(f"{options.number}: {options.decision}, {queued} points to be computed again")


async def _series(session: Session, options: argparse.Namespace) -> None:
    values: Values = options.values
    loaded = await load_values(
        session, options.park, options.number, values, author=options.author, reason=options.reason
    )
    if options.json:
        say_json({**asdict(loaded), "sha256": values.digest.hex(), "source": values.source})
        return
    waits = "; they count once another person approved them" if loaded.waits else ""
    number = "" if loaded.load_id is None else f" as load {loaded.load_id}"
    say(f"{loaded.read} values read, {loaded.new} new{number}, {loaded.queued} points to be computed again{waits}")


async def _values(options: argparse.Namespace) -> Values:
    columns = Columns(options.time_column, options.value_column)
    span_ms = round(options.span_s * 1000)
    if options.source.startswith(("http://", "https://")):
        return await fetch_values(options.source, now=_now(), form=options.format, columns=columns, span_ms=span_ms)
    path = Path(options.source)
    form: Format = options.format or ("json" if path.suffix == ".json" else "csv")
    return read_values(path.read_bytes(), path.name, form, now=_now(), columns=columns, span_ms=span_ms)


async def _warnings(session: Session, options: argparse.Namespace) -> None:
    found = await factor_warnings(session, options.park, now=_now(), since=options.since)
    if options.json:
        say_json({"warnings": [asdict(one) for one in found]})
        return
    for one in found:
        say(f"{one.kind}: {one.text}")


_ACTIONS: Final[dict[str, Callable[[Session, argparse.Namespace], Awaitable[None]]]] = {
    "list": _list,
    "find": _find,
    "show": _show,
    "propose": _propose,
    "decide": _decide,
    "series": _series,
    "warnings": _warnings,
}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _terms(factor: Factor) -> dict[str, Any]:
    return {**asdict(factor), "publication": factor.publication}


def _document(record: Record) -> dict[str, Any]:
    members = {name: value for name, value in asdict(record).items() if name not in ("factor", "factor_id")}
    return {"number": record.factor_id, **_terms(record.factor), **members}


def _source(factor: Factor) -> str:
    return f"{factor.publisher}, {factor.edition}, published {factor.publication}"


def _line(record: Record) -> str:
    factor = record.factor
    value = "series" if factor.series else "no value" if factor.value is None else f"{factor.value:g} {factor.unit}"
    place = " ".join(text for text in (factor.carrier, factor.region, factor.gas) if text)
    whose = f"own, {record.state}" if record.author is not None else record.state
    year = "" if factor.data_year is None else f" {factor.data_year}"
    return f"{record.factor_id}: {factor.factor}: {factor.purpose} {place}{year}: {value} ({whose}), {_source(factor)}"
