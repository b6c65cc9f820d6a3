"""Meters below one another in the books: the outer one stands for what is left between them, in balance and sums."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from parkcarbon.books.amounts import Hourly
from parkcarbon.books.facts import Facts, PointFact
from parkcarbon.books.indicators.power import consumption_micro
from parkcarbon.books.quality.balance import balance_of, behind_connections
from parkcarbon.catalog.park import MethodSettings, Name, Park
from parkcarbon.domain.inventory import PointAmount

WHEN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
ENERGY = "active_energy_import"
HALL, PRESS, GATE = f"hall/{ENERGY}", f"press/{ENERGY}", f"gate/{ENERGY}"


def fact(at: int, point: str, flow: str, tenant: str | None = None, below: str | None = None) -> PointFact:
    device = point.partition("/")[0]
    return PointFact(at, point, device, ENERGY, "counter", "kWh", "electricity", flow, tenant, True, below)


def facts() -> Facts:
    points = (fact(1, GATE, "import"), fact(2, HALL, "sub_meter", "owner"), fact(3, PRESS, "sub_meter", "guest", HALL))
    park = Park(park="p", name=Name("p", "p"), timezone="UTC", method=MethodSettings(electricity_region="China/JS"))
    return Facts("p", WHEN, 1, park, ZoneInfo("UTC"), (), points=points)


@pytest.mark.rule("5.6")
def test_the_balance_counts_what_stands_below_once() -> None:
    """Gate 10 kWh, hall 9 kWh of which the press below it used 4: metered 9, unmetered 1."""
    (behind,) = behind_connections(facts())
    amounts = np.array([[10, 9, 4]], dtype=np.int64).T * 1_000_000
    start = np.array([0], dtype=np.int64)
    hourly = Hourly((GATE, HALL, PRESS), start, amounts, np.ones((3, 1), dtype=bool))
    balance = balance_of(behind, hourly)
    assert balance.total("load") == 9_000_000
    assert int(balance.unmetered[0]) == 1_000_000


def test_a_tenants_consumption_leaves_out_what_others_use_below() -> None:
    def amount(point: str, tenant: str, kwh: int, below: str | None = None) -> PointAmount:
        return PointAmount(
            point, "sub_meter", "electricity", "kWh", kwh * 10**6, measured_ms=1, tenant=tenant, below=below
        )

    points = (amount(HALL, "owner", 9), amount(PRESS, "guest", 4, HALL))
    assert consumption_micro(points, "owner") == 5_000_000
    assert consumption_micro(points, "guest") == 4_000_000
