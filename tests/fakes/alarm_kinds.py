"""Rules ready to be judged, and what becomes of the observations that their kind makes of scenes."""

from collections.abc import Mapping, Sequence

import numpy as np

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Compiled, Direction, Limit, Scene
from parkcarbon.alarm.observe.intervals import Grid
from parkcarbon.alarm.rules.document import Rule
from parkcarbon.catalog.terms import Name
from parkcarbon.domain.alarm.decide import decide
from parkcarbon.domain.alarm.types import Action, AlarmState, Observation, Opened, Phase, Policy, Resolved, Tell

PER_HOUR = 4
NAME = Name(zh="规则", en="rule")


def rule_of(
    kind: str,
    subjects: tuple[str, ...] = ("park",),
    *,
    of: tuple[str, ...] = (),
    on: float | None = None,
    off: float | None = None,
    unit: str = "",
    direction: Direction | None = None,
    for_ms: int = 0,
    window_ms: int | None = None,
    window: str | None = None,
    hours: tuple[int, int] | None = None,
    text: str | None = None,
) -> Compiled:
    """A rule as the check makes it; what is not given is the kind's own."""
    known = KINDS[kind]
    side = direction or known.direction
    raised = on if on is not None else known.default_on
    assert raised is not None, f"{kind} needs a limit"
    clear = off if off is not None else (known.default_off if on is None else None)
    if clear is None:
        clear = raised - 0.05 * abs(raised) * (1 if side == "above" else -1)
    rule = Rule(rule="r", kind=kind, name=NAME, of=of, on=text, window=window)  # type: ignore[arg-type]
    return Compiled(
        rule=rule,
        policy=Policy("r", kind, for_ms=for_ms, keep_firing_ms=for_ms // 2, receivers=("desk",)),
        limit=Limit(raised, clear, side, unit or known.unit or ""),
        subjects=subjects,
        window_ms=known.default_window_ms if window_ms is None else window_ms,
        hours=hours or known.default_hours,
    )


class Desk:
    """Judges scene after scene, as the alerts process does, and remembers what was done."""

    def __init__(self, rule: Compiled) -> None:
        self.rule = rule
        self.states: dict[str, AlarmState] = {}
        self.actions: list[Action] = []
        self.seen: list[Observation] = []

    def look(self, scene: Scene) -> list[Observation]:
        """Judge a scene."""
        seen = KINDS[self.rule.policy.kind].observe(self.rule, scene)
        self.take(seen, scene.now_ms)
        return seen

    def take(self, seen: Sequence[Observation], now_ms: int) -> None:
        """Decide on observations."""
        self.seen += seen
        for one in seen:
            state = self.states.get(one.subject, AlarmState(one.subject))
            decision = decide(self.rule.policy, state, [one], now_ms)
            self.states[one.subject] = decision.state
            self.actions += decision.actions

    @property
    def fired(self) -> list[str]:
        """Subjects of the alarms that were raised."""
        return [action.subject for action in self.actions if isinstance(action, Opened)]

    @property
    def resolved(self) -> list[str]:
        """Subjects of the alarms that are over."""
        return [action.subject for action in self.actions if isinstance(action, Resolved)]

    @property
    def told(self) -> list[str]:
        """Subjects that somebody was told of."""
        return [action.subject for action in self.actions if isinstance(action, Tell)]

    @property
    def standing(self) -> list[str]:
        """Subjects that are firing."""
        return [subject for subject, state in self.states.items() if state.phase is Phase.FIRING]


def grid_of(
    end_ms: int, powers: Mapping[int, Sequence[float]], *, kg_per_unit: Mapping[int, float] | None = None
) -> Grid:
    """Intervals up to a moment.

    Args:
        end_ms: end of the last one [ms UTC].
        powers: mean power of each, by point_id [unit/h]; NaN: nothing is known.
        kg_per_unit: emission of a unit, by point_id [kg].
    """
    rows = {point_id: row for row, point_id in enumerate(powers)}
    power = np.array(list(powers.values()), dtype=np.float64)
    known = np.isfinite(power)
    amount = np.where(known, power / PER_HOUR, 0.0)
    kg = np.array([(kg_per_unit or {}).get(point_id, np.nan) for point_id in powers])
    co2e = np.where(known, amount * kg[:, None], np.nan)
    from_ms = end_ms - power.shape[1] * 900_000
    return Grid(from_ms, rows, amount, known.astype(np.float64), known * 900_000.0, co2e)
