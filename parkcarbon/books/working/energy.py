"""The energy of one point in a period, from what the database keeps: registers, interval files, hours and quarters."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from parkcarbon.books.amounts import Hourly, Period
from parkcarbon.books.derive.as_of import intervals_as_of
from parkcarbon.books.derive.queries import QUERIES as DERIVED
from parkcarbon.books.facts import QUERIES, Facts, PointFact
from parkcarbon.books.working.registers import (
    DeltaReading,
    Json,
    Meter,
    Substituted,
    Trail,
    provenance,
    readings_figure,
    registers_figure,
)
from parkcarbon.catalog import park as doc
from parkcarbon.domain.delta import overlapping, spread
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.inventory import PointAmount, completeness_pct, state_shares
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.reading import DAY_MS, Method
from parkcarbon.domain.readings import FloatArray, Int64Array, Readings, enters_energy
from parkcarbon.domain.scan import scan
from parkcarbon.domain.scan_types import Correction, Episode, Limits, ScanState
from parkcarbon.domain.spans import Span, register_spans
from parkcarbon.domain.substitution import Substitution, applied
from parkcarbon.domain.working import Figure, computed
from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.db import from_ms as time_of
from parkcarbon.kit.db import to_ms as ms_of
from parkcarbon.kit.pgcopy import PgType

READINGS_BEFORE: Final = 200
"""Readings before a period that the accepted line is taken up from, where no checkpoint is as old as the knowledge."""

READINGS_AFTER: Final = 60
"""Readings after a period among which an accepted one is found."""

LONGEST_DELTA_MS: Final = 400 * DAY_MS
"""No delta reaches farther: a bill of a year."""

_READING: Final[dict[str, PgType]] = {"time": "timestamptz", "value": "float8", "quality": "int2", "span_ms": "int4"}
_DELTA: Final[dict[str, PgType]] = {**_READING, "batch_id": "int8"}
_INTERVAL: Final[dict[str, PgType]] = {
    "start": "timestamptz",
    "amount_micro": "int8",
    "coverage": "float4",
    "method": "int2",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is explained: a park as known, a period, and whether the derived tables are of that knowledge."""

    session: Session
    facts: Facts
    period: Period
    current: bool

    @property
    def to_ms(self) -> int:
        """End of the part of the period that may be known [ms UTC]."""
        return max(self.period.from_ms, min(self.period.to_ms, ms_of(self.facts.until)))


async def energy_figure(asked: Asked, point: PointFact, amount: PointAmount) -> Figure:
    """The energy of a point, down to registers or readings.

    Args:
        asked: park, period, knowledge.
        point: which.
        amount: its sums over the period.
    """
    states = states_source(amount)
    if not amount.known:
        return Figure("energy", None, point.unit, source=states, notes=("no readings in this period",))
    below = await (_from_readings if point.kind == "delta" else _from_registers)(asked, point, amount.amount_micro)
    return computed(
        "energy",
        "sum",
        point.unit,
        below,
        value=amount.amount_micro / 1e6,
        label_zh=f"{point.point} 电量" if point.carrier == "electricity" else f"{point.point} 用量",
        label_en=f"amount of {point.point}",
        rule="6.7",
        source=states,
    )


def states_source(amount: PointAmount) -> Json:
    """How well an amount is known: share of the time by data state, completeness, suspect hours."""
    shares = {state: round(share, 9) for state, share in state_shares([amount]).items() if share}
    return {
        "kind": "interval",
        "point": amount.point,
        "intervals": amount.intervals,
        "states": shares,
        "completeness_pct": completeness_pct([amount]),
        "suspect_hours": amount.suspect_ms / 3_600_000,
    }


async def _from_registers(asked: Asked, point: PointFact, amount_micro: int) -> Figure:
    session, facts, period = asked.session, asked.facts, asked.period
    episodes, settings = _episodes(facts, point.point)
    corrections = await _corrections(session, point.point_id, facts.as_of)
    limits = await _limits(session, point.point_id)
    state, readings = await _line(asked, point.point_id)
    spans = register_spans(
        readings, episodes, corrections, limits, from_ms=period.from_ms, to_ms=asked.to_ms, state=state
    )
    lives = lifelines(episodes, corrections, limits).lives
    trail = Trail(
        point.point,
        point.unit,
        facts.revision,
        [_meter(settings, life.at_ms, life.modulus) for life in lives],
        await _provenance(session, point.point_id, spans),
    )
    facts_of = await _substitutions(asked, point.point_id)
    substituted: list[Substituted] = []
    if facts_of:
        intervals = scan(readings, episodes, corrections, limits, state).intervals
        substituted = _added(intervals, facts_of, asked)
    return registers_figure(trail, spans, amount_micro, substituted)


async def _substitutions(asked: Asked, point_id: int) -> list[Row]:
    span = time_of(asked.period.from_ms), time_of(asked.period.to_ms)
    return await asked.session.fetch(QUERIES["explain_substitutions"], point_id, *span, asked.facts.as_of)


def _added(intervals: Intervals, rows: Sequence[Row], asked: Asked) -> list[Substituted]:
    """What each substitution adds to intervals, one after the other as they are applied."""
    window = asked.period.from_ms, asked.period.to_ms
    found = []
    for row in rows:
        one = Substitution(row["substitution_id"], ms_of(row["from_time"]), tuple(row["amounts_micro"]))
        filled = applied(intervals, [one], window)
        amount = filled.between(*window).total_micro - intervals.between(*window).total_micro
        fact = {
            "substitution": row["substitution_id"],
            "from": _time(row["from_time"]),
            "to": _time(row["to_time"]),
            "rule": row["rule"],
            "method": row["method"],
            "author": row["author"],
            "reason": row["reason"],
            "reviewer": row["reviewer"],
            "review_reason": row["review_reason"],
            "recorded_at": _time(row["recorded_at"]),
            "reviewed_at": _time(row["reviewed_at"]),
        }
        found.append(Substituted(amount, fact))
        intervals = filled
    return found


async def _line(asked: Asked, point_id: int) -> tuple[ScanState | None, Readings]:
    """The state that the accepted line of a period is taken up from, and the readings from there."""
    session, period = asked.session, asked.period
    span = time_of(period.from_ms), time_of(asked.to_ms)
    reach = await session.fetchrow(QUERIES["explain_reach"], point_id, *span, READINGS_BEFORE, READINGS_AFTER)
    low = span[0] if reach is None or reach["low"] is None else reach["low"]
    high = span[1] if reach is None or reach["high"] is None else reach["high"]
    state: ScanState | None = None
    if asked.current:
        checkpoint = await session.fetchrow(DERIVED["checkpoint_before"], point_id, span[0])
        if checkpoint is not None:
            low, state = checkpoint["at"], ScanState.from_bytes(checkpoint["state"])
    columns = await session.fetch_columns(
        QUERIES["explain_readings"], point_id, low, high, asked.facts.as_of, types=_READING
    )
    readings = Readings(
        columns["time"], columns["value"], columns["quality"].astype(np.int8), columns["span_ms"].astype(np.int32)
    )
    if state is not None and state.seen_ms is not None:
        readings = readings.take(readings.time_ms > state.seen_ms)
    return state, readings


def _episodes(facts: Facts, point: str) -> tuple[tuple[Episode, ...], list[doc.Episode]]:
    """The dated facts about the meters of a point, as the scan takes them and as they were written."""
    written = [
        episode
        for device in facts.document.devices
        for item in device.points
        if f"{device.device}/{item.quantity}" == point
        for episode in item.episodes
    ]
    written.sort(key=lambda episode: episode.at)
    episodes = tuple(
        Episode(
            at_ms=ms_of(episode.at),
            ratio=episode.ct * episode.pt,
            sign=episode.sign,
            modulus=episode.modulus,
            limit_per_h=episode.limit_per_h,
            end_reading=episode.end_reading,
            start_reading=episode.start_reading,
        )
        for episode in written
    )
    return episodes, written


def _meter(settings: Sequence[doc.Episode], at_ms: int, modulus: float | None) -> Meter:
    """The meter of a life that begins at this time."""
    begun = [episode for episode in settings if ms_of(episode.at) <= at_ms]
    if not begun:
        return Meter(modulus=modulus)
    episode = begun[-1]
    from_time = episode.at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return Meter(episode.serial, episode.ct, episode.pt, episode.sign, modulus, from_time)


async def _corrections(session: Session, point_id: int, as_of: dt.datetime) -> tuple[Correction, ...]:
    rows = await session.fetch(QUERIES["explain_corrections"], point_id, as_of)
    found = []
    for row in rows:
        document: dict[str, Any] = msgspec.json.decode(row["document"])
        found.append(
            Correction(
                kind=row["kind"],
                from_ms=ms_of(row["from_time"]),
                to_ms=ms_of(row["to_time"]),
                end_reading=document.get("end_reading"),
                start_reading=document.get("start_reading"),
                offset_ms=document.get("offset_ms", 0),
            )
        )
    return tuple(found)


async def _limits(session: Session, point_id: int) -> Limits:
    row = await session.fetchrow(QUERIES["explain_point"], point_id)
    if row is None:
        raise LookupError(f"there is no point {point_id}")
    return Limits(row["period_ms"], row["limit_per_h"], row["resolution"], row["modulus"])


async def _provenance(session: Session, point_id: int, spans: Sequence[Span]) -> dict[tuple[int, float], Json]:
    """Quality and batch of every register that stands at an end of a span."""
    times = {
        register.time_ms
        for span in spans
        for mark in (span.start, span.end)
        for register in (mark.before, mark.after)
        if register is not None
    }
    rows = await session.fetch(QUERIES["explain_registers"], point_id, [time_of(at) for at in sorted(times)])
    return {(ms_of(row["time"]), row["value"]): provenance(row["quality"], batch_document(row)) for row in rows}


def batch_document(row: Mapping[str, Any]) -> dict[str, object]:
    """A batch as an auditor looks it up: who sent it, its number, the digest of its frame."""
    return {
        "source": row["source"],
        "boot": row["boot"],
        "seq": row["seq"],
        "digest": row["digest"],
        "made": _time(row["made"]),
        "recorded_at": _time(row["recorded_at"]),
    }


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


async def _from_readings(asked: Asked, point: PointFact, amount_micro: int) -> Figure:
    session, facts, period = asked.session, asked.facts, asked.period
    limits = await _limits(session, point.point_id)
    longest = max(limits.period_ms, 32 * DAY_MS)
    low, high = time_of(period.from_ms - longest), time_of(asked.to_ms)
    columns = await session.fetch_columns(
        QUERIES["explain_deltas"], point.point_id, low, high, facts.as_of, types=_DELTA
    )
    episodes, settings = _episodes(facts, point.point)
    corrections = await _corrections(session, point.point_id, facts.as_of)
    counted = _counted(columns, corrections, limits)
    begins = np.array([episode.at_ms for episode in episodes], dtype=np.int64)
    scales = np.array([1.0, *(episode.ratio * episode.sign for episode in episodes)])
    scale: FloatArray = scales[np.searchsorted(begins, columns["time"], side="right")]
    numbers: dict[int, int] = {}
    readings = []
    for at in np.flatnonzero(counted.kept).tolist():
        start, end = int(columns["time"][at]), int(counted.end_ms[at])
        if end > period.from_ms:
            number = numbers.setdefault(int(columns["batch_id"][at]), len(numbers) + 1)
            value, quality = float(columns["value"][at]), int(columns["quality"][at])
            readings.append(DeltaReading(start, end, value, float(scale[at]), quality, number))
    batches = [
        {"number": numbers[row["batch_id"]], **batch_document(row)}
        for row in await session.fetch(QUERIES["explain_batches"], sorted(numbers))
    ]
    batches.sort(key=lambda batch: int(str(batch["number"])))
    meters = [_meter(settings, episode.at_ms, None) for episode in episodes]
    trail = Trail(point.point, point.unit, facts.revision, meters)
    facts_of = await _substitutions(asked, point.point_id)
    substituted: list[Substituted] = []
    if facts_of:
        kept = counted.kept
        scaled = columns["value"][kept] * scale[kept]
        spans = (counted.end_ms - columns["time"])[kept].astype(np.int32)
        given = Readings(columns["time"][kept], scaled, columns["quality"][kept].astype(np.int8), spans)
        substituted = _added(spread(given, limits.period_ms).intervals, facts_of, asked)
    return readings_figure(
        trail,
        readings,
        amount_micro,
        from_ms=period.from_ms,
        to_ms=asked.to_ms,
        batches=batches,
        substituted=substituted,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Which deltas count, and where each ends [ms UTC]."""

    kept: "np.typing.NDArray[np.bool_]"
    end_ms: Int64Array


def _counted(columns: Mapping[str, Any], corrections: Sequence[Correction], limits: Limits) -> _Counted:
    """Leave out what quality, a correction or an overlap keeps out of energy."""
    time: Int64Array = columns["time"]
    end: Int64Array = time + np.where(columns["span_ms"] > 0, columns["span_ms"], limits.period_ms)
    kept = enters_energy(columns["value"], columns["quality"].astype(np.int8))
    for correction in corrections:
        if correction.kind == "exclude":
            kept &= (time < correction.from_ms) | (time > correction.to_ms)
    standing = np.flatnonzero(kept)
    kept[standing[overlapping(time[standing], end[standing])]] = False
    return _Counted(kept, end)


def hours_columns(hourly: Hourly, point: str, unit: str) -> tuple[dict[str, tuple[str, ...]], dict[str, Any]]:
    """A point by the hour as axis and column; an hour of which nothing is known stays empty."""
    row = hourly.points.index(point)
    amounts = [
        amount / 1e6 if amount or known else None
        for amount, known in zip(hourly.amount_micro[row].tolist(), hourly.known[row].tolist(), strict=True)
    ]
    starts = tuple(_time(time_of(start)) for start in hourly.start_ms.tolist())
    return {"hour from": starts}, {f"amount [{unit}]": tuple(amounts)}


async def quarters_of(
    asked: Asked, point: PointFact
) -> tuple[Int64Array, dict[str, tuple[str, ...]], dict[str, tuple[float | None, ...]]]:
    """A point by the quarter of an hour: starts [ms UTC], axis and column; what is not known stays empty."""
    rows = await _intervals(asked, point)
    shown = {f"amount [{point.unit}]": _known_amounts(rows)}
    return rows["start"], {"interval from": _starts(rows)}, shown


async def _intervals(asked: Asked, point: PointFact) -> dict[str, Any]:
    """Intervals of the period as columns: the stored ones, of a past date those that were known then."""
    period = asked.period
    if asked.current:
        span = time_of(period.from_ms), time_of(period.to_ms)
        return await asked.session.fetch_columns(QUERIES["explain_intervals"], point.point_id, *span, types=_INTERVAL)
    found = [
        part.intervals
        async for part in intervals_as_of(asked.session, asked.facts, [point.point_id], period.from_ms, period.to_ms)
    ]
    intervals = found[0] if found else Intervals.empty()
    return {
        "start": intervals.start_ms,
        "amount_micro": intervals.amount_micro,
        "coverage": intervals.coverage,
        "method": intervals.method,
    }


def _known_amounts(rows: Mapping[str, Any]) -> tuple[float | None, ...]:
    known = (rows["coverage"] > 0) & (rows["method"] != int(Method.MISSING))
    pairs = zip(rows["amount_micro"].tolist(), known.tolist(), strict=True)
    return tuple(micro / 1e6 if is_known or micro else None for micro, is_known in pairs)


def _starts(rows: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_time(time_of(start)) for start in rows["start"].tolist())


async def intervals_figure(asked: Asked, point: PointFact) -> Figure:
    """A point by the quarter of an hour: amount, coverage and data state of every stored interval."""
    rows = await _intervals(asked, point)
    methods = [Method(code).name.lower() for code in range(len(Method))]
    return computed(
        "intervals",
        "sum_product",
        point.unit,
        label_zh=f"{point.point} 15 分钟时段",
        label_en=f"{point.point} by intervals of 15 minutes",
        columns={f"amount [{point.unit}]": _known_amounts(rows)},
        axis={
            "interval from": _starts(rows),
            "data state": tuple(methods[code] for code in rows["method"].tolist()),
            "coverage [%]": tuple(round(100 * part) for part in rows["coverage"].tolist()),
        },
        source={"kind": "interval", "point": point.point},
    )
