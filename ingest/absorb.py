"""Readings of many points into store and results: the part of a transaction that pools and releases share."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from parkcarbon.books.derive.announce import Span, queue_spans
from parkcarbon.books.derive.carbon import CarbonBook
from parkcarbon.books.derive.deltas import respread
from parkcarbon.books.derive.energy import Extension, Replacement, extend, extend_many, rerun
from parkcarbon.books.derive.model import Model, Point
from parkcarbon.books.derive.stored import moment
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Kind, Quality
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import ScanState
from parkcarbon.domain.scan_many import ManyReadings
from parkcarbon.kit.db import Session, to_ms

from .judge import Lookup, Rows
from .partitions import Partitions
from .queries import QUERIES
from .results import replace_results
from .store import Stored, store

AT_ONCE_MS = 8 * INTERVAL_MS
"""Late readings reaching back no further than this are worked in at once; others are queued."""

POINTS_AT_ONCE = 50
"""More late points than this in one pool are queued: their readings keep coming, one run over them serves all."""

_MOST_AT_ONCE = 50_000
_CLUSTER_GAP_MS = 3 * DAY_MS


Scans = dict[int, tuple[bytes, ScanState]]
"""Scan states by point, as stored and decoded: saves decoding what this process wrote itself."""


@dataclass(slots=True)
class PointState:
    """The locked row of one point."""

    raw: bytes | None
    last_ms: int | None
    scan: ScanState = field(default_factory=ScanState)
    longest_ms: int = 0
    touched: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What came of it: rows that are new, and what was put off."""

    stored: Stored
    queued: list[Span]


class Absorber:
    """Stores rows and replaces what follows from them, with the facts of one configuration.

    Args:
        model: the configuration.
        partitions: of the tables.
        scans: states that an absorber before this one decoded.
        below_zero: points whose amounts may be negative.
    """

    def __init__(
        self,
        model: Model,
        partitions: Partitions,
        scans: Scans | None = None,
        below_zero: frozenset[int] = frozenset(),
    ) -> None:
        self.model = model
        self.below_zero = below_zero
        self.scans: Scans = {} if scans is None else scans
        self.book = CarbonBook(model)
        self.partitions = partitions
        self._lookups: dict[str, Lookup] = {}

    def lookup(self, park: str) -> Lookup:
        """Names of a park to points."""
        if park not in self._lookups:
            self._lookups[park] = Lookup(self.model.points.get(park, {}), self.below_zero)
        return self._lookups[park]

    async def absorb(self, session: Session, rows: Rows, now: dt.datetime, hold: dt.timedelta) -> Absorbed:
        """Lock the points, store the rows, replace results, queue what is longer.

        Args:
            session: connection inside the transaction, `config_version` read FOR SHARE or FOR UPDATE.
            rows: judged readings in order of arrival.
            now: time of reception.
            hold: how long queued stretches are held because more is coming; zero: it is not.

        Raises:
            PartitionsMissingError: a month has no partition.
        """
        states = await lock_points(session, np.unique(rows.point_id).tolist(), self.model, self.scans)
        newest_ms = {point_id: state.last_ms for point_id, state in states.items()}
        stored = await store(session, rows, newest_ms, self.model)
        extension, doubtful = self._extend(stored.fresh, states)
        replacements, queued = await self._one_by_one(session, stored.fresh, doubtful, states, patient=bool(hold))
        replacements += await self._deltas(session, stored, states)
        await replace_results(session, replacements, self.book, self.partitions, extension)
        await save_states(session, replacements, states, fresh=stored.fresh, extension=extension, scans=self.scans)
        await queue_spans(session, queued, "late readings", now + hold)
        return Absorbed(stored, queued)

    def _extend(
        self, fresh: Rows, states: Mapping[int, PointState]
    ) -> tuple[Extension | None, list[tuple[Point, slice]]]:
        """Carry on the counters that simply go on, all at once; return the others with their rows."""
        simple: list[tuple[Point, slice]] = []
        doubtful: list[tuple[Point, slice]] = []
        for point_id, part in _groups(fresh.point_id):
            point, seen_ms = self.model.by_id[point_id], states[point_id].scan.seen_ms
            if point.kind is Kind.COUNTER:
                late = (
                    point.corrections
                    or point.substitutions
                    or seen_ms is None
                    or int(fresh.time_ms[part.start]) <= seen_ms
                )
                (doubtful if late else simple).append((point, part))
        if not simple:
            return None, doubtful
        sizes = np.array([part.stop - part.start for _, part in simple])
        starts = np.array([part.start for _, part in simple])
        owner = np.repeat(np.arange(len(simple)), sizes)
        which = np.arange(len(owner)) + np.repeat(starts - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes)
        readings = ManyReadings(owner, fresh.time_ms[which], fresh.value[which], fresh.quality[which])
        scans = [states[point.point_id].scan for point, _ in simple]
        extension, taken = extend_many([point for point, _ in simple], scans, readings)
        return extension, doubtful + [simple[at] for at in np.flatnonzero(~taken).tolist()]

    async def _one_by_one(
        self,
        session: Session,
        fresh: Rows,
        doubtful: Sequence[tuple[Point, slice]],
        states: Mapping[int, PointState],
        *,
        patient: bool,
    ) -> tuple[list[Replacement], list[Span]]:
        """Scan counters one by one: what extends their states now, what is late now or later."""
        replacements: list[Replacement] = []
        late: list[tuple[Point, Span, Readings]] = []
        for point, part in doubtful:
            readings = Readings(fresh.time_ms[part], fresh.value[part], fresh.quality[part], fresh.span_ms[part])
            scan = states[point.point_id].scan
            forward, span = _split(point, readings, scan.seen_ms)
            if span is not None:
                late.append((point, span, forward))
            elif len(forward):
                replacements.append(extend(point, forward, scan))
        queued: list[Span] = []
        many = patient or len(late) > POINTS_AT_ONCE
        for point, span, forward in late:
            scan = states[point.point_id].scan
            if many or (scan.seen_ms or 0) - span.from_ms > AT_ONCE_MS:
                queued.append(span)
                if len(forward):
                    replacements.append(extend(point, forward, scan))
            else:
                replacements.append(await rerun(session, point, span.from_ms, span.to_ms, most=_MOST_AT_ONCE))
        return replacements, queued

    async def _deltas(self, session: Session, stored: Stored, states: Mapping[int, PointState]) -> list[Replacement]:
        replacements: list[Replacement] = []
        for rows in (stored.fresh, stored.changed):
            for point_id, part in _groups(rows.point_id):
                point, state = self.model.by_id[point_id], states[point_id]
                if point.kind is Kind.DELTA:
                    state.touched = np.union1d(state.touched, rows.time_ms[part])
                    state.longest_ms = max(state.longest_ms, point.limits.period_ms, int(rows.span_ms[part].max()))
        for point_id, state in states.items():
            if len(state.touched):
                replacements += await respread_clusters(session, self.model.by_id[point_id], state)
        return replacements


async def respread_clusters(session: Session, point: Point, state: PointState) -> list[Replacement]:
    """Spread the touched deltas of a point again, far-apart stretches each alone."""
    clusters = np.split(state.touched, 1 + np.flatnonzero(np.diff(state.touched) > _CLUSTER_GAP_MS))
    done: list[tuple[int, Replacement]] = []
    for cluster in clusters:
        begin_ms, end_ms = int(cluster[0]), int(cluster[-1])
        part = await respread(session, point, begin_ms, end_ms, state.longest_ms)
        while done and part.from_ms < done[-1][1].to_ms:  # they share neighbours: one stretch after all
            begin_ms, _ = done.pop()
            part = await respread(session, point, begin_ms, end_ms, state.longest_ms)
        done.append((begin_ms, part))
    return [part for _, part in done]


def _groups(point_id: npt.NDArray[np.int32]) -> Iterator[tuple[int, slice]]:
    """Yield each point of an ascending column with its rows."""
    if not len(point_id):
        return
    edges = [0, *(1 + np.flatnonzero(np.diff(point_id))).tolist(), len(point_id)]
    for low, high in pairwise(edges):
        yield int(point_id[low]), slice(low, high)


def _split(point: Point, readings: Readings, seen_ms: int | None) -> tuple[Readings, Span | None]:
    """Split new readings into those that extend the state and the span of those that come late."""
    span: Span | None = None
    if point.retimed:
        readings, span = _without_retimed(point, readings)
    if seen_ms is None or not len(readings) or int(readings.time_ms[0]) > seen_ms:
        return readings, span
    is_late = readings.time_ms <= seen_ms
    counting = readings.time_ms[is_late & readings.in_energy]
    if len(counting):
        late = Span(point.point_id, int(counting[0]), int(counting[-1]))
        span = (
            late if span is None else Span(late.point_id, min(late.from_ms, span.from_ms), max(late.to_ms, span.to_ms))
        )
    return readings.take(~is_late), span


def _without_retimed(point: Point, readings: Readings) -> tuple[Readings, Span | None]:
    """Set aside readings that count at another time than their stamp: only a run over the stored ones orders them."""
    moved = np.zeros(len(readings), dtype=bool)
    times: list[int] = []
    for correction in point.corrections:
        if correction.kind != "retime":
            continue
        chosen = (readings.time_ms >= correction.from_ms) & (readings.time_ms <= correction.to_ms)
        chosen &= readings.quality == Quality.CLOCK_UNCERTAIN
        moved |= chosen
        for time_ms in readings.time_ms[chosen].tolist():
            times += [time_ms, time_ms + correction.offset_ms]
    if not times:
        return readings, None
    return readings.take(~moved), Span(point.point_id, min(times), max(times))


async def lock_points(
    session: Session, point_ids: Sequence[int], model: Model, scans: Scans | None = None
) -> dict[int, PointState]:
    """Make and lock the state rows of points, in key order.

    First made, then locked: a row that is being made is seen by nobody who locks, so whoever waits for it must not hold
    the lock of another one yet.

    Args:
        session: connection inside the transaction.
        point_ids: points, ascending.
        model: configuration.
        scans: decoded states of earlier transactions.
    """
    decoded = {} if scans is None else scans
    await session.execute(QUERIES["make_point_states"], list(point_ids))
    rows = await session.fetch(QUERIES["lock_points"], list(point_ids))
    states = {}
    for row in rows:
        raw, last = row["state"], row["last_time"]
        state = PointState(raw, None if last is None else to_ms(last))
        if raw is not None and model.by_id[row["point_id"]].kind is Kind.DELTA:
            state.longest_ms = json.loads(raw)["longest_ms"]
        elif raw is not None:
            known = decoded.get(row["point_id"])
            state.scan = known[1] if known is not None and known[0] == raw else ScanState.from_bytes(raw)
        states[row["point_id"]] = state
    return states


async def save_states(
    session: Session,
    replacements: Sequence[Replacement],
    states: Mapping[int, PointState],
    *,
    fresh: Rows,
    extension: Extension | None = None,
    scans: Scans | None = None,
) -> None:
    """Write where the scans stand and the newest reading of each point."""
    new = {} if extension is None else dict(extension.states)
    new |= {r.point.point_id: r.state for r in replacements if r.state is not None}
    decoded = {point_id: (state.to_bytes(), state) for point_id, state in new.items()}
    if scans is not None:
        scans |= decoded
    longest = {
        r.point.point_id: json.dumps({"longest_ms": states[r.point.point_id].longest_ms}).encode()
        for r in replacements
        if r.point.kind is Kind.DELTA
    }
    raw = {point_id: one[0] for point_id, one in decoded.items()} | longest
    newest = {point_id: part.stop - 1 for point_id, part in _groups(fresh.point_id)}
    ids = sorted(newest.keys() | raw.keys())
    rows: list[tuple[object, ...]] = []
    for point_id in ids:
        at, last_ms = newest.get(point_id), states[point_id].last_ms
        state = raw.get(point_id)
        if at is None:
            rows.append((state, False, None, None, None))
            continue
        time_ms, value = int(fresh.time_ms[at]), float(fresh.value[at])
        newer = last_ms is None or time_ms > last_ms
        rows.append((state, newer, moment(time_ms), None if np.isnan(value) else value, int(fresh.quality[at])))
    if rows:
        await session.execute(
            QUERIES["update_point_states"], ids, *(list(column) for column in zip(*rows, strict=True))
        )
