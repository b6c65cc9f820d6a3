"""From the simulator's history to energy and back: the scan finds what really flowed, through declared facts alone."""

from pathlib import Path

import numpy as np
import pytest

from firmware_sim.meters import FORWARD
from firmware_sim.park import SimulatedPark
from firmware_sim.prepare import Order, prepare
from parkcarbon.catalog.park import Episode as ParkEpisode
from parkcarbon.catalog.park import Park, load_park
from parkcarbon.catalog.park import Point as ParkPoint
from parkcarbon.domain.reading import Method
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Episode, Limits, ScanResult, scan

NOW_MS = 1_795_237_380_000  # 2026-11-21T04:23Z


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("park")
    prepare(Order("jiangsu", 4, path, NOW_MS, "mqtt://cloud:1883", "mqtt://park:1883"))
    return path


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, ScanResult]:
    """The scan of every counter's history."""
    documents = {f"{d.device}/{p.quantity}": p for d in load_park(folder / "park.yaml").devices for p in d.points}
    found: dict[str, ScanResult] = {}
    for path in folder.glob("history-*.npz"):
        with np.load(path) as file:
            names, p, t, x = file["points"].tolist(), file["p"], file["t"], file["x"]
        for number, name in enumerate(names):
            point = documents[name]
            if point.kind == "counter":
                mine = p == number
                span = np.zeros(mine.sum(), dtype=np.int32)
                readings = Readings(t[mine], x[mine], np.zeros(mine.sum(), dtype=np.int8), span)
                found[name] = scan(readings, [_episode(e) for e in point.episodes], (), _limits(point))
    return found


def _episode(entry: ParkEpisode) -> Episode:
    return Episode(
        at_ms=int(entry.at.timestamp() * 1000),
        ratio=entry.ct * entry.pt,
        modulus=entry.modulus,
        limit_per_h=entry.limit_per_h,
        end_reading=entry.end_reading,
        start_reading=entry.start_reading,
    )


def _limits(point: ParkPoint) -> Limits:
    return Limits(round(point.period_s * 1000), point.limit_per_h, point.resolution, point.modulus)


def test_nothing_is_in_question_and_everything_is_measured(results: dict[str, ScanResult]) -> None:
    assert len(results) == 33
    for name, result in results.items():
        assert result.questions == (), name
        settled = result.intervals.method[:-1]
        allowed = {int(Method.MEASURED), int(Method.INTERPOLATED)} if name.startswith("research-2") else {0}
        assert set(settled.tolist()) <= allowed, name


def test_energy_is_what_flowed(folder: Path, results: dict[str, ScanResult]) -> None:
    park = SimulatedPark.load(folder)
    last_ms = NOW_MS // 900_000 * 900_000
    span = np.array([park.state.history_start_ms, last_ms], dtype=np.int64)
    for name, result in results.items():
        device, quantity = name.split("/")
        meter = next(m for m in park.meters if m.plan.device == device)
        backward = quantity == "active_energy_export"
        flowed = np.diff(park.ledger.energy(device, span, backward=backward))[0] * FORWARD.get(quantity, 1.0)
        step = max(meter.profile.point(quantity).resolution, 0.0625)  # of a 32-bit float near 1e6
        ratio = max(meter.ratio(quantity, fitting) for fitting in meter.plan.fittings)
        assert result.intervals.total_micro / 1e6 == pytest.approx(flowed, abs=2.5 * step * ratio), name


def test_what_is_unmetered_in_a_day_is_the_losses(folder: Path, results: dict[str, ScanResult]) -> None:
    """Per UTC day, gate and everything under it from registers: 1-3 % of the sub-meters is not metered."""
    flows = _flows(load_park(folder / "park.yaml"))
    days: dict[str, dict[int, int]] = {}
    for name, result in results.items():
        if name in flows:
            total = days.setdefault(flows[name], {})
            for start, amount in zip(result.intervals.start_ms, result.intervals.amount_micro, strict=True):
                day = int(start) // 86_400_000
                total[day] = total.get(day, 0) + int(amount)
    whole = sorted(days["import"])[1:-1]
    assert len(whole) > 45
    for day in whole:
        into = days["import"][day] + days["generation"][day] + days["discharge"][day]
        known = days["sub_meter"][day] + days["charge"][day] + days["export"][day]
        assert 0.01 < (into - known) / days["sub_meter"][day] < 0.03


def _flows(park: Park) -> dict[str, str]:
    return {f"{d.device}/{p.quantity}": p.flow for d in park.devices for p in d.points if p.flow}
