"""The raw batches of a pack: opened, held against the log, and compared with the readings that came out of them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from parkcarbon.books.amounts import Period
from parkcarbon.books.derive.stored import BEGIN_MS
from parkcarbon.books.facts import Facts
from parkcarbon.domain.readings import FloatArray, Int64Array
from parkcarbon.kit.db import from_ms, to_ms
from parkcarbon.kit.pgcopy import Array
from parkcarbon.statement.log.leaf import Leaf
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import FRAME_MAX_BYTES, Header, open_frame

from .differences import Difference
from .pack import SetAside, StartsFile
from .tables import ReadingRows

_MOST: Final = 20
_KINDS: Final = (np.int32, np.int64, np.float64, np.int8, np.int32, np.int32, np.int32)
"""Types of what is kept of a reading: point, time, value, quality, span, row, batch."""


class Frames:
    """Decoded readings of the points that are in a pack, as parallel arrays in the order of the batches.

    Args:
        facts: the park as known: which points are deltas, and how long one of theirs is.
        period: of the statement.
        starts: what the scans were taken up from.
    """

    def __init__(self, facts: Facts, period: Period, starts: StartsFile) -> None:
        points = facts.metered()
        self.names = tuple(point.point for point in points)
        self._index = {name: at for at, name in enumerate(self.names)}
        spans = {span.point: (span.low_ms, span.high_ms) for span in starts.spans}
        begins = {one.point: one.at_ms for one in starts.checkpoints}
        self._low = np.empty(len(points), dtype=np.int64)
        self._high = np.empty(len(points), dtype=np.int64)
        for at, point in enumerate(points):
            low, high = spans.get(point.point_id, (period.from_ms, period.to_ms - 1))
            if point.kind != "delta":
                low = min(low, begins.get(point.point_id, BEGIN_MS))
            self._low[at], self._high[at] = min(low, period.from_ms), max(high, period.to_ms - 1)
        periods = {
            f"{device.device}/{point.quantity}": round(point.period_s * 1000)
            for device in facts.document.devices
            for point in device.points
        }
        self.is_delta = np.array([point.kind == "delta" for point in points], dtype=np.bool_)
        self._period = np.array([periods.get(name, 0) for name in self.names], dtype=np.int32)
        self._columns: list[list[Array]] = [[] for _ in _KINDS]
        self._keys: list[tuple[int, bytes, bytes, int]] = []
        self.labels: list[str] = []

    def numbers_of(self, told: ReadingRows) -> NDArray[np.int32]:
        """Positions in `names` of the points of readings.

        Raises:
            LookupError: a point is none of the park's.
        """
        unknown = [name for name in told.names if name not in self._index]
        if unknown:
            raise LookupError(f"there is no point {unknown[0]} in the park")
        index = np.array([self._index[name] for name in told.names] or [0], dtype=np.int32)
        found: NDArray[np.int32] = index[told.point]
        return found

    def open(self, table: Any, leaves: Mapping[tuple[str, str, int, str], Leaf]) -> Iterator[Difference]:
        """Decode every batch; tell those that are not what the log says."""
        decompressor = zstandard.ZstdDecompressor()
        row = 0
        for part in table.to_batches(max_chunksize=500):
            for one in part.to_pylist():
                self.labels.append(f"{one['source']}/{one['boot']}/{one['seq']}")
                self._keys.append((to_ms(one["made"]), one["source"].encode(), one["boot"].encode(), one["seq"]))
                leaf = leaves.get((one["source"], one["boot"], one["seq"], one["kind"]))
                yield from self._one(one, leaf, decompressor, row)
                row += 1

    def _one(
        self, one: Mapping[str, Any], leaf: Leaf | None, decompressor: zstandard.ZstdDecompressor, row: int
    ) -> Iterator[Difference]:
        label = self.labels[-1]
        if leaf is None:
            yield Difference("batch", label, "nothing in the log", "in the pack")
            return
        try:
            frame = decompressor.decompress(one["frame_zstd"], max_output_size=FRAME_MAX_BYTES)
        except zstandard.ZstdError as error:
            yield Difference("batch", label, "a frame", f"zstd: {error}")
            return
        found = hashlib.sha256(frame).digest()
        if found != leaf.digest:
            yield Difference("batch", label, f"digest {leaf.digest.hex()} in the log", f"digest {found.hex()}")
            return
        try:
            header, body = open_frame(frame)
        except RefusedError as error:
            yield Difference("batch", label, "a frame", f"{error.reason}: {error.detail}")
            return
        yield from _as_said(label, one, header, leaf)
        index = np.array([self._index.get(name, -1) for name in body.points] or [-1], dtype=np.int32)
        point = index[body.p]
        inside = (point >= 0) & (body.t >= self._low[point]) & (body.t <= self._high[point])
        if inside.any():
            point = point[inside]
            span = body.d[inside]
            span = np.where(self.is_delta[point] & (span == 0), self._period[point], span).astype(np.int32)
            kept = (body.t[inside], body.x[inside], body.q[inside], span, body.row[inside])
            owner = np.full(len(point), row, dtype=np.int32)
            columns: tuple[Array, ...] = (point, *kept, owner)
            for column, values in zip(self._columns, columns, strict=True):
                column.append(values)

    def order(self) -> Int64Array:
        """Rank of each batch by (made, source, boot, seq)."""
        rank = np.empty(len(self._keys), dtype=np.int64)
        rank[sorted(range(len(self._keys)), key=self._keys.__getitem__)] = np.arange(len(self._keys))
        return rank

    def take(self) -> "Decoded":
        """All decoded readings, by point; they are kept no longer here."""
        point = self._joined(0)
        order = np.argsort(point, kind="stable")
        edges = np.searchsorted(point[order], np.arange(len(self.names) + 1))
        return Decoded(edges, *(self._joined(at)[order] for at in range(1, len(_KINDS))))

    def _joined(self, at: int) -> Array:
        parts, self._columns[at] = self._columns[at], []
        return np.concatenate(parts) if parts else np.zeros(0, _KINDS[at])


@dataclass(frozen=True, slots=True)
class Decoded:
    """Readings as the batches have them, by point, in the order of the batches.

    Attributes:
        edges: the readings of point n are at `edges[n]` to before `edges[n + 1]`.
        time_ms: [ms UTC].
        value: NaN where there is none.
        quality: codes.
        span_ms: of a delta [ms].
        row: position in the batch.
        batch: row of `batches.parquet`.
    """

    edges: Int64Array
    time_ms: Int64Array
    value: FloatArray
    quality: NDArray[np.int8]
    span_ms: NDArray[np.int32]
    row: NDArray[np.int32]
    batch: NDArray[np.int32]

    def of(self, point: int) -> "Decoded":
        """Those of one point, by time, batch and row."""
        low, high = int(self.edges[point]), int(self.edges[point + 1])
        part = slice(low, high)
        order = np.lexsort((self.row[part], self.batch[part], self.time_ms[part])) + low
        columns: tuple[Array, ...] = (self.time_ms, self.value, self.quality, self.span_ms, self.row, self.batch)
        return Decoded(np.array([0, high - low]), *(np.asarray(column)[order] for column in columns))


def _as_said(label: str, one: Mapping[str, Any], header: Header, leaf: Leaf) -> Iterator[Difference]:
    """The members of the table and of the leaf that stand in the header too."""
    if (header.park, header.source, header.boot, header.seq) != (leaf.park, leaf.source, leaf.boot, leaf.seq):
        yield Difference(
            "batch", label, f"{leaf.park} {label}", f"{header.park} {header.source}/{header.boot}/{header.seq}"
        )
    if header.made != to_ms(one["made"]):
        yield Difference("batch", label, f"made {one['made']}", f"made {from_ms(header.made)}")
    times = (from_ms(header.t_min), from_ms(header.t_max)) if header.n else (None, None)
    if leaf.kind == "committed" and times != (leaf.t_min, leaf.t_max):
        yield Difference("leaf", label, f"{leaf.t_min} … {leaf.t_max}", f"{times[0]} … {times[1]}")


def compare_readings(frames: Frames, told: ReadingRows, aside: Sequence[SetAside]) -> Iterator[Difference]:
    """Every reading of the table stands so in its batch, and every reading of a batch is in the table or set aside."""
    if len(told) and not 0 <= int(told.batch.min()) <= int(told.batch.max()) < len(frames.labels):
        yield Difference(
            "reading", "readings.parquet", f"batch {int(told.batch.max())}", f"{len(frames.labels)} batches"
        )
        return
    numbers = frames.numbers_of(told)
    order = np.argsort(numbers, kind="stable")
    edges = np.searchsorted(numbers[order], np.arange(len(frames.names) + 1))
    del numbers
    decoded = frames.take()
    comparing = _Comparing(frames, told, {(one.batch, one.row) for one in aside})
    for point in range(len(frames.names)):
        yield from comparing.point(point, order[edges[point] : edges[point + 1]], decoded.of(point))


class _Comparing:
    """Compares the readings of one point after the other."""

    def __init__(self, frames: Frames, told: ReadingRows, aside: Set[tuple[int, int]]) -> None:
        self._frames = frames
        self._told = told
        self._aside = aside
        self._rank = frames.order()

    def point(self, point: int, rows: Int64Array, said: Decoded) -> Iterator[Difference]:
        """Differences of one point; `rows` are its rows of the table."""
        told = self._told
        rows = rows[np.argsort(told.time_ms[rows], kind="stable")]
        yield from self._alike(rows, said)
        yield from self._dropped(point, told.time_ms[rows], said)
        if self._frames.is_delta[point]:
            yield from self._in_force(rows, said)

    def _alike(self, rows: Int64Array, said: Decoded) -> Iterator[Difference]:
        told, batches = self._told, len(self._frames.labels)
        times = np.unique(np.concatenate([told.time_ms[rows], said.time_ms]))
        mine = np.searchsorted(times, told.time_ms[rows]) * batches + told.batch[rows]
        theirs = np.searchsorted(times, said.time_ms) * batches + said.batch
        if not len(theirs):
            for row in rows[:_MOST].tolist():
                yield Difference("reading", self._where(row), self._shown(row), "not in that batch")
            return
        at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
        there = theirs[at] == mine
        value = told.value[rows]
        same = (said.value[at] == value) | (np.isnan(said.value[at]) & np.isnan(value))
        same &= (said.quality[at] == told.quality[rows]) & (said.span_ms[at] == told.span_ms[rows])
        for position in np.flatnonzero(~(there & same))[:_MOST].tolist():
            row, place = int(rows[position]), int(at[position])
            found = f"{float(said.value[place])!r} quality {said.quality[place]}"
            yield Difference(
                "reading", self._where(row), self._shown(row), found if there[position] else "not in that batch"
            )

    def _dropped(self, point: int, times: Int64Array, said: Decoded) -> Iterator[Difference]:
        """Readings of batches that are neither in the table nor set aside."""
        for at in np.flatnonzero(~np.isin(said.time_ms, times)).tolist():
            if (int(said.batch[at]), int(said.row[at])) not in self._aside:
                where = f"{self._frames.names[point]} {from_ms(int(said.time_ms[at])).isoformat()}"
                yield Difference("reading", where, "nothing", f"in batch {self._frames.labels[int(said.batch[at])]}")

    def _in_force(self, rows: Int64Array, said: Decoded) -> Iterator[Difference]:
        """Deltas whose newest value in the batches is another one than the newest in the table."""
        told = self._told
        newest_told = _newest(told.time_ms[rows], self._rank[told.batch[rows]])
        for time_ms, at in _newest(said.time_ms, self._rank[said.batch]).items():
            if time_ms not in newest_told:
                continue
            row = int(rows[newest_told[time_ms]])
            value, other = float(said.value[at]), float(told.value[row])
            if value != other and not (np.isnan(value) and np.isnan(other)):
                yield Difference("reading", self._where(row), self._shown(row), f"{value!r} in a batch made later")

    def _where(self, row: int) -> str:
        told = self._told
        label = self._frames.labels[int(told.batch[row])]
        return f"{told.names[int(told.point[row])]} {from_ms(int(told.time_ms[row])).isoformat()} of batch {label}"

    def _shown(self, row: int) -> str:
        return f"{float(self._told.value[row])!r} quality {int(self._told.quality[row])}"


def _newest(time_ms: Int64Array, rank: Int64Array) -> dict[int, int]:
    """By time, the position of the highest rank."""
    order = np.lexsort((rank, time_ms))
    ordered = time_ms[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return dict(zip(ordered[last].tolist(), order[last].tolist(), strict=True))
