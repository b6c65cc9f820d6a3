"""Working days of a country, with the days that are made up for, edited by what the park says.

Holidays are those of the package `holidays`. China publishes the days off and the weekend days that are worked instead
once a year, late in the year before; until a version of the package knows them, `warning` says that they are guessed.
"""

import datetime as dt
from functools import lru_cache
from importlib.metadata import version
from typing import Final

from parkcarbon.catalog.park_statement import StatementSettings

_WEEKEND: Final = frozenset({5, 6})
_MOVED: Final = "special_public_holidays"
_DAY: Final = dt.timedelta(days=1)
_LONGEST: Final = 60  # days without `count` working days: the settings make no sense


@lru_cache(maxsize=64)
def _year(country: str, year: int) -> tuple[frozenset[dt.date], frozenset[dt.date], frozenset[int]]:
    """Days off and weekend days that are worked, of a year, and the weekend; of an unknown country that alone."""
    import holidays  # 20 MB: the API shows statements without it

    if not _is_known(country):
        return frozenset(), frozenset(), _WEEKEND
    found = holidays.country_holidays(country, years=year)
    worked = frozenset(day for day in getattr(found, "weekend_workdays", ()) if day.year == year)
    return frozenset(day for day in found if day.year == year), worked, frozenset(found.weekend)


def _is_known(country: str) -> bool:
    from holidays.utils import list_supported_countries

    return country in list_supported_countries()


def is_working_day(settings: StatementSettings, day: dt.date) -> bool:
    """True when people work on a day, as far as is known.

    What the park says comes first; a day in both of its lists is a working day.
    """
    if day in settings.working_days:
        return True
    if day in settings.holidays:
        return False
    off, worked, weekend = _year(settings.calendar, day.year)
    return day in worked or (day not in off and day.weekday() not in weekend)


def nth_working_day(settings: StatementSettings, month: dt.date, count: int) -> dt.date:
    """The `count`-th working day from the first day of a month on.

    Args:
        settings: of the park.
        month: its first day.
        count: 1 for the first.

    Raises:
        ValueError: there are hardly any working days.
    """
    day, left = month, count
    for _ in range(_LONGEST):
        left -= is_working_day(settings, day)
        if left == 0:
            return day
        day += _DAY
    raise ValueError(f"{month.isoformat()} and the {_LONGEST} days after it have no {count} working days")


def warning(settings: StatementSettings, year: int) -> str | None:
    """Why the working days of a year are not certain; None where they are."""
    import holidays

    country = settings.calendar
    if not _is_known(country):
        return f"no holidays of {country} are known: weekends alone are days off, unless the park says more"
    if settings.holidays and any(day.year == year for day in (*settings.holidays, *settings.working_days)):
        return None
    moved = getattr(holidays.country_holidays(country), _MOVED, None)
    if country == "CN" and year not in (moved or ()):
        told = f"holidays and made-up working days of China in {year} are not in holidays {version('holidays')} yet"
        return f"{told}: enter them under statement.holidays and statement.working_days"
    return None
