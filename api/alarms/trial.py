"""A rule tried on the past beside the API: it reads and judges for seconds, and streams must not wait for it."""

import asyncio
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from api.store import QUERIES
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.rules.document import Alarms
from parkcarbon.alarm.rules.store import rules_of
from parkcarbon.alarm.rules.tried import tried
from parkcarbon.kit.db import Database
from parkcarbon.live.model import ParkModel

_ONE_AT_A_TIME: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial")


async def trial(
    url: str, model: ParkModel, document: Alarms | None, rule: str, *, begin: dt.datetime, end: dt.datetime
) -> dict[str, Any]:
    """Try a rule in a thread, on a connection of its own.

    Args:
        url: of the database, to read.
        model: the park.
        document: where the rule stands; None: the rules in force.
        rule: its id.
        begin: of the past.
        end: of it, exclusive.

    Raises:
        LookupError: there is no such rule.
        RefusedError: as `tried`.
    """

    async def work() -> dict[str, Any]:
        async with await Database.connect(url, max_size=1) as database, database.transaction() as session:
            await session.execute(QUERIES["one_snapshot"])
            given = (await rules_of(session, model.park)).document if document is None else document
            return await tried(session, model, KINDS, given, rule, begin=begin, end=end)

    return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, lambda: asyncio.run(work()))
