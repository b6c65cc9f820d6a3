"""The body of a batch: columnar JSON to numpy arrays and back.

A body that keeps to the types is decoded in one typed pass. Where that fails, each reading is judged alone, so that
a single wrong one costs itself and not its batch. Whatever the bytes, the outcome is a `Body` or `RefusedError`.
"""

import functools
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from parkcarbon.domain.reading import DAY_MS, Quality

from .errors import Flaw, Reason, RefusedError, WireError
from .topics import SLUG

if TYPE_CHECKING:  # numpy is loaded by whoever decodes; a sender does without its 20 MB
    import numpy as np
    from numpy.typing import NDArray

BODY_MAX_BYTES = 256 * 1024
SPAN_MAX_MS = 400 * DAY_MS
_TIME_LIMIT_MS = 2**62
_QUALITY_MAX = max(Quality)

_point = re.compile(rf"{SLUG}/[a-z0-9_]{{1,63}}")


class Loss(Struct, frozen=True, kw_only=True):
    """Readings of one point that a source gave up: `n` of them in [t_from, t_to] [ms UTC]."""

    point: Annotated[str, Meta(max_length=200)]
    t_from: int
    t_to: int
    n: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    reason: Annotated[str, Meta(max_length=200)]


class Tombstone(Struct, frozen=True, kw_only=True):
    """Header line of a batch that was thinned before it was committed, and what was lost."""

    header: Annotated[str, Meta(max_length=16 * 1024)]
    loss: tuple[Loss, ...]


class SerialChange(Struct, frozen=True, kw_only=True):
    """A device shows another serial number: another meter is in its place.

    Attributes:
        device: whose.
        t: readings from here on are of the new meter [ms UTC].
        serial: what it shows now.
        was: what it showed before.
    """

    device: Annotated[str, Meta(max_length=200)]
    t: Annotated[int, Meta(gt=-_TIME_LIMIT_MS, lt=_TIME_LIMIT_MS)]
    serial: Annotated[str, Meta(max_length=200)]
    was: Annotated[str, Meta(max_length=200)]


class Row(Struct, frozen=True, array_like=True):
    """One reading on its way into a batch.

    Attributes:
        point: `device/quantity`.
        t: time, for a delta the start [ms UTC].
        x: decoded value, None where the device said "no value".
        q: quality code.
        d: length of a delta [ms]; 0: the point's declared period.
    """

    point: str
    t: int
    x: float | None
    q: int = 0
    d: int = 0


@dataclass(frozen=True, slots=True)
class Reject:
    """A single reading that cannot be stored.

    Attributes:
        row: position in the batch.
        point: name as sent, made printable.
        time_ms: as sent, None where it is no integer.
        value_text: as sent, made printable and cut to 200 characters.
        quality: as sent, None where it is no code.
        flaw: the quarantine reason.
    """

    row: int
    point: str
    time_ms: int | None
    value_text: str
    quality: int | None
    flaw: Flaw


@dataclass(frozen=True, slots=True)
class Body:
    """Decoded readings: parallel arrays without the rejected ones.

    Attributes:
        points: names that `p` points into; a name outside the grammar is made printable and matches no point.
        p: index into `points`.
        t: time [ms UTC].
        x: value, NaN for null.
        q: quality code.
        d: length of a delta reading [ms], 0 for the declared period.
        row: position in the batch as sent.
        offset_ms: what the source's clock was off by, where it says so [ms].
        tombstones: batches thinned away at the source.
        rejects: readings for quarantine.
        serials: meters that were exchanged.
    """

    points: tuple[str, ...]
    p: "NDArray[np.int32]"
    t: "NDArray[np.int64]"
    x: "NDArray[np.float64]"
    q: "NDArray[np.int8]"
    d: "NDArray[np.int32]"
    row: "NDArray[np.int32]"
    offset_ms: int | None
    tombstones: tuple[Tombstone, ...]
    rejects: tuple[Reject, ...]
    serials: tuple[SerialChange, ...] = ()

    def rows(self) -> list[Row]:
        """Return the readings one by one, as they would be given to `draft`."""
        import numpy as np

        null = np.isnan(self.x)
        return [
            Row(self.points[p], t, None if missing else x, q, d)
            for p, t, x, q, d, missing in zip(
                self.p.tolist(),
                self.t.tolist(),
                self.x.tolist(),
                self.q.tolist(),
                self.d.tolist(),
                null.tolist(),
                strict=True,
            )
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """An encoded body with what its header will say: number of readings and their time range [ms UTC]."""

    body: bytes
    n: int
    t_min: int
    t_max: int


class _Typed(Struct):
    points: list[str]
    p: list[int]
    t: list[int]
    x: list[float | None]
    q: list[int]
    d: list[int] | None = None
    offset_ms: int | None = None
    tombstones: tuple[Tombstone, ...] = ()
    serials: tuple[SerialChange, ...] = ()


class _Extras(Struct):
    points: Any
    p: list[Any]
    t: list[Any]
    x: list[Any]
    q: list[Any]
    d: list[Any] | None = None
    offset_ms: int | None = None
    tombstones: tuple[Tombstone, ...] = ()
    serials: tuple[SerialChange, ...] = ()


_typed = msgspec.json.Decoder(_Typed)
_encode = msgspec.json.Encoder().encode


def encode_body(
    rows: Sequence[Row],
    *,
    offset_ms: int | None = None,
    tombstones: Iterable[Tombstone] = (),
    serials: Iterable[SerialChange] = (),
) -> bytes:
    """Encode readings as a body, in the order given.

    Raises:
        WireError: a value is not finite.
    """
    index: dict[str, int] = {}
    p = [index.setdefault(row.point, len(index)) for row in rows]
    x = [row.x for row in rows]
    if not all(value is None or math.isfinite(value) for value in x):
        raise WireError("a value is not finite; a missing one is None")
    body: dict[str, object] = {
        "points": list(index),
        "p": p,
        "t": [row.t for row in rows],
        "x": x,
        "q": [row.q for row in rows],
    }
    if any(row.d for row in rows):
        body["d"] = [row.d for row in rows]
    if offset_ms is not None:
        body["offset_ms"] = offset_ms
    stones = list(tombstones)
    if stones:
        body["tombstones"] = stones
    exchanged = list(serials)
    if exchanged:
        body["serials"] = exchanged
    return _encode(body)


def draft(
    rows: Sequence[Row],
    *,
    offset_ms: int | None = None,
    tombstones: Iterable[Tombstone] = (),
    serials: Iterable[SerialChange] = (),
) -> Draft:
    """Encode readings that fit into one batch.

    Raises:
        WireError: the body would be larger than allowed, or a value is not finite.
    """
    body = encode_body(rows, offset_ms=offset_ms, tombstones=tombstones, serials=serials)
    if len(body) > BODY_MAX_BYTES:
        raise WireError(f"body of {len(body)} bytes is larger than {BODY_MAX_BYTES}")
    times = [row.t for row in rows]
    return Draft(body, len(rows), min(times, default=0), max(times, default=0))


def drafts(
    rows: Sequence[Row], *, most: int = 4000, offset_ms: int | None = None, serials: Sequence[SerialChange] = ()
) -> list[Draft]:
    """Encode any number of readings as bodies of at most `most` readings and the allowed size.

    Exchanged meters are told by a first body of their own, ahead of the readings of the new meter.
    """
    done: list[Draft] = []
    done += [draft((), serials=serials[start : start + 200]) for start in range(0, len(serials), 200)]
    todo = [rows[start : start + most] for start in range(0, len(rows), most)]
    while todo:
        part = todo.pop(0)
        body = encode_body(part, offset_ms=offset_ms)
        if len(body) > BODY_MAX_BYTES and len(part) > 1:
            todo[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
            continue
        done.append(draft(part, offset_ms=offset_ms))
    return done


def journal_lines(rows: Iterable[Row]) -> bytes:
    """Return readings as JSON lines `[point, t, x, q, d]`, for the journal beside an outbox."""
    return b"".join(_encode(row) + b"\n" for row in rows)


def decode_body(body: bytes) -> Body:
    """Decode a body of allowed size.

    Raises:
        RefusedError: `oversize`, or `undecodable` where not even single readings can be told apart.
    """
    if len(body) > BODY_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"body of {len(body)} bytes")
    try:
        fast = _decode_typed(body)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        fast = None
    return fast if fast is not None else _decode_rows(body)


def _decode_typed(body: bytes) -> Body | None:
    """Decode a body that keeps to all types and ranges; None where a reading does not."""
    import numpy as np

    raw = _typed.decode(body)
    n = len(raw.p)
    if not n == len(raw.t) == len(raw.x) == len(raw.q) == (n if raw.d is None else len(raw.d)):
        raise ValueError("arrays differ in length")
    p = np.array(raw.p, dtype=np.int64)
    t = np.array(raw.t, dtype=np.int64)
    q = np.array(raw.q, dtype=np.int64)
    d = np.zeros(n, dtype=np.int64) if raw.d is None else np.array(raw.d, dtype=np.int64)
    sound = n == 0 or bool(
        _within(p, len(raw.points) - 1)
        and _within(q, _QUALITY_MAX)
        and _within(d, min(SPAN_MAX_MS, 2**31 - 1))
        and t.min() > -_TIME_LIMIT_MS
        and t.max() < _TIME_LIMIT_MS
    )
    if not sound:
        return None
    return Body(
        points=tuple(_printable_point(name) for name in raw.points),
        p=p.astype(np.int32),
        t=t,
        x=np.array(raw.x, dtype=np.float64),
        q=q.astype(np.int8),
        d=d.astype(np.int32),
        row=np.arange(n, dtype=np.int32),
        offset_ms=raw.offset_ms,
        tombstones=_printable_tombstones(raw.tombstones),
        rejects=(),
        serials=_printable_serials(raw.serials),
    )


def _within(values: "NDArray[np.int64]", top: int) -> bool:
    return bool(values.min() >= 0 and values.max() <= top)


def _decode_rows(body: bytes) -> Body:
    """Decode reading by reading; what cannot be read becomes a reject."""
    import numpy as np

    try:
        # The standard library reads NaN, Infinity and 1e400, which must cost one reading and not the batch.
        raw = msgspec.convert(json.loads(body.decode("utf-8")), _Extras)
    except (msgspec.ValidationError, ValueError, RecursionError, OverflowError) as error:
        raise RefusedError(Reason.UNDECODABLE, _printable(str(error))) from None
    n = len(raw.p)
    if not n == len(raw.t) == len(raw.x) == len(raw.q) == (n if raw.d is None else len(raw.d)):
        raise RefusedError(Reason.UNDECODABLE, "arrays differ in length")
    if not isinstance(raw.points, list):
        raise RefusedError(Reason.UNDECODABLE, "points is not a list")
    points = tuple(_printable_point(name if isinstance(name, str) else repr(name)) for name in raw.points)
    good: list[tuple[int, int, int, float, int, int]] = []
    rejects: list[Reject] = []
    for row in range(n):
        span = 0 if raw.d is None else raw.d[row]
        judged = _judge(row, points, (raw.p[row], raw.t[row], raw.x[row], raw.q[row], span))
        if isinstance(judged, Reject):
            rejects.append(judged)
        else:
            good.append(judged)
    columns = list(zip(*good, strict=True)) or [()] * 6
    return Body(
        points=points,
        p=np.array(columns[1], dtype=np.int32),
        t=np.array(columns[2], dtype=np.int64),
        x=np.array(columns[3], dtype=np.float64),
        q=np.array(columns[4], dtype=np.int8),
        d=np.array(columns[5], dtype=np.int32),
        row=np.array(columns[0], dtype=np.int32),
        offset_ms=raw.offset_ms,
        tombstones=_printable_tombstones(raw.tombstones),
        rejects=tuple(rejects),
        serials=_printable_serials(raw.serials),
    )


def _judge(
    row: int, points: tuple[str, ...], sent: tuple[Any, Any, Any, Any, Any]
) -> tuple[int, int, int, float, int, int] | Reject:
    p, t, x, q, d = sent
    value = _value(x)
    known = _is_int(p, 0, len(points) - 1)
    timed = _is_int(t, -_TIME_LIMIT_MS + 1, _TIME_LIMIT_MS - 1)
    coded = _is_int(q, 0, _QUALITY_MAX)
    flaw = value if isinstance(value, Flaw) else None
    if not _is_int(d, 0, min(SPAN_MAX_MS, 2**31 - 1)):
        flaw = Flaw.BAD_SPAN
    if not coded:
        flaw = Flaw.BAD_QUALITY
    if not timed:
        flaw = Flaw.WRONG_TYPE
    if not known:
        flaw = Flaw.UNKNOWN_POINT
    if flaw is not None or isinstance(value, Flaw):
        name = points[p] if known else f"#{_printable(str(p))}" if _is_int(p, -(2**63), 2**63) else "?"
        text = type(x).__name__ if isinstance(x, list | dict) else _printable(json.dumps(x))
        return Reject(row, name, t if timed else None, text, q if coded else None, flaw or Flaw.WRONG_TYPE)
    return row, p, t, value, q, d


def _value(x: Any) -> float | Flaw:
    if x is None:
        return math.nan
    if isinstance(x, bool) or not isinstance(x, int | float):
        return Flaw.WRONG_TYPE
    try:
        number = float(x)
    except OverflowError:
        return Flaw.NON_FINITE
    return number if math.isfinite(number) else Flaw.NON_FINITE


def _is_int(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _printable(text: str) -> str:
    """Cut a foreign text and replace what a database or a terminal cannot take."""
    return "".join(char if char.isprintable() else "?" for char in text[:200])


@functools.lru_cache(maxsize=65536)
def _printable_point(name: str) -> str:
    if _point.fullmatch(name):
        return name
    return _printable(name) or "?"


def _printable_tombstones(stones: tuple[Tombstone, ...]) -> tuple[Tombstone, ...]:
    return tuple(
        Tombstone(
            header=stone.header,
            loss=tuple(
                Loss(
                    point=_printable_point(loss.point),
                    t_from=loss.t_from,
                    t_to=loss.t_to,
                    n=loss.n,
                    reason=_printable(loss.reason),
                )
                for loss in stone.loss
            ),
        )
        for stone in stones
    )


def _printable_serials(changes: tuple[SerialChange, ...]) -> tuple[SerialChange, ...]:
    return tuple(
        SerialChange(device=_printable(one.device), t=one.t, serial=_printable(one.serial), was=_printable(one.was))
        for one in changes
    )
