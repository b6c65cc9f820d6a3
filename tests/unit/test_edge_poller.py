"""The bus poller in virtual time: grid, stagger, back-off, blocks taken apart, serial numbers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import async_solipsism  # type: ignore[import-untyped]
import pytest
import structlog.testing

from edge.config import Device, Point
from edge.device import PolledDevice
from edge.errors import LinkDownError, LostError, MalformedError, NoAnswerError, RefusalError
from edge.modbus import Timing
from edge.poller import BusPoller
from edge.schedule import next_slot_ms, stagger_ms
from edge.serials import Serials
from parkcarbon.domain.profile import DeviceProfile, PointDef, SerialDef
from parkcarbon.domain.reading import Quality
from parkcarbon.kit.clock import AnchoredClock, Stamp
from parkcarbon.wire.body import Row

START_MS = 1_790_000_000_123
Answer = Callable[[int, int, int, int], "tuple[int, ...] | Awaitable[tuple[int, ...]]"]


class LoopClock:
    """Wall and monotonic time of the event loop, whose time is virtual here."""

    def __init__(self) -> None:
        self.step_ms = 0

    def now_ms(self) -> int:
        return START_MS + round(self.monotonic() * 1000) + self.step_ms

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class FakeBus:
    """Units that answer after 30 ms; `special` overrides (unit → behaviour)."""

    clock: LoopClock
    special: dict[int, Answer] = field(default_factory=dict)
    calls: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    busy: bool = False

    async def read(self, unit: int, function: int, address: int, count: int, timing: Timing) -> tuple[int, ...]:
        assert not self.busy, "two requests at the same time"
        self.calls.append((self.clock.now_ms(), unit, function, address, count))
        self.busy = True
        try:
            if unit not in self.special:
                await asyncio.sleep(0.03)
                return tuple(range(address, address + count))
            try:
                answer = self.special[unit](unit, function, address, count)
                words = answer if isinstance(answer, tuple) else await answer
                await asyncio.sleep(0.03)
            except NoAnswerError:
                await asyncio.sleep(timing.timeout_s)
                raise
            return words
        finally:
            self.busy = False

    def times(self, unit: int) -> list[int]:
        return [call[0] for call in self.calls if call[1] == unit]


def u16(quantity: str, address: int, **more: Any) -> PointDef:
    return PointDef(quantity=quantity, address=address, function=3, type="u16", **more)


PROFILE = DeviceProfile(
    name="test",
    vendor="none",
    model="none",
    source=("this test",),
    points=(
        u16("active_power", 0),
        u16("voltage_l1n", 1),
        u16("voltage_l2n", 2),
        u16("voltage_l3n", 3),
        u16("frequency", 10, not_available=(10,)),
        u16("active_energy_import", 100, maximum=50),
    ),
    max_gap=8,
)


def device(
    name: str, unit: int, *, now_ms: int, profile: DeviceProfile = PROFILE, periods: dict[str, float] | None = None
) -> PolledDevice:
    points = tuple(Point(quantity=q, period_s=s) for q, s in (periods or {"active_power": 5.0}).items())
    return PolledDevice(Device(device=name, profile="test", unit=unit, points=points), profile, now_ms)


class Bench:
    """A poller with everything around it."""

    def __init__(self, *make: Callable[[int], PolledDevice], serials: Serials | None = None) -> None:
        self.clock = LoopClock()
        self.bus = FakeBus(self.clock)
        self.rows: list[Row] = []
        self.stamps: list[Stamp] = []
        self.reports = 0
        anchored = AnchoredClock(self.clock)
        self.devices = [one(self.clock.now_ms()) for one in make]
        self.poller = BusPoller(
            "bus-1",
            reader=self.bus,
            devices=self.devices,
            clock=self.clock,
            stamps=anchored,
            sink=self._take,
            serials=serials or Serials(None),
            report=self._report,
        )

    def _take(self, row: Row, stamp: Stamp) -> None:
        self.rows.append(row)
        self.stamps.append(stamp)

    def _report(self) -> None:
        self.reports += 1

    async def run_for(self, seconds: float) -> None:
        task = asyncio.ensure_future(self.poller.run())
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def times(self, name: str) -> list[int]:
        return [row.t for row in self.rows if row.point == name]


def virtually(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        runner.run(main)


def simple(name: str, unit: int, **periods: float) -> Callable[[int], PolledDevice]:
    return lambda now_ms: device(name, unit, now_ms=now_ms, periods=periods)


def test_readings_keep_to_the_grid() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, active_power=5.0, active_energy_import=15.0))
        await bench.run_for(60)
        shift = stagger_ms("m1", 5000)
        power, energy = bench.times("m1/active_power"), bench.times("m1/active_energy_import")
        assert len(power) == 12
        assert len(energy) == 5
        assert all(0 <= (t - shift) % 5000 <= 100 for t in power)
        # the slower point is read once at the start, then on its own grid, which is a part of the faster one
        assert all(0 <= (t - shift) % 15_000 <= 100 for t in energy[1:])

    virtually(main())


def test_points_due_together_come_in_one_request_and_devices_are_staggered() -> None:
    async def main() -> None:
        bench = Bench(
            simple("m1", 1, active_power=5.0, voltage_l1n=5.0, voltage_l2n=5.0, frequency=5.0),
            *(simple(f"n{unit}", unit) for unit in range(2, 30)),
        )
        await bench.run_for(5)
        assert [call[2:] for call in bench.bus.calls if call[1] == 1] == [(3, 0, 11)]
        firsts = sorted(bench.bus.times(unit)[0] for unit in range(1, 30))
        assert firsts[-1] - firsts[0] > 3000
        assert len(bench.rows) == 4 + 28

    virtually(main())


def test_values_and_qualities() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, voltage_l3n=5.0, frequency=5.0, active_energy_import=5.0))
        await bench.run_for(5)
        assert {row.point: (row.x, row.q) for row in bench.rows} == {
            "m1/voltage_l3n": (3.0, Quality.GOOD),
            "m1/frequency": (None, Quality.NOT_AVAILABLE),
            "m1/active_energy_import": (100.0, Quality.OUT_OF_RANGE),
        }

    virtually(main())


def test_a_stepped_clock_marks_what_would_count() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, voltage_l3n=5.0, frequency=5.0))
        await bench.run_for(10)
        bench.rows.clear()
        bench.stamps.clear()
        bench.clock.step_ms = 7000
        await bench.run_for(10)
        assert {(row.point, row.q) for row in bench.rows} == {
            ("m1/voltage_l3n", Quality.CLOCK_UNCERTAIN),
            ("m1/frequency", Quality.NOT_AVAILABLE),
        }
        assert {stamp.offset_ms for stamp in bench.stamps} == {7000}
        bench.rows.clear()
        await bench.run_for(120)
        assert bench.rows[-1].q == Quality.NOT_AVAILABLE
        assert bench.rows[-2].q == Quality.GOOD

    virtually(main())


def test_after_a_stall_every_point_is_read_once() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1), simple("m2", 2))
        await bench.run_for(20)

        async def stall(*_: int) -> tuple[int, ...]:
            await asyncio.sleep(600)
            del bench.bus.special[1]
            return (1,)

        bench.bus.special[1] = stall
        await bench.run_for(650)
        assert len(bench.times("m1/active_power")) <= 4 + 1 + 13
        shift = stagger_ms("m2", 5000)
        late, *after = [t for t in bench.bus.times(2) if t > START_MS + 600_000]
        assert late - START_MS < 626_000
        assert all((t - shift) % 5000 <= 100 for t in after)
        assert 4 <= len(after) <= 10

    virtually(main())


def test_a_dead_device_is_backed_off_and_the_others_keep_their_rate() -> None:
    async def main() -> None:
        bench = Bench(*(simple(f"m{unit}", unit) for unit in range(1, 33)))

        def dead(*_: int) -> tuple[int, ...]:
            raise NoAnswerError("silence")

        bench.bus.special[7] = dead
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(600)
        tries = bench.bus.times(7)
        waits = [round((later - earlier) / 1000) for earlier, later in pairwise(tries)]
        assert waits[:8] == [2, 3, 5, 9, 17, 33, 61, 61]  # 1, 2, 4 … 60 s after each timeout of 1 s
        for unit in range(1, 33):
            if unit != 7:
                assert len(bench.times(f"m{unit}/active_power")) >= 0.9 * 600 / 5
        assert [log["event"] for log in logs] == ["device_lost"]
        state = bench.devices[6].status()
        assert (state.state, state.last_seen, state.detail) == ("silent", None, "silence")

        del bench.bus.special[7]
        bench.rows.clear()
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(120)
        assert [log["event"] for log in logs] == ["device_back"]
        assert bench.devices[6].status().state == "ok"
        assert len(bench.times("m7/active_power")) >= 10
        assert bench.reports >= 2

    virtually(main())


def test_one_lost_answer_is_no_outage_and_the_reading_comes_late() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, active_energy_import=900.0))
        await bench.run_for(900)

        def once(*_: int) -> tuple[int, ...]:
            del bench.bus.special[1]
            raise NoAnswerError("silence")

        bench.bus.special[1] = once
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(900)
        first, second = bench.times("m1/active_energy_import")
        assert 900_000 < second - first <= 903_000
        assert logs == []

    virtually(main())


@pytest.mark.parametrize("error", [MalformedError("bad checksum"), LostError("closed")])
def test_a_damaged_answer_is_asked_for_again_at_once(error: Exception) -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1))

        def once(*_: int) -> tuple[int, ...]:
            del bench.bus.special[1]
            raise error

        bench.bus.special[1] = once
        await bench.run_for(5)
        assert len(bench.bus.calls) == 2
        assert bench.bus.calls[1][0] - bench.bus.calls[0][0] < 10
        assert len(bench.rows) == 1

    virtually(main())


def refusing(bad: set[int], code: int = 2, longest: int = 125) -> Answer:
    def answer(_unit: int, _function: int, address: int, count: int) -> tuple[int, ...]:
        if count > longest or bad & set(range(address, address + count)):
            raise RefusalError(code)
        return tuple(range(address, address + count))

    return answer


ALL = {"active_power": 5.0, "voltage_l1n": 5.0, "voltage_l2n": 5.0, "voltage_l3n": 5.0, "frequency": 5.0}


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_bad_register_is_found_and_left_out_and_the_rest_goes_on(code: int) -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, **ALL))
        bench.bus.special[1] = refusing({2}, code)
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(5)
            assert {row.point for row in bench.rows} == {f"m1/{q}" for q in ALL if q != "voltage_l2n"}
            bench.bus.calls.clear()
            await bench.run_for(5)
            assert [call[3:] for call in bench.bus.calls] == [(0, 2), (3, 8)]
            await bench.run_for(3 * 3600)
        assert [(log["event"], log["point"]) for log in logs] == [("point_refused", "m1/voltage_l2n")]
        status = bench.devices[0].status()
        assert status.state == "error"
        assert status.detail.startswith(f"voltage_l2n: exception 0{code}")
        bench.bus.special[1] = refusing(set())
        bench.rows.clear()
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(2 * 3600)
        assert [log["event"] for log in logs] == ["point_back"]
        assert len(bench.times("m1/voltage_l2n")) > 3600 / 5 - 5
        assert bench.devices[0].status().state == "ok"
        assert bench.bus.calls[-1][3:] == (0, 11)

    virtually(main())


def test_a_hole_between_two_values_is_learned() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, **ALL))
        bench.bus.special[1] = refusing({7})
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(5)
            assert len(bench.rows) == 5
            bench.bus.calls.clear()
            await bench.run_for(5)
        assert [call[3:] for call in bench.bus.calls] == [(0, 4), (10, 1)]
        assert logs == []
        assert bench.devices[0].status().state == "ok"

    virtually(main())


def test_a_limit_on_the_length_is_learned() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1, **ALL))
        bench.bus.special[1] = refusing(set(), code=3, longest=2)
        await bench.run_for(5)
        assert len(bench.rows) == 5
        bench.bus.calls.clear()
        await bench.run_for(5)
        assert [call[3:] for call in bench.bus.calls] == [(0, 2), (2, 2), (10, 1)]

    virtually(main())


@pytest.mark.parametrize(
    ("code", "state"), [(4, "error"), (5, "error"), (6, "error"), (8, "error"), (10, "error"), (11, "silent")]
)
def test_other_exceptions_are_waited_out(code: int, state: str) -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1), simple("m2", 2))

        def refuse(*_: int) -> tuple[int, ...]:
            raise RefusalError(code)

        bench.bus.special[1] = refuse
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(300)
            assert bench.devices[0].status().state == state
            assert len(bench.bus.times(1)) <= 10
            assert len(bench.times("m2/active_power")) == 60
            del bench.bus.special[1]
            await bench.run_for(65)
        assert [log["event"] for log in logs] == ["device_lost", "device_back"]
        assert bench.times("m1/active_power")

    virtually(main())


def test_a_bus_that_is_down_is_told_once_and_tried_less_and_less() -> None:
    async def main() -> None:
        bench = Bench(simple("m1", 1), simple("m2", 2))

        def down(*_: int) -> tuple[int, ...]:
            raise LinkDownError("connection refused")

        bench.bus.special |= {1: down, 2: down}
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(600)
            assert len(bench.bus.calls) <= 17
            assert {one.status().detail for one in bench.devices} == {"connection refused"}
            assert {one.status().state for one in bench.devices} == {"silent"}
            bench.bus.special.clear()
            await bench.run_for(70)
        assert [log["event"] for log in logs] == ["bus_lost", "bus_back"]
        assert {one.status().state for one in bench.devices} == {"ok"}
        assert len(bench.times("m1/active_power")) >= 2

    virtually(main())


SERIAL = DeviceProfile(
    name="test",
    vendor="none",
    model="none",
    source=("this test",),
    points=(u16("active_power", 0),),
    serial=SerialDef(address=50, function=4, type="u32", registers=2),
)


def test_serial_number_is_read_at_connect_and_hourly_and_a_change_is_told(tmp_path: Path) -> None:
    serial = (0, 111)

    def answer(_unit: int, _function: int, address: int, _count: int) -> tuple[int, ...]:
        return serial if address == 50 else (1,)

    def bench() -> Bench:
        one = Bench(
            lambda now_ms: device("m1", 1, now_ms=now_ms, profile=SERIAL), serials=Serials(tmp_path / "serials.json")
        )
        one.bus.special[1] = answer
        return one

    def serial_reads(one: Bench) -> list[int]:
        return [call[0] for call in one.bus.calls if call[2] == 4]

    async def main() -> None:
        nonlocal serial
        first = bench()
        with structlog.testing.capture_logs() as logs:
            await first.run_for(2 * 3600 + 60)
        reads = serial_reads(first)
        assert len(reads) == 3
        assert reads[0] < START_MS + 6000
        assert logs == []
        assert first.devices[0].status().detail == "serial 111"

        serial = (0, 222)  # exchanged while the agent was off
        second = bench()
        with structlog.testing.capture_logs() as logs:
            await second.run_for(60)
        assert [(log["event"], log["before"], log["after"]) for log in logs] == [("meter_exchanged", "111", "222")]
        assert second.devices[0].status().detail.startswith("serial 222, was 111 until 2026-")
        known = Serials(tmp_path / "serials.json")  # what is not in a batch yet is remembered
        (change,) = known.untold()
        assert (change.device, change.serial, change.was) == ("m1", "222", "111")
        assert change.t <= second.rows[0].t
        known.told([change])
        assert Serials(tmp_path / "serials.json").untold() == ()

    virtually(main())


METER = DeviceProfile(
    name="test",
    vendor="none",
    model="none",
    source=("this test",),
    points=(u16("active_energy_import", 0), u16("active_power", 20)),
    serial=SerialDef(address=50, function=4, type="u32", registers=2),
    max_gap=2,
)


@pytest.mark.parametrize("how", ["between polls", "after silence", "half a round"])
def test_an_exchange_is_dated_before_every_reading_of_the_new_meter(how: str) -> None:
    """Exchanged unnoticed between two polls, after an outage, and with the first round broken off in the middle."""
    shown, number, mute = 500, 111, set[int]()

    def answer(_unit: int, _function: int, address: int, _count: int) -> tuple[int, ...]:
        if address in mute:
            raise NoAnswerError("silence")
        return {0: (shown,), 20: (1,), 50: (0, number)}[address]

    async def main() -> None:
        nonlocal shown, number
        periods = {"active_energy_import": 5.0, "active_power": 5.0}
        serials = Serials(None)
        bench = Bench(lambda now_ms: device("m1", 1, now_ms=now_ms, profile=METER, periods=periods), serials=serials)
        bench.bus.special[1] = answer
        await bench.run_for(600)
        if how != "between polls":
            mute.update((0, 20, 50))
            await bench.run_for(60)
        shown, number = 3, 222
        mute.discard(0)
        if how == "half a round":
            await bench.run_for(300)
        mute.clear()
        await bench.run_for(120)
        (change,) = serials.untold()
        assert (change.serial, change.was) == ("222", "111")
        old = [row.t for row in bench.rows if row.point == "m1/active_energy_import" and row.x == 500]
        new = [row.t for row in bench.rows if row.point == "m1/active_energy_import" and row.x == 3]
        assert old
        assert max(old) < change.t <= min(new)

    virtually(main())


def test_a_change_is_not_dated_by_a_clock_that_nobody_trusts() -> None:
    number = 111

    def answer(_unit: int, _function: int, address: int, _count: int) -> tuple[int, ...]:
        return (0, number) if address == 50 else (7,)

    async def main() -> None:
        nonlocal number
        serials = Serials(None)
        bench = Bench(lambda now_ms: device("m1", 1, now_ms=now_ms, profile=SERIAL), serials=serials)
        bench.bus.special[1] = answer
        await bench.run_for(3590)
        bench.clock.step_ms += 86_400_000  # the wall clock jumps a day ahead; it is trusted after a minute
        number = 222
        await bench.run_for(50)
        assert serials.untold() == ()
        await bench.run_for(60)
        (change,) = serials.untold()
        trusted = [stamp.time_ms for stamp in bench.stamps if stamp.certain and stamp.time_ms > START_MS + 3_700_000]
        assert change.t <= trusted[0]

    virtually(main())


@pytest.mark.parametrize("error", [RefusalError(2), NoAnswerError("silence")])
def test_a_device_without_its_serial_number_is_none_the_worse(error: Exception) -> None:
    async def main() -> None:
        bench = Bench(lambda now_ms: device("m1", 1, now_ms=now_ms, profile=SERIAL))

        def answer(_unit: int, _function: int, address: int, _count: int) -> tuple[int, ...]:
            if address == 50:
                raise error
            return (1,)

        bench.bus.special[1] = answer
        with structlog.testing.capture_logs() as logs:
            await bench.run_for(1800)
        assert len(bench.rows) == 360
        assert sum(call[2] == 4 for call in bench.bus.calls) <= 6
        assert logs == []
        assert bench.devices[0].status().state == "ok"

    virtually(main())


def test_next_slot_is_after_now_on_the_grid() -> None:
    for now in range(0, 20_000, 7):
        slot = next_slot_ms(now, 5000, 1234)
        assert now < slot <= now + 5000
        assert (slot - 1234) % 5000 == 0
