"""Method profile `gbt32150`: direct emissions and purchased power and heat, less delivered ones on their own line.

    E = E_combustion + E_process + E_purchased power + E_purchased heat - E_delivered power - E_delivered heat

What is delivered carries the factor of what is purchased. The subtraction is this method's own: `ghgp` never nets.

References:
    GB/T 32150-2015 and GB/T 32150-2025, as quoted by accounting rules 1.13, 1.14 (the 2025 edition applies from
    2026-07-01; the edition is stored with each result); 2.9 (never mixed with another profile).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from parkcarbon.domain.activities.activity import Activity, within
from parkcarbon.domain.activities.heat import heat
from parkcarbon.domain.emissions import CarrierFactor, Query, Settings, resolve
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.domain.inventory import Inventory, assemble, days_of
from parkcarbon.domain.methods.amounts import PointAmount
from parkcarbon.domain.methods.building import times
from parkcarbon.domain.methods.lines import Json, Line
from parkcarbon.domain.methods.result import Edition, MethodLine, MethodResult, Part
from parkcarbon.domain.refusal import RefusedError

EDITIONS: Final = (
    Edition(
        "GB/T 32150-2015 工业企业温室气体排放核算和报告通则", "2016-06-01", "2026-07-01"
    ),  # its first day is recalled
    Edition("GB/T 32150-2025", "2026-07-01"),
)
"""Editions and the days they apply to; the end is the day after the last."""

_PARTS: Final[dict[str, Part]] = {
    "fuel": "combustion",
    "process": "process",
    "refrigerant": "process",
    "electricity": "electricity",
    "heat": "heat",
    "steam": "heat",
    "cooling": "heat",
}
_KWH_PER: Final = {"kWh": 1, "MWh": 1000}


def edition_of(day: dt.date) -> Edition:
    """The edition that applies to a day.

    >>> edition_of(dt.date(2026, 7, 1)).document
    'GB/T 32150-2025'
    """
    found = [edition for edition in EDITIONS if edition.from_day <= day.isoformat()]
    return found[-1] if found else EDITIONS[0]


def gbt32150(
    points: Iterable[PointAmount],
    factors: Iterable[Factor],
    settings: Settings,
    *,
    park: str,
    period: str,
    from_time: dt.datetime,
    to_time: dt.datetime,
    known_on: dt.datetime,
    final: bool,
    activities: Sequence[Activity] = (),
) -> MethodResult:
    """Count a period on this profile; the arguments are those of `inventory.assemble`."""
    metered, records = list(points), tuple(factors)
    inventory = assemble(
        metered,
        records,
        settings,
        park=park,
        period=period,
        from_time=from_time,
        to_time=to_time,
        known_on=known_on,
        final=final,
        activities=activities,
    )
    first, end = days_of(period)
    delivering = _Delivering(Query(records, settings, "electricity", "kWh", first.year, known_on))
    for point in sorted(metered, key=lambda point: point.point):
        if (point.carrier, point.flow) == ("electricity", "export") and point.known:
            delivering.power(point.point, point.amount_micro, point.tenant, simulated=False)
    for activity in sorted(activities, key=lambda activity: activity.activity):
        part = within(activity, first, end)
        if part is not None and part.direction == "delivered":
            delivering.entry(part)
    edition = edition_of(end - dt.timedelta(days=1))
    straddles = edition_of(first) != edition
    note = (f"the period reaches over two editions: {edition.document} is applied",) if straddles else ()
    return MethodResult(
        profile="gbt32150",
        edition=edition,
        park=park,
        period=period,
        known_on=inventory.known_on,
        from_time=inventory.from_time,
        to_time=inventory.to_time,
        final=final,
        unit="CO2e",
        lines=(*_counted(inventory), *delivering.lines),
        listed=tuple(item for item in inventory.beside if "delivered" not in str(item["reason"])),
        not_in_total=(*inventory.not_in_total, *delivering.left_out),
        warnings=(*note, *(word for word in inventory.warnings if "not netted" not in word)),
    )


def _counted(inventory: Inventory) -> list[MethodLine]:
    return [_line(line) for line in inventory.lines("location")]


def _line(line: Line) -> MethodLine:
    return MethodLine(
        name=line.source,
        part=_PARTS[line.kind],
        carrier=line.carrier,
        amount_micro=line.amount_micro,
        unit=line.activity_unit,
        nano_kg=line.co2e_nano_kg,
        factors=line.factors,
        chains=line.chains,
        note=line.note,
        rule="1.14",
        tenant=line.tenant,
        simulated=line.simulated,
    )


class _Delivering:
    """The subtracted line, source by source."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self.lines: list[MethodLine] = []
        self.left_out: list[Json] = []

    def power(self, name: str, amount_micro: int, tenant: str | None, *, simulated: bool) -> None:
        """Subtract delivered electricity."""
        try:
            factor = self._bought("electricity", "kWh")
        except NoFactorError as reason:
            self._leave_out(name, "electricity", amount_micro, "kWh", str(reason))
            return
        self._subtract(name, amount_micro, factor, tenant=tenant, simulated=simulated)

    def entry(self, activity: Activity) -> None:
        """Subtract an entered delivery."""
        if activity.kind == "electricity":
            micro = activity.amount_micro * _KWH_PER[activity.unit]
            self.power(activity.name, micro, activity.tenant, simulated=activity.simulated)
            return
        if activity.kind not in ("heat", "steam"):
            return
        try:
            factor = heat(replace(activity, direction="received"), self._query)
        except (NoFactorError, RefusedError) as reason:
            self._leave_out(activity.name, activity.kind, activity.amount_micro, activity.unit, str(reason))
            return
        tenant, simulated = activity.tenant, activity.simulated
        self._subtract(activity.name, activity.amount_micro, factor, tenant=tenant, simulated=simulated)

    def _bought(self, carrier: str, unit: str) -> CarrierFactor:
        query = self._query
        factor = resolve(
            query.factors,
            query.settings,
            carrier=carrier,
            unit=unit,
            data_year=query.data_year,
            known_on=query.known_on,
        )
        if factor.is_series:
            raise NoFactorError(f"{factor.leading.factor.factor} is by the hour; a delivery here has no hours")
        return factor

    def _subtract(
        self, name: str, amount_micro: int, factor: CarrierFactor, *, tenant: str | None, simulated: bool
    ) -> None:
        self.lines.append(
            MethodLine(
                name=name,
                part="delivered",
                carrier=factor.carrier,
                amount_micro=amount_micro,
                unit=factor.unit,
                nano_kg=-times(amount_micro, factor.co2e),
                factors=factor.matches,
                chains=factor.chains,
                note="; ".join(("delivered to others: subtracted by this method alone", *factor.notes)),
                rule="1.14",
                tenant=tenant,
                simulated=simulated,
            )
        )

    def _leave_out(self, name: str, carrier: str, amount_micro: int, unit: str, reason: str) -> None:
        self.left_out.append(
            {"carrier": carrier, "point": name, "amount": amount_micro / 1e6, "unit": unit, "reason": reason}
        )
