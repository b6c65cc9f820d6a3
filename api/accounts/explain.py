"""Routes that show the working of any figure, as JSON or as a spreadsheet with live formulas."""

import asyncio
import io
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.deps import SIGNED_IN
from api.schemas import Model
from parkcarbon.books.amounts import PERIOD
from parkcarbon.books.workbook.workbook import write_workbook
from parkcarbon.books.working.explain import PREFIXES, about_of, names, open_scene
from parkcarbon.books.working.explain import explain as explained
from parkcarbon.domain.working import Figure, Operation

from .deps import READ_ERRORS, BooksDep

router = APIRouter(prefix="/api/v1/parks/{park}/explain", tags=["explain"], dependencies=SIGNED_IN)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExplainedLabel(Model):
    """What something is called."""

    zh: str
    en: str


class ExplainedFigure(Model):
    """One number and how it comes about; empty members are left out."""

    name: str
    value: float | None = Field(description="null: not known; then nothing that rests on it is")
    unit: str
    operation: Operation = Field(description="What is done with the terms; `given` for a leaf")
    label: ExplainedLabel | None = None
    source: dict[str, Any] | None = Field(
        default=None, description="Where a leaf comes from: register, reading, interval, factor, entry, lot, setting"
    )
    axis: dict[str, list[str | int | None]] | None = Field(default=None, description="What the rows of columns are")
    columns: dict[str, list[float | None]] | None = Field(
        default=None, description="Of a sum_product: parallel columns; a row with an unknown counts nothing"
    )
    rule: str | None = Field(default=None, description="Number of the accounting rule behind the operation")
    notes: list[str] | None = None
    within: float | None = Field(default=None, description="How far rounded parts may take the value from its terms")
    terms: list["ExplainedFigure"] | None = Field(default=None, description="In the order of the formula")


class ExplainedName(Model):
    """A figure that can be explained."""

    figure: str = Field(examples=["scope2_location", "point:gate/active_energy_import"])
    label: ExplainedLabel


class ExplainedNames(Model):
    """Figures that can be explained."""

    figures: list[ExplainedName]


Period = Annotated[str, Field(pattern=PERIOD, description="Month or year, local", examples=["2026-03"])]


class ExplainQuery(BaseModel):
    """Parameters of an explanation; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    figure: Annotated[str, Field(max_length=300, description="See /explain/figures", examples=["scope2_location"])]
    period: Period
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None
    format: Literal["json", "xlsx"] = "json"
    columns: Annotated[bool, Field(description="With hourly columns; a year of many points is large")] = True


class FiguresQuery(BaseModel):
    """Parameters of the list; any other name is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    period: Annotated[Period | None, Field(description="List what there is in it; without it, the patterns")] = None
    as_of: Annotated[AwareDatetime | None, Field(description="As known then; now when absent")] = None


@router.get("", response_model=ExplainedFigure, responses={**READ_ERRORS, 200: {"content": {XLSX: {}}}})
async def explain(books: BooksDep, query: Annotated[ExplainQuery, Query()]) -> Response:
    """Show how a figure comes about, down to registers, entries and factor records."""
    async with books.reading() as session:
        figure = await explained(session, books.park, query.figure, query.period, now=books.now(), as_of=query.as_of)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if query.format == "json":
        body = await asyncio.to_thread(_json, figure, with_columns=query.columns)
        return Response(body, media_type="application/json", headers=headers)
    name = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in f"{query.figure}-{query.period}")
    headers["Content-Disposition"] = f'attachment; filename="{name.encode("ascii", "replace").decode()}.xlsx"'
    return Response(await asyncio.to_thread(_xlsx, figure), media_type=XLSX, headers=headers)


@router.get("/figures", responses=READ_ERRORS)
async def figures(books: BooksDep, query: Annotated[FiguresQuery, Query()]) -> ExplainedNames:
    """List the figures that can be explained: those of a period, or the patterns of their names."""
    found = [dict(item) for item in PREFIXES]
    if query.period is not None:
        async with books.reading() as session:
            scene = await open_scene(session, books.park, query.period, now=books.now(), as_of=query.as_of)
            found = await names(scene)
    return ExplainedNames.model_validate({"figures": found})


def _json(figure: Figure, *, with_columns: bool) -> bytes:
    return orjson.dumps(figure.document(columns=with_columns))


def _xlsx(figure: Figure) -> bytes:
    file = io.BytesIO()
    write_workbook(figure, file, about_of(figure))
    return file.getvalue()
