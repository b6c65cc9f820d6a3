"""A small park written straight into the tables, with a day like any other for nine days, up to a fixed moment.

The powers are constant within an interval and follow from `power_kw`, so that every figure can be worked out by hand.
What ingest would have derived (intervals, roll-ups, states) is written here; a test with ingest itself is beside it.
"""

import dataclasses
import datetime as dt
import hashlib
from typing import Any

import msgspec
import numpy as np

from parkcarbon.catalog.factors import load_factors
from parkcarbon.domain.emissions import CarrierFactor, Settings, nano_kg, resolve
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.db import Database, Row, Session, from_ms, to_ms
from parkcarbon.kit.pgcopy import Column

PARK = "demo"
ZONE = dt.timezone(dt.timedelta(hours=8))
NOW_MS = to_ms(dt.datetime(2026, 11, 21, 6, 32, 5, tzinfo=dt.UTC))  # 14:32:05 local, a Saturday
QUARTER_MS = 900_000
RUNNING_MS = NOW_MS - NOW_MS % QUARTER_MS
FIRST_MS = to_ms(dt.datetime(2026, 11, 11, 16, tzinfo=dt.UTC))  # local midnight of the 12th
KNOWN_ON = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LIVE_MS = NOW_MS - 1000
GATE_RATIO = 3000.0  # CT 30, PT 100
PRICE = 0.72
# token, role, the one park it opens, person
TOKENS: dict[str, tuple[str, str | None, str]] = {
    "admin-token-0001": ("admin", None, "administrator"),
    "editor-token-01": ("editor", None, "energy manager"),
    "approver-token-1": ("approver", None, "reviewer"),
    "approver-token-2": ("approver", None, "second reviewer"),
    "auditor-token-01": ("auditor", None, "auditor"),
    "viewer-token-01": ("viewer", None, ""),
    "walled-token-01": ("wall", PARK, ""),
}

SETTINGS = Settings("China/JS", "China", "China", "AR6")
DOCUMENT: dict[str, Any] = {
    "park": PARK,
    "name": {"zh": "示范园区", "en": "Demonstration park"},
    "timezone": "Asia/Shanghai",
    "currency": "CNY",
    "electricity_price_per_kwh": PRICE,
    "contract_demand_kw": 1250,
    "method": {"electricity_region": "China/JS", "fuel_region": "China", "heat_region": "China", "gwp_set": "AR6"},
}
TENANTS = [("machining", "机械加工", "Machining"), ("cold", "冷链", "Cold chain")]
# device, tenant, position, points: (quantity, kind, unit, carrier, flow, period)
DEVICES: list[tuple[str, str | None, list[tuple[Any, ...]]]] = [
    (
        "gate",
        None,
        [
            ("active_energy_import", "counter", "kWh", "electricity", "import", 5000),
            ("active_energy_export", "counter", "kWh", "electricity", "export", 5000),
            ("active_power", "gauge", "kW", "electricity", None, 5000),
        ],
    ),
    (
        "pv-1",
        None,
        [
            ("active_energy_yield", "counter", "kWh", "electricity", "generation", 5000),
            ("active_power", "gauge", "kW", "electricity", None, 5000),
        ],
    ),
    (
        "battery",
        None,
        [
            ("active_energy_import", "counter", "kWh", "electricity", "charge", 5000),
            ("active_energy_export", "counter", "kWh", "electricity", "discharge", 5000),
            ("active_power", "gauge", "kW", "electricity", None, 5000),
        ],
    ),
    ("boiler-gas", None, [("gas_volume_base", "counter", "Nm3", "gas", "fuel", 900_000)]),
    (
        "heat-main",
        "cold",
        [
            ("heat_energy", "counter", "GJ", "heat", "heat", 5000),
            ("heat_power", "gauge", "kW", "heat", None, 5000),
        ],
    ),
    *(
        (
            device,
            tenant,
            [
                ("active_energy_import", "counter", "kWh", "electricity", "sub_meter", 5000),
                ("active_power", "gauge", "kW", "electricity", None, 5000),
            ],
        )
        for device, tenant in (("m1", "machining"), ("m2", "machining"), ("c1", "cold"))
    ),
]


def document(park: str = PARK) -> dict[str, Any]:
    """The park document that the tables are a projection of."""
    devices = [
        {
            "device": device,
            "name": {"zh": f"设备 {device}", "en": f"Device {device}"},
            "profile": "test",
            "tenant": tenant,
            "source": "edge-1",
            "bus": "bus-1",
            "points": [
                {"quantity": quantity, "kind": kind, "flow": flow, "period_s": period_ms / 1000, "episodes": episodes}
                for quantity, kind, _, _, flow, period_ms in points
                for episodes in ([{"at": "2020-01-01T00:00:00Z", "ct": 30, "pt": 100}] if device == "gate" else [],)
            ],
        }
        for device, tenant, points in DEVICES
    ]
    tenants = [{"tenant": tenant, "name": {"zh": zh, "en": en}} for tenant, zh, en in TENANTS]
    return DOCUMENT | {"park": park, "tenants": tenants, "sources": [{"source": "edge-1"}], "devices": devices}


def power_kw(device: str, start_ms: int) -> float:
    """Power of a device in the interval that starts then [kW]; gas [Nm3/h]; the gate is what the others add up to."""
    hour = (start_ms // 3_600_000 + 8) % 24
    day = 6 <= hour < 18
    powers = {
        "pv-1": 80.0 + 10 * (hour % 3) if 8 <= hour < 16 else 0.0,
        "battery": 20.0 if hour == 3 else (-18.0 if hour == 19 else 0.0),
        "boiler-gas": 40.0 if day else 6.0,
        "heat-main": 150.0 if day else 30.0,
        "m1": 120.0 + 4 * (hour % 5) if day else 24.0,
        "m2": 60.0 if day else 12.0,
        "c1": 90.0,
    }
    if device != "gate":
        return powers[device]
    loads = powers["m1"] + powers["m2"] + powers["c1"]
    return loads * 1.02 + powers["battery"] - powers["pv-1"]


def amount(device: str, quantity: str, start_ms: int) -> float:
    """Amount of an hour at the power of an interval [unit of the point]."""
    power = power_kw(device, start_ms)
    if quantity.endswith("_export"):
        return max(0.0, -power)
    return max(0.0, power) * (0.0036 if quantity == "heat_energy" else 1.0)


def coverage(device: str, start_ms: int) -> float:
    """Known share of an interval; the running one of a slow meter is not known yet."""
    if start_ms < RUNNING_MS:
        return 1.0
    return 0.0 if device == "boiler-gas" else (LIVE_MS - RUNNING_MS) / QUARTER_MS


def starts() -> list[int]:
    """Starts of all intervals, the running one last [ms UTC]."""
    return list(range(FIRST_MS, RUNNING_MS + 1, QUARTER_MS))


def factor_of(carrier: str, unit: str, basis: str = "location") -> CarrierFactor:
    """The factors that the park's intervals carry."""
    return resolve(
        load_factors(),
        SETTINGS,
        carrier=carrier,
        unit=unit,
        data_year=2026,
        known_on=KNOWN_ON,
        basis="market" if basis == "market" else "location",
    )


async def write_park(url: str, *, park: str = PARK, data: bool = True, known_on: dt.datetime = KNOWN_ON) -> None:
    """Write the park with its tokens, all recorded at `known_on`; with `data`, also what ingest would have derived."""
    async with await Database.connect(url, max_size=2) as database, database.transaction() as session:
        await session.execute("update config_version set changed_at = $1", known_on)
        await _write_factors(session, known_on)
        await _write_model(session, park, known_on)
        for token, (role, scope, person) in TOKENS.items():
            await session.execute(
                "insert into api_token (digest, label, role, park_id, person) values ($1, $2, $3, $4, $5)"
                " on conflict do nothing",
                hashlib.sha256(token.encode()).digest(),
                f"{role} of the tests",
                role,
                scope,
                person,
            )
        if data:
            await _write_data(session, park)


async def _write_factors(session: Session, known_on: dt.datetime) -> None:
    for factor in load_factors():
        body = factor_json(factor)
        await session.execute(
            "insert into factor (factor, purpose, carrier, region, gas, basis, unit, value, data_year, publisher,"
            " edition, published_on, unverified, digest, document, recorded_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing",
            factor.factor,
            factor.purpose,
            factor.carrier,
            factor.region,
            factor.gas,
            factor.basis,
            factor.unit,
            factor.value,
            factor.data_year,
            factor.publisher,
            factor.edition,
            factor.published_on,
            factor.unverified,
            hashlib.sha256(body).digest(),
            body.decode(),
            known_on,
        )


def factor_json(factor: Factor) -> bytes:
    """A record as the database keeps it."""
    members = {name: value for name, value in dataclasses.asdict(factor).items() if name != "recorded_at"}
    return msgspec.json.encode(members, order="sorted")


async def _write_model(session: Session, park: str, known_on: dt.datetime) -> None:
    body = msgspec.json.encode(document(park), order="sorted")
    await session.execute(
        "insert into park (park_id, name_zh, name_en, timezone, document, revision, recorded_at)"
        " values ($1, '示范园区', 'Demonstration park', 'Asia/Shanghai', $2, 1, $3)",
        park,
        body.decode(),
        known_on,
    )
    await session.execute(
        "insert into park_revision (park_id, revision, document, digest, author, reason, recorded_at)"
        " values ($1, 1, $2, sha256($3), 'energy manager', 'commissioning', $4)",
        park,
        body.decode(),
        body,
        known_on,
    )
    for position, (name, zh, en) in enumerate(TENANTS):
        await session.execute(
            "insert into tenant (park_id, tenant, name_zh, name_en, position) values ($1, $2, $3, $4, $5)",
            park,
            name,
            zh,
            en,
            position,
        )
    await session.execute("insert into source (park_id, source, kind) values ($1, 'edge-1', 'edge')", park)
    for position, (device, tenant, points) in enumerate(DEVICES):
        device_id = await session.fetchval(
            "insert into device (park_id, device, profile, tenant, source, name_zh, name_en, bus, position)"
            " values ($1, $2, 'test', $3, 'edge-1', $4, $5, 'bus-1', $6) returning device_id",
            park,
            device,
            tenant,
            f"设备 {device}",
            f"Device {device}",
            position,
        )
        for quantity, kind, unit, carrier, flow, period_ms in points:
            point_id = await session.fetchval(
                "insert into point (park_id, device_id, point, quantity, kind, unit, carrier, flow, tenant, period_ms)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning point_id",
                park,
                device_id,
                f"{device}/{quantity}",
                quantity,
                kind,
                unit,
                carrier,
                flow,
                tenant,
                period_ms,
            )
            if device == "gate":
                await session.execute(
                    "insert into episode (point_id, at, ct, pt) values ($1, '2020-01-01Z', 30, 100)", point_id
                )


async def _write_data(session: Session, park: str) -> None:
    await make_partitions(session, dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    rows = await session.fetch(
        "select point_id, point, quantity, kind, unit, carrier, flow from point where park_id = $1",
        park,
    )
    for row in rows:
        device = row["point"].partition("/")[0]
        if row["kind"] == "gauge":
            shown = power_kw(device, RUNNING_MS) / (GATE_RATIO if device == "gate" else 1.0)
            await write_state(session, row["point_id"], LIVE_MS, shown)
            continue
        await _write_intervals(session, row)
        await write_state(session, row["point_id"], LIVE_MS if device != "boiler-gas" else RUNNING_MS, 1234.5)
    await session.execute(ROLLUPS)


async def make_partitions(session: Session, *months: dt.datetime) -> None:
    """Make the partitions of some months, each given by its first moment UTC, where tables have any."""
    for month in months:
        after = (month + dt.timedelta(days=32)).replace(day=1)
        for table in ("reading", "interval_15min", "rollup_hour"):
            kind = await session.fetchval("select relkind::text from pg_class where oid = $1::text::regclass", table)
            if kind == "p":
                child = f"{table}_{month:%Y_%m}"
                await session.fetchval("select ensure_partition($1, $2, $3, $4)", table, child, month, after)


async def write_state(session: Session, point_id: int, time_ms: int, value: float) -> None:
    """Write the newest reading of a point."""
    await session.execute(
        "insert into point_state (point_id, last_time, last_value, last_quality) values ($1, $2, $3, 0)"
        " on conflict (point_id) do update set last_time = $2, last_value = $3",
        point_id,
        from_ms(time_ms),
        value,
    )
    await session.execute(
        "insert into reading (point_id, time, value, quality, batch_id) values ($1, $2, $3, 0, 1)"
        " on conflict do nothing",
        point_id,
        from_ms(time_ms),
        value,
    )


async def _write_intervals(session: Session, row: Row) -> None:
    device = row["point"].partition("/")[0]
    point_id, quantity = row["point_id"], row["quantity"]
    times = starts()
    covered = np.array([coverage(device, start) for start in times])
    hourly = np.array([amount(device, quantity, start) for start in times])
    micro = np.rint(hourly * covered / 4 * 1e6).astype(np.int64)
    priced = row["flow"] in ("import", "fuel", "heat", "sub_meter")
    nano = nano_kg(micro, factor_of(row["carrier"], row["unit"]).co2e) if priced else micro
    keep = covered > 0
    count = int(keep.sum())
    await session.copy(
        "interval_15min",
        [
            Column("point_id", "int4", np.full(count, point_id)),
            Column("start", "timestamptz", np.array(times)[keep]),
            Column("amount_micro", "int8", micro[keep]),
            Column("coverage", "float4", covered[keep]),
            Column("method", "int2", np.zeros(count, np.int16)),
            Column("measured_ms", "int4", np.rint(covered[keep] * QUARTER_MS).astype(np.int32)),
            Column("suspect", "bool", np.zeros(count, np.bool_)),
            Column("co2e_nano_kg", "int8", nano[keep], np.full(count, not priced)),
        ],
    )


ROLLUPS = """
delete from rollup_hour; delete from rollup_day; delete from rollup_month;
insert into rollup_hour (
    point_id, start, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms)
select point_id, date_trunc('hour', start, 'UTC'), sum(amount_micro), sum(co2e_nano_kg), sum(coverage) / 4, max(method),
       sum(coverage * 900000), sum(measured_ms), count(*) filter (where suspect) * 900000
from interval_15min group by 1, 2;
insert into rollup_day (
    point_id, day, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms)
select point_id, (start at time zone 'UTC' + interval '8 hours')::date, sum(amount_micro), sum(co2e_nano_kg),
       sum(coverage) / 96, max(method), sum(coverage * 900000), sum(measured_ms),
       count(*) filter (where suspect) * 900000
from interval_15min group by 1, 2;
insert into rollup_month (
    point_id, month, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms, suspect_ms)
select point_id, date_trunc('month', day)::date, sum(amount_micro), sum(co2e_nano_kg), sum(coverage) / 30, max(method),
       sum(known_ms), sum(measured_ms), sum(suspect_ms)
from rollup_day group by 1, 2;
"""
