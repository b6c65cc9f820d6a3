"""A small park with real batches through ingest: a gate with a ratio, gas, PV, a sub-meter; for tests of explanations.

Powers are constant, so that every figure of November 2026 can be worked out by hand.
"""

import hashlib
from pathlib import Path

from ingest.recompute import Recomputer

from .ingest_park import NOW_MS, PARK, Ingest, Sender, counter_rows, open_ingest, utc

MONTH = "2026-11"
START = utc("2026-10-31T16:00:00Z")  # local midnight of the first of November in Shanghai
HOUR = 3_600_000
HOURS = (NOW_MS - START) // HOUR  # up to now
VIEWER = "viewer-token-77"
GATE, PV, EXPORT = "gate/active_energy_import", "pv/active_energy_yield", "gate/active_energy_export"
SUB, GAS = "shop/active_energy_import", "boiler/gas_volume_base"
RATIO = 60.0
PER_HOUR = {GATE: 2.5, PV: 30.0, EXPORT: 0.1, SUB: 90.0, GAS: 4.0}
"""Registers move by this much an hour; those of the gate before its ratio of 60."""

DOCUMENT = """
park: testpark
name: {zh: 试验园区, en: Test park}
timezone: Asia/Shanghai
method: {electricity_region: China/JS, fuel_region: China, heat_region: China}
tenants:
  - {tenant: shop, name: {zh: 车间, en: Shop}}
sources:
  - {source: agent}
devices:
  - device: gate
    name: {zh: 关口, en: Gate}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_import, kind: counter, period_s: 3600, flow: import,
         episodes: [{at: 2026-01-01T00:00:00Z, serial: G-1, ct: 30, pt: 2}]}
      - {quantity: active_energy_export, kind: counter, period_s: 3600, flow: export,
         episodes: [{at: 2026-01-01T00:00:00Z, serial: G-1, ct: 30, pt: 2}]}
  - device: pv
    name: {zh: 光伏, en: PV}
    profile: generic-delta
    source: agent
    points: [{quantity: active_energy_yield, kind: counter, period_s: 3600, flow: generation}]
  - device: shop
    name: {zh: 车间, en: Shop}
    profile: generic-delta
    source: agent
    tenant: shop
    points: [{quantity: active_energy_import, kind: counter, period_s: 3600, flow: sub_meter}]
  - device: boiler
    name: {zh: 锅炉, en: "=Boiler"}
    profile: generic-delta
    source: agent
    points: [{quantity: gas_volume_base, kind: counter, period_s: 3600, flow: fuel}]
"""


async def open_explained(url: str) -> Ingest:
    """Ingest a park and the readings of November up to now: a reading an hour, at the full hour."""
    ingest = await open_ingest(url)
    await ingest.apply(DOCUMENT, Path())
    sender = Sender()
    for point, step in PER_HOUR.items():
        values: list[float | None] = [100.0 + step * at for at in range(-6, HOURS + 1)]
        await ingest.commit(sender.batch(counter_rows(point, START - 6 * HOUR, values, step_ms=HOUR)))
    await settle(ingest)
    digest = hashlib.sha256(VIEWER.encode()).digest()
    await ingest.database.execute(
        "insert into api_token (digest, label, role, park_id) values ($1, 'tests', 'auditor', $2)", digest, PARK
    )
    return ingest


async def settle(ingest: Ingest) -> None:
    """Compute again whatever waits."""
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass
