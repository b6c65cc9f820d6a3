"""From a value to an observation: level, hours of the day, and the sentence that people read."""

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from parkcarbon.domain.alarm.types import Level, Observation, Said
from parkcarbon.live.model import ParkModel

if TYPE_CHECKING:  # the kinds import this
    from parkcarbon.alarm.kinds.base import Compiled, Limit

_NOTHING: Final = Said("", "")
_SIDES: Final = {"above": ("高于", "above"), "below": ("低于", "below")}


def number(value: float) -> str:
    """A figure for people: three significant digits, and no digits of the integer part lost.

    >>> number(1234.56), number(98.76), number(0.1234), number(0.0)
    ('1,235', '98.8', '0.123', '0')
    """
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size >= 1e-4 else f"{value:g}"


def figure(value: float, unit: str) -> str:
    """A figure with its unit; of unit 1 there is nothing to say."""
    return number(value) if unit in ("", "1") else f"{number(value)} {unit}"


def said(what: Said, value: float | None, limit: "Limit", level: Level, detail: Said = _NOTHING) -> Said:
    """The sentence for one observation.

    Args:
        what: what the value is of.
        value: in the unit of the limit.
        limit: what it is held against.
        level: what follows.
        detail: more, at the end.
    """
    if value is None:
        return Said(f"{what.zh}：无数据{_more_zh(detail)}", f"{what.en}: no data{_more_en(detail)}")
    shown = figure(value, limit.unit)
    zh, en = _held_against(limit, beyond=level is Level.BEYOND)
    return Said(f"{what.zh} {shown}，{zh}{_more_zh(detail)}", f"{what.en} {shown}, {en}{_more_en(detail)}")


@lru_cache(4096)
def _held_against(limit: "Limit", *, beyond: bool) -> tuple[str, str]:
    """The part of the sentence that is the same for every value."""
    on, off = figure(limit.on, limit.unit), figure(limit.off, limit.unit)
    if beyond:
        zh, en = _SIDES[limit.direction]
        return f"{zh}限值 {on}", f"{en} the limit {on}"
    return f"限值 {on}，{off} 解除", f"limit {on}, clear at {off}"


def _more_zh(detail: Said) -> str:
    return f"；{detail.zh}" if detail.zh else ""


def _more_en(detail: Said) -> str:
    return f"; {detail.en}" if detail.en else ""


def counts(hours: tuple[int, int] | None, model: ParkModel, at_ms: int) -> bool:
    """Whether a rule with these local hours counts at a moment; hours may pass midnight."""
    if hours is None:
        return True
    local = model.local(at_ms)
    minute = local.hour * 60 + local.minute
    begin, end = hours
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def midnights(model: ParkModel, begin_ms: int, end_ms: int) -> list[int]:
    """Local midnights in `[begin_ms, end_ms)` [ms UTC]."""
    day, found = model.local(begin_ms).date(), []
    while (at_ms := model.midnight_ms(day)) < end_ms:
        found += [at_ms] if at_ms >= begin_ms else []
        day += dt.timedelta(days=1)
    return found


def clock_hours(hours: tuple[int, int]) -> str:
    """Hours as they are written.

    >>> clock_hours((1320, 360))
    '22:00-06:00'
    """
    (begin, end) = hours
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def judge(
    rule: "Compiled",
    model: ParkModel,
    subject: str,
    at_ms: int,
    value: float | None,
    *,
    what: Said,
    detail: Said = _NOTHING,
    committed_ms: int | None = None,
    of_ms: int | None = None,
) -> Observation:
    """Hold a value against the limit of a rule; outside the rule's hours it is clear, whatever it is.

    Args:
        rule: compiled, with a limit.
        model: the park, for its local time.
        subject: of the observation.
        at_ms: moment of the value [ms UTC].
        value: in the unit of the limit; None: unknown.
        what: what the value is of.
        detail: more for the sentence.
        committed_ms: when the newest reading in it was committed [ms UTC].
        of_ms: the moment that the rule's hours are held against [ms UTC]; None: `at_ms`.
    """
    limit = rule.limit
    if limit is None:
        raise ValueError(f"rule {rule.policy.rule} has no limit")
    known = None if value is None or value != value else value  # noqa: PLR0124 - NaN
    if not counts(rule.hours, model, at_ms if of_ms is None else of_ms):
        span = clock_hours(rule.hours or (0, 0))
        outside = Said(f"{what.zh}：不在计入时段 {span}", f"{what.en}: outside the hours {span}")
        return Observation(subject, at_ms, Level.CLEAR, known, limit.on, outside, committed_ms)
    level = limit.level(known)
    return Observation(subject, at_ms, level, known, limit.on, said(what, known, limit, level, detail), committed_ms)
