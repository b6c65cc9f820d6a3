"""Shapes of the routes of alarms, all under `/api/v1/parks/{park}/alarms`.

- `GET` of it: `Alarms`; `GET /{alarm}`: `AlarmDetail`
- `POST /{alarm}/acknowledge`, `/comment`, `/shelve`, `/unshelve`, `/out-of-service`, `/in-service`: `AlarmDetail`
- `GET /silences`, `POST /silences`, `POST /silences/{silence}/end`: `Silences`, `Silence`
- `GET /rules`, `PUT /rules`: `RulesInForce`; `POST /rules/check`: `RulesChecked`; `POST /rules/try`: `RuleTried`
- `GET /report`: `AlarmReport`
"""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.schemas import Model
from parkcarbon.live.model import Name

AlarmId = Annotated[int, Path(ge=1, le=2**63 - 1, description="As `/alarms` lists it")]
SilenceId = Annotated[int, Path(ge=1, le=2**63 - 1, description="As `/alarms/silences` lists it")]
Priority = Literal["low", "medium", "high"]
Phase = Literal["pending", "firing", "recovering", "resolved"]
ActName = Literal["acknowledge", "comment", "shelve", "unshelve", "out_of_service", "in_service"]
Moment = Annotated[AwareDatetime, Field(description="RFC 3339 with an offset")]
Comment = Annotated[str, Field(max_length=4000)]
NeededComment = Annotated[str, Field(min_length=1, max_length=4000)]
Labels = Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=10)]


class Acknowledged(Model):
    """Who took an alarm on."""

    by: str
    at: dt.datetime
    comment: str


class Alarm(Model):
    """An alarm of the list: one episode of a rule and a subject."""

    id: int
    rule: str = Field(description="Id of the rule that raised it")
    name: Name = Field(description="Name of that rule")
    kind: str
    subject: str = Field(examples=["point:gate/active_power", "device:inv-3", "source:edge-1", "tenant:a", "park"])
    subject_name: Name
    priority: Priority
    phase: Phase
    began_at: dt.datetime = Field(description="First moment beyond the limit, by the time of the readings")
    fired_at: dt.datetime
    resolved_at: dt.datetime | None = Field(description="Null: it stands")
    value: float | None = Field(description="Newest value, in `unit`")
    worst: float | None = Field(description="Value farthest beyond the limit, in `unit`")
    limit: float | None = Field(description="In `unit`; null: the kind has none")
    unit: str
    reason: Name = Field(description="Why, with figure and limit")
    acknowledged: Acknowledged | None
    shelved_until: dt.datetime | None
    out_of_service: bool
    withheld: str = Field(description="Why nobody is told now; empty: they are")
    historical: bool = Field(description="Found in readings that came late: nobody was told")
    action: Name | None = Field(description="What the rule says is to be done")


class Alarms(Model):
    """Alarms, the newest first."""

    alarms: list[Alarm]
    standing: int = Field(description="Alarms of the park that stand now, whatever was asked for")
    next: str | None = Field(description="`cursor` of the next page; null: this is the last")


class AlarmAct(Model):
    """What a person did with an alarm."""

    act: ActName
    person: str
    at: dt.datetime
    comment: str
    until: dt.datetime | None = Field(description="Of shelving")


class AlarmMessage(Model):
    """A message to one receiver."""

    receiver: str
    why: str
    state: Literal["waiting", "sent", "dead"]
    sent_at: dt.datetime | None
    error: str = Field(description="Of the last attempt; empty: none")


class AlarmCurve(Model):
    """What the rule looked at, around the alarm."""

    unit: str
    points: list[tuple[int, float | None]] = Field(description="Time [ms UTC] and value; null is a gap")
    limit: float | None
    from_: int = Field(serialization_alias="from", validation_alias="from", description="Begin [ms UTC]")
    to: int = Field(description="End [ms UTC]")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class AlarmDetail(Alarm):
    """One alarm with all that belongs to it."""

    revision: int = Field(description="Of the rules that raised it")
    cause: Name | None = Field(description="Usual cause, as the rule says")
    consequence: Name | None = Field(description="What happens if nobody acts, as the rule says")
    acts: list[AlarmAct] = Field(description="In their order")
    messages: list[AlarmMessage] = Field(description="In their order")
    curve: AlarmCurve | None = Field(description="Null: the kind has none")


class Silence(Model):
    """Nobody is told of matching alarms for a time."""

    id: int
    match: dict[str, str] = Field(description="Labels: rule, kind, subject, priority, device, source, tenant")
    begin: dt.datetime
    end: dt.datetime
    author: str
    comment: str
    recorded_at: dt.datetime
    ended_at: dt.datetime | None = Field(description="Ended before its time")
    ended_by: str | None
    active: bool


class Silences(Model):
    """Silences, the newest first."""

    silences: list[Silence]


class RulesInForce(Model):
    """The alarm document of a park."""

    park: str
    revision: int = Field(description="0: none was ever applied")
    document: dict[str, Any] = Field(description="docs/schema/alarms-1.json says what is in it")
    author: str
    reason: str
    recorded_at: dt.datetime | None
    problems: list[str] = Field(description="What no longer fits the park, and is not evaluated; empty: nothing")


class CheckedRule(Model):
    """A rule of a checked document: what it comes to."""

    rule: str
    kind: str
    enabled: bool
    subjects: list[str]
    on: float | None = Field(description="In `unit`")
    off: float | None = Field(description="In `unit`")
    direction: Literal["above", "below"] | None
    unit: str
    for_s: float = Field(description="How long beyond the limit until it fires [s]")
    keep_firing_s: float = Field(description="How long clear until it is over [s]")
    change: Literal["added", "removed", "changed", "same"] = Field(description="Against the rules in force")


class RulesChecked(Model):
    """What a document is worth."""

    ok: bool
    problems: list[str] = Field(description="All of them, place and reason each; empty: it can be applied")
    remarks: list[str] = Field(description="What is allowed and rarely meant")
    rules: list[CheckedRule] = Field(description="Those without a problem")


class TriedEpisode(Model):
    """An alarm that there would have been."""

    subject: str
    subject_name: Name
    began_at: dt.datetime
    fired_at: dt.datetime
    resolved_at: dt.datetime | None = Field(description="Null: it stood at the end")
    worst: float | None
    limit: float | None
    reason: Name


class RuleTried(Model):
    """A rule held against the past."""

    rule: str
    from_: dt.datetime = Field(serialization_alias="from", validation_alias="from")
    to: dt.datetime
    fired: int = Field(description="How often it would have fired")
    seen: int = Field(description="Observations there were; 0: nothing is known of that time")
    unit: str
    longest_s: float = Field(description="The longest of them [s]")
    sentence: Name = Field(description="`would have fired 3 times from … to …`")
    episodes: list[TriedEpisode] = Field(description="The first thousand")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class ReportTop(Model):
    """A rule and subject with many alarms."""

    rule: str
    subject: str
    subject_name: Name
    alarms: int
    share: float = Field(description="Of all alarms [0, 1]")


class ReportChattering(Model):
    """A rule and subject that fired three times or more within a minute."""

    rule: str
    subject: str
    subject_name: Name
    times: int
    at: dt.datetime = Field(description="When it was worst: begin of that minute")


class ReportFlood(Model):
    """More than ten alarms in ten minutes."""

    begin: dt.datetime
    end: dt.datetime
    alarms: int


class AlarmReport(Model):
    """How the alarms of a park behave, after IEC 62682 / ISA-18.2."""

    from_: dt.datetime = Field(serialization_alias="from", validation_alias="from")
    to: dt.datetime
    alarms: int
    per_10_min: float = Field(description="Mean rate; about 1 is acceptable for one person")
    by_priority: dict[Priority, int]
    standing: list[Alarm] = Field(description="Standing for more than 24 h, the oldest first")
    chattering: list[ReportChattering]
    top: list[ReportTop] = Field(description="Ten with the most alarms")
    floods: list[ReportFlood]
    flood_share: float = Field(description="Share of the time in a flood [0, 1]")
    acknowledge_mean_s: float | None = Field(description="Mean time to acknowledge [s]; null: none was")
    never_acknowledged: int
    shelved: int = Field(description="How often one was shelved")
    historical: int = Field(description="Found in readings that came late; not counted above")

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Wanted(BaseModel):
    """Base of every body: no member beyond the declared ones."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Remark(Wanted):
    """A comment that may be empty."""

    comment: Comment = ""


class Commented(Wanted):
    """A comment or reason that is needed."""

    comment: NeededComment


class Shelving(Wanted):
    """Why nobody is to be told, and until when."""

    comment: NeededComment
    until: Moment = Field(description="At most 8 h from now")


class NewSilence(Wanted):
    """A silence."""

    match: Labels = Field(description="Labels: rule, kind, subject, priority, device, source, tenant")
    begin: Moment | None = Field(default=None, description="Null: now")
    end: Moment = Field(description="At most 31 days after its begin")
    comment: NeededComment


Document = Annotated[
    dict[str, Any] | str, Field(description="The document, or its YAML; docs/schema/alarms-1.json says what is in it")
]


class DocumentToCheck(Wanted):
    """A document that is not applied yet."""

    document: Document


class NewRules(Wanted):
    """A document that is to be in force."""

    document: Document
    reason: NeededComment
    revision: int | None = Field(default=None, ge=0, description="The one that was read; another one is refused")


class RuleToTry(Wanted):
    """A rule and the past that it is held against."""

    rule: str = Field(max_length=63)
    from_: Moment = Field(alias="from", description="Begin")
    to: Moment = Field(description="End, exclusive; at most 100 days after the begin")
    document: Document | None = Field(default=None, description="Where the rule stands; null: the rules in force")


class AlarmsQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    state: Literal["standing", "all"] = "standing"
    rule: Annotated[str | None, Field(max_length=63, description="Of this rule alone")] = None
    cursor: Annotated[str | None, Field(max_length=80, description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ReportQuery(BaseModel):
    """Parameters of the report; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, populate_by_name=True)

    from_: Annotated[Moment, Field(validation_alias="from", description="Begin")]
    to: Annotated[Moment, Field(description="End, exclusive; at most 400 days after the begin")]
