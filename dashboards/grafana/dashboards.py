"""Every dashboard with its folder, in both languages, as the JSON that Grafana keeps."""

from dataclasses import dataclass
from typing import Any, Final

from .draw import draw_board
from .panels.keeping import HEALTH, QUALITY, STATEMENTS
from .panels.park import EMISSIONS, ENERGY, OVERVIEW, RENEWABLES
from .panels.spec import Board
from .text import LANGUAGES, Language, Text

BOARDS: Final[tuple[Board, ...]] = (OVERVIEW, ENERGY, EMISSIONS, RENEWABLES, QUALITY, STATEMENTS, HEALTH)
TIMEZONE: Final = "Asia/Shanghai"
"""Time zone of the dashboards where nothing else is said; it should be the park's."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of dashboards or rules."""

    uid: str
    title: str


RULES_FOLDER: Final = Folder("parkcarbon-rules", "ParkCarbon 平台健康规则 platform health rules")
_TITLES: Final = Text("ParkCarbon 园区碳排放", "ParkCarbon (English)")


@dataclass(frozen=True, slots=True)
class Built:
    """A dashboard ready to be pushed or written."""

    uid: str
    folder: Folder
    language: Language
    key: str
    body: dict[str, Any]


def folder_of(language: Language) -> Folder:
    """Folder of the dashboards in a language."""
    return Folder(f"parkcarbon-{language}", _TITLES(language))


def dashboards(timezone: str = TIMEZONE) -> list[Built]:
    """Make every dashboard.

    Args:
        timezone: IANA name of the park's zone.
    """
    return [
        Built(body["uid"], folder_of(language), language, board.key, body)
        for language in LANGUAGES
        for board in BOARDS
        for body in (draw_board(board, language, timezone),)
    ]
