"""Facts of the park of `api_park` without a database: a gate meter and a gas meter that were installed on a day."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from parkcarbon.books.facts import Entry, Facts, PointFact
from parkcarbon.catalog.park import Park

from .api_park import document

ZONE = ZoneInfo("Asia/Shanghai")
GATE = PointFact(1, "gate/active_energy_import", "gate", "x", "counter", "kWh", "electricity", "import", None, True)
GAS = PointFact(2, "boiler-gas/gas_volume_base", "boiler-gas", "x", "counter", "Nm3", "gas", "fuel", None, True)


def park_facts(installed: str | None, entries: Sequence[Entry] = ()) -> Facts:
    """A park whose gate meter and boiler meter have been there since `installed`; None: no episode says since when."""
    raw = document()
    for device in raw["devices"]:
        for point in device["points"]:
            known = installed is not None and device["device"] in ("gate", "boiler-gas")
            point["episodes"] = [{"at": installed}] if known else []
    now = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    park = msgspec.convert(raw, Park)
    return Facts("demo", now, 1, park, ZONE, (), entries=tuple(entries), points=(GATE, GAS))
