"""What a full outbox gives up, and what never: gauges thin out, registers keep their last word.

The oldest batches become one. Of gauges every second reading goes. Only where no gauge is left to give, registers keep
the last reading of each point and 15-minute interval, from which the energy of the interval is still exact. Amounts of
intervals (deltas) and points of unknown kind always stay. Each header that goes travels on as a tombstone, so that the
chain of headers stays whole; the loss is told once, with the last of them.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.reading import INTERVAL_MS

from .body import BODY_MAX_BYTES, Body, Draft, Loss, Row, Tombstone, draft
from .errors import RefusedError, WireError
from .frame import Header, builder, open_frame, split

REASON = "outbox-full"
_TARGET_BYTES = BODY_MAX_BYTES * 3 // 4
_ROW_BYTES = 40
_STONE_BYTES = 100

Build = Callable[[str, int, str], tuple[bytes, str, int]]
Entries = Sequence[tuple[int, bytes]]


class Worth(Enum):
    """What a point's readings are worth when room is short."""

    GAUGE = "gauge"
    REGISTER = "register"
    KEEP = "keep"


def worth_of(point: str) -> Worth:
    """Judge a point of an agent by its quantity: cumulative ones are registers, unknown ones are kept."""
    quantity = QUANTITIES.get(point.partition("/")[2])
    if quantity is None:
        return Worth.KEEP
    return Worth.REGISTER if quantity.cumulative else Worth.GAUGE


def thinner(
    now_ms: Callable[[], int], *, key: Ed25519PrivateKey | None = None, worth: Callable[[str], Worth] = worth_of
) -> Callable[[Entries], tuple[Sequence[int], Build] | None]:
    """Return the policy that an `Outbox` takes as `thin`.

    Args:
        now_ms: time for the header of what is made [ms UTC].
        key: signs it where the source signs.
        worth: judges points.
    """

    def thin(entries: Entries) -> tuple[Sequence[int], Build] | None:
        taken = _take(entries)
        for choose in (_every_second_gauge, _last_of_interval):
            while taken:
                rows = [row for _, _, _, body in taken for row in body.rows()]
                kept = choose(rows, worth)
                if len(kept) == len(rows):
                    break
                part = _merge(taken, rows, kept)
                if part is not None:
                    header = taken[-1][2]
                    profile = sorted({name for _, _, head, _ in taken for name in head.profile})
                    build = builder(
                        part, park=header.park, source=header.source, made=now_ms(), profile=profile, key=key
                    )
                    return [seq for seq, _, _, _ in taken], build
                taken = taken[: len(taken) // 2]
        return None

    return thin


_Taken = tuple[int, bytes, Header, Body]


def _take(entries: Entries) -> list[_Taken]:
    """Open the oldest batches that fit into one and share a clock offset."""
    taken: list[_Taken] = []
    size = 0
    for seq, frame in entries:
        try:
            header, body = open_frame(frame)
            line = split(frame)[0]
        except RefusedError:
            break
        size += (
            len(body.t) * _ROW_BYTES + len(line) + sum(len(stone.header) + _STONE_BYTES for stone in body.tombstones)
        )
        if taken and (size > 2 * _TARGET_BYTES or body.offset_ms != taken[0][3].offset_ms):
            break
        taken.append((seq, line, header, body))
    return taken


def _every_second_gauge(rows: Sequence[Row], worth: Callable[[str], Worth]) -> list[Row]:
    seen: dict[str, int] = {}
    kept = []
    for row in rows:
        if worth(row.point) is Worth.GAUGE:
            seen[row.point] = seen.get(row.point, -1) + 1
            if seen[row.point] % 2:
                continue
        kept.append(row)
    return kept


def _last_of_interval(rows: Sequence[Row], worth: Callable[[str], Worth]) -> list[Row]:
    last: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        if _is_register(row, worth):
            place = (row.point, row.t // INTERVAL_MS)
            known = last.get(place)
            if known is None or rows[known].t <= row.t:
                last[place] = index
    stay = set(last.values())
    return [row for index, row in enumerate(rows) if index in stay or not _is_register(row, worth)]


def _is_register(row: Row, worth: Callable[[str], Worth]) -> bool:
    return worth(row.point) is Worth.REGISTER and row.d == 0 and row.q == 0 and row.x is not None


def _merge(taken: Sequence[_Taken], rows: Sequence[Row], kept: Sequence[Row]) -> Draft | None:
    """Encode what is kept with its tombstones; None where that is too large."""
    stones: list[Tombstone] = []
    for _, line, _, body in taken:
        stones += body.tombstones
        stones.append(Tombstone(header=line.decode(), loss=()))
    stones[-1] = Tombstone(header=stones[-1].header, loss=_loss(rows, kept))
    try:
        serials = [change for _, _, _, body in taken for change in body.serials]
        return draft(kept, offset_ms=taken[0][3].offset_ms, tombstones=stones, serials=serials)
    except WireError:
        return None


def _loss(rows: Sequence[Row], kept: Sequence[Row]) -> tuple[Loss, ...]:
    stayed = {id(row) for row in kept}
    times: dict[str, list[int]] = {}
    for row in rows:
        if id(row) not in stayed:
            times.setdefault(row.point, []).append(row.t)
    return tuple(
        Loss(point=point, t_from=min(gone), t_to=max(gone), n=len(gone), reason=REASON) for point, gone in times.items()
    )
