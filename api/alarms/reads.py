"""Routes that show alarms: the list, one with its curve, silences, the report."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.accounts.deps import READ_ERRORS, BooksDep
from api.deps import SIGNED_IN, ParkDep
from parkcarbon.alarm.curve import curve_of
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.listing import alarms, one_alarm, report_of
from parkcarbon.alarm.silences import silences

from .deps import ShownDep
from .models import (
    AlarmDetail,
    AlarmId,
    AlarmReport,
    Alarms,
    AlarmsQuery,
    ReportQuery,
    Silences,
)

router = APIRouter(prefix="/api/v1/parks/{park}/alarms", tags=["alarms"], dependencies=SIGNED_IN)
one = APIRouter(prefix="/api/v1/parks/{park}/alarms", tags=["alarms"], dependencies=SIGNED_IN)


@router.get("", summary="Alarms", responses=READ_ERRORS)
async def listed(shown: ShownDep, park: ParkDep, wanted: Annotated[AlarmsQuery, Query()]) -> Alarms:
    """Give alarms, those that fired last first; those that stand unless all are asked for."""
    async with shown.reading() as session:
        found = await alarms(
            session,
            park,
            now=shown.now(),
            state=wanted.state,
            rule=wanted.rule,
            cursor=wanted.cursor,
            limit=wanted.limit,
        )
    return Alarms.model_validate(found)


@router.get("/report", summary="How the alarms behave", responses=READ_ERRORS)
async def reported(books: BooksDep, park: ParkDep, wanted: Annotated[ReportQuery, Query()]) -> AlarmReport:
    """Give counts, floods, chattering and standing alarms of a time, after IEC 62682 / ISA-18.2."""
    async with books.reading() as session:
        return AlarmReport.model_validate(await report_of(session, park, wanted.from_, wanted.to, now=books.now()))


@router.get("/silences", summary="Silences", responses=READ_ERRORS)
async def silenced(
    books: BooksDep, *, over: Annotated[bool, Query(description="Those that are over too")] = False
) -> Silences:
    """Give silences, the newest first."""
    async with books.reading() as session:
        return Silences.model_validate({"silences": await silences(session, books.park, now=books.now(), over=over)})


@one.get("/{alarm}", summary="One alarm", responses=READ_ERRORS)
async def shown(books: BooksDep, park: ParkDep, alarm: AlarmId) -> AlarmDetail:
    """Give an alarm with what people did, what was sent, and the curve that raised it."""
    async with books.reading() as session:
        found = await one_alarm(session, park, alarm, now=books.now())
        curve = await curve_of(session, park, KINDS, found, now=books.now())
    return AlarmDetail.model_validate(found | {"curve": curve})
