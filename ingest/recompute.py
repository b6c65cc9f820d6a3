"""Stretches computed again: what was queued, what a person asks for, and the check that nothing would change."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from parkcarbon.books.derive.announce import Span, queue_spans
from parkcarbon.books.derive.carbon import CarbonBook
from parkcarbon.books.derive.deltas import respread
from parkcarbon.books.derive.energy import Replacement, from_scratch, rerun
from parkcarbon.books.derive.model import Model, Point
from parkcarbon.books.derive.stored import BEGIN_MS, END_MS, moment
from parkcarbon.domain.reading import Kind
from parkcarbon.kit.clock import Clock
from parkcarbon.kit.db import DatabaseError, Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.kit.service import within

from .absorb import Absorber, lock_points, save_states
from .judge import NO_ROWS
from .partitions import PartitionsMissingError
from .pool import Writer
from .queries import QUERIES
from .reprice import Repricer
from .results import interval_rows, replace_results
from .rollup import days_of

log = structlog.get_logger(__name__)

POINTS = 50
"""Points computed again in one transaction, at most."""

READINGS = 100_000
"""Readings run over in one transaction, about: others wait for the locks meanwhile."""

_POLL_S = 1.0
_COMPARED: dict[str, PgType] = {
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
    "measured_ms": "int4",
    "suspect": "bool",
    "co2e_nano_kg": "int8",
    "factor_id": "int4",
    "match": "int2",
}


async def recompute_spans(session: Session, absorber: Absorber, spans: Sequence[Span]) -> list[Span]:
    """Compute stretches again; return what is left for the next transaction.

    Args:
        session: connection inside the transaction, `config_version` read.
        absorber: of that configuration.
        spans: of distinct points, whose states are locked.
    """
    states = await lock_points(session, sorted(span.point_id for span in spans), absorber.model)
    replacements: list[Replacement] = []
    rest: list[Span] = []
    budget = READINGS
    for span in spans:
        point = absorber.model.by_id[span.point_id]
        if point.kind is Kind.GAUGE:
            continue
        if budget <= 0:
            rest.append(span)
            continue
        if point.kind is Kind.DELTA:
            longest_ms = max(states[point.point_id].longest_ms, point.limits.period_ms)
            done = await respread(session, point, span.from_ms, span.to_ms, longest_ms)
        else:
            done = await rerun(session, point, span.from_ms, span.to_ms, most=budget)
        replacements.append(done)
        budget -= max(done.readings, len(done.intervals))
        if done.rest_ms is not None:
            rest.append(Span(point.point_id, done.rest_ms, max(span.to_ms, done.rest_ms)))
    await replace_results(session, replacements, absorber.book, absorber.partitions)
    await save_states(session, replacements, states, fresh=NO_ROWS)
    return rest


class Recomputer:
    """Works off the queue, a few points at a time; `repricer` beside it what is only priced anew."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self.repricer = Repricer(writer, clock)
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled; a database that is away is tried again."""
        while True:
            try:
                busy = await self.recompute()
            except DatabaseError as error:
                log.warning("recompute.failed", error=str(error))
                busy = False
            if not busy:
                self.wake.clear()
                await within(_POLL_S, self.wake.wait())

    async def step(self) -> int:
        """Do some of whatever waits, first what is to be computed again; return how much, 0: nothing is due."""
        return await self.recompute() or await self.repricer.step()

    async def recompute(self) -> int:
        """Compute some due stretches again and return how many."""
        due = await self._writer.database.fetch(QUERIES["due_recompute"], from_ms(self._clock.now_ms()), POINTS)
        spans: dict[int, Span] = {}
        for row in due:
            span = Span(row["point_id"], to_ms(row["from_time"]), to_ms(row["to_time"]))
            spans.setdefault(span.point_id, span)
        if spans:
            await self._work(sorted(spans.values(), key=lambda span: span.point_id))
        return len(spans)

    async def _work(self, spans: list[Span]) -> None:
        writer = self._writer
        while True:
            try:
                async with writer.database.transaction() as session:
                    await writer.refresh(session, await session.fetchval(QUERIES["version_for_share"]))
                    absorber = writer.absorber
                    await lock_points(session, [span.point_id for span in spans], absorber.model)
                    mine = [span for span in spans if await self._take(session, span)]
                    rest = await recompute_spans(session, absorber, mine)
                    await queue_spans(session, rest, "rest", from_ms(self._clock.now_ms()))
                    for park in sorted({absorber.model.by_id[span.point_id].park for span in mine}):
                        await session.execute(QUERIES["notify"], "parkcarbon_live", park)
            except PartitionsMissingError as error:
                await writer.partitions.ensure(error.months)
            else:
                log.info("recompute.done", points=len(mine), left=len(rest))
                return

    async def _take(self, session: Session, span: Span) -> bool:
        taken = await session.fetchval(
            QUERIES["take_recompute"], span.point_id, moment(span.from_ms), moment(span.to_ms)
        )
        return taken is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """Something stored that a recomputation would not give."""

    point: str
    what: str


async def check_point(session: Session, point: Point, model: Model, book: CarbonBook) -> list[Difference]:
    """Compute a point from its readings alone and compare with what is stored."""
    if point.kind is Kind.GAUGE:
        return []
    await lock_points(session, [point.point_id], model)
    if point.kind is Kind.DELTA:
        wanted = await respread(session, point, BEGIN_MS, END_MS, 0)
    else:
        wanted = await from_scratch(session, point)
    stored = await session.fetch_columns(QUERIES["intervals_of"], point.point_id, types=_COMPARED)
    rows = interval_rows([wanted], book)
    expected: dict[str, Array] = {
        "start": rows.start_ms,
        "amount_micro": rows.amount_micro,
        "coverage": rows.coverage,
        "method": rows.method,
        "measured_ms": rows.measured_ms,
        "suspect": rows.suspect,
        "co2e_nano_kg": np.where(rows.carbon.known, rows.carbon.nano_kg, -1),
        "factor_id": rows.carbon.factor_id,
        "match": rows.carbon.match,
    }
    found = [Difference(point.name, text) for text in _compare(stored, expected)]
    found += await _compare_state(session, point, wanted)
    owner = np.full(len(stored["start"]), point.point_id, np.int32)
    _, days, begins, ends, _ = days_of(owner, stored["start"], model.parks[point.park].zone).arguments()
    for row in await session.fetch(QUERIES["roll_ups_that_differ"], point.point_id, days, begins, ends):
        found.append(Difference(point.name, f"roll-up {row['period']} {row['label']} is not the sum of its parts"))
    return found


def _compare(stored: dict[str, Array], expected: dict[str, Array]) -> list[str]:
    differences = []
    missing = np.setdiff1d(expected["start"], stored["start"])
    extra = np.setdiff1d(stored["start"], expected["start"])
    differences += [f"interval {moment(int(start))} is missing" for start in missing[:10]]
    differences += [f"interval {moment(int(start))} has no readings behind it" for start in extra[:10]]
    if len(missing) or len(extra):
        return differences
    for name, values in expected.items():
        for at in np.flatnonzero(stored[name] != values)[:10]:
            start = moment(int(expected["start"][at]))
            differences.append(f"interval {start}: {name} is {stored[name][at]}, recomputed {values[at]}")
    return differences


async def _compare_state(session: Session, point: Point, wanted: Replacement) -> list[Difference]:
    if wanted.state is None:
        return []
    raw = await session.fetchval(QUERIES["state_of"], point.point_id)
    same = raw == wanted.state.to_bytes() or (raw is None and wanted.state.time_ms is None)
    return [] if same else [Difference(point.name, f"scan state {raw!r}, recomputed {wanted.state.to_bytes()!r}")]
