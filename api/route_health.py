"""Liveness, readiness, Prometheus."""

from fastapi import APIRouter
from starlette.responses import Response

from parkcarbon.kit.db import DatabaseError

from .deps import SIGNED_IN, CoreDep
from .metrics import CONTENT_TYPE
from .problems import describe
from .schemas import Health, Readiness

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="The process is alive")
async def healthz() -> Health:
    """Answer without looking at anything else."""
    return Health()


@router.get(
    "/readyz",
    summary="The API can answer",
    responses={503: {"model": Readiness, "description": "Not ready"}},
)
async def readyz(core: CoreDep, response: Response) -> Readiness:
    """Look at the database, the schema and the age of the newest reading."""
    readiness = await _readiness(core)
    response.status_code = 200 if readiness.ready else 503
    response.headers["Cache-Control"] = "no-store"
    return readiness


@router.get(
    "/metrics",
    dependencies=SIGNED_IN,
    summary="Prometheus text",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **describe(401)},
)
async def metrics(core: CoreDep) -> Response:
    """Open to this machine, and to any token from elsewhere."""
    await _readiness(core)
    return Response(core.metrics.text(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def _readiness(core: CoreDep) -> Readiness:
    try:
        reach = await core.store.reach()
    except DatabaseError:
        core.metrics.database_up.set(0)
        return Readiness(
            ready=False, database=False, schema_present=False, data_age_s=None, detail="the database does not answer"
        )
    age_s = core.age_s(reach.newest_reading)
    core.metrics.database_up.set(1)
    core.metrics.data_age.set(float("nan") if age_s is None else age_s)
    detail = None if reach.schema_present else "the schema is not there yet: run `python -m ingest migrate`"
    return Readiness(
        ready=reach.schema_present,
        database=True,
        schema_present=reach.schema_present,
        data_age_s=age_s,
        detail=detail,
    )
