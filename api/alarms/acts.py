"""Routes that do something with alarms: acknowledge, comment, shelve, take out of service, silence."""

import datetime as dt

from fastapi import APIRouter

from api.accounts.deps import WRITE_ERRORS, Books, BooksDep, Editor
from api.deps import SIGNED_IN, ParkDep
from parkcarbon.alarm.acts import act
from parkcarbon.alarm.curve import curve_of
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.listing import one_alarm
from parkcarbon.alarm.silences import end_silence, silence
from parkcarbon.live.model import ParkModel

from .models import ActName, AlarmDetail, AlarmId, Commented, NewSilence, Remark, Shelving, Silence, SilenceId

router = APIRouter(prefix="/api/v1/parks/{park}/alarms", tags=["alarms"], dependencies=SIGNED_IN)


@router.post("/silences", status_code=201, summary="Silence alarms", responses=WRITE_ERRORS)
async def silenced(books: BooksDep, editor: Editor, wanted: NewSilence) -> Silence:
    """Tell nobody of matching alarms for a time; they stay in the list."""
    async with books.writing() as session:
        found = await silence(
            session,
            books.park,
            wanted.match,
            begin=wanted.begin,
            end=wanted.end,
            author=editor.person,
            comment=wanted.comment,
            now=books.now(),
        )
    return Silence.model_validate(found)


@router.post("/silences/{silence}/end", summary="End a silence", responses=WRITE_ERRORS)
async def ended(books: BooksDep, editor: Editor, silence: SilenceId) -> Silence:
    """End a silence before its time."""
    async with books.writing() as session:
        return Silence.model_validate(await end_silence(session, books.park, silence, editor.person, now=books.now()))


@router.post("/{alarm}/acknowledge", summary="Take an alarm on", responses=WRITE_ERRORS)
async def acknowledged(books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Remark) -> AlarmDetail:
    """End repeats and escalation: somebody is on it. The alarm stands until it is over."""
    return await _done(books, park, alarm, "acknowledge", person=editor.person, comment=wanted.comment)


@router.post("/{alarm}/comment", summary="Say something about an alarm", responses=WRITE_ERRORS)
async def commented(books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Commented) -> AlarmDetail:
    """Keep a comment; also of an alarm that is over."""
    return await _done(books, park, alarm, "comment", person=editor.person, comment=wanted.comment)


@router.post("/{alarm}/shelve", summary="Shelve an alarm", responses=WRITE_ERRORS)
async def shelved(books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Shelving) -> AlarmDetail:
    """Tell nobody of this rule and subject for a while; it ends by itself."""
    return await _done(books, park, alarm, "shelve", person=editor.person, comment=wanted.comment, until=wanted.until)


@router.post("/{alarm}/unshelve", summary="End shelving", responses=WRITE_ERRORS)
async def unshelved(books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Remark) -> AlarmDetail:
    """Tell people again before the shelving ends by itself."""
    return await _done(books, park, alarm, "unshelve", person=editor.person, comment=wanted.comment)


@router.post("/{alarm}/out-of-service", summary="Take an alarm out of service", responses=WRITE_ERRORS)
async def out_of_service(
    books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Commented
) -> AlarmDetail:
    """Tell nobody of this rule and subject until a person puts it back."""
    return await _done(books, park, alarm, "out_of_service", person=editor.person, comment=wanted.comment)


@router.post("/{alarm}/in-service", summary="Put an alarm back in service", responses=WRITE_ERRORS)
async def in_service(books: BooksDep, park: ParkDep, editor: Editor, alarm: AlarmId, wanted: Remark) -> AlarmDetail:
    """Tell people of this rule and subject again."""
    return await _done(books, park, alarm, "in_service", person=editor.person, comment=wanted.comment)


async def _done(
    books: Books,
    park: ParkModel,
    alarm: int,
    deed: ActName,
    *,
    person: str,
    comment: str,
    until: dt.datetime | None = None,
) -> AlarmDetail:
    async with books.writing() as session:
        await act(session, books.park, alarm, deed, person=person, comment=comment, until=until, now=books.now())
        found = await one_alarm(session, park, alarm, now=books.now())
        curve = await curve_of(session, park, KINDS, found, now=books.now())
    return AlarmDetail.model_validate(found | {"curve": curve})
