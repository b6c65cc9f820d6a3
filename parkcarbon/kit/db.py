"""The one door to PostgreSQL: pool, transactions, binary COPY, LISTEN, named queries, errors.

`DatabaseError` is the root of what callers see; its `retryable` says whether the same call may succeed later
(`UnavailableError`) or never will (`RejectedError`).
"""

import asyncio
import datetime as dt
import importlib.resources
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Self, TypeAlias, cast

import asyncpg
import structlog

from .pgcopy import Array, Column, PgType, pack, unpack

log = structlog.get_logger(__name__)

Row: TypeAlias = Mapping[str, Any]

_RETRYABLE_CLASSES = ("08", "40", "53", "57")  # connection, rollback, resources, operator intervention
_LOCK_NOT_AVAILABLE = "55P03"
_DATA_CLASSES = ("", "22", "23")  # refused by the client, data exception, integrity constraint
_HEADER = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)
_DURABLE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
}
_CLOSE_WITHIN_S = 10.0
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


class DatabaseError(Exception):
    """The database did not do what was asked."""

    retryable = False


class UnavailableError(DatabaseError):
    """Connection lost, deadlock, out of resources, shutting down: the same call may succeed later."""

    retryable = True


class RejectedError(DatabaseError):
    """The statement or its data are wrong: repeating it will not help.

    Attributes:
        sqlstate: what the server calls it, "" where the client refused.
    """

    def __init__(self, message: str, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate

    @property
    def by_data(self) -> bool:
        """True when the values are to blame and not the statement, the schema or the server."""
        return self.sqlstate[:2] in _DATA_CLASSES


class NotDurableError(DatabaseError):
    """The server may lose committed transactions; start-up is refused."""


def to_ms(moment: dt.datetime) -> int:
    """Return a timestamp of the database as ms since 1970 UTC."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(time_ms: int) -> dt.datetime:
    """Return ms since 1970 UTC as an aware datetime."""
    return _EPOCH + time_ms * _MILLISECOND


def load_queries(package: str) -> Mapping[str, LiteralString]:
    """Return the statements of `package/sql/queries*.sql` by the name in the `-- name:` line above each.

    Raises:
        ValueError: a name occurs twice.
    """
    queries: dict[str, LiteralString] = {}
    folder = importlib.resources.files(package).joinpath("sql")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not (file.name.startswith("queries") and file.name.endswith(".sql")):
            continue
        parts = _HEADER.split(file.read_text(encoding="utf-8"))
        for name, statement in zip(parts[1::2], parts[2::2], strict=True):
            if name in queries:
                raise ValueError(f"query {name} is there twice in {package}")
            queries[name] = _body(statement)
    return queries


def _body(text: LiteralString) -> LiteralString:
    """A statement without its semicolon and the comments that follow it."""
    lines = text.strip().splitlines()
    while lines and (not lines[-1].strip() or lines[-1].startswith("--")):
        lines.pop()
    return "\n".join(lines).rstrip(";")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state[:2] in _RETRYABLE_CLASSES or state == _LOCK_NOT_AVAILABLE:
            raise UnavailableError(f"{state} {error}") from error
        raise RejectedError(f"{state} {error}", state) from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError) as error:
        if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
            raise RejectedError(str(error)) from error  # an argument does not fit its type
        raise UnavailableError(f"{type(error).__name__}: {error}") from error


class Session:
    """One connection, inside or outside a transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        with _translated():
            return cast("list[Row]", await self._connection.fetch(query, *args))

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        with _translated():
            return cast("Row | None", await self._connection.fetchrow(query, *args))

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        with _translated():
            return await self._connection.fetchval(query, *args)

    async def execute(self, query: LiteralString, *args: object) -> int:
        """Run a statement (a script, when there are no arguments) and return the number of rows it touched."""
        with _translated():
            tag = cast("str", await self._connection.execute(query, *args))
        last = tag.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def executemany(self, query: LiteralString, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement once a row, in one round trip."""
        with _translated():
            await self._connection.executemany(query, rows)

    async def prepare(self, query: LiteralString) -> None:
        """Let the server check a statement without running it."""
        with _translated():
            await self._connection.prepare(query)

    async def copy(self, table: str, columns: Sequence[Column]) -> None:
        """Append rows to a table with binary COPY."""
        with _translated():
            await self._connection.copy_to_table(
                table, source=_Once(pack(columns)), columns=[column.name for column in columns], format="binary"
            )

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns; the query must not return NULL.

        Args:
            query: statement with `$1`… for the arguments.
            args: arguments.
            types: name and type of each result column, in order; `timestamptz` becomes int64 ms UTC.
        """
        chunks: list[bytes] = []

        async def keep(data: bytes) -> None:
            chunks.append(bytes(data))

        with _translated():
            await self._connection.copy_from_query(query, *args, output=keep, format="binary")
        return unpack(b"".join(chunks), types)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Self]:
        """Open a transaction, or a savepoint inside one."""
        with _translated():
            transaction = self._connection.transaction()
            await transaction.start()
        try:
            yield self
        except BaseException:
            with _translated():
                await transaction.rollback()
            raise
        with _translated():
            await transaction.commit()


class _Once:
    """An asynchronous iterator over one block of bytes."""

    def __init__(self, block: bytes) -> None:
        self._block: bytes | None = block

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._block is None:
            raise StopAsyncIteration
        block, self._block = self._block, None
        return block


@dataclass(frozen=True, slots=True)
class Notification:
    """What NOTIFY sent; an empty payload after a reconnection: something may have been missed."""

    channel: str
    payload: str


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: str, pool: Any, *, timescale: bool) -> None:
        self._url = url
        self._pool = pool
        self.timescale = timescale

    @classmethod
    async def connect(cls, url: str, min_size: int = 1, max_size: int = 4, *, setup: LiteralString = "") -> Self:
        """Open the pool, refuse a server that may lose commits, and find out whether TimescaleDB is there.

        Args:
            url: `postgresql://user:password@host:port/database`.
            min_size: connections that are kept open.
            max_size: most connections at a time.
            setup: script that each new connection runs first, for temporary tables.

        Raises:
            UnavailableError: the server does not answer.
            NotDurableError: `fsync`, `full_page_writes` or `synchronous_commit` is not on.
        """

        async def prepare(connection: Any) -> None:
            if setup:
                await connection.execute(setup)

        with _translated():
            pool = await asyncpg.create_pool(
                url, min_size=min_size, max_size=max_size, init=prepare, server_settings={"timezone": "UTC"}
            )
        database = cls(url, pool, timescale=False)
        try:
            await database._check()
        except BaseException:
            await database.close()
            raise
        return database

    async def _check(self) -> None:
        rows = await self.fetch("select name, setting from pg_settings where name = any($1::text[])", list(_DURABLE))
        unsafe = {row["name"]: row["setting"] for row in rows if row["setting"] not in _DURABLE[row["name"]]}
        if unsafe:
            raise NotDurableError(f"the server may lose committed data: {unsafe}")
        version = await self.fetchval("select extversion from pg_extension where extname = 'timescaledb'")
        self.timescale = version is not None
        server = await self.fetchval("select current_setting('server_version')")
        log.info("database.connected", server=server, timescaledb=version)

    async def close(self) -> None:
        """Close all connections; what is still under way has a few seconds to end, then it is cut off."""
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._pool.close()  # cuts off by itself when it is cancelled
        except TimeoutError:
            log.warning("database.cut_off", after_s=_CLOSE_WITHIN_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Borrow one connection."""
        with _translated():
            connection = await self._pool.acquire()
        try:
            yield Session(connection)
        finally:
            with _translated():
                await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Session]:
        """Borrow one connection with a transaction open; commit at the end, roll back on any exception."""
        async with self.session() as session, session.transaction():
            yield session

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        async with self.session() as session:
            return await session.fetch(query, *args)

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        async with self.session() as session:
            return await session.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        async with self.session() as session:
            return await session.fetchval(query, *args)

    async def execute(self, query: LiteralString, *args: object) -> int:
        """Run a statement and return the number of rows it touched."""
        async with self.session() as session:
            return await session.execute(query, *args)

    async def copy(self, table: str, columns: Sequence[Column]) -> None:
        """Append rows to a table with binary COPY."""
        async with self.session() as session:
            await session.copy(table, columns)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns; see `Session.fetch_columns`."""
        async with self.session() as session:
            return await session.fetch_columns(query, *args, types=types)

    async def listen(self, *channels: str, retry_s: float = 1.0) -> AsyncIterator[Notification]:
        """Yield notifications for ever on a connection of its own, reconnecting when it is lost.

        The first notification after each (re)connection has an empty payload: look at everything once.

        Args:
            channels: names to listen to.
            retry_s: pause between attempts to reconnect [s].
        """
        while True:
            queue: asyncio.Queue[Notification | None] = asyncio.Queue()
            try:
                connection = await asyncpg.connect(self._url, timeout=10)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("database.listen_failed", error=str(error))
                await asyncio.sleep(retry_s)
                continue
            try:
                with _translated():
                    connection.add_termination_listener(lambda _, q=queue: q.put_nowait(None))
                    for channel in channels:
                        await connection.add_listener(
                            channel,
                            lambda _c, _p, name, payload, q=queue: q.put_nowait(Notification(name, payload)),
                        )
                for channel in channels:
                    yield Notification(channel, "")
                while (notification := await queue.get()) is not None:
                    yield notification
            except UnavailableError as error:
                log.warning("database.listen_lost", error=str(error))
            finally:
                connection.terminate()
            await asyncio.sleep(retry_s)
