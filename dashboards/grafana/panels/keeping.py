"""Devices and data quality, statements, platform health."""

from typing import Final

from dashboards.grafana.text import Text

from .spec import Board, Panel

QUALITY: Final = Board(
    "quality",
    Text("设备与数据质量", "Devices and data quality"),
    (
        Panel(
            "quality_completeness",
            Text("每日数据完整率", "Data completeness by day"),
            note=Text("替代的表时不提高数据完整率。", "Substituted hours do not raise it."),
        ),
        Panel("quality_states", Text("每日测点数据状态", "Points by data state"), "bars"),
        Panel("quality_hours", Text("每日表时", "Meter-hours by day"), "lines", 24),
        Panel("devices", Text("设备", "Devices"), "table", 24, 10),
        Panel("device_points", Text("最新读数（已乘倍率）", "Newest readings, after the ratio"), "table", 12, 10),
        Panel("quality_questions", Text("待人工判断", "Questions to a person"), "table", 12, 10),
        Panel("quality_quarantine", Text("隔离读数", "Readings in quarantine"), "table"),
        Panel("quality_losses", Text("丢失记录", "Loss records"), "table"),
        Panel("quality_conflicts", Text("矛盾读数", "Conflicting readings"), "table", 24, 6),
    ),
    "now-31d",
)

STATEMENTS: Final = Board(
    "statements",
    Text("声明", "Statements"),
    (
        Panel("statements", Text("声明与版本", "Statements and versions"), "table", 24, 10),
        Panel("statement_tasks", Text("待办任务", "Open tasks"), "table", 24, 7),
        Panel(
            "statement_figures",
            Text("最新声明的数字", "Figures of the newest statement"),
            "table",
            24,
            14,
            Text("冻结记录中的数字，与 PDF 一致。", "As in the frozen record and so on the PDF."),
        ),
    ),
    "now-1y",
)

HEALTH: Final = Board(
    "health",
    Text("平台健康", "Platform health"),
    (
        Panel("health_now", Text("数据链路", "Data path"), "stats", 24, 5),
        Panel("health_outgoing", Text("声明、告警与数据库", "Statements, alarms and database"), "stats", 24, 5),
        Panel("health_delay", Text("从成批到入库的延迟", "From made to committed")),
        Panel("health_readings", Text("入库读数", "Readings committed")),
        Panel("health_sources", Text("来源", "Sources"), "table", 24, 8),
        Panel("health_alarm_messages", Text("告警消息", "Alarm messages"), "table"),
        Panel("health_dead_letters", Text("拒收报文", "Refused messages"), "table"),
    ),
    "now-6h",
    "30s",
)
