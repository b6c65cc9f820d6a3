"""The national park indicator of a file, on its own method profile: never mixed with the inventory."""

import datetime as dt
from collections.abc import Iterable

from parkcarbon.catalog.indicators import energy_conversion, park_schemes
from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.domain.indicators.datasets import EqualValue, Scheme, scheme_for
from parkcarbon.domain.indicators.energy import Comprehensive, EnergyUse, comprehensive
from parkcarbon.domain.indicators.park910 import DirectSupply, GuidingValue, Window, park_indicator
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.methods.figures import method_figure
from parkcarbon.domain.methods.result import EnergyInput, MethodResult
from parkcarbon.domain.methods.zcp910 import zcp910
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Json

from .loader import CalcError, Source
from .schema import ParkIndicator

_GASES = frozenset({"gas", "natural_gas", "lng"})


def park910(
    source: Source,
    inventory: Inventory,
    cover: Cover,
    asked: ParkIndicator,
    *,
    activities: Iterable[Activity],
    factors: Iterable[Factor],
    days: tuple[dt.date, dt.date],
    known_on: dt.datetime,
) -> Json:
    """Work out the indicator of the period.

    Args:
        source: the file.
        inventory: of the same lines; its settings and times are used, none of its figures.
        cover: what certificates cover.
        asked: what the file says beside its lines.
        activities: lines.
        factors: records.
        days: first day and the day after the last.
        known_on: date of knowledge.

    Raises:
        CalcError: what a rule of the programme forbids.
    """
    try:
        result = zcp910(
            (),
            tuple(factors),
            inventory.settings,
            park=source.calculation.name,
            period=inventory.period,
            from_time=dt.datetime.fromisoformat(inventory.from_time),
            to_time=dt.datetime.fromisoformat(inventory.to_time),
            known_on=known_on,
            final=True,
            activities=tuple(activities),
            cover=cover,
        )
        return _indicator(source, result, asked, days)
    except RefusedError as error:
        raise CalcError(source.file, [source.problem("park_indicator", error)]) from error
    except NoFactorError as error:
        raise CalcError(source.file, [source.problem("park_indicator", str(error), "2.6")]) from error


def _indicator(source: Source, result: MethodResult, asked: ParkIndicator, days: tuple[dt.date, dt.date]) -> Json:
    first, end = days
    scheme, notes = scheme_for(park_schemes(), end - dt.timedelta(days=1))
    indicator = park_indicator(
        scheme,
        Window("month" if (end - first).days < 300 else "full_year", first, end, (result.period,)),
        energy_nano_kg=result.energy_nano_kg,
        process_nano_kg=result.process_nano_kg,
        energy=_energy(source, result, asked, first.year),
        annual_tce=asked.annual_tce,
        entered={
            name: GuidingValue(line.value_pct, line.evidence, line.excluded_because)
            for name, line in asked.guiding.items()
        },
        direct=_direct(result, scheme),
        notes=(*notes, *(f"{item['point']} is not in the total: {item['reason']}" for item in result.not_in_total)),
    )
    working = [indicator.figure(), indicator.figure(with_process=True), method_figure("emissions_zcp910", result)]
    return {
        **indicator.document(),
        "emissions": result.document(),
        "working": [figure.document() for figure in working],
    }


def _energy(source: Source, result: MethodResult, asked: ParkIndicator, year: int) -> Comprehensive:
    conversion = energy_conversion()
    region = source.calculation.settings.electricity_region
    entered = []
    if asked.equal_kgce_per_kwh is not None:
        document = asked.equal_document or "entered with the file"
        entered.append(EqualValue(region, year, asked.equal_kgce_per_kwh, document))
    equal = conversion.equal_value(year, region, entered)
    return comprehensive(map(_use, result.energy), year=year, conversion=conversion, equal=equal)


def _use(given: EnergyInput) -> EnergyUse:
    return EnergyUse(
        name=given.name,
        carrier=given.carrier,
        amount=None if given.amount_micro is None else given.amount_micro / 1e6,
        clean=given.clean_micro / 1e6,
        fossil_gas=given.carrier in _GASES and not given.clean_micro,
        feedstock=given.feedstock,
        source=given.name,
    )


def _direct(result: MethodResult, scheme: Scheme) -> DirectSupply:
    """Green power supplied directly, against the consumption of electricity."""
    consumed = [item.amount_micro for item in result.energy if item.carrier == "electricity"]
    known = [amount for amount in consumed if amount is not None]
    return DirectSupply(
        None if result.direct_micro_kwh is None else result.direct_micro_kwh / 1e6,
        sum(known) / 1e6 if known and len(known) == len(consumed) else None,
        scheme.direct_green_share_pct,
    )
