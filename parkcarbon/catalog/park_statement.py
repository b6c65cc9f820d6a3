"""What a park says about its statements: who is asked for what by when, who gets them, where roots are anchored."""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from .terms import Name, Slug

Day = Annotated[int, Meta(ge=1, le=60)]


class Expected(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a month's statement waits for.

    Attributes:
        item: a bill of a carrier, the certificates of the month, production, or another kind of entry.
        kind: of the bill: `electricity`, `gas`, `heat`; of another entry: its kind; empty for the rest.
        tenant: whose; None: the park's.
        owner: role that owes it.
        due_day: day after the month's end on which it is due.
    """

    item: Literal["bill", "certificates", "production", "entry"]
    owner: str
    kind: str = ""
    tenant: Slug | None = None
    due_day: Day = 10


class Anchor(Struct, frozen=True, forbid_unknown_fields=True):
    """A place outside the operator's control that gets each day's root of this park; folders are the deployment's.

    Attributes:
        kind: a mailbox, best the auditor's, or a time stamping authority (RFC 3161).
        to: address or URL.
    """

    kind: Literal["mail", "rfc3161"]
    to: Annotated[str, Meta(min_length=3, max_length=500)]


class StatementSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the park's statements are made.

    Attributes:
        expects: what a month waits for.
        meter_owner: role that is asked for meters that have no data.
        calendar: country of the working days, ISO 3166 code.
        holidays: days that are no working days though the calendar says so.
        working_days: days that are working days though the calendar says no.
        flash_working_day: working day of the next month on which the flash report goes out.
        due_day: day after the month's end on which the statement is prepared at the latest.
        lock_day: day after the month's end by which it is locked.
        recipients: mail addresses that get issued statements.
        anchors: where the daily roots go, beside the places that the deployment sets for all parks.
        intended_users: who the statement is for.
        recalculation_policy: when the base year is recalculated.
        product_market: market it is used in, for example `CN`; `EU` bans product claims that rest on offsets.
    """

    expects: tuple[Expected, ...] = ()
    meter_owner: str = "electrician"
    calendar: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    holidays: tuple[dt.date, ...] = ()
    working_days: tuple[dt.date, ...] = ()
    flash_working_day: Annotated[int, Meta(ge=1, le=20)] = 3
    due_day: Day = 15
    lock_day: Day = 40
    recipients: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    intended_users: Name | None = None
    recalculation_policy: Name | None = None
    product_market: str = "CN"
