"""Calculate a file: the functions that the server uses, on lines instead of meters.

Nothing here knows a factor or a rule of its own: lines become activities, certificates become lots, and
`domain.inventory.assemble` does the rest.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parkcarbon.domain.activities.activity import Activity
from parkcarbon.domain.activities.counting import refuse
from parkcarbon.domain.emissions import Query, Settings
from parkcarbon.domain.factor_rules import check_one_set
from parkcarbon.domain.factors import Factor, NoFactorError
from parkcarbon.domain.instruments.cover import NO_COVER, Cover, cover_period
from parkcarbon.domain.instruments.eligibility import InstrumentSettings
from parkcarbon.domain.instruments.event import CLAIMING, Event
from parkcarbon.domain.instruments.lot import Lot
from parkcarbon.domain.inventory import Inventory, assemble, days_of, electricity_micro_kwh
from parkcarbon.domain.inventory_figures import scope_figure, total_figure
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import Figure, check

from .convert import ENTITY, activities_of, certificates_of, factors_of, settings_of
from .loader import CalcError, Problem, Source

Json = dict[str, object]


@dataclass(frozen=True)
class Result:
    """What a file comes to.

    Attributes:
        name: of the calculation.
        inventory: scopes, lines, warnings.
        figures: totals with their working, by name.
        parts: other results asked for: certificates, matching, park indicator, uncertainty.
    """

    name: str
    inventory: Inventory
    figures: tuple[Figure, ...]
    parts: Json

    def document(self, *, working: bool = True) -> Json:
        """Plain JSON."""
        members: Json = {"calc": 1, "name": self.name, "inventory": self.inventory.document(), **self.parts}
        return members | {"working": [figure.document() for figure in self.figures]} if working else members


@dataclass(frozen=True, slots=True)
class LocalPeriod:
    """The period of a file; its midnights are those of China, which decide the hour of no line."""

    label: str
    from_day: dt.date
    to_day: dt.date
    from_ms: int
    to_ms: int
    year: int

    @classmethod
    def of(cls, label: str) -> "LocalPeriod":
        """A month or year."""
        first, end = days_of(label)
        return cls(label, first, end, _midnight_ms(first), _midnight_ms(end), first.year)


def _midnight_ms(day: dt.date) -> int:
    return (dt.datetime.combine(day, dt.time(), dt.UTC) - dt.datetime(1970, 1, 1, 8, tzinfo=dt.UTC)) // dt.timedelta(
        milliseconds=1
    )


@dataclass(frozen=True)
class Lines:
    """A file as the domain takes it.

    Attributes:
        source: the file.
        settings: of the method.
        factors: the catalog's and the file's own.
        activities: lines.
        lots: certificates and credits.
        events: what was done with them.
        period: of the file.
        known_on: date of knowledge.
    """

    source: Source
    settings: Settings
    factors: tuple[Factor, ...]
    activities: list[Activity]
    lots: list[Lot]
    events: list[Event]
    period: LocalPeriod
    known_on: dt.datetime

    @property
    def query(self) -> Query:
        """What is asked of the factor records."""
        return Query(self.factors, self.settings, "electricity", "kWh", self.period.year, self.known_on)


def calculate(source: Source, catalog: Sequence[Factor], *, now: dt.datetime) -> Result:
    """Calculate a decoded file.

    Args:
        source: the file.
        catalog: factor records.
        now: time of the calculation; the date of knowledge where the file names none.

    Raises:
        CalcError: with everything that is wrong with it.
    """
    lines = _lines(source, catalog, now)
    cover = _cover(lines)
    inventory = _assemble(lines, cover)
    return Result(source.calculation.name, inventory, figures_of(inventory), _parts(lines, inventory, cover))


def _lines(source: Source, catalog: Sequence[Factor], now: dt.datetime) -> Lines:
    day = source.calculation.known_on
    activities, wrong_activities = activities_of(source)
    own, wrong_factors = factors_of(source)
    lots, events, wrong_lots = certificates_of(source)
    lines = Lines(
        source=source,
        settings=settings_of(source),
        factors=(*catalog, *own),
        activities=activities,
        lots=lots,
        events=events,
        period=LocalPeriod.of(str(source.calculation.period)),
        known_on=now if day is None else dt.datetime.combine(day, dt.time(23, 59, 59), dt.UTC),
    )
    query = lines.query
    refused = [problem for activity in activities for problem in _refused(source, activity, query)]
    wrong = [*_sets(lines), *wrong_activities, *wrong_factors, *wrong_lots, *refused]
    if wrong:
        raise CalcError(source.file, wrong)
    return lines


def _sets(lines: Lines) -> Iterator[Problem]:
    """A fuel default set that nobody published."""
    wanted = lines.settings.fuel_set
    known = sorted({factor.edition for factor in lines.factors if factor.purpose == "oxidation"})
    if wanted and wanted not in {factor.edition for factor in lines.factors}:
        message = f"{wanted!r} is no fuel default set; there are {', '.join(known)}"
        yield lines.source.problem("settings.fuel_set", message, "1.11")


def _refused(source: Source, activity: Activity, query: Query) -> Iterator[Problem]:
    """What the domain refuses of a line; a line without a factor is no error, it is listed as not in the total."""
    place = f"activities[{activity.activity}]"
    try:
        refuse(activity, query)
        if activity.factor_id:
            query.named(activity.factor_id)
    except RefusedError as error:
        yield source.problem(place, error)
    except NoFactorError as error:
        yield source.problem(f"{place}.factor_id", str(error))


def _cover(lines: Lines) -> Cover:
    """What the certificates of a file do; one that was used and does not count is an error of the file."""
    if not lines.lots:
        return NO_COVER
    amounts = electricity_micro_kwh((), lines.activities, lines.period.label)
    cover = cover_period(
        lines.lots,
        lines.events,
        period=lines.period,
        purchased_micro_kwh=amounts["import"],
        self_used_micro_kwh=amounts["self_used"],
        exported_micro_kwh=amounts["export"],
        settings=InstrumentSettings(market=lines.settings.electricity_region),
        known_on=lines.known_on,
        park=ENTITY,
    )
    source = lines.source
    given = dict(enumerate(source.calculation.certificates, 1))
    problems: list[Problem] = []
    for refused in cover.refused:
        line = given[int(str(refused["lot"]))]
        if line.act in CLAIMING:
            message = f"{refused['serials']}: {refused['reason']}"
            problems.append(source.problem(f"certificates[{line.lot}]", message, str(refused["rule"])))
    if problems:
        raise CalcError(source.file, problems)
    return cover


def _assemble(lines: Lines, cover: Cover) -> Inventory:
    source = lines.source
    try:
        inventory = assemble(
            (),
            lines.factors,
            lines.settings,
            park=source.calculation.name,
            period=lines.period.label,
            from_time=_time(lines.period.from_ms),
            to_time=_time(lines.period.to_ms),
            known_on=lines.known_on,
            final=True,
            activities=lines.activities,
            cover=cover,
        )
        own = [line for line in inventory.lines("location") if not _elsewhere(line.entry, lines.activities)]
        check_one_set(match for line in own for match in line.factors)
    except RefusedError as error:
        raise CalcError(source.file, [source.problem("activities", error)]) from error
    return inventory


def _elsewhere(entry: str, activities: Sequence[Activity]) -> bool:
    """True for electricity of another region than the settings'."""
    return any(activity.activity == entry and activity.region for activity in activities)


def _time(time_ms: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=time_ms)


def figures_of(inventory: Inventory) -> tuple[Figure, ...]:
    """Both totals of an inventory and scope 3, down to factor records.

    Raises:
        AssertionError: a figure is not what its terms give.
    """
    scope1 = scope_figure("scope1", inventory.scope(1))
    location = scope_figure("scope2_location", inventory.scope(2, "location"))
    market = scope_figure("scope2_market", inventory.scope(2, "market"))
    figures = [total_figure("total_location", scope1, location), total_figure("total_market", scope1, market)]
    if inventory.scope3.lines:
        figures.append(scope_figure("scope3", inventory.scope3))
    for figure in figures:
        if wrong := check(figure):
            raise AssertionError("; ".join(wrong))
    return tuple(figures)


def _parts(lines: Lines, inventory: Inventory, cover: Cover) -> Json:
    """The results beside the inventory that a file asks for."""
    calculation = lines.source.calculation
    parts: Json = {}
    if lines.lots:
        parts["certificates"] = cover.document()
    if calculation.hourly is not None:
        from .hours import hourly_matching

        parts["hourly_matching"] = hourly_matching(lines.source, calculation.hourly)
    if calculation.uncertainty is not None:
        from .spread import uncertainty

        parts["uncertainty"] = uncertainty(lines.source, inventory, calculation.uncertainty)
    if calculation.park_indicator is not None:
        from .park910 import park910

        parts["park_indicator"] = park910(
            lines.source,
            inventory,
            cover,
            calculation.park_indicator,
            activities=lines.activities,
            factors=lines.factors,
            days=(lines.period.from_day, lines.period.to_day),
            known_on=lines.known_on,
        )
    return parts
