"""What is known about parks, sources, points and factors: one immutable snapshot per `config_version`.

Whoever writes results checks the version inside its transaction and loads a new snapshot when it has moved, so no
interval is ever computed with facts that were already replaced.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from parkcarbon.catalog.park import MethodSettings
from parkcarbon.domain.factors import Factor, FactorSeries
from parkcarbon.domain.lifelines import Lifelines, lifelines
from parkcarbon.domain.reading import Kind
from parkcarbon.domain.scan_types import Correction, Episode, Limits
from parkcarbon.domain.substitution import Substitution
from parkcarbon.kit.db import RejectedError, Row, Session, to_ms

from .queries import QUERIES

KINDS = {"counter": Kind.COUNTER, "gauge": Kind.GAUGE, "delta": Kind.DELTA}


@dataclass(frozen=True, slots=True)
class Source:
    """Whoever may send batches; times [ms UTC]."""

    source_id: int
    park: str
    name: str
    kind: str
    via: str | None
    public_key: bytes | None
    window_from_ms: int | None
    window_to_ms: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class Point:
    """One point with the dated facts that its scan needs."""

    point_id: int
    park: str
    name: str
    kind: Kind
    unit: str
    carrier: str
    flow: str | None
    limits: Limits
    episodes: tuple[Episode, ...]
    corrections: tuple[Correction, ...]
    lives: Lifelines
    substitutions: tuple[Substitution, ...] = ()
    may_be_negative: bool = False  # an amount below zero is no error

    @property
    def retimed(self) -> bool:
        """True when some readings of this point count at another time than their stamp."""
        return any(correction.kind == "retime" for correction in self.corrections)


@dataclass(frozen=True, slots=True)
class Park:
    """One park: its time zone and what the calculation may not guess."""

    park: str
    zone: ZoneInfo
    method: MethodSettings


@dataclass(frozen=True)
class Model:
    """A snapshot of the configuration.

    Attributes:
        version: value of `config_version`.
        known_on: day of the last change of the configuration: nothing learned later is used.
        parks: by id.
        sources: by (park, source).
        points: by park, then by `device/quantity`.
        by_id: the same points.
        factors: park id ("" for the catalog) to records with their database id.
        series: values of the factors that are series, by database id.
    """

    version: int
    known_on: dt.date = dt.date.min
    parks: Mapping[str, Park] = field(default_factory=dict)
    sources: Mapping[tuple[str, str], Source] = field(default_factory=dict)
    points: Mapping[str, Mapping[str, Point]] = field(default_factory=dict)
    by_id: Mapping[int, Point] = field(default_factory=dict)
    factors: Mapping[str, tuple[tuple[int, Factor], ...]] = field(default_factory=dict)
    series: Mapping[int, FactorSeries] = field(default_factory=dict)

    def factors_for(self, park: str) -> tuple[tuple[int, Factor], ...]:
        """Catalog factors and the park's own, with database ids."""
        return self.factors.get("", ()) + self.factors.get(park, ())


EMPTY = Model(version=0)


class _Document(msgspec.Struct):
    method: MethodSettings


async def load_model(session: Session) -> Model:
    """Read the configuration as it is in this transaction."""
    config = await session.fetchrow(QUERIES["version"])
    if config is None:
        raise RejectedError("config_version has no row")
    parks = {row["park_id"]: _park(row) for row in await session.fetch(QUERIES["model_parks"])}
    sources = [_source(row) for row in await session.fetch(QUERIES["model_sources"])]
    episodes = grouped(await session.fetch(QUERIES["model_episodes"]), _episode)
    corrections = grouped(await session.fetch(QUERIES["model_corrections"]), correction_of)
    substitutions = grouped(await session.fetch(QUERIES["model_substitutions"]), substitution_of)
    points: dict[str, dict[str, Point]] = {}
    by_id: dict[int, Point] = {}
    for row in await session.fetch(QUERIES["model_points"]):
        point_id = row["point_id"]
        point = _point(row, episodes.get(point_id, ()), corrections.get(point_id, ()), substitutions.get(point_id, ()))
        points.setdefault(point.park, {})[point.name] = point
        by_id[point.point_id] = point
    factors: dict[str, list[tuple[int, Factor]]] = {}
    series: dict[int, FactorSeries] = {}
    for row in await session.fetch(QUERIES["model_factors"]):
        factor = decode_factor(row["document"], row["recorded_at"])
        factors.setdefault(row["park_id"] or "", []).append((row["factor_id"], factor))
        if factor.series:
            series[row["factor_id"]] = await load_series(session, row["factor_id"], factor)
    return Model(
        version=config["version"],
        known_on=config["changed_at"].date(),
        parks=parks,
        sources={(source.park, source.name): source for source in sources},
        points=points,
        by_id=by_id,
        factors={park: tuple(records) for park, records in factors.items()},
        series=series,
    )


async def load_series(session: Session, factor_id: int, factor: Factor) -> FactorSeries:
    """Read the values of a factor series: for each start the one recorded last."""
    columns = await session.fetch_columns(
        QUERIES["model_series"], factor_id, types={"start": "timestamptz", "span_ms": "int4", "value": "float8"}
    )
    return FactorSeries(factor, columns["start"], columns["span_ms"].astype("int64"), columns["value"])


def decode_factor(document: str, recorded_at: dt.datetime) -> Factor:
    """Build a factor record from what the database keeps."""
    members: dict[str, Any] = msgspec.json.decode(document)
    for name in ("published_on", "valid_from", "valid_to"):
        if members.get(name) is not None:
            members[name] = dt.date.fromisoformat(members[name])
    members["recorded_at"] = recorded_at
    return Factor(**members)


def _park(row: Row) -> Park:
    document = msgspec.json.decode(row["document"], type=_Document, strict=False)
    return Park(row["park_id"], ZoneInfo(row["timezone"]), document.method)


def _source(row: Row) -> Source:
    return Source(
        row["source_id"],
        row["park_id"],
        row["source"],
        row["kind"],
        row["via"],
        row["public_key"],
        _ms(row["window_from"]),
        _ms(row["window_to"]),
        row["active"],
    )


def _ms(moment: dt.datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _episode(row: Row) -> Episode:
    return Episode(
        at_ms=to_ms(row["at"]),
        ratio=row["ct"] * row["pt"],
        sign=row["sign"],
        modulus=row["modulus"],
        limit_per_h=row["limit_per_h"],
        end_reading=row["end_reading"],
        start_reading=row["start_reading"],
    )


def correction_of(row: Row) -> Correction:
    """Build a correction from what the database keeps."""
    document = msgspec.json.decode(row["document"])
    return Correction(
        kind=row["kind"],
        from_ms=to_ms(row["from_time"]),
        to_ms=to_ms(row["to_time"]),
        end_reading=document.get("end_reading"),
        start_reading=document.get("start_reading"),
        offset_ms=document.get("offset_ms", 0),
    )


def substitution_of(row: Row) -> Substitution:
    """Build a substitution from what the database keeps."""
    return Substitution(row["substitution_id"], to_ms(row["from_time"]), tuple(row["amounts_micro"]))


def grouped(rows: Sequence[Row], make: Any) -> dict[int, tuple[Any, ...]]:
    """What is made of rows, by their point."""
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row["point_id"], []).append(make(row))
    return {point_id: tuple(facts) for point_id, facts in groups.items()}


def _point(
    row: Row,
    episodes: tuple[Episode, ...],
    corrections: tuple[Correction, ...],
    substitutions: tuple[Substitution, ...],
) -> Point:
    limits = Limits(row["period_ms"], row["limit_per_h"], row["resolution"], row["modulus"])
    return Point(
        point_id=row["point_id"],
        park=row["park_id"],
        name=row["point"],
        kind=KINDS[row["kind"]],
        unit=row["unit"],
        carrier=row["carrier"],
        flow=row["flow"],
        limits=limits,
        episodes=episodes,
        corrections=corrections,
        lives=lifelines(episodes, corrections, limits),
        substitutions=substitutions,
        may_be_negative=row["may_be_negative"],
    )
