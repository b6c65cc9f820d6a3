"""Energy of a simulated park by local month: what its meters would have counted, had they been there.

For years before the history, such as a base year. `scenarios/jiangsu-months.csv` was written by

    python -m firmware_sim months --scenario jiangsu --seed 1 --from 2025-01 --to 2027-12
"""

import csv
import datetime as dt
import importlib.resources
import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np

from .balance import Park
from .ledger import Ledger
from .localtime import DAY_MS
from .scenario import Scenario

_GJ_PER_KWH = 0.0036
COLUMNS = (
    "month",
    "grid_import_kwh",
    "grid_export_kwh",
    "generation_kwh",
    "charge_kwh",
    "discharge_kwh",
    "gas_nm3",
    "heat_gj",
)

Row = dict[str, str]


def stored_months(scenario: str) -> dict[str, Row]:
    """The months written down for a scenario of ours, by `YYYY-MM`; none for any other."""
    file = importlib.resources.files(__package__).joinpath("scenarios", f"{scenario}-months.csv")
    if not file.is_file():
        return {}
    return {row["month"]: row for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))}


def months(scenario: Scenario, seed: int, first: str, last: str) -> Iterator[Row]:
    """Energy of each local month from `first` to `last`, both `YYYY-MM`, as rows of `COLUMNS`."""
    zone = ZoneInfo(scenario.timezone)
    starts = [_start_ms(zone, month) for month in _labels(first, _after(last))]
    park = Park.of(scenario, seed)
    ledger = Ledger(park, starts[0] // DAY_MS * DAY_MS)
    for label, start, end in zip(_labels(first, last), starts[:-1], starts[1:], strict=True):
        yield {"month": label, **{name: f"{value:.3f}" for name, value in _month(scenario, ledger, start, end).items()}}


def _month(scenario: Scenario, ledger: Ledger, start_ms: int, end_ms: int) -> dict[str, float]:
    def energy(device: str, *, backward: bool = False) -> float:
        counted = ledger.energy(device, np.array([start_ms, end_ms], dtype=np.int64), backward=backward)
        return float(counted[1] - counted[0])

    gate, battery, gas, heat = scenario.gate.device, scenario.battery, scenario.gas, scenario.heat
    return {
        "grid_import_kwh": energy(gate),
        "grid_export_kwh": energy(gate, backward=True),
        "generation_kwh": sum(energy(inverter.device) for inverter in scenario.inverters),
        "charge_kwh": energy(battery.device) if battery else 0.0,
        "discharge_kwh": energy(battery.device, backward=True) if battery else 0.0,
        "gas_nm3": energy(gas.device) if gas else 0.0,
        "heat_gj": energy(heat.device) * _GJ_PER_KWH if heat else 0.0,
    }


def _labels(first: str, last: str) -> list[str]:
    found, label = [], first
    while label <= last:
        found.append(label)
        label = _after(label)
    return found


def _after(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def _start_ms(zone: ZoneInfo, month: str) -> int:
    return round(dt.datetime(int(month[:4]), int(month[5:]), 1, tzinfo=zone).timestamp() * 1000)
