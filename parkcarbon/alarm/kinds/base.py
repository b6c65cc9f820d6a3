"""What a kind of rule is: its unit and defaults, what it reads, and the pure judgement."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from parkcarbon.alarm.rules.document import Rule
from parkcarbon.domain.alarm.types import Level, Observation, Policy
from parkcarbon.kit.db import Session
from parkcarbon.live.model import ParkModel, PointInfo
from parkcarbon.live.power import Newest

Direction: TypeAlias = Literal["above", "below"]
Watched: TypeAlias = Literal["points", "figure", "devices", "sources", "tenants", "factors", "park"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Where an alarm is raised and where it is clear again, in one unit.

    Attributes:
        on: beyond it the alarm is raised.
        off: on the other side of it the alarm is clear; between the two nothing changes.
        direction: which side is beyond.
        unit: of both.
    """

    on: float
    off: float
    direction: Direction
    unit: str

    def level(self, value: float | None) -> Level:
        """What a value says.

        >>> Limit(950, 900, "above", "kW").level(920)
        <Level.BETWEEN: 'between'>
        """
        if value is None or value != value:  # noqa: PLR0124 - NaN
            return Level.UNKNOWN
        sign = 1 if self.direction == "above" else -1
        if sign * value > sign * self.on:
            return Level.BEYOND
        return Level.CLEAR if sign * value <= sign * self.off else Level.BETWEEN


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule after its check: numbers in one unit, subjects that exist.

    Attributes:
        rule: as written.
        policy: for the decision.
        limit: None for kinds without one.
        subjects: what it watches, as in `Observation.subject`.
        window_ms: how far it looks back [ms]; 0: not at all.
        hours: local minutes of the day `(from, to)` in which it counts; None: all.
    """

    rule: Rule
    policy: Policy
    limit: Limit | None
    subjects: tuple[str, ...]
    window_ms: int = 0
    hours: tuple[int, int] | None = None


@dataclass(frozen=True)
class Scene:
    """A park at a moment.

    Attributes:
        model: the park.
        now_ms: time of now [ms UTC].
        newest: newest reading and day of each point, by point_id.
        committed_ms: when the newest of these readings was committed [ms UTC], or None.
        read: what the kinds' `load` returned, by kind.
        changed: points whose newest reading is new since the last look; None: judge everything.
    """

    model: ParkModel
    now_ms: int
    newest: Mapping[int, Newest] = field(default_factory=dict)
    committed_ms: int | None = None
    read: Mapping[str, Any] = field(default_factory=dict)
    changed: frozenset[int] | None = None

    @cached_property
    def points(self) -> Mapping[str, PointInfo]:
        """Points of the park by name."""
        return {point.point: point for point in self.model.points}


Load: TypeAlias = Callable[[Session, ParkModel, Sequence[Compiled], int], Awaitable[Any]]
Observe: TypeAlias = Callable[[Compiled, Scene], list[Observation]]
History: TypeAlias = Callable[[Session, ParkModel, Compiled, int, int], Awaitable[list[Observation]]]
UnitOf: TypeAlias = Callable[[Rule, ParkModel], str | None]
Fits: TypeAlias = Callable[[PointInfo], bool]


@dataclass(frozen=True)
class Kind:
    """A kind of rule.

    Attributes:
        name: as in the document.
        watches: what `of` names.
        unit: of its limit; None: that of the point or figure.
        direction: which side of the limit is beyond, unless the rule says.
        default_on: limit where the rule gives none; None: the rule must.
        default_off: clear again; None: 5 % back from `on`.
        every_ms: judged so often [ms]; 0: with every new reading.
        observe: the judgement, pure.
        load: reads what it needs beside the newest readings: session, park, its rules, now [ms UTC]; None: nothing.
        history: observations of [from, to) [ms UTC] of the past, by event time, for dry runs; None: cannot be tried.
        no_history: why it cannot be tried.
        unit_of: unit of the limit of one rule, where `unit` is None; None from it: what the rule names is not known.
        fits: which points it can watch, of those that a rule with an empty `of` means; None: all.
        default_window_ms: how far it looks back where the rule does not say [ms].
        default_hours: local minutes of the day in which it counts where the rule does not say; None: all.
        late: whether readings that came late say something new of its past.
    """

    name: str
    watches: Watched
    unit: str | None
    direction: Direction
    default_on: float | None
    default_off: float | None
    every_ms: int
    observe: Observe
    load: Load | None = None
    history: History | None = None
    no_history: str = ""
    unit_of: UnitOf | None = None
    fits: Fits | None = None
    default_window_ms: int = 0
    default_hours: tuple[int, int] | None = None
    late: bool = True
