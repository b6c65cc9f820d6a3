"""Entries of the demonstration: the twelve months before its meters, base year, budgets, a measure, scope 3.

Energy is what the simulated park would have counted (`firmware_sim/scenarios/jiangsu-months.csv`); everything else is
invented for the demonstration and says so in its evidence.
"""

import csv
import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any, Final

Entry = dict[str, Any]
Months = dict[str, dict[str, float]]

BASE_YEAR: Final = 2025
EVIDENCE: Final = "simulated: parkcarbon demo"
GAS_KG_PER_NM3: Final = 2.16219  # rule 1.12
GRID_KG_PER_KWH: Final = 0.5827  # Jiangsu, data year 2023
REMAINDER_KG_PER_KWH: Final = 0.6096
HEAT_KG_PER_GJ: Final = 110.0

_SCREENED: Final = (
    (1, "estimated", "租户的钢材、树脂与包装 steel, resin and packaging, by spending", 2600.0),
    (2, "not_significant", "本年未购置设备 no machines bought this year", None),
    (3, "estimated", "电网损耗与燃气供应 losses of the grid and supply of gas", 420.0),
    (4, "estimated", "公路运入 inbound freight by road", 310.0),
    (5, "estimated", "废物，80 % 回收 waste, 80 % recycled", 45.0),
    (6, "not_significant", "航空出行很少 few journeys by air", None),
    (7, "included", "通勤，按调查，另有录入 commuting, surveyed; entries follow", None),
    (8, "not_significant", "无租赁 nothing leased", None),
    (9, "estimated", "公路运出 outbound freight by road", 280.0),
    (10, "not_significant", "产品以成品出售 products are sold finished", None),
    (11, "not_significant", "产品使用时不耗能 products use no energy", None),
    (12, "not_significant", "金属与电子件被回收 metal and electronics are recycled", None),
    (13, "not_significant", "租户在边界内 tenants are inside the boundary", None),
    (14, "not_significant", "无特许经营 no franchises", None),
    (15, "not_significant", "无投资 no investments", None),
)


def read_months(scenario: str) -> Months:
    """Energy by `YYYY-MM` as written down for a scenario; empty where there is none."""
    spec = importlib.util.find_spec("firmware_sim")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).parent / "scenarios" / f"{scenario}-months.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    return {row.pop("month"): {name: float(value) for name, value in row.items()} for row in rows}


def demo_entries(months: Months, first_metered: dt.date) -> list[Entry]:
    """Everything that is entered, for a park whose meters begin with the month `first_metered` (its first day)."""
    before = [month for month in sorted(months) if _twelve_before(month, first_metered)]
    found = [entry for month in before for entry in _month(month, months[month], first_metered)]
    found.append(_base_year(months))
    found += _budgets(first_metered)
    found += _measure(first_metered)
    found += _scope3(first_metered)
    found.append(_entry("area", {"m2": 86_000.0, "what": "floor"}, from_day=dt.date(first_metered.year, 1, 1), years=1))
    found += _states_of_charge(first_metered)
    refill = {"substance": "R-410A", "refilled_kg": 4.0}
    found.append(_entry("refrigerant", refill, period=f"{first_metered:%Y-%m}", tenant="coldchain"))
    return found


def month_after(day: dt.date, count: int = 1) -> dt.date:
    """First day of the month `count` months after the one of `day`."""
    number = day.year * 12 + day.month - 1 + count
    return dt.date(number // 12, number % 12 + 1, 1)


def _twelve_before(month: str, first_metered: dt.date) -> bool:
    return f"{month_after(first_metered, -12):%Y-%m}" <= month < f"{first_metered:%Y-%m}"


def _month(month: str, energy: dict[str, float], first_metered: dt.date) -> list[Entry]:
    """What bills would have said; of the month before the meters without its last day, which they counted already."""
    begin = dt.date.fromisoformat(f"{month}-01")
    end = month_after(begin)
    share = 1.0
    if end == first_metered:
        share, end = 1 - 1 / (end - begin).days, end - dt.timedelta(days=1)
    electricity = [
        ("received", "grid", energy["grid_import_kwh"]),
        ("generated", "non_fossil", energy["generation_kwh"]),
        ("delivered", "non_fossil", energy["grid_export_kwh"]),
    ]
    documents: list[tuple[str, Entry]] = [
        ("electricity", {"amount": round(amount * share, 3), "direction": direction, "origin": origin})
        for direction, origin, amount in electricity
    ]
    documents.append(("fuel", {"fuel": "gas", "amount": round(energy["gas_nm3"] * share, 3), "unit": "Nm3"}))
    heat = {"amount": round(energy["heat_gj"] * share, 6), "unit": "GJ", "origin": "fossil"}
    documents.append(("heat", heat))
    return [_entry(kind, document, from_day=begin, to_day=end) for kind, document in documents]


def _base_year(months: Months) -> Entry:
    year = [(month, energy) for month, energy in sorted(months.items()) if month.startswith(f"{BASE_YEAR}-")]
    document = {
        "year": BASE_YEAR,
        "months": [
            {
                "month": int(month[5:]),
                "scope1_t": round(energy["gas_nm3"] * GAS_KG_PER_NM3 / 1000, 3),
                "scope2_location_t": _purchased_t(energy, GRID_KG_PER_KWH),
                "scope2_market_t": _purchased_t(energy, REMAINDER_KG_PER_KWH),
                "electricity_kwh": energy["grid_import_kwh"],
            }
            for month, energy in year
        ],
        "boundary": "全园区 the whole park",
        "same_boundary": True,
        "recalculation_policy": "变化 5 % 及以上时重算 recalculated where the total changes by 5 % or more",
    }
    return _entry("base_year", document, period=str(BASE_YEAR))


def _purchased_t(energy: dict[str, float], kg_per_kwh: float) -> float:
    return round((energy["grid_import_kwh"] * kg_per_kwh + energy["heat_gj"] * HEAT_KG_PER_GJ) / 1000, 3)


def _budgets(first_metered: dt.date) -> list[Entry]:
    current = month_after(first_metered)
    return [
        _entry("budget", {"what": "co2e_location", "amount": 290.0, "unit": "t"}, period=f"{first_metered:%Y-%m}"),
        _entry("budget", {"what": "co2e_location", "amount": 290.0, "unit": "t"}, period=f"{current:%Y-%m}"),
        _entry("budget", {"what": "co2e_location", "amount": 3400.0, "unit": "t"}, period=str(current.year)),
    ]


def _measure(first_metered: dt.date) -> list[Entry]:
    start = month_after(first_metered, -3)
    measure = {
        "measure": "led-machining",
        "title": {"zh": "精工厂房照明改造", "en": "LED lighting of the machining hall"},
        "owner": "energy manager",
        "kind": "reduce",
        "status": "running",
        "baseline": "lighting and offices of the machining hall, base year 2025",
        "expected_co2e_t_per_year": 14.0,
        "expected_saving_per_year": 24_000.0,
        "saving_unit": "kWh",
        "cost": 96_000.0,
        "running_cost_per_year": -17_000.0,
    }
    saving = {"measure": "led-machining", "co2e_t": 1.165, "how": "calculated", "amount": 2000.0, "unit": "kWh"}
    return [
        _entry("measure", measure, from_day=start, years=10),
        _entry("measure_saving", saving, period=f"{first_metered:%Y-%m}"),
    ]


def _states_of_charge(first_metered: dt.date) -> list[Entry]:
    """The battery at the ends of the first metered month, just before it charges at night."""
    days = (first_metered, month_after(first_metered))
    return [
        _entry(
            "soc",
            {"storage": "battery", "at": f"{day.isoformat()}T00:00:00+08:00", "soc_pct": 18.0},
            from_day=day,
            years=1,
        )
        for day in days
    ]


def _scope3(first_metered: dt.date) -> list[Entry]:
    begin = dt.date(first_metered.year, 1, 1)
    screening = [
        _entry(
            "scope3_screening",
            {"category": category, "status": status, "why": why, **({} if size is None else {"estimate_t": size})},
            from_day=begin,
            years=1,
        )
        for category, status, why, size in _SCREENED
    ]
    commuting = {
        "category": 7,
        "subject": "驾车通勤（调查） by car, surveyed",
        "amount": 61_000.0,
        "unit": "km",
        "supplier": {
            "value": 0.17,
            "unit": "kgCO2e/km",
            "publisher": "演示 demonstration",
            "document": "虚构因子 invented factor",
            "life_cycle": True,
            "unverified": True,
        },
    }
    return [*screening, _entry("scope3", commuting, period=f"{first_metered:%Y-%m}")]


def _entry(
    kind: str,
    document: Entry,
    *,
    period: str | None = None,
    from_day: dt.date | None = None,
    to_day: dt.date | None = None,
    years: int = 0,
    tenant: str | None = None,
) -> Entry:
    entry: Entry = {"kind": kind, "document": document, "evidence": EVIDENCE, "simulated": True}
    if period is not None:
        entry["period"] = period
    elif from_day is not None:
        end = to_day or from_day.replace(year=from_day.year + years)
        entry |= {"from_day": from_day.isoformat(), "to_day": end.isoformat()}
    return entry | ({} if tenant is None else {"tenant": tenant})
