"""Routes of alarm rules: those in force, another document checked, tried on the past, applied."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.accounts.deps import READ_ERRORS, WRITE_ERRORS, BooksDep, Editor
from api.deps import SIGNED_IN, ParkDep
from api.problems import problem
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.rules.checked import applied, checked, current
from parkcarbon.domain.refusal import RefusedError

from .deps import document_of
from .models import DocumentToCheck, NewRules, RulesChecked, RulesInForce, RuleToTry, RuleTried
from .trial import trial

router = APIRouter(prefix="/api/v1/parks/{park}/alarms/rules", tags=["alarms"], dependencies=SIGNED_IN)


@router.get("", summary="Rules in force", responses=READ_ERRORS)
async def rules(books: BooksDep, park: ParkDep) -> RulesInForce:
    """Give the document that was applied last, and what of it no longer fits the park."""
    async with books.reading() as session:
        return RulesInForce.model_validate(await current(session, park, KINDS))


@router.put("", summary="Put rules in force", response_model=RulesInForce, responses=WRITE_ERRORS)
async def put(books: BooksDep, park: ParkDep, editor: Editor, wanted: NewRules) -> Any | Response:
    """Apply a document, all or nothing; if it is refused, every problem is named."""
    try:
        document = await document_of(wanted.document)
        async with books.writing() as session:
            return await applied(
                session,
                park,
                KINDS,
                document,
                author=editor.person,
                reason=wanted.reason,
                read=wanted.revision,
            )
    except RefusedError as error:
        return _refused(error)


@router.post("/check", summary="Check a document", response_model=RulesChecked, responses=WRITE_ERRORS)
async def check(books: BooksDep, park: ParkDep, wanted: DocumentToCheck) -> Any:
    """Say what a document comes to, without entering it; what is wrong with it is in the answer."""
    try:
        document = await document_of(wanted.document)
    except RefusedError as error:
        return {"ok": False, "problems": error.reason.splitlines(), "remarks": [], "rules": []}
    async with books.reading() as session:
        return await checked(session, park, KINDS, document)


@router.post("/try", summary="Try a rule on the past", responses=WRITE_ERRORS)
async def try_on_the_past(books: BooksDep, park: ParkDep, wanted: RuleToTry) -> RuleTried:
    """Say when a rule would have fired; it need not be in force."""
    given = None if wanted.document is None else await document_of(wanted.document)
    url = books.core.settings.read_url
    return RuleTried.model_validate(await trial(url, park, given, wanted.rule, begin=wanted.from_, end=wanted.to))


def _refused(error: RefusedError) -> Response:
    """Every problem with its place."""
    lines = error.reason.splitlines()
    parts = [line.partition(": ") for line in lines]
    errors = [{"where": place if colon else "body", "message": said or place} for place, colon, said in parts]
    return problem(422, "; ".join(lines[:3]), errors=errors)
