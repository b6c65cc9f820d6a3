"""What the routes of alarms ask for: those of the books, and the list that wall displays see too."""

import asyncio
from typing import Annotated, Any

from fastapi import Depends

from api.accounts.deps import Books
from api.deps import Caller, CoreDep, ParkDep
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.rules.load import load_rules, rules_from


async def shown_of(core: CoreDep, park: ParkDep, principal: Caller) -> Books:
    """The park of the path for whoever may see it: what stands on the live page."""
    return Books(park.park, core, principal)


async def document_of(given: dict[str, Any] | str) -> Alarms:
    """The document of a body: plain data, or YAML; a long one is read beside what the API does meanwhile.

    Raises:
        RefusedError: it cannot be read; everything that does not fit is listed.
    """
    return await asyncio.to_thread(load_rules if isinstance(given, str) else rules_from, given)  # type: ignore[arg-type]


ShownDep = Annotated[Books, Depends(shown_of)]
