"""Changed facts made to count: a new version of the configuration, what they touch queued, everyone told.

Two queues. `recompute`: stretches whose readings are run over again, because an episode, a limit, a correction or a
substitution changed; only of that point, from the time of the fact. `reprice`: months whose CO2e changes while the
energy stays, because another factor applies; only the points it applies to and the local years in which it does.
"""

import datetime as dt
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from parkcarbon.domain.factors import FactorSeries
from parkcarbon.domain.reading import Kind
from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.scan_types import Correction
from parkcarbon.kit.db import Session, to_ms

from .carbon import CarbonBook, Price, emits, to_ms_of_year
from .model import Model, Point, load_model
from .queries import QUERIES
from .stored import BEGIN_MS, END_MS, moment

Stretch = tuple[int, int]
"""Begin and end [ms UTC]."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one point that is to be computed again [ms UTC]."""

    point_id: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """A stretch of one point inside a month UTC that is to be priced anew.

    Attributes:
        point_id: whose.
        month: months since 1970.
        from_ms: begin [ms UTC].
        to_ms: end, exclusive [ms UTC].
    """

    point_id: int
    month: int
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Change:
    """A change of facts under way.

    Attributes:
        before: the configuration before it.
        queued: afterwards, number of points whose results change.
    """

    before: Model
    queued: int = 0


async def unchanged(session: Session, park: str) -> Change:
    """The configuration, locked so that nobody changes it or writes results until the transaction ends.

    Raises:
        LookupError: there is no such park.
    """
    await session.fetchval(QUERIES["version_for_update"])
    change = Change(await load_model(session))
    if park not in change.before.parks:
        raise LookupError(f"there is no park {park}")
    return change


@asynccontextmanager
async def changing(session: Session, park: str) -> AsyncGenerator[Change]:
    """Enter facts inside: nobody writes results meanwhile, and at the end the change is announced.

    Args:
        session: connection inside a transaction.
        park: whose facts change.

    Raises:
        LookupError: there is no such park.
    """
    change = await unchanged(session, park)
    yield change
    change.queued = await announce(session, change.before, park)


async def announce(session: Session, before: Model, park: str) -> int:
    """Make a change of facts count.

    Args:
        session: connection inside the transaction, `config_version` locked FOR UPDATE.
        before: the configuration before the change.
        park: whose facts changed; listeners are told this name. What is queued does not depend on it: a record of the
            catalog touches every park.

    Returns:
        Number of points whose results change.
    """
    await session.fetchval(QUERIES["bump_version"])
    after = await load_model(session)
    spans = affected(before, after)
    rows = await session.fetch(QUERIES["points_with_readings"], [span.point_id for span in spans])
    have = {row["point_id"] for row in rows}
    have |= {point_id for model in (before, after) for point_id, point in model.by_id.items() if point.substitutions}
    spans = [span for span in spans if span.point_id in have]
    await queue_spans(session, spans, "changed facts", await session.fetchval(QUERIES["now"]))
    whole = {span.point_id for span in spans if (span.from_ms, span.to_ms) == (BEGIN_MS, END_MS)}
    months = [span for span in await repriced(session, before, after) if span.point_id not in whole]
    await _queue_months(session, months)
    await session.execute(QUERIES["notify"], "parkcarbon_config", park)
    return len({span.point_id for span in spans} | {span.point_id for span in months})


async def queue_spans(session: Session, spans: Sequence[Span], reason: str, held_until: dt.datetime) -> None:
    """Queue stretches to be computed again, merged with what is queued."""
    if spans:
        await session.execute(
            QUERIES["queue_recompute"],
            [span.point_id for span in spans],
            [moment(span.from_ms) for span in spans],
            [moment(span.to_ms) for span in spans],
            reason,
            held_until,
        )


async def _queue_months(session: Session, spans: Sequence[MonthSpan]) -> None:
    if spans:
        await session.execute(
            QUERIES["queue_reprice"],
            [span.point_id for span in spans],
            [span.month for span in spans],
            [moment(span.from_ms) for span in spans],
            [moment(span.to_ms) for span in spans],
        )


# ── energy ───────────────────────────────────────────────────────────────────────────────────────


def affected(before: Model, after: Model) -> list[Span]:
    """Return for each point the stretch whose energy the new facts may change."""
    spans = []
    for point_id, new in after.by_id.items():
        old = before.by_id.get(point_id)
        if old is None or new.kind is Kind.GAUGE:
            continue
        found = [*touched(old, new)]
        if before.parks[new.park].zone != after.parks[new.park].zone:
            found.append((BEGIN_MS, END_MS))  # local days and years begin at another time
        if found:
            spans.append(Span(point_id, min(low for low, _ in found), max(high for _, high in found)))
    return spans


def touched(old: Point, new: Point) -> Iterator[Stretch]:
    """Yield the stretches of a point in which other facts may give another energy."""
    shape = [(point.kind, point.unit, point.limits, point.may_be_negative) for point in (old, new)]
    if shape[0] != shape[1]:
        yield BEGIN_MS, END_MS
    episodes = set(old.episodes) ^ set(new.episodes)
    if episodes:
        yield min(episode.at_ms for episode in episodes), END_MS
    for correction in set(old.corrections) ^ set(new.corrections):
        yield stretch_of(correction)
    for substitution in set(old.substitutions) ^ set(new.substitutions):
        yield substitution.from_ms, substitution.to_ms


def stretch_of(fact: Correction) -> Stretch:
    """The time that a correction touches [ms UTC]."""
    low, high = fact.from_ms, fact.to_ms
    if fact.kind == "retime":
        low, high = min(low, low + fact.offset_ms), max(high, high + fact.offset_ms)
    return low, low if fact.kind == "boundary" else high


# ── prices ───────────────────────────────────────────────────────────────────────────────────────


async def repriced(session: Session, before: Model, after: Model) -> list[MonthSpan]:
    """Return the months in which the CO2e of points changes though their energy does not."""
    years = await session.fetchrow(QUERIES["years_with_data"])
    if years is None or years["first"] is None or not _prices_may_differ(before, after):
        return []
    stretches = changed_prices(before, after, range(years["first"], years["last"] + 1))
    rows = await session.fetch(QUERIES["months_with_data"], sorted(stretches))
    found = []
    for row in rows:
        point_id = row["point_id"]
        zone = after.parks[after.by_id[point_id].park].zone
        local = _local_month(row["month"], zone)
        for low, high in _overlaps(stretches[point_id], local):
            found += [MonthSpan(point_id, month, *part) for month, part in _by_month(low, high)]
    return _merged(found)


def _prices_may_differ(before: Model, after: Model) -> bool:
    """False where a glance shows that every amount keeps its price."""

    def seen(model: Model) -> tuple[object, ...]:
        records = {park: [factor_id for factor_id, _ in known] for park, known in model.factors.items()}
        methods = {name: (park.method, park.zone) for name, park in model.parks.items()}
        flows = {point_id: (point.flow, point.carrier) for point_id, point in model.by_id.items()}
        return model.known_on, records, methods, flows

    return seen(before) != seen(after) or any(
        not _same_series(before.series.get(factor_id), series) for factor_id, series in after.series.items()
    )


def changed_prices(before: Model, after: Model, years: Iterable[int]) -> dict[int, list[Stretch]]:
    """Return for each point the stretches in which its amounts get another CO2e, factor or match.

    Args:
        before: the configuration before the change.
        after: the configuration after it.
        years: local years that have results.
    """
    old_book, new_book = CarbonBook(before), CarbonBook(after)
    known: dict[tuple[object, ...], list[Stretch]] = {}
    found = {}
    for point_id, new in after.by_id.items():
        old = before.by_id.get(point_id)
        if old is None or new.kind is Kind.GAUGE or not (emits(old) or emits(new)):
            continue
        zone = after.parks[new.park].zone
        if zone != before.parks[new.park].zone:
            continue  # computed again as a whole
        key = (new.park, old.carrier, old.unit, emits(old), new.carrier, new.unit, emits(new))
        if key not in known:
            known[key] = [
                stretch
                for year in years
                for stretch in _changed(old_book.price_of(old, year), new_book.price_of(new, year), year, zone)
            ]
        if known[key]:
            found[point_id] = known[key]
    return found


def _changed(was: Price | None, now: Price | None, year: int, zone: ZoneInfo) -> list[Stretch]:
    """Stretches of a local year that are priced otherwise."""
    whole = to_ms_of_year(year, zone), to_ms_of_year(year + 1, zone)
    if was is None and now is None:
        return []
    if was is None or now is None or not now.says_as(was):
        return [whole]
    if was.series is None or now.series is None:
        return []
    return _overlaps(_differing(was.series, now.series), whole)


def _same_series(one: FactorSeries | None, other: FactorSeries) -> bool:
    if one is None:
        return False
    pairs = (
        (one.start_ms, other.start_ms),
        (one.span_ms, other.span_ms),
        (one.value, other.value),
        (one.substituted_at(one.start_ms), other.substituted_at(other.start_ms)),
    )
    return all(np.array_equal(left, right) for left, right in pairs)


def _differing(one: FactorSeries, other: FactorSeries) -> list[Stretch]:
    """Spans over which two versions of a series differ in value or in whether it was substituted, neighbours joined."""
    if _same_series(one, other):
        return []
    bounds = [part for series in (one, other) for part in (series.start_ms, series.start_ms + series.span_ms)]
    edges: Int64Array = np.unique(np.concatenate(bounds))
    differs = ~np.equal(one.at(edges[:-1]), other.at(edges[:-1]))
    differs &= ~(np.isnan(one.at(edges[:-1])) & np.isnan(other.at(edges[:-1])))
    differs |= one.substituted_at(edges[:-1]) != other.substituted_at(edges[:-1])
    flags = np.concatenate(([False], differs, [False]))
    begin, end = np.flatnonzero(flags[1:] & ~flags[:-1]), np.flatnonzero(flags[:-1] & ~flags[1:])
    return list(zip(edges[begin].tolist(), edges[end].tolist(), strict=True))


def _overlaps(stretches: Iterable[Stretch], within: Stretch) -> list[Stretch]:
    cut = [(max(low, within[0]), min(high, within[1])) for low, high in stretches]
    return [(low, high) for low, high in cut if low < high]


def _local_month(first: dt.date, zone: ZoneInfo) -> Stretch:
    after = dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    low, high = (dt.datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, after))
    return to_ms(low), to_ms(high)


def _by_month(low_ms: int, high_ms: int) -> Iterator[tuple[int, Stretch]]:
    """Cut a stretch at the months UTC."""
    while low_ms < high_ms:
        month = int(np.datetime64(low_ms, "ms").astype("datetime64[M]").astype(np.int64))
        end = min(high_ms, int(np.datetime64(month + 1, "M").astype("datetime64[ms]").astype(np.int64)))
        yield month, (low_ms, end)
        low_ms = end


def _merged(spans: Iterable[MonthSpan]) -> list[MonthSpan]:
    """One span a point and month."""
    merged: dict[tuple[int, int], MonthSpan] = {}
    for span in spans:
        key = span.point_id, span.month
        had = merged.get(key, span)
        merged[key] = MonthSpan(*key, min(had.from_ms, span.from_ms), max(had.to_ms, span.to_ms))
    return [merged[key] for key in sorted(merged)]
