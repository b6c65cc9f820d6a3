"""Shapes of the routes of statements."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Model
from parkcarbon.books.amounts import PERIOD

StatementId = Annotated[int, Path(ge=1, le=2**63 - 1, description="As `/statements` lists it")]
Period = Annotated[str, Field(pattern=PERIOD, description="Month or year", examples=["2026-10"])]
Kind = Literal["flash", "statement", "annual"]
State = Literal["prepared", "reviewed", "approved", "issued", "locked", "rejected", "superseded"]
Word = Literal["covered_to_date", "partly_covered", "not_covered", "cannot_be_judged", "neutral", "none"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="sha256, hex")]


class StatementWords(Model):
    """The same in both languages."""

    zh: str
    en: str


class MissingItem(Model):
    """What is not there yet."""

    item: str = Field(examples=["bill:electricity", "meter:m1/active_energy_import"])
    text: StatementWords
    owner: str = Field(description="Role or person that owes it")
    due: str = Field(description="Day [YYYY-MM-DD]")


class StatementAct(Model):
    """What was done with a statement."""

    act: Literal["prepared", "reviewed", "approved", "rejected", "comment", "issued"]
    person: str = Field(description="Empty: the process, once it was approved")
    at: dt.datetime
    comment: str


class StatementFile(Model):
    """An issued file."""

    name: str = Field(examples=["zh.pdf", "en.pdf", "both.pdf", "xlsx", "csv", "json", "sig"])
    media: str
    bytes: int
    sha256: Digest


class Statement(Model):
    """A statement as it stands."""

    statement_id: int
    park: str
    kind: Kind
    period: Period
    number: str
    version: int
    state: State
    digest: Digest = Field(description="sha256 of the frozen content: what people put their names to")
    as_of: dt.datetime = Field(description="Moment of knowledge")
    verdict: Word
    missing: list[MissingItem] = Field(description="When it was frozen")
    prepared_by: str
    prepared_at: dt.datetime
    issued_at: dt.datetime | None
    supersedes: int | None
    reason: str = Field(description="Why it was issued again")
    acts: list[StatementAct]
    files: list[StatementFile]
    waits_for: str = Field(description="What has to happen next; empty: nothing")


class Statements(Model):
    """Statements, the newest period first."""

    statements: list[Statement]


class StatementRecord(BaseModel):
    """The record of a statement: `docs/schema/statement-1.json` says what is in it."""

    model_config = ConfigDict(extra="allow")

    schema_: Literal["parkcarbon.statement/1"] = Field(alias="schema")
    kind: Kind
    number: str
    version: int
    figures: dict[str, Any]
    sections: list[dict[str, Any]]


class MissingItems(Model):
    """What a period waits for now."""

    period: Period
    missing: list[MissingItem]


class StatementTask(Model):
    """Something the scheduler has to do, or did."""

    task: int
    park: str
    action: Literal["flash", "prepare", "remind", "issue", "lock"]
    period: str
    due_on: dt.date
    attempts: int
    next_at: dt.datetime
    error: str = Field(description="Of the last attempt; empty: none")
    outcome: str
    done_at: dt.datetime | None


class StatementMail(Model):
    """A message to one recipient."""

    mail: int
    statement_id: int | None = Field(description="Null: a reminder")
    recipient: str
    subject: str
    attempts: int
    next_at: dt.datetime
    error: str = Field(description="Of the last attempt; empty: none")
    sent_at: dt.datetime | None


class StatementTasks(Model):
    """What is due, mail that waits, and why working days may be wrong."""

    tasks: list[StatementTask]
    mails: list[StatementMail]
    warnings: list[str]


class StatementSide(Model):
    """One of two statements compared."""

    statement_id: int
    number: str
    version: int
    state: State
    digest: Digest


class FigureDifference(Model):
    """A figure that is not the same."""

    figure: str
    label: StatementWords
    what: Literal["added", "removed", "changed"]
    before: str | None = Field(description="Exact value; null: it was not there")
    after: str | None
    unit: str


class StatementDifference(Model):
    """Two statements against one another."""

    before: StatementSide
    after: StatementSide
    identical: bool
    figures: list[FigureDifference]
    parts: list[str] = Field(description="Verdict, what is missing, sections")


class Reissued(Statement):
    """A new version with what is different in it."""

    changes: list[FigureDifference]


class LockedMonth(Model):
    """A month that was just locked."""

    period: str
    version: int
    digest: Digest
    as_of: dt.datetime


class NewStatement(BaseModel):
    """Which statement is to be prepared."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Period
    kind: Kind = "statement"


class NewVersion(BaseModel):
    """Why a statement is issued again."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class NewAct(BaseModel):
    """What somebody does with a statement."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    act: Literal["comment", "review", "approve", "reject"]
    comment: Annotated[str, Field(max_length=4000, description="Needed to comment and to reject")] = ""
    digest: Annotated[
        str, Field(pattern=r"^([0-9a-f]{64})?$", description="Of the content that was read; another one is refused")
    ] = ""


class Locking(BaseModel):
    """Why, and whether what is open is overridden."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reason: Annotated[str, Field(max_length=2000)] = ""
    override: bool = Field(default=False, description="Close over what is open or missing; needs a reason")


class StatementsQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[Period | None, Field(description="Of this month or year alone")] = None
    kind: Kind | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
