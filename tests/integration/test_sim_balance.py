"""The simulated park from registers to its balance: it closes, and a meter that is made wrong is named first."""

import dataclasses
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from firmware_sim.prepare import Order, prepare
from parkcarbon.books.amounts import Hourly
from parkcarbon.books.facts import Facts, PointFact
from parkcarbon.books.quality.balance import balance_of, behind_connections
from parkcarbon.catalog.park import Episode as ParkEpisode
from parkcarbon.catalog.park import Point, load_park
from parkcarbon.catalog.park_tenancy import Connection
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.balance.hourly import Balance, suspects
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.readings import Readings
from parkcarbon.domain.scan import Episode, Limits, scan

NOW_MS = 1_795_237_380_000  # 2026-11-21T04:23Z
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
TO_MS = NOW_MS // DAY_MS * DAY_MS
FROM_MS = TO_MS - 14 * DAY_MS
GATE = ("gate/active_energy_import", "gate/active_energy_export")


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> tuple[Facts, Hourly]:
    """Two weeks of every counter by the hour, as the scan finds them; the band is of the supply."""
    folder: Path = tmp_path_factory.mktemp("park")
    prepare(Order("jiangsu", 4, folder, NOW_MS, "mqtt://cloud:1883", "mqtt://park:1883"))
    document = load_park(folder / "park.yaml")
    pairs = [(device, point) for device in document.devices for point in device.points]
    named = {f"{device.device}/{point.quantity}": (device, point) for device, point in pairs}
    facts = tuple(
        PointFact(
            number, name, device.device, point.quantity, point.kind, QUANTITIES[point.quantity].unit,
            QUANTITIES[point.quantity].carrier, point.flow, device.tenant, active=True,
        )
        for number, (name, (device, point)) in enumerate(named.items())
    )  # fmt: skip
    grid = Connection("grid", Name("并网点", "Grid"), band_of="supply")
    known = Facts(
        "jiangsu",
        dt.datetime.now(dt.UTC),
        1,
        msgspec.structs.replace(document, connections=(grid,)),
        ZoneInfo("Asia/Shanghai"),
        (),
        points=facts,
    )
    (behind,) = behind_connections(known)
    start = np.arange(FROM_MS, TO_MS, HOUR_MS, dtype=np.int64)
    amount = np.zeros((len(behind.points), len(start)), dtype=np.int64)
    for name, intervals in scanned(folder, {name: named[name][1] for name in behind.points}).items():
        part = intervals.between(FROM_MS, TO_MS)
        np.add.at(amount[behind.points.index(name)], (part.start_ms - FROM_MS) // HOUR_MS, part.amount_micro)
    return known, Hourly(behind.points, start, amount, np.ones(amount.shape, dtype=np.bool_))


def scanned(folder: Path, points: dict[str, Point]) -> dict[str, Intervals]:
    """The intervals of the histories of some counters."""
    found = {}
    for path in folder.glob("history-*.npz"):
        with np.load(path) as file:
            names, p, t, x = file["points"].tolist(), file["p"], file["t"], file["x"]
        for name in points.keys() & set(names):
            point, mine = points[name], p == names.index(name)
            size = int(mine.sum())
            readings = Readings(t[mine], x[mine], np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.int32))
            limits = Limits(round(point.period_s * 1000), point.limit_per_h, point.resolution, point.modulus)
            found[name] = scan(readings, [episode_of(entry) for entry in point.episodes], (), limits).intervals
    return found


def episode_of(entry: ParkEpisode) -> Episode:
    return Episode(
        at_ms=int(entry.at.timestamp() * 1000),
        ratio=entry.ct * entry.pt,
        modulus=entry.modulus,
        limit_per_h=entry.limit_per_h,
        end_reading=entry.end_reading,
        start_reading=entry.start_reading,
    )


def balance(
    park: tuple[Facts, Hourly], *, scaled: dict[str, float] | None = None, reversed_gate: bool = False
) -> Balance:
    """The balance with some meters made wrong."""
    facts, hours = park
    amount = hours.amount_micro.copy()
    for name, factor in (scaled or {}).items():
        row = hours.points.index(name)
        amount[row] = np.rint(amount[row] * factor)
    if reversed_gate:
        rows = [hours.points.index(name) for name in GATE]
        amount[rows] = amount[rows[::-1]]
    (behind,) = behind_connections(facts)
    return balance_of(behind, dataclasses.replace(hours, amount_micro=amount))


@pytest.mark.rule("5.6")
def test_the_park_closes_and_accuses_nobody(park: tuple[Facts, Hourly]) -> None:
    found = balance(park)
    assert found.states()["in_band"] == 14 * 24
    assert suspects(found) == []


@pytest.mark.rule("5.6")
@pytest.mark.parametrize(
    ("point", "factor"),
    [
        ("moulding-1/active_energy_import", 2.0),
        ("electronics-3/active_energy_import", 2.0),
        ("research-1/active_energy_import", 2.0),
        ("coldchain-1/active_energy_import", 0.5),
        ("pv-2/active_energy_yield", 0.5),
    ],
)
def test_a_wrong_ratio_is_named_first(park: tuple[Facts, Hourly], point: str, factor: float) -> None:
    best = suspects(balance(park, scaled={point: factor}))[0]
    assert (best.device, best.kind) == (point.partition("/")[0], "ratio")
    assert best.factor == pytest.approx(1 / factor, rel=0.07)
    assert best.share > 0.9


def test_loads_of_one_shape_are_named_together(park: tuple[Facts, Hourly]) -> None:
    """Three roofs under one sun: what one of them misses another could have missed."""
    found = suspects(balance(park, scaled={"pv-1/active_energy_yield": 0.5}))
    assert "pv-1" in {suspect.device for suspect in found}
    assert all(suspect.device.startswith("pv-") for suspect in found)


@pytest.mark.rule("5.6")
def test_a_reversed_gate_is_named_first(park: tuple[Facts, Hourly]) -> None:
    best = suspects(balance(park, reversed_gate=True))[0]
    assert (best.device, best.kind, best.share) == ("gate", "reversed", 1.0)
