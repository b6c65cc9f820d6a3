"""What people do with a prepared statement: they say something, review, approve or reject the content they saw.

The database refuses who may not: nobody approves what they prepared, and what the scheduler froze needs two persons.
"""

from typing import Final, Literal

from parkcarbon.books.refusals import refusals
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Session

from . import store
from .store import Deed, Statement

Verb = Literal["comment", "review", "approve", "reject"]

DEEDS: Final[dict[Verb, Deed]] = {
    "comment": "comment",
    "review": "reviewed",
    "approve": "approved",
    "reject": "rejected",
}


async def act(
    session: Session,
    statement: Statement,
    verb: Verb,
    *,
    person: str,
    comment: str = "",
    digest: str = "",
) -> Statement:
    """Do something with a statement.

    Args:
        session: a connection inside a transaction that may write.
        statement: which.
        verb: what.
        person: who.
        comment: what is said; needed to comment and to reject.
        digest: of the content that the person saw, hex; empty: the one that is stored.

    Returns:
        The statement as it stands then.

    Raises:
        RefusedError: the person may not, it was issued or rejected already, the content is another one.
    """
    if digest and digest.lower() != statement.digest:
        told = f"statement {statement.statement_id} is {statement.digest[:16]}…, not {digest[:16]}…: read it again"
        raise RefusedError("6.9", told)
    if not person.strip():
        raise RefusedError("6.9", f"nobody is named who would {verb} statement {statement.statement_id}")
    with refusals():
        await store.add_act(session, statement, DEEDS[verb], person=person.strip(), comment=comment.strip())
    return await store.one(session, statement.statement_id)
