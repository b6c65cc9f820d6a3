"""Checking the document against a park: every rule becomes numbers in one unit and subjects that exist."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from msgspec import structs

from parkcarbon.alarm.kinds.base import Compiled, Direction, Kind, Limit
from parkcarbon.alarm.subjects import PARK, index_of
from parkcarbon.domain.alarm.types import MINUTE_MS, Policy, Step
from parkcarbon.live.figures import FIGURES
from parkcarbon.live.model import ParkModel, PointInfo

from .check_others import other_problems
from .document import Alarms, Rule
from .hints import Hints
from .load import refuse_all
from .quantity import DAY_MS, quantity, span_ms, span_text

MAX_WINDOW_MS: Final = 400 * DAY_MS
"""No rule looks back farther, and nothing in a document lasts longer."""
BACK: Final = 0.05
"""Share of `on` by which a figure has to come back until the alarm is clear, where neither rule nor kind says."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Keeps what is wrong with a rule."""

    rule: str
    hints: Hints
    wrong: list[str] = field(default_factory=list)

    def __call__(self, member: str, problem: str) -> None:
        """Keep a problem."""
        self.wrong.append(f"rules[{self.rule}].{member}: {problem}")


def compile_rules(document: Alarms, model: ParkModel, kinds: Mapping[str, Kind]) -> tuple[Compiled, ...]:
    """Check a document against a park, and give its rules ready to be judged; those not enabled are among them.

    Args:
        document: as written.
        model: the park.
        kinds: of rules, by name.

    Raises:
        RefusedError: something does not fit; everything is listed, one a line.
    """
    found, problems = compile_each(document, model, kinds)
    refuse_all(problems)
    return found


def compile_each(
    document: Alarms, model: ParkModel, kinds: Mapping[str, Kind]
) -> tuple[tuple[Compiled, ...], tuple[str, ...]]:
    """Rules that fit the park, and what is wrong with the others and the rest of the document.

    A rule that was applied may no longer fit, because the park changed: the others are judged all the same.
    """
    hints = Hints()
    receivers = frozenset(item.receiver for item in document.receivers)
    problems = list(other_problems(document, model.park, hints))
    found = []
    seen: set[str] = set()
    for rule in document.rules:
        if rule.rule in seen:
            problems.append(f"rules[{rule.rule}].rule: there twice")
            continue
        seen.add(rule.rule)
        compiled, wrong = _compile(rule, receivers, model, kinds.get(rule.kind), refuse=Refuse(rule.rule, hints))
        problems += wrong
        if compiled is not None and not wrong:
            found.append(compiled)
    return tuple(found), tuple(problems)


def _compile(
    rule: Rule, receivers: Collection[str], model: ParkModel, kind: Kind | None, *, refuse: Refuse
) -> tuple[Compiled | None, list[str]]:
    wrong = refuse.wrong
    policy = _policy(rule, receivers, refuse)
    if kind is None:
        refuse("kind", f"{rule.kind} is not known to this version")
        return None, wrong
    subjects = _subjects(rule, kind, model, refuse)
    if wrong:  # the unit of what is not known is not known either
        _limit_alone(rule, kind, refuse)
        return None, wrong
    limit = _limit(rule, kind, model, refuse)
    compiled = Compiled(
        rule=rule,
        policy=policy,
        limit=limit,
        subjects=subjects,
        window_ms=kind.default_window_ms if rule.window is None else span_ms(rule.window),
        hours=kind.default_hours if rule.hours is None else _hours(rule.hours, refuse),
    )
    return compiled, wrong


def _policy(rule: Rule, receivers: Collection[str], refuse: Refuse) -> Policy:
    for member in ("after", "keep_firing", "window", "repeat", "settle", "respond_within"):
        text = getattr(rule, member)
        if text is not None and span_ms(text) > MAX_WINDOW_MS:
            refuse(member, f"{text} is more than {span_text(MAX_WINDOW_MS)}")
    if rule.window is not None and span_ms(rule.window) == 0:
        refuse("window", "0 looks back at nothing")
    repeat_ms = span_ms(rule.repeat)
    if 0 < repeat_ms < MINUTE_MS:
        refuse("repeat", f"{rule.repeat} is less than a minute; 0 s is never")
    _known("receivers", rule.receivers, receivers, "receiver", refuse)
    after_ms = span_ms(rule.after)
    return Policy(
        rule=rule.rule,
        kind=rule.kind,
        priority=rule.priority,
        for_ms=after_ms,
        keep_firing_ms=after_ms // 2 if rule.keep_firing is None else span_ms(rule.keep_firing),
        no_data=rule.no_data,
        receivers=rule.receivers,
        repeat_ms=repeat_ms,
        steps=tuple(_steps(rule, receivers, refuse)),
        settle_ms=span_ms(rule.settle),
        group_by=rule.group_by,
    )


def _steps(rule: Rule, receivers: Collection[str], refuse: Refuse) -> Iterator[Step]:
    before_ms = 0
    for number, step in enumerate(rule.escalation):
        member = f"escalation[{number}]"
        after_ms = span_ms(step.after)
        if after_ms <= before_ms:
            earlier = "0 s" if number == 0 else span_text(before_ms)
            refuse(f"{member}.after", f"{step.after} does not come after {earlier}: steps ascend")
        if after_ms > MAX_WINDOW_MS:
            refuse(f"{member}.after", f"{step.after} is more than {span_text(MAX_WINDOW_MS)}")
        if not step.receivers:
            refuse(f"{member}.receivers", "nobody is named")
        _known(f"{member}.receivers", step.receivers, receivers, "receiver", refuse)
        before_ms = after_ms
        yield Step(after_ms, step.receivers)


def _hours(text: str, refuse: Refuse) -> tuple[int, int]:
    first, last = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    if first == last:
        refuse("hours", f"{text} is no time at all; leave it out for the whole day")
    return first, last


# ── what it looks at ────────────────────────────────────────────────────────────────────────────


def _subjects(rule: Rule, kind: Kind, model: ParkModel, refuse: Refuse) -> tuple[str, ...]:
    if len(set(rule.of)) < len(rule.of):
        refuse("of", "something is there twice")
    if kind.watches in ("points", "figure"):
        return _points(rule, kind, model, refuse)
    if kind.watches == PARK:
        _known("of", rule.of, {PARK}, "subject", refuse)
        return (PARK,)
    word, known = _by_word(kind, model)
    sources = _sources(model) if kind.watches == "devices" else ()
    _known("of", rule.of, (*known, *sources), word, refuse)
    return tuple(f"{word if name in known else 'source'}:{name}" for name in (rule.of or known))


def _sources(model: ParkModel) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.source for item in model.devices if item.source))


def _by_word(kind: Kind, model: ParkModel) -> tuple[str, tuple[str, ...]]:
    if kind.watches == "devices":
        return "device", tuple(item.device for item in model.devices)
    if kind.watches == "sources":
        return "source", _sources(model)
    if kind.watches == "tenants":
        return "tenant", tuple(item.tenant for item in model.tenants)
    return "factor", tuple(dict.fromkeys(record.factor.factor for record in model.factors))


def _points(rule: Rule, kind: Kind, model: ParkModel, refuse: Refuse) -> tuple[str, ...]:
    figures = [name for name in rule.of if "/" not in name]
    if figures:
        if rule.kind != "threshold" and kind.watches != "figure":
            refuse("of", f"{figures[0]!r} is no point; {rule.kind} looks at points, written device/quantity")
        elif len(rule.of) > 1:
            refuse("of", f"the figure {figures[0]!r} stands alone: one figure a rule")
        else:
            _known("of", figures, FIGURES, "figure", refuse, more="points are written device/quantity")
        return (PARK,)
    if not rule.of and rule.kind == "threshold":
        refuse("of", f"says nothing to look at; points (device/quantity) or one of {', '.join(FIGURES)}")
        return ()
    points = model.by_name
    fits = kind.fits or _any_point
    _known("of", rule.of, points, "point", refuse)
    for name in rule.of:
        if name in points and not fits(points[name]):
            refuse("of", f"{name} is nothing that {rule.kind} can watch")
    names = rule.of or tuple(name for name, point in points.items() if fits(point))
    if not names:
        refuse("of", f"this park has no point that {rule.kind} can watch")
    return tuple(f"point:{name}" for name in names)


def _any_point(_: PointInfo) -> bool:
    return True


def _known(
    member: str, names: Iterable[str], known: Collection[str], word: str, refuse: Refuse, *, more: str = ""
) -> None:
    for name in names:
        if name not in known:
            near = refuse.hints.near(name, known, shown=True)
            refuse(member, f"there is no {word} {name!r}{near}{f'; {more}' if more else ''}")


# ── the limit ───────────────────────────────────────────────────────────────────────────────────


def _unit(rule: Rule, kind: Kind, model: ParkModel) -> str | None:
    """Unit of the limit; None: the kind has none."""
    if kind.unit is not None:
        return kind.unit
    if kind.unit_of is not None:
        return kind.unit_of(rule, model)
    if rule.of and rule.of[0] in FIGURES:
        return FIGURES[rule.of[0]]
    point = index_of(model).points.get(rule.of[0]) if rule.of else None
    return None if point is None else point.unit


def _limit(rule: Rule, kind: Kind, model: ParkModel, refuse: Refuse) -> Limit | None:
    known = index_of(model).points
    model = replace(model, points=tuple(known[name] for name in rule.of if name in known))
    unit = _unit(rule, kind, model)
    if unit is None and kind.unit_of is not None:
        refuse("of", f"{', '.join(rule.of)} is nothing that {rule.kind} can watch")
        return None
    if unit is None:
        for member in ("on", "off", "direction"):
            if getattr(rule, member) is not None:
                refuse(member, f"{rule.kind} has no limit")
        return None
    if rule.on is None and kind.default_on is None:
        refuse("on", f"missing: {rule.kind} needs a limit in {unit}")
        return None
    _same_unit(rule, kind, model, unit, refuse)
    on = _number("on", rule.on, unit, refuse)
    off = _number("off", rule.off, unit, refuse)
    if (rule.on is not None and on is None) or (rule.off is not None and off is None):
        return None
    direction = rule.direction or kind.direction
    if on is None:
        on = kind.default_on or 0.0
        off = kind.default_off if off is None and direction == kind.direction else off
    off = _back(on, direction) if off is None else off
    if (off > on) if direction == "above" else (off < on):
        side = "not above" if direction == "above" else "not below"
        given = rule.on or f"{on:g} {unit}"
        refuse("off", f"{rule.off} is on the wrong side: clear of an alarm {direction} {given} is {side} it")
    return Limit(on, off, direction, unit)


def _same_unit(rule: Rule, kind: Kind, model: ParkModel, unit: str, refuse: Refuse) -> None:
    """Points of one rule have one unit: a limit in kW means nothing for a voltage."""
    alike = {(point.kind, point.unit): point.point for point in model.points} if kind.unit is None else {}
    for name in alike.values() if len(alike) > 1 else ():
        other = _unit(structs.replace(rule, of=(name,)), kind, model)
        if other not in (unit, None):
            refuse("of", f"{name} is judged in {other}, {rule.of[0]} in {unit}: one unit a rule")


def _limit_alone(rule: Rule, kind: Kind, refuse: Refuse) -> None:
    """What can be said of the limit of a rule whose subjects are not known."""
    if kind.unit is not None:
        _number("on", rule.on, kind.unit, refuse)
        _number("off", rule.off, kind.unit, refuse)


def _number(member: str, text: str | None, unit: str, refuse: Refuse) -> float | None:
    if text is None:
        return None
    try:
        return quantity(text, unit)
    except ValueError as error:
        refuse(member, str(error))
        return None


def _back(on: float, direction: Direction) -> float:
    return on - BACK * abs(on) if direction == "above" else on + BACK * abs(on)
