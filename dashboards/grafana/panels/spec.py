"""What a dashboard is made of, before it becomes Grafana's JSON."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from dashboards.grafana.queries import QUERIES
from dashboards.grafana.text import Text

Kind = Literal["lines", "areas", "bars", "stats", "table"]

_SELECT: Final = re.compile(r"select\s+(.*?)\s+from\s", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        query: name of its statement; a dashboard has it once.
        title: what it shows.
        kind: how it is drawn; `areas` and `bars` are stacked.
        width: of 24 columns of the grid.
        height: rows of the grid.
        note: what a reader should know, shown behind the panel's i.
    """

    query: str
    title: Text
    kind: Kind = "lines"
    width: int = 12
    height: int = 8
    note: Text | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the statement chooses, in their order."""
        found = _SELECT.search(QUERIES[self.query])
        if found is None:
            raise ValueError(f"{self.query} is no select")
        return tuple(item.split()[-1] for item in found[1].split(","))


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard.

    Attributes:
        key: end of its uid.
        title: its name.
        panels: in reading order.
        begin: begin of the time range that it opens with.
        refresh: how often it asks again; empty: only by hand.
    """

    key: str
    title: Text
    panels: tuple[Panel, ...]
    begin: str
    refresh: str = ""
    parks: bool = True

    @property
    def has_steps(self) -> bool:
        """Whether a statement depends on the variable `step`."""
        return any("${step:raw}" in QUERIES[panel.query] for panel in self.panels)
