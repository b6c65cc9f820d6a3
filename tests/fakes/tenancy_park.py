"""A park with two tenants, an investor's roof, a battery and sold steam: every figure of its two days follows by hand.

Each quarter of an hour: `a` uses 10 kWh, `b` 5, the park's own meter 1, losses are 0.2. For four hours a day the roof
gives 20. The battery takes 16 kWh and gives 12 a day. A boiler of `a` burns 2 Nm³ and makes 4 GJ of steam, 1 GJ of it
for `b`.
"""

import math

from tests.fakes.ingest_park import QUARTER_MS, Ingest, Sender, counter_rows, utc

FIRST_MS = utc("2025-10-31T16:00:00+00:00")  # local midnight of 1 November
LAST_MS = utc("2025-11-02T16:00:00+00:00")
QUARTERS = (LAST_MS - FIRST_MS) // QUARTER_MS
PV_HOURS = range(10, 14)
CHARGE_HOURS = range(2, 4)
DISCHARGE_HOURS = range(18, 20)
LOSSES = 0.2

DOCUMENT = """
park: testpark
name: {zh: 试验园区, en: Test park}
timezone: Asia/Shanghai
method: {electricity_region: China/JS, fuel_region: China, heat_region: China}
sources: [{source: agent}]
tenants:
  - {tenant: a, name: {zh: 甲, en: A}}
  - {tenant: b, name: {zh: 乙, en: B}}
entities:
  - {entity: op, name: {zh: 园区公司, en: Park company}, operator: true}
  - {entity: a-co, name: {zh: 甲公司, en: A company}, tenants: [a]}
  - {entity: b-co, name: {zh: 乙公司, en: B company}, tenants: [b]}
  - {entity: roof-co, name: {zh: 光伏公司, en: Roof company}}
storage:
  - {storage: battery, name: {zh: 储能, en: Battery}, charge: battery/active_energy_import,
     discharge: battery/active_energy_export, soc: battery/state_of_charge, capacity_kwh: 100}
allocation:
  - {rule: power-by-meter, from_day: 2025-01-01, carrier: electricity}
  - {rule: rest-by-area, from_day: 2025-01-01, by: area, weights: [{tenant: a, weight: 300}, {tenant: b, weight: 100}]}
deliveries:
  - {delivery: steam, medium: steam, seller: a-co, buyer: b-co, meters: [b-steam/heat_energy],
     fuel: [boiler/gas_volume_base], produced: [a-steam/heat_energy]}
formulas:
  - {formula: b-net, flow: sub_meter, tenant: b,
     terms: [{point: b-main/active_energy_import}, {point: common/active_energy_import, factor: -1}]}
devices:
  - device: gate
    name: {zh: 关口表, en: Gate}
    profile: interval-file
    source: agent
    points:
      - {quantity: active_energy_import, kind: counter, flow: import,
         episodes: [{at: 2025-01-01T00:00:00Z, accuracy_class: 0.2S}]}
      - {quantity: active_energy_export, kind: counter, flow: export,
         episodes: [{at: 2025-01-01T00:00:00Z, accuracy_class: 0.2S}]}
  - device: roof
    name: {zh: 光伏, en: Roof}
    profile: interval-file
    source: agent
    tenant: a
    owner: roof-co
    points: [{quantity: active_energy_yield, kind: counter, flow: generation}]
  - device: battery
    name: {zh: 储能, en: Battery}
    profile: interval-file
    source: agent
    points:
      - {quantity: active_energy_import, kind: counter, flow: charge}
      - {quantity: active_energy_export, kind: counter, flow: discharge}
      - {quantity: state_of_charge, kind: gauge}
  - device: a-main
    name: {zh: 甲总表, en: A main}
    profile: interval-file
    source: agent
    tenant: a
    points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]
  - device: b-main
    name: {zh: 乙总表（含公共）, en: B main with the park's own}
    profile: interval-file
    source: agent
    points: [{quantity: active_energy_import, kind: counter}]
  - device: common
    name: {zh: 公共用电, en: The park's own}
    profile: interval-file
    source: agent
    points: [{quantity: active_energy_import, kind: counter, flow: sub_meter}]
  - device: boiler
    name: {zh: 锅炉燃气, en: Boiler gas}
    profile: interval-file
    source: agent
    tenant: a
    points: [{quantity: gas_volume_base, kind: counter, flow: fuel}]
  - device: a-steam
    name: {zh: 产汽, en: Steam made}
    profile: interval-file
    source: agent
    points: [{quantity: heat_energy, kind: counter}]
  - device: b-steam
    name: {zh: 乙用汽, en: Steam of B}
    profile: interval-file
    source: agent
    tenant: b
    points: [{quantity: heat_energy, kind: counter, flow: sub_meter}]
"""


def quarter_amounts() -> dict[str, list[float]]:
    """Amount of each counter in each quarter [kWh, Nm³, GJ]."""
    hours = [(at // 4) % 24 for at in range(QUARTERS)]
    roof = [20.0 if hour in PV_HOURS else 0.0 for hour in hours]
    charge = [2.0 if hour in CHARGE_HOURS else 0.0 for hour in hours]
    discharge = [1.5 if hour in DISCHARGE_HOURS else 0.0 for hour in hours]
    net = [16.0 + LOSSES + c - d - r for r, c, d in zip(roof, charge, discharge, strict=True)]
    return {
        "gate/active_energy_import": [max(value, 0.0) for value in net],
        "gate/active_energy_export": [max(-value, 0.0) for value in net],
        "roof/active_energy_yield": roof,
        "battery/active_energy_import": charge,
        "battery/active_energy_export": discharge,
        "a-main/active_energy_import": [10.0] * QUARTERS,
        "b-main/active_energy_import": [6.0] * QUARTERS,
        "common/active_energy_import": [1.0] * QUARTERS,
        "boiler/gas_volume_base": [2.0] * QUARTERS,
        "a-steam/heat_energy": [4.0] * QUARTERS,
        "b-steam/heat_energy": [1.0] * QUARTERS,
    }


def registers(amounts: list[float], first: float = 1000.0) -> list[float]:
    """What a counter shows at every boundary."""
    return [round(first + math.fsum(amounts[:at]), 6) for at in range(len(amounts) + 1)]


async def fill(ingest: Ingest, *, amounts: dict[str, list[float]] | None = None, document: str = DOCUMENT) -> None:
    """Apply the document and send two days of readings, or the first of them, the way an agent does."""
    await ingest.apply(document)
    rows = [
        row
        for point, values in (amounts or quarter_amounts()).items()
        for row in counter_rows(point, FIRST_MS, registers(values))
    ]
    rows += counter_rows("battery/state_of_charge", FIRST_MS, [30.0, 33.0], step_ms=LAST_MS - FIRST_MS)
    await ingest.commit(Sender(made_ms=LAST_MS).batch(rows), now_ms=LAST_MS)


async def send(ingest: Ingest, amounts: dict[str, list[float]]) -> None:
    """Send the last readings, after those that `fill` was given; another run of the agent."""
    rows = []
    for point, values in amounts.items():
        done = quarter_amounts()[point][: -len(values)]
        shown = registers(values, registers(done)[-1])[1:]
        rows += counter_rows(point, FIRST_MS + (len(done) + 1) * QUARTER_MS, shown)
    await ingest.commit(Sender(made_ms=LAST_MS, boot="00000000000000bb").batch(rows), now_ms=LAST_MS)
