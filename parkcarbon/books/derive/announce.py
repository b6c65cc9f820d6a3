"""Changed facts made to count: a new version of the configuration, what they touch queued, everyone told."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from parkcarbon.domain.reading import Kind
from parkcarbon.kit.db import Session, to_ms

from .carbon import CarbonBook
from .model import Model, Point, load_model
from .queries import QUERIES
from .stored import BEGIN_MS, END_MS, moment

_FIRST_YEAR: Final = 2000
"""Years before are taken with this one: no factor of the catalog tells them apart."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one point that is to be computed again [ms UTC]."""

    point_id: int
    from_ms: int
    to_ms: int


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


async def announce(
    session: Session, before: Model, park: str, *, series: Mapping[str, tuple[int, int]] = MappingProxyType({})
) -> int:
    """Make a change of facts count: a new version, the stretches it touches queued, everyone told.

    Args:
        session: connection inside the transaction, `config_version` locked FOR UPDATE.
        before: the configuration before the change.
        park: whose facts changed.
        series: spans [ms UTC] over which factor series changed, by factor.

    Returns:
        Number of points whose results are computed again.
    """
    await session.fetchval(QUERIES["bump_version"])
    after = await load_model(session)
    spans = affected(before, after, park, series)
    rows = await session.fetch(QUERIES["points_with_readings"], [span.point_id for span in spans])
    have = {row["point_id"] for row in rows}
    spans = [span for span in spans if span.point_id in have]
    await queue_spans(session, spans, "changed facts", await session.fetchval(QUERIES["now"]))
    await session.execute(QUERIES["notify"], "parkcarbon_config", park)
    return len(spans)


def affected(before: Model, after: Model, park: str, series: Mapping[str, tuple[int, int]]) -> list[Span]:
    """Return for each point the stretch whose results the new facts may change."""
    spans = []
    was, now = CarbonBook(before), CarbonBook(after)
    for point_id, new in after.by_id.items():
        old = before.by_id.get(point_id)
        if old is None or new.kind is Kind.GAUGE:
            continue
        touched = [*_by_facts(old, new), *_by_prices(was, now, old, new)]
        if new.park == park:
            touched += _by_values(now, new, series)
        if touched:
            spans.append(Span(point_id, min(low for low, _ in touched), max(high for _, high in touched)))
    return spans


def _by_facts(old: Point, new: Point) -> Iterator[tuple[int, int]]:
    if (old.kind, old.unit, old.carrier, old.flow, old.limits) != (
        new.kind,
        new.unit,
        new.carrier,
        new.flow,
        new.limits,
    ):
        yield BEGIN_MS, END_MS
    episodes = set(old.episodes) ^ set(new.episodes)
    if episodes:
        yield min(episode.at_ms for episode in episodes), END_MS
    for correction in set(old.corrections) ^ set(new.corrections):
        low, high = correction.from_ms, correction.to_ms
        if correction.kind == "retime":
            low, high = min(low, low + correction.offset_ms), max(high, high + correction.offset_ms)
        yield low, low if correction.kind == "boundary" else high


def _by_prices(was: CarbonBook, now: CarbonBook, old: Point, new: Point) -> Iterator[tuple[int, int]]:
    """Local years whose factor became another one, was found otherwise or has another value."""
    zone = now.model.parks[new.park].zone
    if was.model.parks[new.park].zone != zone:
        yield BEGIN_MS, END_MS
        return
    last = max(now.model.known_on.year, _FIRST_YEAR) + 1
    for year in range(_FIRST_YEAR, last + 1):
        if was.used(old, year) != now.used(new, year):
            yield (
                BEGIN_MS if year == _FIRST_YEAR else _new_year(year, zone),
                END_MS if year == last else _new_year(year + 1, zone),
            )


def _by_values(now: CarbonBook, point: Point, series: Mapping[str, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches of new values of the series that prices a point."""
    zone = now.model.parks[point.park].zone
    for name, (low, high) in series.items():
        years = {dt.datetime.fromtimestamp(time_ms / 1000, zone).year for time_ms in (low, high)}
        used = [now.used(point, year) for year in range(min(years), max(years) + 1)]
        if any(one is not None and one.factor == name for one in used):
            yield low, high


def _new_year(year: int, zone: ZoneInfo) -> int:
    return to_ms(dt.datetime(year, 1, 1, tzinfo=zone))
