"""What can be asked about a park."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from parkcarbon.kit.db import to_ms
from parkcarbon.live.model import ParkModel

from .buckets import make_buckets, refuse_too_many
from .deps import SIGNED_IN, Caller, CoreDep, ParkDep, tagged
from .devicestate import device_list
from .plan import plan_series
from .problems import describe
from .schemas import (
    Devices,
    FigureName,
    GroupBy,
    Metric,
    Now,
    ParkInfo,
    Parks,
    Series,
    Step,
    Working,
)
from .series import assemble
from .working import counted_points, explain

router = APIRouter(prefix="/api/v1/parks", tags=["park"], dependencies=SIGNED_IN)

_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
_PARK_ERRORS = describe(401, 403, 404, 422, 500, 503)


class SeriesQuery(BaseModel):
    """Parameters of `/series`; any other name is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    metric: Metric
    from_: Moment = Field(validation_alias="from", description="Start, RFC 3339 with an offset; rounded down to a step")
    to: Moment = Field(description="End, exclusive; rounded up to a step")
    step: Step = Field("15m", description="`1d` and `1mo` are local days and months of the park; `1h` is of UTC")
    group_by: GroupBy = "none"


class WorkingQuery(BaseModel):
    """Parameters of `/working`."""

    model_config = ConfigDict(extra="forbid")

    figure: FigureName
    at: Moment | None = Field(None, description="`at` of the `Now` that showed it; now when absent")


@router.get("", summary="Parks that the caller may see", response_model=Parks, responses=describe(401, 500, 503))
async def parks(core: CoreDep, principal: Caller, request: Request) -> Response:
    """List the parks of this token."""
    found = []
    for park, has_data in await core.store.parks():
        model = await core.models.get(park) if principal.may_see(park) else None
        if model is not None:
            found.append(_park_info(model, has_data=has_data))
    return tagged(request, Parks(parks=found))


@router.get("/{park}/now", summary="The park at this moment", response_model=Now, responses=_PARK_ERRORS)
async def now(core: CoreDep, park: ParkDep) -> Response:
    """Give the state that the live stream sends, at most a second old."""
    snapshot = await core.hub.channel(park.park).fresh()
    return Response(snapshot.body, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/{park}/series", summary="A metric over time", response_model=Series, responses=_PARK_ERRORS)
async def series(core: CoreDep, park: ParkDep, request: Request, wanted: Annotated[SeriesQuery, Query()]) -> Response:
    """Give sums of intervals in equal steps: at most 20,000 values; a missing bucket is null with coverage 0."""
    buckets = make_buckets(wanted.step, to_ms(wanted.from_), to_ms(wanted.to), park.zone)
    groups = plan_series(park, wanted.metric, wanted.group_by)
    refuse_too_many(len(buckets) * max(1, len(groups)))
    history = await core.store.history(groups, buckets)
    return tagged(request, assemble(wanted.metric, groups, buckets, history, core.clock.now_ms()))


@router.get("/{park}/devices", summary="Devices in bus order", responses=_PARK_ERRORS)
async def devices(core: CoreDep, park: ParkDep) -> Devices:
    """Give each device with its state and the newest reading of each point."""
    newest, states = await core.moments.states(park)
    return device_list(park, newest, states)


@router.get("/{park}/working", summary="How a figure comes about", responses=_PARK_ERRORS)
async def working(core: CoreDep, park: ParkDep, wanted: Annotated[WorkingQuery, Query()]) -> Working:
    """Give formula, registers, factors and notes of a figure of `Now`."""
    moment = await core.moments.moment_at(park, None if wanted.at is None else to_ms(wanted.at))
    points = [point.point_id for point in counted_points(park, wanted.figure)]
    starts = await core.store.registers_at(points, moment.midnight_ms)
    return explain(moment, wanted.figure, starts)


def _park_info(model: ParkModel, *, has_data: bool) -> ParkInfo:
    return ParkInfo(
        park=model.park,
        name=model.name,
        timezone=model.timezone,
        currency=model.currency,
        contract_demand_kw=model.contract_demand_kw,
        tenants=list(model.tenants),
        empty=not has_data,
    )
