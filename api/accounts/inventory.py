"""The inventory of a month or year: frozen where the period was closed, else as known now or on a past date."""

import hashlib
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.deps import SIGNED_IN, tagged_bytes
from api.problems import ProblemError
from api.schemas_inventory import Inventory
from parkcarbon.books.amounts import MONTH, PERIOD
from parkcarbon.books.periods.closing import answer

from .deps import READ_ERRORS, BooksDep

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["inventory"], dependencies=SIGNED_IN)


class InventoryQuery(BaseModel):
    """Parameters of `/inventory`; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[str | None, Field(pattern=PERIOD, description="Local month or year", examples=["2026-03"])] = None
    month: Annotated[str | None, Field(pattern=MONTH, description="The same, for a month", examples=["2026-03"])] = None
    as_of: Annotated[
        AwareDatetime | None, Field(description="As known then, byte for byte; not newer than a minute ago")
    ] = None
    method: Annotated[
        Literal["ghgp", "iso14064", "gbt32150", "zcp910"], Field(description="Method profile; never mixed")
    ] = "ghgp"
    version: Annotated[int | None, Field(ge=1, description="A version that was frozen, whatever became of it")] = None

    @property
    def wanted(self) -> str:
        """The period.

        Raises:
            ProblemError: 422, none or two were given.
        """
        given = [name for name in (self.period, self.month) if name is not None]
        if len(given) != 1:
            raise ProblemError(422, "give either period or month")
        return given[0]


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Inventory,
        "description": "Canonical JSON of profile `ghgp`; the other profiles have members of their own",
        "headers": {
            "X-Parkcarbon-Version": {
                "description": "Number of the frozen version; absent where the period is not closed",
                "schema": {"type": "integer"},
            },
            "X-Parkcarbon-Digest": {"description": "sha256 of the body", "schema": {"type": "string"}},
        },
    }
}


@router.get("/inventory", summary="Emissions of a local month or year", responses={**READ_ERRORS, **_ANSWERS})
async def inventory(books: BooksDep, request: Request, wanted: Annotated[InventoryQuery, Query()]) -> Response:
    """Give what was frozen if the period is closed; the ETag does not depend on the time of asking."""
    async with books.reading() as session:
        found = await answer(
            session,
            books.park,
            wanted.wanted,
            now=books.now(),
            as_of=wanted.as_of,
            method=wanted.method,
            version=wanted.version,
        )
    headers = {"X-Parkcarbon-Digest": hashlib.sha256(found.body).hexdigest()}
    if found.frozen is not None:
        headers["X-Parkcarbon-Version"] = str(found.frozen.version)
    document = orjson.loads(found.body)
    marked = orjson.dumps({name: value for name, value in document.items() if name != "known_on"})
    return tagged_bytes(request, found.body, marked, headers)
