"""The document `alarms.yaml`: rules, receivers, inhibitions and maintenance windows of one park.

Quantities are written with their unit (`950 kW`, `85 %`, `5 min`): the check converts them and refuses another
dimension. Secrets are never in the document: a receiver names a file or variable of the alerts process.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from parkcarbon.catalog.terms import Name, Slug

Quantity = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?( ?[^\s0-9.]\S*)?$", max_length=40)]
"""A number and its unit: `950 kW`, `0.9`, `85 %`."""

Span = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)? ?(s|min|h|d)$", max_length=20)]
"""A length of time: `30 s`, `5 min`, `4 h`, `2 d`."""

Kind = Literal[
    "threshold",
    "emission_rate",
    "energy_budget_pace",
    "emission_budget_pace",
    "intensity",
    "pv_underperformance",
    "night_consumption",
    "power_factor",
    "demand_peak",
    "carbon_price",
    "device_silent",
    "completeness",
    "clock",
    "outbox_filling",
    "stale_factor",
    "custody_delay",
    "calibration_expiring",
]


class Escalate(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told when nobody has acknowledged so long after the alarm went out."""

    after: Span
    receivers: tuple[Slug, ...]


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule. ISA-18.2 wants to know of each why it is there and what a person is to do.

    Attributes:
        rule: id, unique in the document.
        kind: what it watches.
        name: as people read it.
        of: what it looks at: points `device/quantity`, devices, tenants, sources; or one figure of the park for kind
            `threshold` (`load`, `emission_rate`, …). Empty: everything that the kind can watch.
        on: limit at which it is raised; required but for kinds that have a sensible one.
        off: limit at which it is clear again; None: that of the kind (5 % back from `on`).
        direction: above or below the limit; None: that of the kind.
        after: how long beyond `on` until it fires (`for` in other systems).
        keep_firing: how long clear of `off` until it is over; None: half of `after`.
        window: of kinds that look back: how far; at most 400 days.
        hours: local hours of the day in which it counts, `22:00-06:00`; empty: all.
        no_data: keep the phase, count as an alarm, count as clear.
        priority: low, medium or high; about 80 / 15 / 5 % of a park's alarms should be so.
        receivers: who is told.
        repeat: told again so long after; `0 s`: never.
        escalation: steps.
        group_by: labels; alarms of a group that come within `settle` go out as one message.
        settle: wait for others of the group.
        cause: usual cause.
        consequence: what happens if nobody acts.
        action: what to do.
        respond_within: time to respond.
        enabled: False: kept, not evaluated.
    """

    rule: Slug
    kind: Kind
    name: Name
    of: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...] = ()
    on: Quantity | None = None
    off: Quantity | None = None
    direction: Literal["above", "below"] | None = None
    after: Span = "0 s"
    keep_firing: Span | None = None
    window: Span | None = None
    hours: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None
    no_data: Literal["keep", "alarm", "ok"] = "keep"
    priority: Literal["low", "medium", "high"] = "medium"
    receivers: tuple[Slug, ...] = ()
    repeat: Span = "4 h"
    escalation: tuple[Escalate, ...] = ()
    group_by: tuple[Literal["rule", "kind", "device", "source", "tenant", "priority"], ...] = ()
    settle: Span = "0 s"
    cause: Name | None = None
    consequence: Name | None = None
    action: Name | None = None
    respond_within: Span | None = None
    enabled: bool = True


class Receiver(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who is told.

    Attributes:
        receiver: id.
        channel: name of a secret of the alerts process that holds the address (an Apprise URL, or that of an
            Alertmanager): variable PARKCARBON_ALARM_CHANNEL_<NAME> or the file that …_FILE names.
        language: of messages.
        at_least: alarms below this priority are not sent to it.
        subject: template of the first line; empty: ours.
        text: template of the message; empty: ours.
    """

    receiver: Slug
    channel: Slug
    language: Literal["zh", "en", "both"] = "both"
    at_least: Literal["low", "medium", "high"] = "low"
    subject: Annotated[str, Meta(max_length=500)] = ""
    text: Annotated[str, Meta(max_length=5000)] = ""


class Inhibit(Struct, frozen=True, forbid_unknown_fields=True):
    """While an alarm of `source` fires, alarms of `target` with the same `equal` labels do not go out.

    `source` and `target` match labels: `{kind: device_silent, priority: high}`.
    """

    source: dict[str, str]
    target: dict[str, str]
    equal: tuple[str, ...] = ()


class Maintenance(Struct, frozen=True, forbid_unknown_fields=True):
    """A planned window in which matching alarms do not go out; times are RFC 3339."""

    window: Slug
    begin: str
    end: str
    match: dict[str, str]
    reason: str


class Alarms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The document of a park."""

    park: Slug
    rules: tuple[Rule, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    inhibit: tuple[Inhibit, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
