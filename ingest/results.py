"""Results into the database: intervals replaced, roll-ups made again from them, checkpoints and questions kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from parkcarbon.books.derive.carbon import Carbon, CarbonBook
from parkcarbon.books.derive.energy import Extension, Replacement
from parkcarbon.books.derive.model import Model
from parkcarbon.books.derive.stored import moment
from parkcarbon.kit.db import Session, to_ms
from parkcarbon.kit.pgcopy import Column

from .partitions import INTERVAL, Partitions, result_months
from .queries import QUERIES
from .rollup import HOUR_MS, Keys, days_of, hours_of, months_of_days, stretches

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class IntervalRows:
    """Rows of `interval_15min` of many points."""

    point_id: npt.NDArray[np.int32]
    start_ms: npt.NDArray[np.int64]
    amount_micro: npt.NDArray[np.int64]
    coverage: npt.NDArray[np.float32]
    method: npt.NDArray[np.int8]
    measured_ms: npt.NDArray[np.int64]
    suspect: npt.NDArray[np.bool_]
    carbon: Carbon

    def columns(self) -> list[Column]:
        """As COPY takes them."""
        carbon = self.carbon
        return [
            Column("point_id", "int4", self.point_id),
            Column("start", "timestamptz", self.start_ms),
            Column("amount_micro", "int8", self.amount_micro),
            Column("coverage", "float4", self.coverage),
            Column("method", "int2", self.method),
            Column("measured_ms", "int4", self.measured_ms),
            Column("suspect", "bool", self.suspect),
            Column("co2e_nano_kg", "int8", carbon.nano_kg, ~carbon.known),
            Column("factor_id", "int4", carbon.factor_id, ~carbon.known),
            Column("match", "int2", carbon.match, ~carbon.known),
        ]


def interval_rows(
    replacements: Sequence[Replacement], book: CarbonBook, extension: Extension | None = None
) -> IntervalRows:
    """Put the intervals of many points together, with their CO2e."""
    parts = [replacement.intervals for replacement in replacements]
    ids = np.array([replacement.point.point_id for replacement in replacements], dtype=np.int32)
    owners = [np.repeat(ids, [len(part) for part in parts])]
    if extension is not None:
        parts.append(extension.intervals)
        owners.append(extension.point_id)
    point_id = np.concatenate(owners)
    start_ms = np.concatenate([part.start_ms for part in parts])
    amount_micro = np.concatenate([part.amount_micro for part in parts])
    return IntervalRows(
        point_id=point_id,
        start_ms=start_ms,
        amount_micro=amount_micro,
        coverage=np.concatenate([part.coverage for part in parts]),
        method=np.concatenate([part.method for part in parts]),
        measured_ms=np.concatenate([part.measured_ms for part in parts]),
        suspect=np.concatenate([part.suspect for part in parts]),
        carbon=book.price(point_id, start_ms, amount_micro),
    )


async def replace_results(
    session: Session,
    replacements: Sequence[Replacement],
    book: CarbonBook,
    partitions: Partitions,
    extension: Extension | None = None,
) -> None:
    """Store what the scans found; the states of the points must be locked.

    Raises:
        PartitionsMissingError: intervals fall into a month without a partition.
    """
    if not replacements and extension is None:
        return
    rows = interval_rows(replacements, book, extension)
    partitions.require(result_months(rows.start_ms))
    gone = await _delete_intervals(session, replacements, extension)
    await session.copy(INTERVAL, rows.columns())
    point_id = np.concatenate([rows.point_id, gone.point_id])
    start_ms = np.concatenate([rows.start_ms, gone.label])
    await roll_up(session, point_id, start_ms, book.model, emptied=gone)
    await _replace_facts(session, [r for r in replacements if r.boundaries is not None])
    await _replace_checkpoints(session, replacements, extension)


async def _delete_intervals(session: Session, replacements: Sequence[Replacement], extension: Extension | None) -> Keys:
    """Delete what is superseded; return the hours of what a run over the past took away."""
    forward = [r for r in replacements if r.forward and r.to_ms > r.from_ms and _reaches_back(r)]
    ids = [r.point.point_id for r in forward]
    starts = [r.from_ms for r in forward]
    if extension is not None:
        ids += extension.open_points.tolist()
        starts += extension.open_starts.tolist()
    if ids:
        bounds = moment(min(starts)), moment(max(starts))
        await session.execute(QUERIES["delete_open_intervals"], ids, starts, *bounds)
    past = [r for r in replacements if not r.forward]
    rows = []
    for part in past:
        rows += await session.fetch(
            QUERIES["delete_intervals"], part.point.point_id, moment(part.from_ms), moment(part.to_ms)
        )
    point_id = np.array([row["point_id"] for row in rows], dtype=np.int32)
    return hours_of(point_id, np.array([to_ms(row["hour"]) for row in rows], dtype=np.int64))


def _reaches_back(replacement: Replacement) -> bool:
    """True when the interval that was open comes again."""
    start_ms = replacement.intervals.start_ms
    return bool(len(start_ms)) and int(start_ms[0]) < replacement.to_ms


async def roll_up(
    session: Session, point_id: npt.NDArray[np.int32], start_ms: npt.NDArray[np.int64], model: Model, *, emptied: Keys
) -> None:
    """Make the hours, local days and months again that hold these interval starts.

    Args:
        session: connection inside the transaction.
        point_id: point of each start.
        start_ms: interval starts [ms UTC].
        model: for the time zones.
        emptied: hours that may have lost all their intervals.
    """
    if not len(start_ms):
        return
    hours = hours_of(point_id, start_ms)
    if len(emptied):
        bounds = moment(int(emptied.from_ms.min())), moment(int(emptied.from_ms.max()))
        await session.execute(QUERIES["delete_hours"], *emptied.arguments()[:2], *bounds)
    low, high = moment(int(hours.from_ms.min())), moment(int(hours.to_ms.max()))
    await session.execute(QUERIES["roll_up_hours"], *stretches(hours), low, high)
    await roll_up_days(session, point_id, start_ms, model, emptied=emptied)


async def roll_up_days(
    session: Session, point_id: npt.NDArray[np.int32], start_ms: npt.NDArray[np.int64], model: Model, *, emptied: Keys
) -> None:
    """Make the local days and months again that hold these interval starts, from hours that are right."""
    for zone, chosen in _by_zone(point_id, model):
        days = days_of(point_id[chosen], start_ms[chosen], zone)
        months = months_of_days(days, zone)
        if len(emptied):
            await session.execute(QUERIES["delete_days"], *days.arguments()[:2])
            await session.execute(QUERIES["delete_months"], *months.arguments()[:2])
        even = ((days.from_ms % HOUR_MS) == 0) & ((days.to_ms % HOUR_MS) == 0)
        for part, query in ((days.take(even), "roll_up_days"), (days.take(~even), "roll_up_uneven_days")):
            if len(part):
                bounds = moment(int(part.from_ms.min())), moment(int(part.to_ms.max()))
                await session.execute(QUERIES[query], *part.arguments(), *bounds)
        await session.execute(QUERIES["roll_up_months"], *months.arguments())


def _by_zone(point_id: npt.NDArray[np.int32], model: Model) -> list[tuple[ZoneInfo, npt.NDArray[np.bool_] | slice]]:
    """Split rows by the time zone of their points' parks."""
    points, position = np.unique(point_id, return_inverse=True)
    zones = [model.parks[model.by_id[point].park].zone for point in points.tolist()]
    distinct = list(dict.fromkeys(zones))
    if len(distinct) == 1:
        return [(distinct[0], slice(None))]
    code = np.array([distinct.index(zone) for zone in zones])[position]
    return [(zone, code == at) for at, zone in enumerate(distinct)]


async def _replace_facts(session: Session, replacements: Sequence[Replacement]) -> None:
    if not replacements:
        return
    ids = [r.point.point_id for r in replacements]
    low = [moment(r.facts_from_ms) for r in replacements]
    high = [moment(r.facts_to_ms) for r in replacements]
    await session.execute(QUERIES["delete_boundaries"], ids, low, high)
    await session.execute(QUERIES["delete_questions"], ids, low, high)
    boundaries = [(r.point.point_id, b) for r in replacements for b in r.boundaries or ()]
    if boundaries:
        await session.executemany(
            QUERIES["insert_boundary"],
            [(point, moment(b.at_ms), b.kind, b.old_value, b.new_value, b.amount_micro) for point, b in boundaries],
        )
    questions = [(r.point.point_id, q) for r in replacements for q in r.questions]
    if questions:
        await session.executemany(
            QUERIES["insert_question"],
            [(point, moment(q.at_ms), q.kind, _json(q.document).decode()) for point, q in questions],
        )


async def _replace_checkpoints(
    session: Session, replacements: Sequence[Replacement], extension: Extension | None
) -> None:
    for part in replacements:
        if part.checkpoints_from_ms is not None:
            await session.execute(
                QUERIES["delete_checkpoints"],
                part.point.point_id,
                moment(part.checkpoints_from_ms),
                moment(part.checkpoints_to_ms),
            )
    marks = [(r.point.point_id, at, state) for r in replacements for at, state in r.checkpoints]
    if extension is not None:
        marks += extension.checkpoints
    rows = [(point_id, moment(at), state.to_bytes()) for point_id, at, state in marks]
    if rows:
        ids, times, states = (list(column) for column in zip(*rows, strict=True))
        await session.execute(QUERIES["upsert_checkpoints"], ids, times, states)
