"""Exchanged meters on their way into the outbox: told once, over restarts, a full disk and thinning."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge.collector import Author, Collector, Store
from edge.serials import Serials
from parkcarbon.kit.clock import Stamp, SystemClock
from parkcarbon.kit.outbox import Outbox, OutboxFullError
from parkcarbon.wire.body import Body, Row, SerialChange, draft
from parkcarbon.wire.frame import builder, open_frame
from parkcarbon.wire.thin import thinner

T0 = 1_790_000_000_000
CLOCK = SystemClock()
CHANGE = SerialChange(device="m1", t=T0, serial="222", was="111")


def store_at(folder: Path, max_bytes: int = 64 << 20) -> Store:
    outbox = Outbox(folder / "outbox.db", clock=CLOCK, max_bytes=max_bytes)
    return Store(outbox, Author("park", "edge-1"), CLOCK)


def bodies(outbox: Outbox) -> list[Body]:
    frames = [outbox.frame(seq) for seq, _, _ in outbox.waiting()]
    return [open_frame(frame)[1] for frame in frames if frame is not None]


async def collected(store: Store, serials: Serials, number: int) -> None:
    collector = Collector(store, clock=CLOCK, flush_s=0.02, changes=serials)
    collector.take(Row("m1/active_power", T0 + number, 1.0), Stamp(T0, certain=True, offset_ms=0))
    task = asyncio.ensure_future(collector.run())
    await asyncio.sleep(0.2)
    collector.take(Row("m1/active_power", T0 + number + 1, 1.0), Stamp(T0, certain=True, offset_ms=0))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_exchange_is_told_once_and_ahead_of_the_readings(tmp_path: Path) -> None:
    store, serials = store_at(tmp_path), Serials(tmp_path / "serials.json")
    serials.see("m1", "111", T0 - 60_000)
    await collected(store, serials, 1)
    assert [body.serials for body in bodies(store.outbox)] == [(), ()]
    assert serials.see("m1", "222", T0) == CHANGE
    await collected(store, Serials(tmp_path / "serials.json"), 10)  # the agent ended before it could say so
    told = bodies(store.outbox)[2:]
    assert [(body.serials, len(body.t)) for body in told] == [((CHANGE,), 0), ((), 1), ((), 1)]
    await collected(store, Serials(tmp_path / "serials.json"), 20)
    assert [body.serials for body in bodies(store.outbox)[5:]] == [(), ()]
    store.outbox.close()


async def test_an_exchange_waits_for_room(tmp_path: Path) -> None:
    store, serials = store_at(tmp_path, max_bytes=1), Serials(tmp_path / "serials.json")
    serials.see("m1", "111", T0 - 60_000)
    serials.see("m1", "222", T0)
    filler = builder(
        draft([Row("m1/active_power", T0 + n, n / 7) for n in range(3000)]), park="park", source="edge-1", made=T0
    )
    seqs = []
    with contextlib.suppress(OutboxFullError):
        while True:
            seqs.append(store.outbox.append(filler))
    await collected(store, serials, 1)
    assert serials.untold() == (CHANGE,)
    store.outbox.mark(committed=seqs)
    await collected(store, serials, 10)
    assert serials.untold() == ()
    assert [body.serials for body in bodies(store.outbox)] == [(CHANGE,), (), ()]
    store.outbox.close()


def test_thinning_keeps_what_was_exchanged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock=CLOCK)
    rows = [Row("m1/active_power", T0 + n, float(n)) for n in range(6)]
    for part, changes in ((rows[:3], ()), ([], (CHANGE,)), (rows[3:], ())):
        outbox.append(builder(draft(part, serials=changes), park="park", source="edge-1", made=T0))
    entries = [(seq, frame) for seq, _, _ in outbox.waiting() if (frame := outbox.frame(seq)) is not None]
    thinned = thinner(CLOCK.now_ms)(entries)
    assert thinned is not None
    seqs, build = thinned
    assert list(seqs) == [1, 2, 3]
    _, body = open_frame(build(outbox.boot, 4, "")[0])
    assert body.serials == (CHANGE,)
    assert len(body.t) < len(rows)
    outbox.close()
