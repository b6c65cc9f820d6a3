"""Issue a statement again: a new version that names its predecessor, the reason, and every line that changed."""

import datetime as dt

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, Session

from . import store
from .diff import Difference, differences
from .prepare import Wanted, prepare
from .store import Statement


async def reissue(
    reading: Database,
    writing: Session,
    before: Statement,
    *,
    person: str,
    reason: str,
    as_of: dt.datetime,
    now: dt.datetime,
) -> tuple[Statement, list[Difference]]:
    """Prepare the next version of an issued statement.

    Args:
        reading: where a snapshot is read.
        writing: a connection inside a transaction that may write.
        before: the newest issued one of its kind and period.
        person: who prepares it.
        reason: why.
        as_of: moment of knowledge, from `settle`.
        now: time of now.

    Returns:
        The new version, and what is different in it.

    Raises:
        RefusedError: no reason, it was not issued, or a later version was.
    """
    if not reason.strip():
        raise RefusedError("6.9", f"{before.number} V{before.version} is issued again only with a reason")
    if before.state not in ("issued", "locked"):
        raise RefusedError(
            "6.9", f"{before.number} V{before.version} is {before.state}: only what is issued is issued again"
        )
    wanted = Wanted(park=before.park, period=before.period, kind=before.kind, person=person, reason=reason)
    made = await prepare(reading, writing, wanted, as_of=as_of, now=now)
    left, right = [await store.frozen(writing, item.statement_id) for item in (before, made)]
    return made, differences(left, right)
