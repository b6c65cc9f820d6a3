"""The words of alarms: what a rule saw of a subject, where an alarm stands, what is to be done.

A *rule* watches *subjects* (a point, a device, a source, a tenant, the park). What it sees of one subject at one moment
is an *observation*. An observation beyond the rule's limit, for long enough, makes an *episode*: the alarm. At most one
episode of a rule and subject is open.

    normal -> pending -> firing -> recovering -> normal (resolved)
               |  ^          ^          |
               v  |          +----------+   beyond the limit again
             normal

Acknowledged, shelved and muted are beside the phase: they change who is told, never what is.

References:
    Prometheus alerting rules (for, keep_firing_for); IEC 62682 / ISA-18.2 (acknowledge, shelve, out of service).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Priority = Literal["low", "medium", "high"]
NoData = Literal["keep", "alarm", "ok"]
MINUTE_MS: Final = 60_000


class Level(enum.Enum):
    """What an observation says. Between `off` and `on` an alarm stays as it is: hysteresis."""

    BEYOND = "beyond"  # on the wrong side of the limit `on`
    BETWEEN = "between"
    CLEAR = "clear"  # on the right side of the limit `off`
    UNKNOWN = "unknown"  # no data


class Phase(enum.Enum):
    """Where an alarm stands."""

    NORMAL = "normal"
    PENDING = "pending"  # beyond the limit, waiting for `for_ms`
    FIRING = "firing"
    RECOVERING = "recovering"  # clear, waiting for `keep_firing_ms`


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What a rule saw of one subject.

    Attributes:
        subject: `point:gate/active_power`, `device:inv-3`, `source:edge-1`, `tenant:a`, `factor:…`, `park`.
        at_ms: moment that it speaks of, not when it was seen [ms UTC].
        level: what it says.
        value: figure, in the unit of the rule; None: none or unknown.
        limit: the limit it was held against, in the same unit.
        reason: why, with figure and limit, for people.
        committed_ms: when the newest reading in it was committed [ms UTC]; None: it came with no reading.
    """

    subject: str
    at_ms: int
    level: Level
    value: float | None = None
    limit: float | None = None
    reason: Said = Said("", "")
    committed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of escalation: who is told when nobody has acknowledged `after_ms` after the alarm went out."""

    after_ms: int
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """How a rule behaves, whatever it watches.

    Attributes:
        rule: id, unique in its park.
        kind: of the rule, see `parkcarbon.alarm.kinds`.
        priority: of its alarms.
        for_ms: how long beyond the limit until it fires [ms of event time].
        keep_firing_ms: how long clear until it is resolved [ms of event time].
        no_data: what no data does: keep the phase, count as beyond, count as clear.
        receivers: who is told first.
        repeat_ms: told again so long after the last time while it fires and nobody acknowledged [ms]; 0: never.
        steps: of escalation, ascending.
        settle_ms: waits so long for others of its group before it goes out [ms].
        group_by: labels that make a group; alarms of a group go out in one message.
    """

    rule: str
    kind: str
    priority: Priority = "medium"
    for_ms: int = 0
    keep_firing_ms: int = 0
    no_data: NoData = "keep"
    receivers: tuple[str, ...] = ()
    repeat_ms: int = 4 * 60 * MINUTE_MS
    steps: tuple[Step, ...] = ()
    settle_ms: int = 0
    group_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Episode:
    """An alarm, from its first moment on.

    Attributes:
        from_ms: first moment beyond the limit [ms UTC, event time].
        fired_ms: when it began to fire [ms UTC, event time]; None: pending.
        told_ms: when it first went out [ms UTC, time of now]; None: it did not; then no recovery goes out.
        last_told_ms: when it last went out [ms UTC].
        steps_taken: steps of escalation that were taken.
        acknowledged_ms: when a person took it on [ms UTC]; None: nobody did.
        acknowledged_by: that person.
        worst: value farthest beyond the limit.
        times_told: how often it went out.
        withheld: why nobody is told now; None: nothing keeps it back.
        last: newest observation that said something.
        late: it was seen only after a restart or by readings that came late.
    """

    from_ms: int
    fired_ms: int | None = None
    told_ms: int | None = None
    last_told_ms: int | None = None
    steps_taken: int = 0
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""
    worst: float | None = None
    last: Observation | None = None
    late: bool = False
    times_told: int = 0
    withheld: "Why | None" = None


@dataclass(frozen=True, slots=True)
class AlarmState:
    """Where a rule stands with one subject; all that is remembered between two decisions.

    Attributes:
        subject: what is watched.
        phase: where it stands.
        since_ms: event time at which the phase began [ms UTC]; of recovering: the first clear moment.
        seen_ms: newest event time that was judged, the watermark [ms UTC]; older observations are late.
        episode: open alarm; None in phase normal.
        shelved_until_ms: nobody is told before [ms UTC]; 0: not shelved.
        out_of_service: by a person, until a person ends it; nobody is told.
    """

    subject: str
    phase: Phase = Phase.NORMAL
    since_ms: int = 0
    seen_ms: int = 0
    episode: Episode | None = None
    shelved_until_ms: int = 0
    out_of_service: bool = False


class Why(enum.Enum):
    """Why somebody is told, or not; each is a row of the decision's table and goes out with the message."""

    FIRST = "first"
    REPEAT = "repeat"
    ESCALATION = "escalation"
    RECOVERED = "recovered"
    # and why not
    NOT_YET = "not yet"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out of service"
    SILENCED = "silenced"
    MAINTENANCE = "maintenance"
    INHIBITED = "inhibited"
    HISTORICAL = "historical"
    NEVER_WENT_OUT = "never went out"


@dataclass(frozen=True, slots=True)
class Opened:
    """The alarm fires: a row in the list of alarms."""

    subject: str
    episode: Episode


@dataclass(frozen=True, slots=True)
class Resolved:
    """The alarm is over."""

    subject: str
    episode: Episode
    at_ms: int


@dataclass(frozen=True, slots=True)
class Historical:
    """An episode found in late data: goes into the list as past; nobody is told."""

    subject: str
    episode: Episode
    resolved_ms: int | None


@dataclass(frozen=True, slots=True)
class Tell:
    """Somebody is to be told.

    Attributes:
        subject: of the alarm.
        why: FIRST, REPEAT, ESCALATION or RECOVERED.
        receivers: who.
        count: how often this alarm went out before, part of the idempotency key.
        episode: as it stands.
    """

    subject: str
    why: Why
    receivers: tuple[str, ...]
    count: int
    episode: Episode


@dataclass(frozen=True, slots=True)
class Withheld:
    """Somebody would have been told, but for a reason."""

    subject: str
    why: Why
    detail: str = ""


Action = Opened | Resolved | Historical | Tell | Withheld


@dataclass(frozen=True, slots=True)
class Muting:
    """What keeps an alarm from going out now.

    Attributes:
        why: SILENCED, MAINTENANCE or INHIBITED; None: nothing.
        detail: id of the silence or window, or the alarm that inhibits.
        until_ms: end of the silence or window [ms UTC]; None: nobody knows.
    """

    why: Why | None = None
    detail: str = ""
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What silences, windows and inhibitions match: rule, kind, subject, priority, device, source, tenant."""

    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows.

    Attributes:
        state: the new state.
        actions: to be done, in order.
        wake_ms: when to look again although nothing new is seen [ms UTC]; None: no need.
    """

    state: AlarmState
    actions: tuple[Action, ...] = ()
    wake_ms: int | None = None
