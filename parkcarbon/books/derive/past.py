"""A park's configuration and readings as known on a past date, and since when its stored intervals differ from then."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from parkcarbon.books.facts import Facts
from parkcarbon.catalog import park as doc
from parkcarbon.domain.lifelines import lifelines
from parkcarbon.domain.reading import DAY_MS
from parkcarbon.domain.scan_types import Correction
from parkcarbon.domain.substitution import Substitution
from parkcarbon.kit.db import Row, Session, to_ms

from .announce import touched
from .model import KINDS, Model, Park, Point, correction_of, grouped, load_model, substitution_of
from .project import Projected, projected
from .queries import QUERIES
from .stored import Known, moment

_WEEK_MS = 7 * DAY_MS
_ALL_BATCHES = 2**63 - 1


@dataclass(frozen=True)
class Past:
    """What was known of a park, and what has changed since.

    Attributes:
        model: the configuration then, of this park alone.
        known: which readings counted then.
        same_until_ms: by point, until when its stored results are those of then [ms UTC].
    """

    model: Model
    known: Known
    same_until_ms: Mapping[int, int]


async def load_past(session: Session, facts: Facts, until_ms: int) -> Past:
    """Read what was known of a park.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        facts: the park as known then.
        until_ms: changes after this time do not matter [ms UTC].
    """
    model = await past_model(session, facts)
    first_later = await session.fetchval(QUERIES["past_first_later_batch"], facts.as_of)
    withheld: dict[int, list[int]] = {}
    for row in await session.fetch(QUERIES["past_withheld"], facts.park, facts.as_of):
        withheld.setdefault(row["point_id"], []).append(row["time_ms"])
    known = Known(
        facts.as_of,
        _ALL_BATCHES if first_later is None else first_later,
        {point_id: np.array(times, dtype=np.int64) for point_id, times in withheld.items()},
    )
    return Past(model, known, await _Changes(session, facts, model, known, until_ms).find())


async def past_model(session: Session, facts: Facts) -> Model:
    """The configuration of a park as it was at `facts.as_of`: what `load_model` gave then, of this park alone."""
    ids = {row["point"]: row["point_id"] for row in await session.fetch(QUERIES["past_points"], facts.park)}
    here = {one.name: one for one in projected(facts.document)}
    found: dict[str, Projected] = {}
    if any(point.point not in here for point in facts.points):  # retired: the last document that had it speaks for it
        for row in await session.fetch(QUERIES["past_revisions"], facts.park, facts.revision):
            found |= {one.name: one for one in projected(msgspec.json.decode(row["document"], type=doc.Park))}
    span = facts.park, facts.as_of
    corrections = grouped(await session.fetch(QUERIES["past_corrections"], *span), lambda row: row)
    substitutions = grouped(await session.fetch(QUERIES["past_substitutions"], *span), substitution_of)
    points: dict[str, Point] = {}
    for name, one in (found | here).items():
        if name in ids:
            counting = tuple(_counting(corrections.get(ids[name], ()), one))
            points[name] = _point((facts.park, ids[name]), one, counting, substitutions.get(ids[name], ()))
    changed_at = await session.fetchval(QUERIES["past_config"], facts.as_of)
    return Model(
        version=-1,
        known_on=(facts.as_of if changed_at is None else changed_at).date(),
        parks={facts.park: Park(facts.park, facts.zone, facts.document.method)},
        points={facts.park: points},
        by_id={point.point_id: point for point in points.values()},
        factors={facts.park: facts.factors},
        series=facts.series,
    )


def _point(
    key: tuple[str, int], one: Projected, corrections: tuple[Correction, ...], substitutions: Sequence[Substitution]
) -> Point:
    episodes = one.episodes()
    return Point(
        point_id=key[1],
        park=key[0],
        name=one.name,
        kind=KINDS[one.point.kind],
        unit=one.unit,
        carrier=one.carrier,
        flow=one.point.flow,
        limits=one.limits,
        episodes=episodes,
        corrections=corrections,
        lives=lifelines(episodes, corrections, one.limits),
        substitutions=tuple(substitutions),
        may_be_negative=one.point.may_be_negative,
    )


def _counting(rows: Sequence[Row], one: Projected) -> Iterator[Correction]:
    """Corrections but those that a source declared and the park document knows better (as in `model_corrections`)."""
    said = [(episode.serial, to_ms(episode.at)) for episode in one.point.episodes if episode.serial is not None]
    for row in rows:
        serial = json.loads(row["document"]).get("serial")
        correction = correction_of(row)
        if not any(serial == name and abs(at_ms - correction.from_ms) <= _WEEK_MS for name, at_ms in said):
            yield correction


class _Changes:
    """From when on something that was learned since touches the points of a park."""

    def __init__(self, session: Session, facts: Facts, model: Model, known: Known, until_ms: int) -> None:
        self._session = session
        self._facts = facts
        self._model = model
        self._known = known
        self._until_ms = until_ms
        self._reach: dict[int, int] = {}
        self._first = dict.fromkeys(model.by_id, until_ms)

    async def find(self) -> dict[int, int]:
        """Return by point the time up to which its stored results are those of then [ms UTC]."""
        await self._by_facts()
        ids = sorted(self._first)
        await self._note("past_stale", ids)
        await self._note("past_later_deltas", ids, self._known.as_of)
        for point_id, times in self._known.withheld_ms.items():
            self._touch(point_id, int(times.min()))
        reach = max(self._reach.values(), default=0)
        until = moment(self._until_ms + reach)
        bounds = await self._session.fetchrow(QUERIES["past_later_span"], self._facts.park, self._known.as_of, until)
        if bounds is not None and bounds["low"] is not None:
            span = bounds["low"], bounds["high"], self._known.before_batch
            await self._note("past_later_readings", ids, self._known.as_of, *span)
        return self._first

    async def _by_facts(self) -> None:
        now = await load_model(self._session)
        for point_id, was in self._model.by_id.items():
            point = now.by_id[point_id]
            offsets = [abs(c.offset_ms) for one in (was, point) for c in one.corrections if c.kind == "retime"]
            self._reach[point_id] = max(offsets, default=0)
            for low, _ in touched(was, point):
                self._touch(point_id, low)

    async def _note(self, query: str, *arguments: object) -> None:
        for row in await self._session.fetch(QUERIES[query], *arguments):
            self._touch(row["point_id"], to_ms(row["first"]))

    def _touch(self, point_id: int, time_ms: int) -> None:
        if point_id in self._first:
            self._first[point_id] = min(self._first[point_id], time_ms - self._reach[point_id])
