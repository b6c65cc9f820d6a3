"""Panels as Grafana draws them, through its own foundation SDK."""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard

from .panels.columns import COLUMNS, UNITS
from .panels.spec import Board, Panel
from .queries import STEPS, statement
from .text import Language, Text

DATASOURCE_UID: Final = "parkcarbon-report"
DATASOURCE_TYPE: Final = "grafana-postgresql-datasource"
TAG: Final = "parkcarbon-managed"
"""Dashboards with this tag and a uid of ours are kept in step; all others are left alone."""
UID_PREFIX: Final = "parkcarbon-"

_SOURCE: Final = dashboard.DataSourceRef(DATASOURCE_TYPE, DATASOURCE_UID)
_STEP_WORDS: Final = {"15min": "15 min", "hour": "1 h"}


class Sql(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """A statement to the PostgreSQL data source; the SDK has no model for it."""

    def __init__(self, sql: str, *, series: bool) -> None:
        self._sql = sql
        self._format = "time_series" if series else "table"

    def build(self) -> variants.Dataquery:
        """Return itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Plain members, as Grafana keeps them."""
        return {
            "refId": "A",
            "datasource": _SOURCE,
            "editorMode": "code",
            "format": self._format,
            "rawQuery": True,
            "rawSql": self._sql,
        }


def uid_of(board: Board, language: Language) -> str:
    """Uid of a dashboard in a language."""
    return f"{UID_PREFIX}{board.key}-{language}"


def draw_board(board: Board, language: Language, timezone: str) -> dict[str, Any]:
    """Make the JSON of a dashboard.

    Args:
        board: what it shows.
        language: of every word in it.
        timezone: IANA name; the local days of the views begin at its midnight.
    """
    made = (
        dashboard_builders.Dashboard(board.title(language))
        .uid(uid_of(board, language))
        .tags(["parkcarbon", TAG, language])
        .timezone(timezone)
        .time(board.begin, "now")
        .editable()
        .week_start("monday")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(_park(language))
        .link(_others(language))
    )
    if board.refresh:
        made.refresh(board.refresh)
    if board.has_steps:
        made.with_variable(_step(language))
    for number, panel in enumerate(board.panels, 1):
        made.with_panel(_panel(panel, language).id(number))
    found: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return found


def _park(language: Language) -> dashboard_builders.QueryVariable:
    return (
        dashboard_builders.QueryVariable("park")
        .label(Text("园区", "Park")(language))
        .datasource(_SOURCE)
        .query(statement("variable_park", language))
        .refresh(dashboard.VariableRefresh.ON_DASHBOARD_LOAD)
    )


def _step(language: Language) -> dashboard_builders.CustomVariable:
    options = [
        dashboard.VariableOption(text=_STEP_WORDS[step], value=step, selected=step == STEPS[0]) for step in STEPS
    ]
    return (
        dashboard_builders.CustomVariable("step")
        .label(Text("步长", "Step")(language))
        .values(",".join(f"{_STEP_WORDS[step]} : {step}" for step in STEPS))
        .options(options)
        .current(options[0])
    )


def _others(language: Language) -> dashboard_builders.DashboardLink:
    return (
        dashboard_builders.DashboardLink("ParkCarbon")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG, language])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=False)
    )


def _panel(panel: Panel, language: Language) -> Any:
    series = panel.kind in ("lines", "areas", "bars")
    made: Any
    if panel.kind == "stats":
        made = stat.Panel().reduce_options(
            common_builders.ReduceDataOptions().values(values=False).calcs(["lastNotNull"])
        )
        made.graph_mode(common.BigValueGraphMode.NONE)
    elif panel.kind == "table":
        made = table.Panel().show_header(show_header=True)
    else:
        made = _curves(panel)
    made.title(panel.title(language)).datasource(_SOURCE).span(panel.width).height(panel.height)
    made.with_target(Sql(statement(panel.query, language), series=series))
    made.no_value(Text("无数据", "no data")(language))
    if panel.note is not None:
        made.description(panel.note(language))
    named = () if "metric" in panel.columns else panel.columns  # such series are called by their metric
    for name in named:
        if not (series and name == "time"):
            made = _named(made, name, language)
    return made


def _curves(panel: Panel) -> timeseries.Panel:
    made = timeseries.Panel().span_nulls(span_nulls=False).show_points(common.VisibilityMode.AUTO).line_width(1)
    made.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    if panel.kind != "lines":
        made.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        made.fill_opacity(70 if panel.kind == "bars" else 30)
    if panel.kind == "bars":
        made.draw_style(common.GraphDrawStyle.BARS)
    if "metric" in panel.columns:
        made.unit(UNITS[COLUMNS[panel.columns[-1]][1]])
    return made


def _named(made: Any, name: str, language: Language) -> Any:
    """Give a column its name and unit."""
    shown = name if language == "zh" or not name.endswith("_zh") else name.removesuffix("_zh") + "_en"
    words, unit = COLUMNS[name]
    if not words(language):
        return made
    properties = [dashboard.DynamicConfigValue("displayName", words(language))]
    if unit not in ("text", ""):
        properties.append(dashboard.DynamicConfigValue("unit", UNITS[unit]))
    return made.override_by_name(shown, properties)
