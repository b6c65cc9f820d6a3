"""The raw batches of a pack: opened, held against the log, and compared with the readings that came out of them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from parkcarbon.books.amounts import Period
from parkcarbon.books.derive.stored import BEGIN_MS
from parkcarbon.books.facts import Facts
from parkcarbon.domain.readings import Int64Array
from parkcarbon.kit.db import from_ms, to_ms
from parkcarbon.statement.log.leaf import Leaf
from parkcarbon.wire.errors import RefusedError
from parkcarbon.wire.frame import FRAME_MAX_BYTES, Header, open_frame

from .differences import Difference
from .pack import SetAside, StartsFile
from .tables import ReadingRows

_MOST: Final = 20


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
        self._parts: list[tuple[Any, ...]] = []
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
            self._parts.append((point, *kept, np.full(len(point), row, dtype=np.int32)))

    def order(self) -> Int64Array:
        """Rank of each batch by (made, source, boot, seq)."""
        rank = np.empty(len(self._keys), dtype=np.int64)
        rank[sorted(range(len(self._keys)), key=self._keys.__getitem__)] = np.arange(len(self._keys))
        return rank

    def columns(self) -> tuple[Any, ...]:
        """Point, time, value, quality, span, row in its batch, batch; of all decoded readings."""
        if not self._parts:
            return tuple(
                np.zeros(0, kind) for kind in (np.int32, np.int64, np.float64, np.int8, np.int32, np.int32, np.int32)
            )
        return tuple(np.concatenate(column) for column in zip(*self._parts, strict=True))

    def forget(self) -> None:
        """Let go of the decoded readings."""
        self._parts.clear()


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
    point, time_ms, value, quality, span, row, batch = frames.columns()
    keys, place = _key_numbers((point, time_ms), (frames.numbers_of(told), told.time_ms))
    mine, theirs = place[: len(point)], place[len(point) :]
    batches = len(frames.labels)
    if len(told) and int(told.batch.max()) >= batches:
        yield Difference("reading", "readings.parquet", f"batch {int(told.batch.max())}", f"{batches} batches")
        return
    order = np.lexsort((row, mine * batches + batch))
    full = (mine * batches + batch)[order]
    at = np.searchsorted(full, theirs * batches + told.batch)
    there = at < len(full)
    there[there] = full[at[there]] == (theirs * batches + told.batch)[there]
    for position in np.flatnonzero(~there)[:_MOST].tolist():
        yield Difference("reading", _where(frames, told, position), _shown(told, position), "not in that batch")
    source = order[np.minimum(at, max(len(order) - 1, 0))] if len(order) else np.zeros(len(told), np.int64)
    same = there.copy()
    if len(order):
        alike = (value[source] == told.value) | (np.isnan(value[source]) & np.isnan(told.value))
        same &= alike & (quality[source] == told.quality) & (span[source] == told.span_ms)
    for position in np.flatnonzero(there & ~same)[:_MOST].tolist():
        from_frame = int(source[position])
        found = f"{value[from_frame]!r} quality {quality[from_frame]}"
        yield Difference("reading", _where(frames, told, position), _shown(told, position), found)
    yield from _dropped(frames, (mine, row, batch), theirs, aside, keys)
    yield from _not_in_force(frames, (mine, value, batch), (theirs, told), point)


def _dropped(
    frames: Frames, decoded: tuple[Any, ...], theirs: Int64Array, aside: Sequence[SetAside], keys: tuple[Any, Any]
) -> Iterator[Difference]:
    """Readings of batches that are neither in the table nor set aside."""
    mine, row, batch = decoded
    known = np.zeros(len(keys[0]), dtype=np.bool_)
    known[theirs] = True
    missing = ~known[mine]
    if not missing.any():
        return
    excused = {(one.batch, one.row) for one in aside}
    for position in np.flatnonzero(missing).tolist():
        if (int(batch[position]), int(row[position])) in excused:
            continue
        name, at = frames.names[int(keys[0][mine[position]])], int(keys[1][mine[position]])
        where = f"{name} {from_ms(at).isoformat()}"
        yield Difference("reading", where, "nothing", f"in batch {frames.labels[int(batch[position])]}")


def _not_in_force(
    frames: Frames, decoded: tuple[Any, ...], told: tuple[Int64Array, ReadingRows], point: NDArray[np.int32]
) -> Iterator[Difference]:
    """Deltas whose newest value in the batches is another one than the newest in the table."""
    if not frames.is_delta.any():
        return
    mine, value, batch = decoded
    theirs, rows = told
    rank = frames.order()
    said = np.flatnonzero(frames.is_delta[point])
    kept = np.flatnonzero(frames.is_delta[frames.numbers_of(rows)])
    newest_told = _newest(theirs[kept], rank[rows.batch[kept]])
    for key, at in _newest(mine[said], rank[batch[said]]).items():
        if key not in newest_told:
            continue
        position, other = int(said[at]), int(kept[newest_told[key]])
        same = value[position] == rows.value[other] or (np.isnan(value[position]) and np.isnan(rows.value[other]))
        if not same:
            where = _where(frames, rows, other)
            yield Difference("reading", where, _shown(rows, other), f"{float(value[position])!r} in a batch made later")


def _newest(place: Int64Array, rank: Int64Array) -> dict[int, int]:
    order = np.lexsort((rank, place))
    ordered = place[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return dict(zip(ordered[last].tolist(), order[last].tolist(), strict=True))


def _key_numbers(
    first: tuple[NDArray[np.int32], Int64Array], second: tuple[NDArray[np.int32], Int64Array]
) -> tuple[tuple[Any, Any], Int64Array]:
    """Number each (point, time) of both: the pairs by number, and the numbers of the first, then of the second."""
    point = np.concatenate([first[0], second[0]]).astype(np.int64)
    time_ms = np.concatenate([first[1], second[1]])
    order = np.lexsort((time_ms, point))
    point, time_ms = point[order], time_ms[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (point[1:] != point[:-1]) | (time_ms[1:] != time_ms[:-1])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(begins) - 1
    return (point[begins], time_ms[begins]), place


def _where(frames: Frames, told: ReadingRows, position: int) -> str:
    label = frames.labels[int(told.batch[position])]
    name = told.names[int(told.point[position])]
    return f"{name} {from_ms(int(told.time_ms[position])).isoformat()} of batch {label}"


def _shown(told: ReadingRows, position: int) -> str:
    return f"{float(told.value[position])!r} quality {int(told.quality[position])}"
