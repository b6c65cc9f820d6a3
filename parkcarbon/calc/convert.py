"""Lines of a file as the domain takes them; what the domain refuses becomes a problem with its place."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from msgspec import Struct

from parkcarbon.domain.activities import activity as domain
from parkcarbon.domain.emissions import Settings
from parkcarbon.domain.factors import Factor
from parkcarbon.domain.instruments.event import Event, EventKind
from parkcarbon.domain.instruments.lot import (
    CCER_NANO_KG,
    GEC_MICRO_KWH,
    Lot,
    Serials,
    add_months,
    refuse_lot,
)
from parkcarbon.domain.inventory import days_of
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError

from . import schema
from .loader import Problem, Source

T = TypeVar("T")

ENTITY: Final = "calc"
"""Whose books the certificates of a file are in."""

_SUBJECTS: Final = {"electricity", "heat", "steam", "cooling"}


def micro(value: float) -> int:
    """An amount as an integer of its millionth, as it was written.

    >>> micro(324165.375), micro(0.1 + 0.2)
    (324165375000, 300000)
    """
    return round(Decimal(repr(value)) * 1_000_000)


def settings_of(source: Source) -> Settings:
    """The method settings of a file."""
    given = source.calculation.settings
    return Settings(
        electricity_region=given.electricity_region,
        fuel_region=given.fuel_region,
        heat_region=given.heat_region,
        gwp_set=given.gwp_set,
        electricity_factor=given.electricity_factor,
        fuel_set=given.fuel_set,
        heat_factor=given.heat_factor,
        remainder=given.remainder,
        standard_temperature_c=given.standard_temperature_c,
        standard_pressure_kpa=given.standard_pressure_kpa,
        absent=frozenset(given.absent),
    )


def activities_of(source: Source) -> tuple[list[domain.Activity], list[Problem]]:
    """Every activity line, and what is wrong with the others."""
    from_day, to_day = days_of(str(source.calculation.period))
    made: list[domain.Activity] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, line in enumerate(source.calculation.activities):
        place = f"activities[{line.activity}]"
        if line.activity in seen:
            problems.append(source.problem(f"activities[{number}]", f"{line.activity!r} is there twice", "6.10"))
        seen.add(line.activity)
        made += _try(source, place, problems, partial(_activity, line, from_day, to_day))
    return made, problems


def _try(source: Source, place: str, problems: list[Problem], make: Callable[[], T]) -> Iterator[T]:
    try:
        yield make()
    except RefusedError as error:
        problems.append(source.problem(place, error))


def _activity(line: schema.ActivityLine, from_day: dt.date, to_day: dt.date) -> domain.Activity:
    given, state, steam, calorific = line.factor, line.gas_state, line.steam, line.calorific
    first, end = line.from_day or from_day, line.to_day or to_day
    if first < from_day or end > to_day:
        raise RefusedError(
            "6.10", f"{line.activity}: {first} to {end} reaches out of the period {from_day} to {to_day}"
        )
    return domain.Activity(
        activity=line.activity,
        kind=line.kind,
        subject=line.subject or (line.kind if line.kind in _SUBJECTS else ""),
        amount_micro=micro(line.amount),
        unit=line.unit,
        from_day=first,
        to_day=end,
        source=line.source,
        tenant=line.tenant,
        evidence=line.evidence,
        state=Method[line.state.upper()],
        factor=None if given is None else domain.GivenFactor(**_members(given)),
        factor_id=line.factor_id,
        basis=line.basis,
        calorific=None if calorific is None else domain.CalorificValue(**_members(calorific)),
        density_kg_per_m3=line.density_kg_per_m3,
        gas_state=None if state is None else domain.GasState(**_members(state)),
        standard_temperature_c=line.standard_temperature_c,
        steam=None if steam is None else domain.SteamState(**_members(steam)),
        cop=line.cop,
        origin=line.origin,
        direction=line.direction,
        biogenic=line.biogenic,
        bunker=line.bunker,
        category=line.category,
        group=line.group,
        counted_elsewhere=line.counted_elsewhere,
        gwp_set=line.gwp_set,
        fuel_set=line.fuel_set,
        region=line.region,
        blend=tuple(sorted(line.blend.items())),
        method=line.method,
        note=line.note,
    )


def _members(struct: Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def factors_of(source: Source) -> tuple[list[Factor], list[Problem]]:
    """The file's own factors."""
    made: list[Factor] = []
    problems: list[Problem] = []
    for line in source.calculation.factors:
        make = partial(Factor, **_members(line), own=True, unverified=True)
        made += _try(source, f"factors[{line.factor}]", problems, make)
    return made, problems


def certificates_of(source: Source) -> tuple[list[Lot], list[Event], list[Problem]]:
    """Lots and what was done with them; serials that are there twice are refused."""
    from_day, to_day = days_of(str(source.calculation.period))
    lots: list[Lot] = []
    events: list[Event] = []
    problems: list[Problem] = []
    for number, line in enumerate(source.calculation.certificates, 1):
        place = f"certificates[{line.lot}]"
        for lot in _try(source, place, problems, partial(_lot, line, number)):
            taken = next((other for other in lots if _overlap(lot, other)), None)
            if taken is not None:
                message = f"{lot.serials} of {lot.registry} overlap with {taken.serials}: a serial counts once"
                problems.append(source.problem(place, message, "3.5"))
            lots.append(lot)
            if line.act != "held":
                if line.on_day is None:
                    problems.append(source.problem(f"{place}.on_day", f"{line.act} on which day?", "3.5"))
                else:
                    events.append(_event(line, lot, line.on_day, (from_day, to_day)))
    return lots, events, problems


def _overlap(one: Lot, other: Lot) -> bool:
    if (one.registry, one.serials.prefix) != (other.registry, other.serials.prefix):
        return False
    return one.serials.first < other.serials.end and other.serials.first < one.serials.end


def _lot(line: schema.CertificateLine, number: int) -> Lot:
    first = dt.date(int(line.generated[:4]), int(line.generated[5:]), 1)
    kwh = line.unit_kwh if line.unit_kwh is not None or line.kind != "GEC" else GEC_MICRO_KWH / 1e6
    kilograms = line.unit_kg if line.unit_kg is not None or line.kind != "CCER" else CCER_NANO_KG / 1e9
    china = dt.timezone(dt.timedelta(hours=8))
    lot = Lot(
        lot_id=number,
        park=ENTITY,
        kind=line.kind,
        registry=line.registry,
        serials=Serials(line.prefix, line.first, line.count),
        unit_micro_kwh=None if kwh is None else micro(kwh),
        unit_nano_kg=None if kilograms is None else micro(kilograms) * 1000,
        technology=line.technology,
        plant=line.plant,
        commissioned=line.commissioned,
        market=line.market,
        generated_from=dt.datetime.combine(first, dt.time(), china),
        generated_to=dt.datetime.combine(add_months(first, 1), dt.time(), china),
        granularity="month",
        generation_month=first,
        vintage=first.year,
        origin=line.origin,
        issued_for=line.issued_for,
        tradable=line.tradable,
        contract=line.contract,
        criteria=line.criteria,
        evidence=line.evidence,
        author=ENTITY,
    )
    refuse_lot(lot)
    return lot


_ACTS: Final[dict[str, EventKind]] = {
    "pending": "pending",
    "cancelled": "cancelled",
    "retired": "retired",
    "sold": "sold",
    "surrendered": "surrendered",
}


def _event(line: schema.CertificateLine, lot: Lot, on_day: dt.date, days: tuple[dt.date, dt.date]) -> Event:
    claims = line.act != "sold"
    return Event(
        event_id=lot.lot_id,
        lot_id=lot.lot_id,
        kind=_ACTS[line.act],
        serials=lot.serials,
        park=ENTITY,
        on_day=on_day,
        claim_from=days[0] if claims else None,
        claim_to=days[1] if claims else None,
        public_record=line.public_record,
        evidence=line.evidence,
        author=ENTITY,
        confirmed_by="the author of the file",
    )
