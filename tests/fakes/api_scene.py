"""A park that exists only for pictures: answers in the shape of the HTTP API, for rarely reached states.

This is a fixture for tests of the web page. It is smooth by construction and says nothing about ParkCarbon's
arithmetic; that it keeps the contract is pinned by `tests/contract/test_web_scene.py`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

QUARTER_MS = 900_000
GRID_FACTOR = 0.5827  # kgCO2/kWh, as in the example of the contract
MARKET_FACTOR = 0.6205
GAS_KG_PER_KWH = 0.2
HEAT_KG_PER_KWH = 0.396

TENANTS = (
    ("precision", "精密制造", "Precision Manufacturing", 430.0, 0.45),
    ("textile", "纺织", "Textiles", 395.0, 0.85),
    ("cold", "冷链物流", "Cold Chain Logistics", 150.0, 0.95),
    ("chem", "精细化工", "Fine Chemicals", 280.0, 0.75),
    ("office", "研发办公", "R&D Offices", 95.0, 0.15),
)
BUSES = (
    ("tcp-main", "edge-main", None, 7),
    ("tcp-precision", "edge-precision", "precision", 6),
    ("rtu-textile", "edge-textile", "textile", 8),
    ("tcp-cold", "edge-cold", "cold", 4),
    ("tcp-chem", "edge-chem", "chem", 5),
    ("tcp-office", "edge-office", "office", 3),
)
MAIN_DEVICES = (
    ("gate", "关口表", "Gate meter"),
    ("pv-1", "光伏逆变器1", "PV inverter 1"),
    ("pv-2", "光伏逆变器2", "PV inverter 2"),
    ("pv-3", "光伏逆变器3", "PV inverter 3"),
    ("battery", "储能变流器", "Battery converter"),
    ("boiler-gas", "锅炉燃气表", "Boiler gas meter"),
    ("heat-main", "外购热力表", "Purchased heat meter"),
)


@dataclass
class Scene:
    """What the fixture shows; tests change it while the page is open.

    Attributes:
        now_ms: clock of the pretended server [ms UTC].
        timezone: IANA zone of the park.
        lag_ms: age of the newest reading [ms].
        empty: True for a park without any reading.
        devices: False for a park in which no device is registered.
        sun: scale of the PV output; above 3 the park exports.
        gaps: local hours `[from, to)` of today without any data.
        estimated: local hours `[from, to)` of today that are estimated.
        parks: number of parks to choose from.
        down: True refuses every request, as a dead server would.
        event_s: time between two live events [s].
        requests: paths that were asked for.
    """

    now_ms: Callable[[], int]
    timezone: str = "Asia/Shanghai"
    lag_ms: int = 1_000
    empty: bool = False
    devices: bool = True
    sun: float = 1.0
    gaps: tuple[float, float] = (0.0, 0.0)
    estimated: tuple[float, float] = (0.0, 0.0)
    parks: int = 1
    down: bool = False
    event_s: float = 1.0
    requests: list[str] = field(default_factory=list)

    def local(self, ms: int) -> datetime:
        """The instant on the park's own clock."""
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(self.timezone))

    def midnight_ms(self, ms: int, days: int = 0) -> int:
        """First instant of the local day `days` after the one that holds `ms`."""
        day = self.local(ms).date() + timedelta(days=days)
        start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.timezone))
        return round(start.timestamp() * 1000)

    def power(self, ms: int) -> dict[str, float]:
        """Every power of the park at an instant [kW]; supply equals use to rounding."""
        hour = self.local(ms).hour + self.local(ms).minute / 60
        shift = 1 / (1 + math.exp(-(hour - 7.6) * 2.2)) - 1 / (1 + math.exp(-(hour - 18.4) * 1.6))
        lunch = 1 - 0.16 * math.exp(-(((hour - 12.4) / 0.6) ** 2))
        wiggle = 1 + 0.018 * math.sin(ms / 4.1e5) + 0.012 * math.sin(ms / 1.3e5)
        power = {tenant: peak * (night + (1 - night) * shift * lunch) * wiggle for tenant, _, _, peak, night in TENANTS}
        load = sum(power.values()) * 1.018
        power["unmetered"] = load - sum(power.values())
        cloud = 1 - 0.22 * math.exp(-(((hour - 10.6) / 0.5) ** 2)) - 0.3 * math.exp(-(((hour - 13.7) / 0.3) ** 2))
        power["pv"] = max(0.0, 520 * self.sun * math.sin(math.pi * (hour - 6.4) / 10.8) * cloud)
        power["pv"] = power["pv"] if 6.4 < hour < 17.2 else 0.0
        power["battery"] = 120.0 if 17.5 <= hour < 21 else -80.0 if 10.5 <= hour < 14.9 else 0.0
        power["grid"] = load - power["pv"] - power["battery"]
        power["load"] = load
        power["gas"] = 700 * (0.35 + 0.65 * shift) * wiggle
        power["heat"] = 530 * (0.5 + 0.5 * shift) * wiggle
        return power

    def known(self, ms: int) -> bool:
        """Whether the quarter that begins at `ms` has data."""
        begin, end = self.gaps
        local = self.local(ms)
        today = ms >= self.midnight_ms(self.now_ms())
        return not (today and begin <= local.hour + local.minute / 60 < end) and ms < self.now_ms()

    def method(self, ms: int) -> str:
        """Data state of the quarter that begins at `ms`."""
        if not self.known(ms):
            return "missing"
        begin, end = self.estimated
        local = self.local(ms)
        today = ms >= self.midnight_ms(self.now_ms())
        return "interpolated" if today and begin <= local.hour + local.minute / 60 < end else "measured"

    def quarters(self, start_ms: int, end_ms: int) -> Iterator[int]:
        """Starts of the quarters of an hour in `[start_ms, end_ms)`."""
        yield from range(start_ms, end_ms, QUARTER_MS)


def stamp(ms: int) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def name(zh: str, en: str) -> Json:
    """A name in both languages."""
    return {"zh": zh, "en": en}


METRICS: dict[str, tuple[str, Callable[[dict[str, float]], float]]] = {
    "load_kw": ("kW", lambda p: p["load"]),
    "grid_import_kw": ("kW", lambda p: max(0.0, p["grid"])),
    "grid_export_kw": ("kW", lambda p: max(0.0, -p["grid"])),
    "generation_kw": ("kW", lambda p: p["pv"]),
    "charge_kw": ("kW", lambda p: max(0.0, -p["battery"])),
    "discharge_kw": ("kW", lambda p: max(0.0, p["battery"])),
}


def parks(scene: Scene) -> Json:
    """Answer of `/parks`."""
    every = [("demo", "苏南示范园区", "Sunan Demonstration Park"), ("north", "北区二期", "North Phase II")]
    return {
        "parks": [
            {
                "park": park,
                "name": name(zh, en),
                "timezone": scene.timezone,
                "currency": "CNY",
                "contract_demand_kw": 2000.0,
                "tenants": [{"tenant": tenant, "name": name(zh_t, en_t)} for tenant, zh_t, en_t, _, _ in TENANTS],
                "empty": scene.empty,
            }
            for park, zh, en in every[: scene.parks]
        ]
    }


def _figure(scene: Scene, unit: str, value: Callable[[dict[str, float]], float | None], digits: int = 3) -> Json:
    now = scene.now_ms()
    first = now // QUARTER_MS * QUARTER_MS - 95 * QUARTER_MS
    spark: list[float | None] = []
    for ms in scene.quarters(first, first + 96 * QUARTER_MS):
        worth = value(scene.power(ms)) if scene.known(ms) else None
        spark.append(None if worth is None else round(worth, digits))
    current = value(scene.power(now))
    week_ago = value(scene.power(now - 7 * 86_400_000))
    return {
        "value": None if scene.empty or current is None else round(current, digits),
        "unit": unit,
        "spark": [None] * 96 if scene.empty else spark,
        "last_week": None if scene.empty or week_ago is None else round(week_ago * 1.043, digits),
    }


def _energy(scene: Scene, what: Callable[[dict[str, float]], float]) -> float:
    start = scene.midnight_ms(scene.now_ms())
    return sum(what(scene.power(ms)) / 4 for ms in scene.quarters(start, scene.now_ms()) if scene.known(ms))


def _rate(power: dict[str, float]) -> float:
    grid = max(0.0, power["grid"])
    return grid * GRID_FACTOR + power["gas"] * GAS_KG_PER_KWH + power["heat"] * HEAT_KG_PER_KWH


def _self_use(power: dict[str, float]) -> float | None:
    if power["pv"] <= 0:
        return None
    return 100 * (1 - max(0.0, -power["grid"]) / power["pv"]) if power["grid"] < 0 else 100.0


def figures(scene: Scene) -> Json:
    """The six figures of `Now`."""
    power = scene.power(scene.now_ms())
    blank = scene.empty

    def known(value: float, digits: int = 3) -> float | None:
        return None if blank else round(value, digits)

    energy = _energy(scene, lambda p: p["load"])
    grid = _energy(scene, lambda p: max(0.0, p["grid"]))
    pv = _energy(scene, lambda p: p["pv"])
    exported = _energy(scene, lambda p: max(0.0, -p["grid"]))
    emitted = _energy(scene, _rate)
    hours = (scene.now_ms() - scene.midnight_ms(scene.now_ms())) / 3_600_000 * 37
    today = range(scene.midnight_ms(scene.now_ms()), scene.now_ms(), QUARTER_MS)
    peak = max((scene.power(ms)["load"] for ms in today), default=power["load"])
    share = 100 * (pv - exported) / pv if pv else None
    completeness = {"value": None if blank else 99.5806, "last_week": None if blank else 100.0}
    return {
        "emission_rate": _figure(scene, "kgCO2e/h", _rate)
        | {
            "parts": {
                "electricity": known(max(0.0, power["grid"]) * GRID_FACTOR),
                "gas": known(power["gas"] * GAS_KG_PER_KWH),
                "heat": known(power["heat"] * HEAT_KG_PER_KWH),
            },
            "averaged": ["gas"],
            "from_files": [],
        },
        "load": _figure(scene, "kW", lambda p: p["load"])
        | {"peak_today_kw": known(peak), "contract_demand_kw": 2000.0, "from_files": []},
        "energy_today": _figure(scene, "kWh", lambda p: p["load"] / 4)
        | {
            "value": known(energy, 6),
            "last_week": known(energy * 1.056),
            "cost": known(grid * 0.812, 2),
            "currency": "CNY",
        },
        "emissions_today": _figure(scene, "kgCO2e", lambda p: _rate(p) / 4)
        | {"value": known(emitted, 6), "last_week": known(emitted * 1.145), "market": known(emitted * 1.0316, 6)},
        "pv": _figure(scene, "%", _self_use)
        | {
            "value": None if blank or share is None else round(share, 4),
            "last_week": known(98.7),
            "self_sufficiency": known(100 * (pv - exported) / energy if energy else 0.0),
            "generation_kw": known(power["pv"]),
            "generation_today_kwh": known(pv),
        },
        "completeness": _figure(scene, "%", lambda _: 100.0)
        | completeness
        | {"measured_hours": 0.0 if blank else round(hours - 2.25, 2), "expected_hours": round(hours, 2)},
    }


def flow(scene: Scene) -> Json:
    """The flow of `Now`; grid and battery edges turn with their sign."""
    if scene.empty:
        return {"at": None, "nodes": [], "edges": [], "imbalance_kw": None}
    power = {key: round(value, 3) for key, value in scene.power(scene.now_ms()).items()}
    bus = "bus-electricity"
    edges = [{"from": "pv", "to": bus, "kw": power["pv"]}]
    for node in ("grid", "battery"):
        ends = {"from": node, "to": bus} if power[node] >= 0 else {"from": bus, "to": node}
        edges.append(ends | {"kw": abs(power[node])})
    edges += [{"from": bus, "to": f"tenant-{tenant}", "kw": power[tenant]} for tenant, *_ in TENANTS]
    edges += [
        {"from": bus, "to": "unmetered", "kw": power["unmetered"]},
        {"from": "gas", "to": "tenant-chem", "kw": power["gas"]},
        {"from": "heat", "to": "tenant-textile", "kw": power["heat"]},
    ]
    through = round(power["pv"] + max(0.0, power["grid"]) + max(0.0, power["battery"]), 3)
    extra = {"chem": power["gas"], "textile": power["heat"]}
    nodes = [
        {"node": "grid", "kind": "grid", "name": name("电网", "Grid"), "kw": abs(power["grid"])},
        {"node": "pv", "kind": "pv", "name": name("光伏", "Solar"), "kw": power["pv"]},
        {"node": "battery", "kind": "battery", "name": name("储能", "Battery"), "kw": abs(power["battery"])},
        {"node": "gas", "kind": "gas", "name": name("天然气", "Gas"), "kw": power["gas"]},
        {"node": "heat", "kind": "heat", "name": name("外购热力", "Purchased heat"), "kw": power["heat"]},
        {"node": bus, "kind": "bus", "name": name("电力", "Electricity"), "kw": through},
        *(
            {
                "node": f"tenant-{tenant}",
                "kind": "tenant",
                "name": name(zh, en),
                "kw": round(power[tenant] + extra.get(tenant, 0), 3),
            }
            for tenant, zh, en, _, _ in TENANTS
        ),
        {
            "node": "unmetered",
            "kind": "unmetered",
            "name": name("未计量及损耗", "Unmetered and losses"),
            "kw": power["unmetered"],
        },
    ]
    return {"at": stamp(scene.now_ms() - scene.lag_ms), "nodes": nodes, "edges": edges, "imbalance_kw": 0.0}


def tenants(scene: Scene) -> list[Json]:
    """Tenants of `Now`; one moved in this week and has no last week."""
    power = scene.power(scene.now_ms())
    rows = []
    for index, (tenant, zh, en, _, _) in enumerate(TENANTS):
        energy = _energy(scene, lambda p, key=tenant: p[key])  # type: ignore[misc]
        rows.append(
            {
                "tenant": tenant,
                "name": name(zh, en),
                "power_kw": None if scene.empty else round(power[tenant], 3),
                "energy_today_kwh": None if scene.empty else round(energy, 6),
                "co2e_today_kg": None if scene.empty else round(energy * GRID_FACTOR, 6),
                "last_week_kwh": None
                if tenant == "office" or scene.empty
                else round(energy * (0.94 + 0.05 * index), 3),
            }
        )
    return rows


def now(scene: Scene, park: str) -> Json:
    """Answer of `/now` and of each live event: the same for all who ask between two events."""
    beat_ms = max(1, round(scene.event_s * 1000))
    ms = scene.now_ms() // beat_ms * beat_ms
    scene = replace(scene, now_ms=lambda: ms)
    return {
        "park": park,
        "at": stamp(ms),
        "data_as_of": None if scene.empty else stamp(ms - scene.lag_ms),
        "local_time": scene.local(ms).isoformat(timespec="seconds"),
        "figures": figures(scene),
        "flow": flow(scene),
        "tenants": tenants(scene),
        "devices": {"ok": 30, "silent": 2, "error": 1, "files": 0},
    }


def devices(scene: Scene) -> Json:
    """Answer of `/devices`: 33 devices on six buses, one silent, one in error, one never seen."""
    rows: list[Json] = []
    states = {"textile-m3": "silent", "cold-m2": "error", "office-m3": "never"}
    details = {"textile-m3": "no answer for 191 s", "cold-m2": "Modbus exception 4"}
    for bus, source, tenant, count in BUSES if scene.devices else ():
        for number in range(1, count + 1):
            zh_t, en_t = next(((zh, en) for key, zh, en, _, _ in TENANTS if key == tenant), ("", ""))
            device, zh, en = (
                MAIN_DEVICES[number - 1]
                if tenant is None
                else (f"{tenant}-m{number}", f"{zh_t}{number}号表", f"{en_t.split()[0]} meter {number}")
            )
            state = "never" if scene.empty else states.get(device, "ok")
            seen = {
                "ok": scene.now_ms() - scene.lag_ms,
                "silent": scene.now_ms() - 191_000,
                "error": scene.now_ms() - 4_000_000,
            }
            last = seen.get(state)
            point = {
                "point": f"{device}/active_power",
                "quantity": "active_power",
                "unit": "kW",
                "kind": "gauge",
                "value": None if last is None else round(20 + 7.31 * number, 3),
                "time": None if last is None else stamp(last),
                "quality": None if last is None else "good",
            }
            register = point | {
                "point": f"{device}/active_energy_import",
                "quantity": "active_energy_import",
                "unit": "kWh",
                "kind": "counter",
                "value": None if last is None else round(55_212.4 + 991.7 * number, 2),
            }
            rows.append(
                {
                    "device": device,
                    "name": name(zh, en),
                    "profile": "acrel-adl400",
                    "tenant": tenant,
                    "source": source,
                    "bus": bus,
                    "position": len(rows),
                    "state": state,
                    "last_seen": None if last is None else stamp(last),
                    "detail": details.get(device),
                    "points": [register, point],
                }
            )
    return {"devices": rows}


def series(scene: Scene, metric: str, start_ms: int, end_ms: int, group_by: str) -> Json:
    """Answer of `/series` in steps of 15 min."""
    starts = [] if scene.empty else list(scene.quarters(start_ms, end_ms))
    unit, pick = METRICS[metric]
    groups: list[tuple[str, Json | None, Callable[[dict[str, float]], float]]] = [("total", None, pick)]
    if group_by == "tenant":
        groups = [
            (tenant, name(zh, en), lambda p, key=tenant: p[key])  # type: ignore[misc]
            for tenant, zh, en, _, _ in TENANTS
        ]
    return {
        "metric": metric,
        "unit": unit,
        "step_s": 900,
        "from": stamp(start_ms),
        "to": stamp(end_ms),
        "starts": [stamp(ms) for ms in starts],
        "groups": [
            {
                "key": key,
                "name": label,
                "values": [round(of(scene.power(ms)), 3) if scene.known(ms) else None for ms in starts],
                "coverage": [1.0 if scene.known(ms) else 0.0 for ms in starts],
                "method": [scene.method(ms) for ms in starts],
            }
            for key, label, of in groups
        ],
    }
