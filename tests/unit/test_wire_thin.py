"""Thinning: gauges first, registers keep the last of each interval, the chain of headers and the sum of losses hold."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parkcarbon.domain.reading import INTERVAL_MS
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.outbox import Outbox
from parkcarbon.wire.body import Body, Row, draft
from parkcarbon.wire.frame import Header, builder, buried_header, freeze, link, open_frame, split
from parkcarbon.wire.thin import REASON, Worth, thinner, worth_of

T0 = 1_762_000_000_000 // INTERVAL_MS * INTERVAL_MS
BOOT = "0123456789abcdef"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def chain(batches: Sequence[Sequence[Row]]) -> list[tuple[int, bytes]]:
    entries: list[tuple[int, bytes]] = []
    prev = ""
    for seq, rows in enumerate(batches, 1):
        frame = freeze(draft(rows), park="p", source="s", boot=BOOT, seq=seq, prev=prev, made=1, profile=["a" * 64])
        prev = link(frame)
        entries.append((seq, frame))
    return entries


def thin(entries: Sequence[tuple[int, bytes]], **options: object) -> tuple[list[int], Header, Body] | None:
    policy = thinner(lambda: 99, key=KEY, **options)  # type: ignore[arg-type]
    done = policy(entries)
    if done is None:
        return None
    seqs, build = done
    frame, made_link, n = build(BOOT, 1000, "f" * 64)
    header, body = open_frame(frame, public_key=KEY.public_key().public_bytes_raw())
    assert (made_link, n, header.made, header.prev) == (link(frame), len(body.t), 99, "f" * 64)
    return list(seqs), header, body


def readings(point: str, count: int, step_ms: int, start: int = T0) -> list[Row]:
    return [Row(point, start + i * step_ms, i + 0.25) for i in range(count)]


def test_gauges_lose_every_second_reading_and_registers_none() -> None:
    power, energy = readings("m/active_power", 10, 5000), readings("m/active_energy_import", 10, 5000)
    entries = chain([power[:5] + energy[:5], power[5:] + energy[5:]])
    result = thin(entries)
    assert result is not None
    seqs, header, body = result
    assert seqs == [1, 2]
    assert body.rows() == power[:5:2] + energy[:5] + power[6::2] + energy[5:]
    assert [stone.header.encode() for stone in body.tombstones] == [split(frame)[0] for _, frame in entries]
    assert [(loss.point, loss.t_from, loss.t_to, loss.n, loss.reason) for s in body.tombstones for loss in s.loss] == [
        ("m/active_power", T0 + 5000, T0 + 45_000, 5, REASON)
    ]
    assert header.profile == ("a" * 64,)


def test_registers_keep_the_last_of_each_interval_when_no_gauge_is_left() -> None:
    energy = readings("m/active_energy_import", 400, 5000)
    result = thin(chain([energy[:200], energy[200:]]))
    assert result is not None
    last = {row.t // INTERVAL_MS: row for row in energy}
    assert result[2].rows() == list(last.values())


def test_deltas_unknown_points_and_doubtful_registers_stay() -> None:
    rows = [
        *[Row("m/active_energy_import", T0 + i, float(i), 0, 900_000) for i in range(5)],
        *[Row("m/something_new", T0 + i, float(i)) for i in range(5)],
        *[Row("m/gas_volume", T0 + i, float(i), 4) for i in range(5)],
        *[Row("m/heat_energy", T0 + i, None, 2) for i in range(5)],
    ]
    assert thin(chain([rows, rows])) is None
    assert [worth_of(name) for name in ("m/active_power", "m/gas_volume", "m/x")] == [
        Worth.GAUGE,
        Worth.REGISTER,
        Worth.KEEP,
    ]


def test_thinned_batches_are_thinned_again_and_no_tombstone_is_lost() -> None:
    first = thin(chain([readings("m/active_power", 8, 5000), readings("m/active_power", 8, 5000, T0 + 40_000)]))
    assert first is not None
    old = chain([[]] * 3)
    frame = freeze(
        draft(first[2].rows(), tombstones=first[2].tombstones), park="p", source="s", boot=BOOT, seq=4, prev="", made=1
    )
    second = thin([*old, (4, frame)])
    assert second is not None
    assert [buried_header(stone).seq for stone in second[2].tombstones] == [1, 2, 3, 1, 2, 4]
    assert sum(loss.n for stone in second[2].tombstones for loss in stone.loss) + len(second[2].t) == 16


def test_batches_with_another_clock_offset_or_unreadable_ones_are_not_mixed_in() -> None:
    rows = readings("m/active_power", 4, 5000)
    entries = chain([rows, rows])
    other = freeze(draft(rows, offset_ms=5), park="p", source="s", boot=BOOT, seq=3, prev="", made=1)
    result = thin([*entries, (3, other)])
    assert result is not None
    assert result[0] == [1, 2]
    result = thin([entries[0], (2, b"damaged"), (3, other)])
    assert result is not None
    assert result[0] == [1]
    assert thin([(1, b"damaged")]) is None


def test_what_would_not_fit_is_left_for_the_next_time() -> None:
    batches = [readings(f"meter-{i}/active_power", 3900, 1000) for i in range(8)]
    result = thin(chain(batches))
    assert result is not None
    assert 1 <= len(result[0]) < 8


def last_of_each(rows: Sequence[Row]) -> dict[tuple[str, int], float | None]:
    ordered = sorted(rows, key=lambda row: row.t)
    return {(row.point, row.t // INTERVAL_MS): row.x for row in ordered if row.point.endswith("active_energy_import")}


def opened(outbox: Outbox) -> list[Body]:
    frames = [outbox.frame(seq) for seq, _, _ in outbox.waiting()]
    return [open_frame(frame)[1] for frame in frames if frame is not None]


@pytest.mark.parametrize("seed", range(3))
def test_a_full_outbox_keeps_every_interval_of_every_register(tmp_path: Path, seed: int) -> None:
    """A day without a receiver into a small outbox: gauges thin out, each register's energy stays known."""
    clock, rng = ManualClock(T0), random.Random(seed)
    outbox = Outbox(tmp_path / "o.db", clock=clock, max_bytes=2 << 20, thin=thinner(clock.now_ms))
    quantities = ("active_power", "voltage_l1n", "active_energy_import")
    points = [f"m{meter}/{quantity}" for meter in range(4) for quantity in quantities]
    sent: list[Row] = []
    for _ in range(1500):
        now_ms = clock.now_ms()
        rows = [Row(point, now_ms + i * 15_000, rng.random() * 1e4) for point in points for i in range(4)]
        sent += rows
        outbox.append(builder(draft(rows), park="p", source="s", made=now_ms))
        clock.advance(60)
    bodies = opened(outbox)
    kept = [row for body in bodies for row in body.rows()]
    stones = [stone for body in bodies for stone in body.tombstones]
    lost: Counter[str] = Counter()
    for stone in stones:
        lost.update({loss.point: loss.n for loss in stone.loss})
    seqs = [seq for seq, _, _ in outbox.waiting()] + [buried_header(stone).seq for stone in stones]
    outbox.close()
    assert lost
    assert Counter(row.point for row in kept) + lost == Counter(row.point for row in sent)
    assert sorted(seqs) == list(range(1, max(seqs) + 1))  # the chain has no gap
    assert last_of_each(kept) == last_of_each(sent)
