"""What a heading and a cell of a CSV file mean, without guessing. Pure.

A number is written with a point. A time without an offset from UTC needs the name of its zone, and one that the zone
has twice or not at all is refused.

```
CsvError             the file as a whole cannot be read; nothing of it may be sent
```
"""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from parkcarbon.catalog.park import device_name
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.wire.topics import SLUG

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)

_number = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_not_finite = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_year_first = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)
_point = re.compile(rf"({SLUG})/([a-z0-9_]{{1,63}})")


class CsvError(ValueError):
    """A file cannot be read as what it was said to be."""


# ── headings ───────────────────────────────────────────────────────────────────────────────────────


def heading_of(text: str) -> str:
    """Return a heading as it is compared: all white space made single blanks."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Naming:
    """How a heading, or a name in a long file, becomes a point.

    Attributes:
        template: text in which `{column}` stands for the device name made of the heading.
        mapping: heading (see `heading_of`) to point, before the template; None for a column that is left out.

    With neither, headings are points.
    """

    template: str | None = None
    mapping: Mapping[str, str | None] = field(default_factory=dict)

    def point(self, heading: str) -> str | None:
        """Return the point of a heading, None where it is left out on purpose.

        Raises:
            CsvError: there is none, or it is no point.
        """
        name = self._name(heading)
        if name is None:
            return None
        match = _point.fullmatch(name)
        if match is None:
            raise CsvError(f"{heading!r} gives {name!r}, which is not device/quantity")
        if match[2] not in QUANTITIES:
            raise CsvError(f"{heading!r} gives {name!r}, and {match[2]!r} is not a known quantity")
        return name

    def _name(self, heading: str) -> str | None:
        if heading in self.mapping:
            return self.mapping[heading]
        if self.template is not None:
            try:
                return self.template.replace("{column}", device_name(heading))
            except ValueError as error:
                raise CsvError(f"{error}; map it to its point") from None
        if self.mapping:
            raise CsvError(f"{heading!r} is not in the map; map it to nothing to leave it out")
        return heading


# ── cells ──────────────────────────────────────────────────────────────────────────────────────────


def parse_time(text: str, zone: ZoneInfo | None) -> int:
    """Return a time [ms UTC].

    Args:
        text: ISO 8601, or year/month/day with hour:minute[:second].
        zone: what a time without an offset means; None: such a time is refused.

    Raises:
        ValueError: saying what is wrong with it.
    """
    moment = _moment(text)
    if moment.tzinfo is not None:
        return (moment - _EPOCH) // _MILLISECOND
    if zone is None:
        raise ValueError(f"{text!r} has no offset from UTC and no time zone was named")
    first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() or dt.timedelta() for fold in (0, 1))
    if first != second:
        told = "comes twice" if first > second else "does not exist"
        raise ValueError(f"{text!r} {told} in {zone.key}, where the clock was changed")
    return (moment.replace(tzinfo=dt.UTC) - first - _EPOCH) // _MILLISECOND


def _moment(text: str) -> dt.datetime:
    match = _year_first.fullmatch(text)
    try:
        if match is not None:
            year, _, month, day, hour, minute, second = match.groups()
            date = dt.datetime(int(year), int(month), int(day))  # noqa: DTZ001 - no zone is what is to be told apart
            return date.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))
        if text[4:5] == "-" and text[:4].isascii() and text[:4].isdigit():
            return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{short(text)} is not a time, want YYYY-MM-DDTHH:MM:SS with Z or an offset")


def is_time(text: str) -> bool:
    """Return whether a text is a time, in whatever zone."""
    try:
        _moment(text)
    except ValueError:
        return False
    return True


def parse_value(text: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: it is none.
    """
    if not _number.fullmatch(text):
        raise ValueError(f"{short(text)} is not {'finite' if _not_finite.fullmatch(text) else 'a number'}")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{short(text)} is not finite")
    return value


def short(text: str) -> str:
    """Return a foreign text in quotes and cut, for messages."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
