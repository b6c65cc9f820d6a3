"""Substitutions: energy put where none is known, by a rule, once a second person approves; never silent.

A draft says what would be entered and what it would do; entering stores it, with amounts of its own for each interval,
so that nothing which is learned later can change them; reviewing lets it count. Measured values that arrive afterwards
win, and the list says how much of a substitution they have superseded.

References:
    accounting rules 6.1, 6.2, 6.3, 6.7, 6.9.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
import numpy as np

from parkcarbon.books.amounts import midnight_ms
from parkcarbon.books.derive.announce import Change, changing, unchanged
from parkcarbon.books.derive.effect import (
    Effect,
    computed,
    effect_of,
    stored_intervals,
    with_corrections,
    with_substitutions,
)
from parkcarbon.books.derive.model import Point, substitution_of
from parkcarbon.books.quality import corrections
from parkcarbon.books.quality.corrections import EVER, Json, effect_document, point_of
from parkcarbon.domain.intervals import Intervals
from parkcarbon.domain.reading import DAY_MS, INTERVAL_MS, Kind, Method
from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.substitution import (
    Substitution,
    conservative_amounts,
    default_amounts,
    mean_amounts,
    profile_weights,
    quality_assured,
    slots,
    spread_total,
)
from parkcarbon.domain.working import Figure
from parkcarbon.kit.db import Row, Session, from_ms, load_queries, to_ms

QUERIES: Final = load_queries("parkcarbon.books")

SubstitutionMethod = Literal["conservative", "mean", "estimate", "default"]
State = Literal["proposed", "rejected", "in_force", "superseded", "withdrawn"]
RULES: Final[dict[str, str]] = {"conservative": "6.1", "mean": "6.2", "estimate": "6.2", "default": "6.3"}

MOST: Final = 1e9
"""More of anything in one span is a slip of the pen [unit of the point]."""

_LONGEST_MS: Final = 366 * DAY_MS
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for.

    Attributes:
        point: `device/quantity`.
        from_time: begin, on a quarter of an hour.
        to_time: end, exclusive, likewise.
        method: `conservative` (6.1), `mean` of the values before and after (6.2), `estimate`: a total from process data
            spread by the point's profile (6.2), `default`: a declared punitive one (6.3).
        reference_days: days on each side of the gap whose quality-assured values may stand for others.
        total: of an estimate [unit of the point].
        declared_per_h: of a default [unit/h].
        evidence: what an estimate or a declared default rests on.
        exclude: leave out the readings of the span first: they are wrong (a run of zeros, a stuck register).
    """

    point: str
    from_time: dt.datetime
    to_time: dt.datetime
    method: SubstitutionMethod
    reference_days: int = 14
    total: float | None = None
    declared_per_h: float | None = None
    evidence: str = ""
    exclude: bool = False

    @property
    def from_ms(self) -> int:
        """Begin [ms UTC]."""
        return to_ms(self.from_time)

    @property
    def to_ms(self) -> int:
        """End [ms UTC]."""
        return to_ms(self.to_time)


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be entered.

    Attributes:
        point: whose.
        wanted: what was asked for.
        amounts_micro: amount of each interval of the span [1e-6 unit].
        missing: intervals of the span that are not wholly known, and so would get something.
        working: how the amounts came about.
        effect: what it would do to the intervals as they are.
    """

    point: Point
    wanted: Wanted
    amounts_micro: tuple[int, ...]
    missing: int
    working: Json
    effect: Effect

    @property
    def rule(self) -> str:
        """Number of the accounting rule."""
        return RULES[self.wanted.method]

    def document(self) -> Json:
        """As API and command line give it."""
        effect, unit = self.effect, self.point.unit
        return {
            "point": self.point.name,
            "unit": unit,
            "from": self.wanted.from_time,
            "to": self.wanted.to_time,
            "rule": self.rule,
            "method": self.wanted.method,
            "total": sum(self.amounts_micro) / 1e6,
            "intervals": len(self.amounts_micro),
            "missing_intervals": self.missing,
            "working": self.working,
            "effect": {
                "unit": unit,
                "before": effect.before_micro / 1e6,
                "after": effect.after_micro / 1e6,
                "difference": effect.amount_micro / 1e6,
                "before_kg": _kg(effect.before_nano_kg),
                "after_kg": _kg(effect.after_nano_kg),
                "difference_kg": _kg(effect.nano_kg),
            },
        }


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a decision: its number, points that are computed again, effect."""

    number: int
    queued: int
    effect: Effect


async def propose(session: Session, park: str, wanted: Wanted, *, now: dt.datetime) -> Draft:
    """Work out a substitution without entering anything.

    Args:
        session: inside a transaction; `config_version` is locked in it.
        park: whose.
        wanted: point, span and method.
        now: time of now.

    Raises:
        LookupError: there is no such park or point.
        RefusedError: the rule cannot be applied; the message says why.
    """
    check_span(wanted, now)
    return await _draft(session, await unchanged(session, park), park, wanted)


async def enter(session: Session, park: str, wanted: Wanted, *, author: str, reason: str, now: dt.datetime) -> Done:
    """Enter a substitution; it counts once a second person has approved it.

    With `wanted.exclude` a correction that excludes the readings of the span is entered with it, which counts at once:
    until the substitution is approved their energy is missing.

    Raises:
        LookupError: there is no such park or point.
        RefusedError: the rule cannot be applied, or nobody or no reason is named.
    """
    if not author.strip() or not reason.strip():
        raise RefusedError("6.1", f"{wanted.point}: a substitution needs who enters it and why")
    check_span(wanted, now)
    async with changing(session, park) as change:
        draft = await _draft(session, change, park, wanted)
        if wanted.exclude:
            last = from_ms(wanted.to_ms - 1)
            excluded = corrections.NewCorrection(wanted.point, "exclude", wanted.from_time, last)
            told = f"substituted by rule {draft.rule}: {reason}"
            number = (await corrections.enter(session, park, excluded, author=author, reason=told)).number
            draft.working["correction"] = number
        entered = await session.fetchval(
            QUERIES["substitution_enter"],
            draft.point.point_id,
            wanted.from_time,
            wanted.to_time,
            draft.rule,
            wanted.method,
            list(draft.amounts_micro),
            msgspec.json.encode(draft.working).decode(),
            *draft.effect.columns(),
            author,
            reason,
        )
    return Done(int(entered), change.queued, draft.effect)


async def review(session: Session, park: str, number: int, *, person: str, decision: str, reason: str) -> Done:
    """Approve or reject a substitution, as another person than the one who entered it.

    Raises:
        LookupError: there is no such substitution of this park.
        RefusedError: a trigger refuses: the same person, reviewed or withdrawn already, another one in force.
    """
    if not person.strip() or not reason.strip():
        raise RefusedError("6.1", f"substitution {number}: a review needs who decides and why")
    async with changing(session, park) as change:
        row = await _row(session, park, number)
        point, new = change.before.by_id[row["point_id"]], substitution_of(row)
        added = (*point.substitutions, new) if decision == "approved" else point.substitutions
        effect = await _effect(session, change, with_substitutions(point, added), new)
        await session.fetchval(QUERIES["substitution_review"], number, person, decision, reason, *effect.columns())
    return Done(number, change.queued, effect)


async def withdraw(session: Session, park: str, number: int, *, author: str, reason: str) -> Done:
    """Let a substitution count no longer; it stays, with who withdrew it, why, and what that did.

    Raises:
        LookupError: there is no such substitution of this park.
        RefusedError: it was withdrawn already, or nobody or no reason is named.
    """
    if not author.strip() or not reason.strip():
        raise RefusedError("6.9", f"substitution {number}: a withdrawal needs who decides and why")
    async with changing(session, park) as change:
        row = await _row(session, park, number)
        if row["withdrawn_at"] is not None:
            raise RefusedError("6.9", f"substitution {number} was withdrawn by {row['withdrawn_by']} already")
        point, gone = change.before.by_id[row["point_id"]], substitution_of(row)
        left = tuple(one for one in point.substitutions if one.substitution_id != number)
        effect = await _effect(session, change, with_substitutions(point, left), gone)
        await session.fetchval(QUERIES["substitution_withdraw"], number, author, reason, *effect.columns())
    return Done(number, change.queued, effect)


async def listed(session: Session, park: str, *, as_of: dt.datetime = EVER) -> list[Json]:
    """Every substitution of a park as known at a moment, by number."""
    return [document_of(row) for row in await session.fetch(QUERIES["substitutions"], park, as_of, None)]


async def one(session: Session, park: str, number: int) -> Json:
    """One substitution.

    Raises:
        LookupError: there is none.
    """
    return document_of(await _row(session, park, number))


async def figure_of(session: Session, park: str, number: int) -> Figure:
    """The total of a substitution with its amounts by interval and what they rest on.

    Raises:
        LookupError: there is none.
    """
    row = await _row(session, park, number)
    working: Json = msgspec.json.decode(row["document"])
    source = {"kind": "substitution", "substitution": number, "author": row["author"], "reviewer": row["reviewer"]}
    leaves = tuple(
        Figure(name, float(value), row["unit"], source={**source, "member": name})
        for name, value in working.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    )
    amounts = tuple(amount / 1e6 for amount in row["amounts_micro"])
    begin = to_ms(row["from_time"])
    times = tuple(from_ms(begin + at * INTERVAL_MS).isoformat() for at in range(len(amounts)))
    return Figure(
        f"substitution_{number}",
        sum(row["amounts_micro"]) / 1e6,
        row["unit"],
        "sum_product",
        leaves,
        label_en="substituted energy",
        label_zh="替代电量" if row["unit"] == "kWh" else "替代量",
        source=source,
        columns={"amount": amounts},
        axis={"start": times},
        rule=row["rule"],
        notes=(f"{row['method']}: {row['reason']}",),
    )


def document_of(row: Row) -> Json:
    """A substitution as API and command line give it."""
    review_ = withdrawal = None
    if row["decision"] is not None:
        review_ = {
            "person": row["reviewer"],
            "decision": row["decision"],
            "reason": row["review_reason"],
            "effect": effect_document(row, "counted_"),
            "recorded_at": row["reviewed_at"],
        }
    if row["withdrawn_at"] is not None:
        withdrawal = {
            "author": row["withdrawn_by"],
            "reason": row["withdrawal_reason"],
            "recorded_at": row["withdrawn_at"],
        }
    return {
        "substitution": row["substitution_id"],
        "state": state_of(row),
        "point": row["point"],
        "unit": row["unit"],
        "from": row["from_time"],
        "to": row["to_time"],
        "rule": row["rule"],
        "method": row["method"],
        "total": sum(row["amounts_micro"]) / 1e6,
        "intervals": len(row["amounts_micro"]),
        "superseded_intervals": row["superseded"],
        "working": msgspec.json.decode(row["document"]),
        "effect": effect_document(row),
        "author": row["author"],
        "reason": row["reason"],
        "recorded_at": row["recorded_at"],
        "review": review_,
        "withdrawal": withdrawal,
    }


def state_of(row: Row) -> State:
    """What has become of a substitution; `superseded`: every interval of its span is measured by now."""
    if row["withdrawn_at"] is not None:
        return "withdrawn"
    if row["decision"] is None:
        return "proposed"
    if row["decision"] == "rejected":
        return "rejected"
    return "superseded" if row["superseded"] == len(row["amounts_micro"]) else "in_force"


def check_span(wanted: Wanted, now: dt.datetime) -> None:
    """Refuse a span that cannot be substituted.

    Raises:
        RefusedError: not on quarters of an hour, empty, longer than a year, or not over yet.
    """
    rule, name = RULES[wanted.method], wanted.point
    if wanted.from_ms % INTERVAL_MS or wanted.to_ms % INTERVAL_MS:
        raise RefusedError(rule, f"{name}: the span must begin and end on a quarter of an hour")
    if not 0 < wanted.to_ms - wanted.from_ms <= _LONGEST_MS:
        raise RefusedError(rule, f"{name}: from {wanted.from_time} to {wanted.to_time} is no span of up to a year")
    if wanted.to_time > now:
        raise RefusedError(rule, f"{name}: {wanted.to_time} is still to come: what is missing is not known yet")
    if wanted.reference_days < 1:
        raise RefusedError(rule, f"{name}: {wanted.reference_days} days leave nothing to refer to")
    for what, amount in (("total", wanted.total), ("declared amount of an hour", wanted.declared_per_h)):
        if amount is not None and not amount <= MOST:  # not a number is refused too
            raise RefusedError("6.10", f"{name}: a {what} of {amount:g} is no amount")
    if wanted.total is not None and wanted.total < 0:
        raise RefusedError("6.10", f"{name}: a total of {wanted.total:g} is negative")
    if wanted.method in ("estimate", "default") and not wanted.evidence.strip():
        raise RefusedError(rule, f"{name}: {wanted.method} needs evidence: what the value rests on")


async def _draft(session: Session, change: Change, park: str, wanted: Wanted) -> Draft:
    point = point_of(change, park, wanted.point)
    basis = _excluded(point, wanted) if wanted.exclude else point
    overlapping = [one for one in point.substitutions if one.from_ms < wanted.to_ms and one.to_ms > wanted.from_ms]
    if overlapping:
        number = overlapping[0].substitution_id
        raise RefusedError(
            RULES[wanted.method], f"substitution {number} of {point.name} is in force there: withdraw it"
        )
    _, _, raw = await computed(session, basis, wanted.from_ms, wanted.to_ms)
    count = (wanted.to_ms - wanted.from_ms) // INTERVAL_MS
    here = raw.between(wanted.from_ms, wanted.to_ms)
    missing = count - int(((here.coverage >= 1) & (here.method != Method.MISSING)).sum())
    if not missing:
        raise RefusedError(RULES[wanted.method], _nothing_missing(point, wanted))
    amounts, working = await _amounts(session, change, basis, wanted)
    new = Substitution(0, wanted.from_ms, tuple(amounts))
    effect = await _effect(session, change, with_substitutions(basis, (*basis.substitutions, new)), new)
    return Draft(point, wanted, tuple(amounts), missing, working, effect)


def _nothing_missing(point: Point, wanted: Wanted) -> str:
    """Why nothing can be put there, and what to do where what is there is wrong."""
    told = f"{point.name} is wholly known there: nothing is missing"
    if wanted.exclude:
        return f"{told}, the register before and after it says how much it was"
    return f"{told}; exclude its readings first where they are wrong" if point.kind is Kind.DELTA else told


def _excluded(point: Point, wanted: Wanted) -> Point:
    last = from_ms(wanted.to_ms - 1)
    fact = corrections.NewCorrection(point.name, "exclude", wanted.from_time, last).fact()
    return with_corrections(point, (*point.corrections, fact))


async def _amounts(session: Session, change: Change, point: Point, wanted: Wanted) -> tuple[list[int], Json]:
    """Amounts of the span and how they came about."""
    count = (wanted.to_ms - wanted.from_ms) // INTERVAL_MS
    working: Json = {"evidence": wanted.evidence} if wanted.evidence else {}
    if wanted.method == "default":
        per_h = None if wanted.declared_per_h is None else round(wanted.declared_per_h * 1e6)
        return default_amounts(per_h, count), {**working, "declared_per_h": wanted.declared_per_h}
    reference = await _reference(session, change, point, wanted)
    working |= {
        "reference_from": from_ms(reference.from_ms),
        "reference_to": from_ms(reference.to_ms),
        "reference_intervals": len(reference.intervals),
    }
    if wanted.method == "mean":
        before, after = reference.neighbours(wanted)
        working |= {"before_micro": before, "after_micro": after}
        return mean_amounts(before, after, count), working
    wanted_slots = reference.slots_of(np.arange(wanted.from_ms, wanted.to_ms, INTERVAL_MS, dtype=np.int64))
    mine, known = reference.intervals.amount_micro, reference.slots_of(reference.intervals.start_ms)
    if wanted.method == "conservative":
        return conservative_amounts(mine, known, wanted_slots, flow=point.flow), working
    if wanted.total is None:
        raise RefusedError("6.2", f"{point.name}: an estimate needs its total")
    weights = profile_weights(mine, known, wanted_slots)
    return spread_total(round(wanted.total * 1e6), weights), {**working, "total": wanted.total}


@dataclass(frozen=True)
class _Reference:
    """Quality-assured intervals around a gap, and the local days there."""

    from_ms: int
    to_ms: int
    intervals: Intervals
    midnights: Int64Array
    working: list[bool] = field(default_factory=list)

    def slots_of(self, start_ms: Int64Array) -> Int64Array:
        return slots(start_ms, self.midnights, np.array(self.working, dtype=np.bool_))

    def neighbours(self, wanted: Wanted) -> tuple[int | None, int | None]:
        """Amounts of the last assured interval before the gap and the first after it [1e-6 unit]."""
        start, amount = self.intervals.start_ms, self.intervals.amount_micro
        before, after = amount[start < wanted.from_ms], amount[start >= wanted.to_ms]
        return (int(before[-1]) if len(before) else None), (int(after[0]) if len(after) else None)


async def _reference(session: Session, change: Change, point: Point, wanted: Wanted) -> _Reference:
    zone = change.before.parks[point.park].zone
    reach = dt.timedelta(days=wanted.reference_days)
    first, last = [time.astimezone(zone).date() for time in (wanted.from_time - reach, wanted.to_time + reach)]
    days = [first + dt.timedelta(days=at) for at in range((last - first).days + 2)]
    midnights = np.array([midnight_ms(day, zone) for day in days], dtype=np.int64)
    low, high = int(midnights[0]), int(midnights[-1])
    stored = await stored_intervals(session, point.point_id, low, high)
    outside = (stored.start_ms < wanted.from_ms) | (stored.start_ms >= wanted.to_ms)
    assured = stored.take(quality_assured(stored) & outside)
    return _Reference(low, high, assured, midnights, [day.weekday() < _SATURDAY for day in days])


async def _effect(session: Session, change: Change, changed: Point, one_: Substitution) -> Effect:
    return await effect_of(session, change.before, changed, one_.from_ms, one_.to_ms)


async def _row(session: Session, park: str, number: int) -> Row:
    rows: Sequence[Row] = await session.fetch(QUERIES["substitutions"], park, EVER, number)
    if not rows:
        raise LookupError(f"there is no substitution {number} in {park}")
    return rows[0]


def _kg(nano_kg: int | None) -> Any:
    return None if nano_kg is None else nano_kg / 1e9
