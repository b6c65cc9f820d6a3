"""The verbs of `python -m ingest` besides `run`."""

import argparse
import datetime as dt
import getpass
import hashlib
import json
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from parkcarbon.books.derive.announce import Span, queue_spans
from parkcarbon.books.derive.model import Model, Point, load_model
from parkcarbon.books.derive.stored import BEGIN_MS, END_MS, moment
from parkcarbon.books.quality import corrections
from parkcarbon.catalog.park import ParkError, load_park
from parkcarbon.domain.reading import Kind
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, from_ms, to_ms

from .absorb import Absorber
from .config import read_config
from .localdays import write_all_local_days
from .migrate import migrate
from .parks import apply_park, differences
from .partitions import Partitions
from .pool import Writer
from .queries import QUERIES
from .recompute import Recomputer, check_point
from .release import release
from .replay import replay
from .resend import ResendError, add_resend, resend
from .review import review_lines, token_lines

WRITING_ROLES = ("editor", "approver")
"""Roles that are for nothing but writing: such a token names a person. An admin's may, and then writes too."""

_TOLD = 10
"""Points that differ and differences of each that a check prints, at most."""

Verb = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]


class VerbError(ValueError):
    """What was asked for cannot be done; the message says why."""


def add_verbs(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verbs and their options."""
    verbs.add_parser("migrate", help="bring the database schema up to date")
    park = verbs.add_parser("park", help="check, compare or apply a park document")
    park.add_argument("action", choices=("check", "diff", "apply"))
    park.add_argument("file", type=Path)
    _decision(park)
    token = verbs.add_parser("token", help="create, list or revoke access tokens of the API")
    token.add_argument("action", choices=("create", "list", "revoke"))
    token.add_argument("--label", help="whose it is; revoke takes every token of this label")
    token.add_argument(
        "--role",
        choices=("admin", "editor", "approver", "auditor", "viewer", "wall"),
        default="viewer",
        help="create: editor enters, approver also approves, auditor reads all, wall is for screens (default: viewer)",
    )
    token.add_argument("--person", help="create: who acts with it; needed to enter or approve anything")
    token.add_argument("--park", help="create: only this park (default: every park)")
    token.add_argument("--json", action="store_true", help="print one JSON object")
    again = verbs.add_parser("recompute", help="compute intervals again from stored facts, or check them")
    again.add_argument("--park", required=True)
    again.add_argument("--from", dest="start", type=_time, help="first time affected (ISO 8601 with zone)")
    again.add_argument("--to", dest="end", type=_time, help="last time affected")
    again.add_argument("--check", action="store_true", help="only compare; exit 1 if anything differs")
    correct = verbs.add_parser("correct", help="enter a dated correction of a point's readings, or withdraw one")
    correct.add_argument("kind", choices=("exclude", "boundary", "retime", "withdraw"))
    correct.add_argument("--park", required=True)
    correct.add_argument("--point", help="device/quantity; not with withdraw")
    correct.add_argument("--from", dest="start", type=_time)
    correct.add_argument("--to", dest="end", type=_time, help="default: the same as --from")
    correct.add_argument("--end-reading", type=float, help="boundary: last register before it")
    correct.add_argument("--start-reading", type=float, help="boundary: first register after it")
    correct.add_argument("--offset-ms", type=int, help="retime: what is added to the stamps")
    correct.add_argument("--number", type=int, help="withdraw: which correction")
    _decision(correct, reason_needed=True)
    again = verbs.add_parser("replay", help="enter readings of stored batches that are missing in the table")
    again.add_argument("--park", required=True)
    add_resend(verbs)
    quarantine = verbs.add_parser("quarantine", help="list readings that could not be stored")
    quarantine.add_argument("action", choices=("list",))
    quarantine.add_argument("--park")
    quarantine.add_argument("--limit", type=int, default=100, help="at most so many, the newest first (100)")
    reviewed = verbs.add_parser("review", help="list what a person should know of: open questions, corrections …")
    reviewed.add_argument("--park", required=True)
    reviewed.add_argument("--from", dest="start", type=_time, help="since then (ISO 8601 with zone; default: ever)")
    reviewed.add_argument("--to", dest="end", type=_time, help="until then (default: no end)")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _decision(parser: argparse.ArgumentParser, *, reason_needed: bool = False) -> None:
    parser.add_argument("--author", default=getpass.getuser(), help="who decides (default: the user)")
    parser.add_argument("--reason", default="", required=reason_needed, help="why; kept for the auditor")


def _time(text: str) -> dt.datetime:
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-10-05T14:00:00+08:00") from None
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; add Z or an offset")
    return value


@asynccontextmanager
async def _database() -> AsyncGenerator[Database]:
    url = read_config().database_url
    async with await Database.connect(url, max_size=2, setup=QUERIES["make_staging"]) as database:
        yield database


async def _migrate(_: argparse.Namespace) -> int:
    async with await Database.connect(read_config().database_url, max_size=1) as database:
        for name in await migrate(database):
            _say(name)
        async with database.transaction() as session:
            await write_all_local_days(session)
    return 0


async def _park(options: argparse.Namespace) -> int:
    try:
        park = load_park(options.file)
    except (ParkError, OSError) as error:
        raise VerbError(str(error)) from error
    if options.action == "check":
        _say(f"{options.file}: no problems")
        return 0
    async with _database() as database:
        if options.action == "diff":
            for line in await differences(database, park) or ["no differences"]:
                _say(line)
            return 0
        applied = await apply_park(database, park, options.file.parent, author=options.author, reason=options.reason)
        released = await release(Writer(database), park.park, from_ms(SystemClock().now_ms()))
    for line in applied.changes:
        _say(line)
    _say(
        f"{park.park}: revision {applied.revision}, {applied.factors} new factors, {len(applied.series)} series changed"
        f", {applied.queued} points to be computed again, {released} readings released"
    )
    return 0


async def _token(options: argparse.Namespace) -> int:
    if options.action != "list" and not (options.label or "").strip():
        raise VerbError(f"{options.action} needs --label: whose token it is")
    async with _database() as database:
        if options.action == "list":
            for line in await token_lines(database):
                _say(line)
            return 0
        if options.action == "revoke":
            count = await database.execute(QUERIES["revoke_token"], options.label)
            if not count:
                raise VerbError(f"no token {options.label!r} is in force")
            _say(f"{count} revoked")
            return 0
        person = (options.person or "").strip()
        if options.role in WRITING_ROLES and not person:
            raise VerbError(f"a token for {options.role} needs --person: whoever approves must be another person")
        if options.park is not None:
            await _points(database, options.park)
        token = secrets.token_urlsafe(32)
        digest = hashlib.sha256(token.encode()).digest()
        await database.fetchval(QUERIES["insert_token"], digest, options.label, options.role, options.park, person)
    made = {"token": token, "label": options.label, "role": options.role, "person": person}
    _say(json.dumps(made) if options.json else token)
    return 0


async def _points(database: Database, park: str) -> tuple[Model, list[Point]]:
    async with database.session() as session:
        model = await load_model(session)
    if park not in model.parks:
        raise VerbError(f"there is no park {park!r}")
    return model, sorted(model.points.get(park, {}).values(), key=lambda point: point.point_id)


async def _recompute(options: argparse.Namespace) -> int:
    async with _database() as database:
        model, points = await _points(database, options.park)
        if options.check:
            return await _check(database, model, options.park, points)
        low = BEGIN_MS if options.start is None else to_ms(options.start)
        high = END_MS if options.end is None else to_ms(options.end)
        if high < low:
            raise VerbError(f"--to {options.end} is before --from {options.start}")
        clock = SystemClock()
        spans = [Span(point.point_id, low, high) for point in points if point.kind is not Kind.GAUGE]
        async with database.transaction() as session:
            await queue_spans(session, spans, "asked for", from_ms(clock.now_ms()))
        recomputer = Recomputer(Writer(database), clock)
        while await recomputer.step():
            pass
    _say(f"{options.park}: {len(spans)} points computed again")
    return 0


async def _check(database: Database, model: Model, park: str, points: list[Point]) -> int:
    book = Absorber(model, Partitions(database)).book
    checked, intervals, differing = 0, 0, 0
    for point in points:
        if point.kind is Kind.GAUGE:
            continue
        async with database.transaction() as session:
            found = await check_point(session, point, model, book)
            intervals += await session.fetchval(QUERIES["count_intervals"], point.point_id)
        checked += 1
        differing += bool(found)
        for difference in found[:_TOLD] if differing <= _TOLD else ():
            _say(f"{difference.point}: {difference.what}")
    _say(f"{park}: {checked} points, {intervals} intervals checked, {differing} differ")
    return 1 if differing else 0


async def _correct(options: argparse.Namespace) -> int:
    decision = {"author": options.author, "reason": options.reason}
    async with _database() as database:
        await _points(database, options.park)
        try:
            async with database.transaction() as session:
                if options.kind == "withdraw":
                    if options.number is None:
                        raise VerbError("withdraw needs --number; `review` lists them")
                    done = await corrections.withdraw(session, options.park, options.number, **decision)
                else:
                    done = await corrections.enter(session, options.park, _correction(options), **decision)
        except (RefusedError, LookupError) as error:
            raise VerbError(str(error)) from error
    effect = done.effect
    kg = "" if effect.nano_kg is None else f" and {effect.nano_kg / 1e9:+.3f} kgCO2e"
    touched = f" of {done.readings} readings" if done.readings else ""
    _say(
        f"correction {done.number}{touched}, {done.queued} points to be computed again,"
        f" {effect.intervals} intervals change by {effect.amount_micro / 1e6:+.3f}{kg}"
    )
    return 0


def _correction(options: argparse.Namespace) -> corrections.NewCorrection:
    if options.point is None or options.start is None:
        raise VerbError(f"{options.kind} needs --point and --from")
    if options.kind == "retime" and options.offset_ms is None:
        raise VerbError("retime needs --offset-ms")
    return corrections.NewCorrection(
        options.point,
        options.kind,
        options.start,
        options.end,
        options.end_reading,
        options.start_reading,
        options.offset_ms,
    )


async def _replay(options: argparse.Namespace) -> int:
    async with _database() as database:
        await _points(database, options.park)
        clock = SystemClock()
        writer = Writer(database)
        read, entered = await replay(writer, options.park, from_ms(clock.now_ms()))
        recomputer = Recomputer(writer, clock)
        while entered and await recomputer.step():
            pass
    _say(f"{options.park}: {read} batches read, {entered} readings entered")
    return 0


async def _resend(options: argparse.Namespace) -> int:
    try:
        return await resend(options, read_config(), _say)
    except ResendError as error:
        raise VerbError(str(error)) from error


async def _quarantine(options: argparse.Namespace) -> int:
    async with _database() as database:
        rows = await database.fetch(QUERIES["quarantine_list"], options.park, options.limit)
    for row in rows:
        time = "?" if row["time_ms"] is None else moment(row["time_ms"]).isoformat()
        _say(f"{row['park_id']}/{row['source']} {row['point']} {time} {row['value_text']}: {row['reason']}")
    return 0


async def _review(options: argparse.Namespace) -> int:
    start, end = options.start or moment(BEGIN_MS), options.end or moment(END_MS)
    async with _database() as database:
        await _points(database, options.park)
        async with database.session() as session:
            lines = await review_lines(session, options.park, start, end)
    for line in lines:
        _say(line)
    sys.stderr.write(f"{len(lines)} things to know of {options.park}\n")
    return 0


VERBS: Mapping[str, Verb] = {
    "migrate": _migrate,
    "park": _park,
    "token": _token,
    "recompute": _recompute,
    "correct": _correct,
    "replay": _replay,
    "resend": _resend,
    "quarantine": _quarantine,
    "review": _review,
}
