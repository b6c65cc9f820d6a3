"""Park overview, energy, emissions, renewables and certificates."""

from typing import Final

from dashboards.grafana.text import Text

from .spec import Board, Panel

_FROZEN: Final = Text(
    "仅含已关账月份的冻结数字；未关账月份的基于市场结果见声明。",
    "Frozen figures of closed months only; what a month that is open comes to market-based stands in its statement.",
)
_LOCATION: Final = Text(
    "计量所得，基于位置；范围一和二，电力因子仅含CO₂。",
    "Metered, location-based; scopes 1 and 2, electricity CO2 only.",
)
_GAPS: Final = Text(
    "缺失为空白，不为零；任一流向未知时负荷为空。",
    "Missing is a gap, never zero; the load is empty while one of its flows is not known.",
)

OVERVIEW: Final = Board(
    "overview",
    Text("园区概览", "Park overview"),
    (
        Panel("overview_today", Text("今日", "Today"), "stats", 20, 5, _GAPS),
        Panel("overview_completeness", Text("今日数据", "Data today"), "stats", 4, 5),
        Panel("overview_power", Text("功率", "Power"), "lines", 24, 9, _GAPS),
        Panel("overview_rate", Text("碳排放率", "Emission rate"), "lines", 12, 8, _LOCATION),
        Panel("overview_tenants", Text("租户用电功率", "Power used by tenants"), "areas", 12, 8),
        Panel("overview_alarms", Text("未恢复的告警", "Standing alarms"), "table", 14, 8),
        Panel("overview_statements", Text("最近的声明", "Newest statements"), "table", 10, 8),
    ),
    "now-24h",
    "1m",
)

ENERGY: Final = Board(
    "energy",
    Text("能源", "Energy"),
    (
        Panel("energy_days", Text("每日供电构成", "Supply by day"), "bars", 12, 9, _GAPS),
        Panel(
            "energy_load_days", Text("每日用电、上网与充电", "Load, export and charge by day"), "lines", 12, 9, _GAPS
        ),
        Panel("energy_months", Text("每月电量", "Electricity by month"), "lines"),
        Panel("energy_tenants", Text("租户每日用电", "Electricity of tenants by day"), "bars"),
        Panel("energy_other_carriers", Text("天然气与热力", "Gas and heat"), "lines", 24),
        Panel("energy_flows", Text("每日各流向与数据状态", "Flows by day with their data state"), "table", 24, 10),
    ),
    "now-31d",
)

EMISSIONS: Final = Board(
    "emissions",
    Text("排放（两种口径）", "Emissions (both methods)"),
    (
        Panel(
            "emissions_days", Text("每日排放（基于位置）", "Emissions by day, location-based"), "bars", 12, 9, _LOCATION
        ),
        Panel("emissions_rate", Text("碳排放率", "Emission rate"), "lines", 12, 9, _LOCATION),
        Panel("emissions_both", Text("已关账月份：两种口径", "Closed months: both methods"), "lines", 12, 9, _FROZEN),
        Panel(
            "emissions_months",
            Text("每月计量排放（基于位置）", "Metered emissions by month, location-based"),
            "lines",
            12,
            9,
            _LOCATION,
        ),
        Panel(
            "emissions_tenants",
            Text("租户每日排放（基于位置）", "Emissions of tenants by day, location-based"),
            "bars",
            24,
        ),
        Panel("emissions_inventory", Text("冻结的温室气体清单", "Frozen inventories"), "table", 24, 8, _FROZEN),
        Panel(
            "emissions_lines",
            Text("最近关账月份的排放源", "Sources of the newest closed month"),
            "table",
            24,
            10,
            _FROZEN,
        ),
    ),
    "now-90d",
)

RENEWABLES: Final = Board(
    "renewables",
    Text("可再生能源与绿证", "Renewables and certificates"),
    (
        Panel("renewables_today", Text("今日", "Today"), "stats", 24, 5),
        Panel("renewables_power", Text("发电与上网功率", "Generation and export"), "lines"),
        Panel("renewables_shares", Text("光伏自用率与自给率", "Self-consumption and self-sufficiency"), "lines"),
        Panel("renewables_days", Text("每日发电与上网", "Generation and export by day"), "bars"),
        Panel(
            "certificates_covered",
            Text("绿证核销覆盖", "Covered by cancelled certificates"),
            "lines",
            note=_FROZEN,
        ),
        Panel("certificates", Text("绿证与减排量", "Certificates and credits"), "table", 24, 10),
    ),
    "now-31d",
)
