"""Corrections: a person's decisions about readings, with who, when, why and effect; withdrawn by a later fact."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from parkcarbon.books.derive.announce import Change, changing, stretch_of
from parkcarbon.books.derive.effect import Effect, effect_of, with_corrections
from parkcarbon.books.derive.model import Point, correction_of
from parkcarbon.domain.reading import Kind
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.scan_types import Correction
from parkcarbon.kit.db import Row, Session, load_queries, to_ms

QUERIES: Final = load_queries("parkcarbon.books")
EVER: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

CorrectionKind = Literal["exclude", "boundary", "retime"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """What a person enters.

    Attributes:
        point: `device/quantity`.
        kind: `exclude`: readings of the span do not count; `boundary`: one meter ends and the next begins; `retime`:
            readings with a doubtful clock count at another time.
        from_time: begin; of a boundary its moment.
        to_time: last moment; None: the same.
        end_reading: of a boundary, last register before it [register unit].
        start_reading: of a boundary, first register after it.
        offset_ms: of a retiming, what is added to the stamps [ms].
    """

    point: str
    kind: CorrectionKind
    from_time: dt.datetime
    to_time: dt.datetime | None = None
    end_reading: float | None = None
    start_reading: float | None = None
    offset_ms: int | None = None

    @property
    def until(self) -> dt.datetime:
        """Last moment it speaks of."""
        return self.from_time if self.to_time is None else self.to_time

    def document(self) -> Json:
        """What the table keeps beside the span."""
        if self.kind == "boundary":
            return {"end_reading": self.end_reading, "start_reading": self.start_reading}
        return {"offset_ms": self.offset_ms} if self.kind == "retime" else {}

    def fact(self) -> Correction:
        """As the scan takes it."""
        span = to_ms(self.from_time), to_ms(self.until)
        return Correction(self.kind, *span, self.end_reading, self.start_reading, self.offset_ms or 0)


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of it.

    Attributes:
        number: of the fact.
        readings: that it touches.
        queued: points that are computed again.
        effect: on the intervals.
    """

    number: int
    readings: int
    queued: int
    effect: Effect


async def enter(session: Session, park: str, wanted: NewCorrection, *, author: str, reason: str) -> Entered:
    """Enter a correction, with its effect.

    Args:
        session: inside a transaction; `config_version` is locked in it.
        park: whose.
        wanted: the decision.
        author: who decides.
        reason: why.

    Raises:
        LookupError: there is no such park or point.
        RefusedError: nobody or no reason is named, it touches no reading, or a member is missing or out of place.
    """
    _named(author, reason, wanted.point)
    _check(wanted)
    async with changing(session, park) as change:
        point = point_of(change, park, wanted.point)
        readings = int(
            await session.fetchval(QUERIES["correction_readings"], point.point_id, wanted.from_time, wanted.until)
        )
        if wanted.kind != "boundary" and not readings:
            raise RefusedError(
                "6.10",
                f"{wanted.point} has no reading from {wanted.from_time} to {wanted.until}: nothing to {wanted.kind}",
            )
        fact = wanted.fact()
        changed = with_corrections(point, (*point.corrections, fact))
        effect = await effect_of(session, change.before, changed, *stretch_of(fact))
        number = await session.fetchval(
            QUERIES["correction_enter"],
            point.point_id,
            wanted.kind,
            wanted.from_time,
            wanted.until,
            msgspec.json.encode(wanted.document()).decode(),
            author,
            reason,
            *effect.columns(),
        )
    return Entered(int(number), readings, change.queued, effect)


async def withdraw(session: Session, park: str, number: int, *, author: str, reason: str) -> Entered:
    """Let a correction count no longer; it stays, with who withdrew it, why, and what that did.

    Raises:
        LookupError: there is no such correction of this park.
        RefusedError: it was withdrawn already, or nobody or no reason is named.
    """
    _named(author, reason, f"correction {number}")
    async with changing(session, park) as change:
        rows = await session.fetch(QUERIES["corrections"], park, EVER, number)
        if not rows:
            raise LookupError(f"there is no correction {number} in {park}")
        if rows[0]["withdrawn_at"] is not None:
            raise RefusedError("6.9", f"correction {number} was withdrawn by {rows[0]['withdrawn_by']} already")
        fact, point = correction_of(rows[0]), change.before.by_id[rows[0]["point_id"]]
        left = list(point.corrections)
        if fact in left:  # one that the park document knows better counts nothing already
            left.remove(fact)
        effect = await effect_of(session, change.before, with_corrections(point, tuple(left)), *stretch_of(fact))
        await session.fetchval(QUERIES["correction_withdraw"], number, author, reason, *effect.columns())
    return Entered(number, 0, change.queued, effect)


async def listed(session: Session, park: str, *, as_of: dt.datetime = EVER) -> list[Json]:
    """Every correction of a park as known at a moment, by number."""
    return [document_of(row) for row in await session.fetch(QUERIES["corrections"], park, as_of, None)]


async def one(session: Session, park: str, number: int) -> Json:
    """One correction.

    Raises:
        LookupError: there is none.
    """
    rows = await session.fetch(QUERIES["corrections"], park, EVER, number)
    if not rows:
        raise LookupError(f"there is no correction {number} in {park}")
    return document_of(rows[0])


def document_of(row: Row) -> Json:
    """A correction as API and command line give it."""
    withdrawal = None
    if row["withdrawn_at"] is not None:
        withdrawal = {
            "author": row["withdrawn_by"],
            "reason": row["withdrawal_reason"],
            "recorded_at": row["withdrawn_at"],
        }
    return {
        "correction": row["correction_id"],
        "state": "in_force" if withdrawal is None else "withdrawn",
        "point": row["point"],
        "kind": row["kind"],
        "from": row["from_time"],
        "to": row["to_time"],
        "document": msgspec.json.decode(row["document"]),
        "effect": effect_document(row),
        "author": row["author"],
        "reason": row["reason"],
        "recorded_at": row["recorded_at"],
        "withdrawal": withdrawal,
    }


def effect_document(row: Row, prefix: str = "") -> Json | None:
    """Before, after and difference in the unit of the point and in kg; None where no effect was recorded."""
    before, after = row[f"{prefix}before_micro"], row[f"{prefix}after_micro"]
    if before is None or after is None:
        return None
    kg_before, kg_after = row[f"{prefix}before_nano_kg"], row[f"{prefix}after_nano_kg"]
    priced = kg_before is not None and kg_after is not None
    return {
        "unit": row["unit"],
        "before": before / 1e6,
        "after": after / 1e6,
        "difference": (after - before) / 1e6,
        "before_kg": kg_before / 1e9 if priced else None,
        "after_kg": kg_after / 1e9 if priced else None,
        "difference_kg": (kg_after - kg_before) / 1e9 if priced else None,
    }


def point_of(change: Change, park: str, name: str) -> Point:
    """A point of a park that intervals come from.

    Raises:
        LookupError: there is none of that name.
        RefusedError: it is a gauge.
    """
    point = change.before.points.get(park, {}).get(name)
    if point is None:
        raise LookupError(f"there is no point {name!r} in {park!r}")
    if point.kind is Kind.GAUGE:
        raise RefusedError("6.10", f"{name} is a gauge: no energy comes from it")
    return point


def _named(author: str, reason: str, what: str) -> None:
    if not author.strip() or not reason.strip():
        raise RefusedError("6.9", f"{what}: a correction needs who decides and why")


def _check(wanted: NewCorrection) -> None:
    if wanted.until < wanted.from_time:
        raise RefusedError("6.10", f"{wanted.point}: it ends at {wanted.until}, before it begins at {wanted.from_time}")
    if wanted.kind == "boundary" and wanted.end_reading is None and wanted.start_reading is None:
        raise RefusedError(
            "6.10", f"{wanted.point}: a boundary needs the last register of the old meter or the first of the new one"
        )
    if wanted.kind == "retime" and not wanted.offset_ms:
        raise RefusedError("6.10", f"{wanted.point}: retiming by {wanted.offset_ms} ms changes nothing")
    plain = replace(wanted, end_reading=None, start_reading=None) if wanted.kind == "boundary" else wanted
    plain = replace(plain, offset_ms=None) if wanted.kind == "retime" else plain
    if (plain.end_reading, plain.start_reading, plain.offset_ms) != (None, None, None):
        raise RefusedError("6.10", f"{wanted.point}: registers belong to a boundary, an offset to a retiming")
