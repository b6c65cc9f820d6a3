"""The live stream of a park as server-sent events.

References:
    WHATWG HTML, section 9.2 "Server-sent events".
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response, StreamingResponse

from parkcarbon.kit.db import DatabaseError

from .auth import Principal
from .core import Core
from .deps import SIGNED_IN, Caller, CoreDep, ParkDep
from .hub import Channel
from .problems import ProblemError, describe

router = APIRouter(prefix="/api/v1/parks/{park}", tags=["park"], dependencies=SIGNED_IN)

PING_S = 10.0
CHECK_S = 5.0
RETRY_MS = 2000


@router.get(
    "/live",
    summary="Live stream of `Now`",
    response_class=Response,
    responses={
        200: {
            "description": "`event: now` with a `Now`, at most one a second; `event: ping` every 10 s",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **describe(401, 403, 404, 422, 503),
    },
)
async def live(
    core: CoreDep,
    principal: Caller,
    park: ParkDep,
    last_event_id: Annotated[str | None, Header(max_length=64, description="Sent by a reconnecting browser")] = None,
) -> StreamingResponse:
    """Send the state at once, then after each change."""
    core.hub.admit()

    async def events() -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        async with core.hub.watch(park.park) as (channel, event):
            async for item in _events(core, principal, channel, event, last_event_id):
                yield item

    return StreamingResponse(
        events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    core: Core, principal: Principal, channel: Channel, event: asyncio.Event, last_event_id: str | None
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    seen = last_event_id
    next_ping_s = loop.time() + PING_S
    next_check_s = loop.time() + CHECK_S
    with contextlib.suppress(DatabaseError, ProblemError):
        await channel.fresh()
    while not core.hub.closing:
        event.clear()
        latest = channel.latest
        name = None if latest is None else f"{core.hub.run_id}-{latest.number}"
        if latest is not None and name != seen:
            seen = name
            core.metrics.events.labels("now").inc()
            yield b"event: now\nid: " + str(name).encode() + b"\ndata: " + latest.body + b"\n\n"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(min(next_ping_s, next_check_s)):
                await event.wait()
        if loop.time() >= next_check_s:
            next_check_s = loop.time() + CHECK_S
            if not await _still_allowed(core, principal):
                return
        if loop.time() >= next_ping_s:
            next_ping_s = loop.time() + PING_S
            core.metrics.events.labels("ping").inc()
            yield b"event: ping\ndata: {}\n\n"


async def _still_allowed(core: Core, principal: Principal) -> bool:
    """True unless the token was revoked; a silent database ends no stream."""
    try:
        return await core.authenticator.principal(principal.token) is not None
    except DatabaseError:
        return True
