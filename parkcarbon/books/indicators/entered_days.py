"""What was entered, spread over its days: the months before there were meters, and what no meter shows.

An entry counts evenly on each of its days, as in the inventory; budgets add it to what meters count, and a day that no
meter knows is known where the same flow was entered for it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.books.facts import Facts
from parkcarbon.catalog.entries.activity import activities_of
from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.counting import Counted, count
from parkcarbon.domain.emissions import Query, resolve
from parkcarbon.domain.factors import NoFactorError
from parkcarbon.domain.refusal import RefusedError

Flow = tuple[str, str]
ByDay = dict[dt.date, float]

ELSEWHERE: Final[Flow] = ("", "")
"""What no meter of a park counts: refrigerants, processes, other fuels."""

_FLOW_OF: Final = {"received": "import", "generated": "generation", "delivered": "export"}
_UNIT_OF: Final = {"electricity": "kWh", "gas": "Nm3", "heat": "GJ"}
_MEASURED_IN: Final = {("MWh", "kWh"): 1000.0}
_BEYOND: Final = frozenset({"scope3", "removal", "feedstock"})
_DAY: Final = dt.timedelta(days=1)


@dataclass
class EnteredDays:
    """Entered amounts and emissions by flow and local day.

    Attributes:
        amount: by carrier and flow [kWh, Nm3 or GJ]; a flow entered in another unit is absent.
        co2e_t: scopes 1 and 2, location-based, by carrier and flow [t]; at `ELSEWHERE` what meters never count.
        unknown: days on which something was entered for which no factor is known.
    """

    amount: dict[Flow, ByDay] = field(default_factory=dict)
    co2e_t: dict[Flow, ByDay] = field(default_factory=dict)
    unknown: set[dt.date] = field(default_factory=set)

    def co2e(self, flow: Flow) -> Mapping[dt.date, float]:
        """Emissions of a flow [t]."""
        return self.co2e_t.get(flow, {})

    def of(self, flow: Flow) -> Mapping[dt.date, float]:
        """Amount of a flow."""
        return self.amount.get(flow, {})


def entered_days(facts: Facts, tenant: str | None, from_day: dt.date, to_day: dt.date) -> EnteredDays:
    """Spread the entries of a park, or of one tenant, over their days.

    Args:
        facts: the park as known.
        tenant: whose; None: the park's, those of its tenants included.
        from_day: first day wanted.
        to_day: day after the last.
    """
    found = EnteredDays()
    records = tuple(factor for _, factor in facts.factors)
    for activity in activities_of(facts.entries):
        days = list(_days(activity, from_day, to_day))
        if not days or activity.kind in _BEYOND or (tenant is not None and activity.tenant != tenant):
            continue
        flow = flow_of(activity)
        whole = (activity.to_day - activity.from_day).days
        amount = _amount(activity)
        if amount is not None:
            _add(found.amount, flow, days, amount / whole)
        query = Query(
            records, facts.document.method.settings(), "electricity", "kWh", activity.from_day.year, facts.as_of
        )
        try:
            _add(found.co2e_t, flow, days, _tonnes(activity, query) / whole)
        except (NoFactorError, RefusedError):
            found.unknown.update(days)
    return found


def flow_of(activity: Activity) -> Flow:
    """Carrier and flow of a meter that would count the same; `ELSEWHERE` where none does."""
    if activity.kind == "electricity":
        return "electricity", _FLOW_OF[activity.direction]
    if activity.kind == "fuel":
        return (activity.subject, "fuel") if activity.subject == "gas" else ELSEWHERE
    return ("heat", "heat") if activity.kind == "heat" and activity.direction == "received" else ELSEWHERE


def _amount(activity: Activity) -> float | None:
    """Amount in the unit that meters of the carrier count; None where it was entered in another."""
    unit = _UNIT_OF.get(flow_of(activity)[0])
    if unit is None:
        return None
    scale = 1.0 if activity.unit == unit else _MEASURED_IN.get((activity.unit, unit))
    return None if scale is None else activity.amount * scale


def _tonnes(activity: Activity, query: Query) -> float:
    """Emissions of an entry in scopes 1 and 2, location-based [t]; 0 for what is shown beside the total."""
    if activity.kind == "electricity":
        if activity.direction != "received" or activity.origin == "non_fossil":
            return 0.0
        kwh = activity.amount * _MEASURED_IN.get((activity.unit, "kWh"), 1.0)
        factor = resolve(
            query.factors,
            query.settings,
            carrier="electricity",
            unit="kWh",
            data_year=query.data_year,
            known_on=query.known_on,
        )
        return kwh * factor.co2e / 1e3
    counted = count(activity, query)
    return activity.amount * counted.location.co2e / 1e3 if isinstance(counted, Counted) else 0.0


def _days(activity: Activity, from_day: dt.date, to_day: dt.date) -> Iterator[dt.date]:
    day, end = max(activity.from_day, from_day), min(activity.to_day, to_day)
    while day < end:
        yield day
        day += _DAY


def _add(table: dict[Flow, ByDay], flow: Flow, days: list[dt.date], each: float) -> None:
    row = table.setdefault(flow, {})
    for day in days:
        row[day] = row.get(day, 0.0) + each
