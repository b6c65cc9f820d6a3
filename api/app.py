"""The application: routes, middleware and life cycle put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.gzip import GZipMiddleware

from parkcarbon.kit.clock import Clock, SystemClock

from . import accounts, alarms, problems, route_health, route_park, route_session, route_stream, statements
from .auth import AuthMiddleware
from .core import Core
from .metrics import MetricsMiddleware
from .schemas import Problem
from .settings import Settings
from .shield import Shield
from .web import web_router

_DESCRIPTION = """Reads of a park: live state, time series, monthly inventory, devices, and how each figure comes about.

Errors are `application/problem+json`. Times are RFC 3339 in UTC. `null` means unknown or missing, never zero."""
API_VERSION = "1.0"
_GZIP_FROM_BYTES = 2048


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Build the application.

    Args:
        settings: of the process.
        clock: time; the system's unless given.
    """
    core = Core.build(settings, clock or SystemClock())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with core.running():
            yield

    app = FastAPI(
        title="ParkCarbon",
        version=API_VERSION,
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # these pages load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.core = core
    problems.install(app)
    for router in (
        route_session.router,
        route_park.router,
        route_stream.router,
        *accounts.ROUTERS,
        *statements.ROUTERS,
        *alarms.ROUTERS,
    ):
        app.include_router(router)
    app.include_router(route_health.router)
    app.include_router(web_router(settings.web_dist))
    # Outermost last: headers and limits first, then counting, then who is asking.
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=5)
    app.add_middleware(AuthMiddleware, authenticator=core.authenticator)
    app.add_middleware(MetricsMiddleware, metrics=core.metrics)
    app.add_middleware(Shield)
    app.openapi = lambda: describe_api(app)  # type: ignore[method-assign]
    return app


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with `Problem` in place of the framework's own error models."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, summary=None
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        app.openapi_schema = document
    return app.openapi_schema
