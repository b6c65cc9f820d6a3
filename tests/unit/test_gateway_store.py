"""The gateway's queue: taken once, answered always, bounded, and its settings."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import GatewayConfig, broker, load_config
from gateway.store import Answer, Parcel, QueueFullError, Standing, Store
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.settings import SettingsError
from parkcarbon.wire.frame import digest

BOOT = "0123456789abcdef"


def parcel(seq: int, source: str = "edge-1", size: int = 100, extra: bytes = b"") -> Parcel:
    frame = random.Random(seq).randbytes(size) + extra
    return Parcel(source, BOOT, seq, digest(frame), 5, frame)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    made = Store(tmp_path / "q.db", clock=clock, max_bytes=1 << 30, keep_ms=86_400_000)
    yield made
    made.close()


def test_a_parcel_waits_until_the_cloud_has_answered(store: Store) -> None:
    assert store.take([parcel(1), parcel(2), parcel(1, "edge-2")]) == [Answer(Standing.WAITING)] * 3
    assert store.waiting() == [1, 2, 3]
    assert store.parcel(2) == ("edge-1", BOOT, 2, parcel(2).frame)
    assert store.finish("edge-1", BOOT, committed=[2], refused=[(1, "signature")]) == [2, 1]
    assert store.waiting() == [3]
    assert store.parcel(2) is None
    assert store.finish("edge-1", BOOT, committed=[2, 99]) == []


def test_repetitions_get_the_same_answer_and_contradictions_another(store: Store) -> None:
    store.take([parcel(1), parcel(2), parcel(3)])
    store.finish("edge-1", BOOT, committed=[1], refused=[(2, "version")])
    again = store.take([parcel(1), parcel(2), parcel(3), parcel(1, extra=b"!"), parcel(3, extra=b"!")])
    assert [(answer.standing, answer.reason) for answer in again] == [
        (Standing.COMMITTED, ""),
        (Standing.REFUSED, "version"),
        (Standing.WAITING, ""),
        (Standing.CONFLICT, ""),
        (Standing.CONFLICT, ""),
    ]
    assert store.waiting() == [3]


def test_what_was_delivered_is_remembered_for_a_while_and_forgotten_on_demand(store: Store, clock: ManualClock) -> None:
    store.take([parcel(1), parcel(2), parcel(3)])
    store.finish("edge-1", BOOT, committed=[1, 2])
    store.forget("edge-1", BOOT, 1, 3)
    assert [answer.standing for answer in store.take([parcel(1)])] == [Standing.WAITING]
    assert store.parcel(3) is not None  # what waits is never forgotten
    store.finish("edge-1", BOOT, committed=[3])
    clock.advance(2 * 86_400)
    store.prune()
    assert [answer.standing for answer in store.take([parcel(3)])] == [Standing.WAITING]


def test_everything_is_there_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    for first in (1, 11):
        store = Store(tmp_path / "q.db", clock=clock, max_bytes=1 << 30, keep_ms=1)
        store.take([parcel(seq) for seq in range(first, first + 10)])
        store.close()
    store = Store(tmp_path / "q.db", clock=clock, max_bytes=1 << 30, keep_ms=1)
    load = store.load()
    assert (load.depth, load.items, load.bytes) == (20, 100, 2000)
    assert [store.parcel(number) for number in store.waiting()] == [
        ("edge-1", BOOT, seq, parcel(seq).frame) for seq in range(1, 21)
    ]
    store.close()


def test_a_full_queue_takes_nothing_and_can_still_let_go(tmp_path: Path, clock: ManualClock) -> None:
    store = Store(tmp_path / "q.db", clock=clock, max_bytes=8 << 20, keep_ms=1)
    seq = fill(store)
    depth = store.load().depth
    with pytest.raises(QueueFullError):
        store.take([parcel(seq + 1), parcel(seq + 2)])
    assert store.load().depth == depth
    assert len(store.finish("edge-1", BOOT, committed=range(1, seq))) == depth
    assert store.take([parcel(seq + 1, size=200_000)])[0].standing is Standing.WAITING
    store.close()


def fill(store: Store) -> int:
    for seq in range(1, 1000):
        try:
            store.take([parcel(seq, size=200_000)])
        except QueueFullError:
            return seq
    raise AssertionError("never full")


GOOD = {
    "park": "park",
    "gateway": "gw",
    "local_broker": "mqtt://localhost",
    "uplink_broker": "mqtts://cloud",
    "data": "gw",
    "sources": ["a", "b"],
}


def test_a_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "g.yaml"
    path.write_text(json.dumps(GOOD))
    config = load_config(path)
    assert isinstance(config, GatewayConfig)
    assert (config.sources, config.max_queue_mb) == (("a", "b"), 1024)
    assert config.data == str(tmp_path / "gw")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": []}, "length >= 1"),
        ({"sources": ["a", "a"]}, "twice"),
        ({"sources": ["gw"]}, "the gateway itself"),
        ({"sources": ["A"]}, "matching regex"),
        ({"park": "p\n"}, "matching regex"),
        ({"max_queue_mb": 1}, ">= 8"),
        ({"other": 1}, "unknown field `other`"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "g.yaml"
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(SettingsError, match=message):
        load_config(path)


def test_a_wrong_broker_names_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"uplink_broker: .*want mqtt"):
        broker("cloud:1883", "uplink_broker")
    with pytest.raises(SettingsError, match="uplink_broker"):
        broker("mqtts://cloud", "uplink_broker", "/nowhere/ca.pem")
