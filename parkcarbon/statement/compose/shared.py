"""A session that answers a question about many intervals once: two views rest on the same quarters of an hour."""

from collections.abc import Mapping
from typing import Any, LiteralString, Self

from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.pgcopy import Array, PgType


class Remembering(Session):
    """Asks another session, and keeps columns that it was given."""

    def __init__(self, session: Session, *, keep: bool) -> None:
        super().__init__(None)
        self._session = session
        self._keep = keep
        self._kept: dict[tuple[str, str], dict[str, Array]] = {}

    @classmethod
    def of(cls, session: Session, *, months: bool) -> Self:
        """A session on top of another; of a year nothing is kept, it would be too much."""
        return cls(session, keep=months)

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """As the session beneath."""
        return await self._session.fetch(query, *args)

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """As the session beneath."""
        return await self._session.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """As the session beneath."""
        return await self._session.fetchval(query, *args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """As the session beneath, once for the same question."""
        if not self._keep:
            return await self._session.fetch_columns(query, *args, types=types)
        question = (query, repr(args))
        if question not in self._kept:
            self._kept[question] = await self._session.fetch_columns(query, *args, types=types)
        return self._kept[question]
