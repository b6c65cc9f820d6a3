"""Rows of queries written down and played back: what a composition was told, in the order of names and arguments.

Values keep their types: times, days, bytes and decimals are tagged. Columns are kept as the bytes of their arrays.
"""

import base64
import datetime as dt
import zlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, LiteralString, Self, TypeAlias, cast

import msgspec
import numpy as np

from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.pgcopy import Array, PgType

from .questions import name_of

Call: TypeAlias = Literal["fetch", "fetchrow", "fetchval", "fetch_columns"]
Key: TypeAlias = tuple[str, Call, bytes]

_sorted: Final = msgspec.json.Encoder(order="sorted").encode
_DTYPES: Final = frozenset({"<i8", "<i4", "<i2", "|i1", "<f8", "<f4", "|b1"})


class NotOnTapeError(LookupError):
    """The composition asks for something that was not asked when the tape was made."""


@dataclass(frozen=True, slots=True)
class Said:
    """A question and its answer, as JSON."""

    query: str
    call: Call
    args: Any
    answer: Any


class Tape:
    """Questions with their answers. `marks` names those that were answered from derived tables as they stood."""

    def __init__(self) -> None:
        self._said: dict[Key, Said] = {}

    def __len__(self) -> int:
        return len(self._said)

    def keep(self, name: str, call: Call, args: Sequence[object], answer: object) -> None:
        """Write an answer down; a later answer to the same question counts."""
        told = [_packed(value) for value in args]
        self._said[name, call, _sorted(told)] = Said(name, call, told, _packed(answer))

    def answer(self, name: str, call: Call, args: Sequence[object]) -> Any:
        """What was said.

        Raises:
            NotOnTapeError: nothing.
        """
        said = self._said.get((name, call, _sorted([_packed(value) for value in args])))
        if said is None:
            raise NotOnTapeError(f"{name} was not asked with these arguments when the pack was made")
        return _unpacked(said.answer)

    def names(self) -> list[str]:
        """Names of the questions, each once."""
        return sorted({name for name, _, _ in self._said})

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """One JSON object a question, by name and arguments, with the name."""
        for key in sorted(self._said):
            said = self._said[key]
            line = {"query": said.query, "call": said.call, "args": said.args, "answer": said.answer}
            yield said.query, _sorted(line) + b"\n"

    @classmethod
    def read(cls, data: bytes) -> "Tape":
        """Read what `lines` wrote.

        Raises:
            msgspec.DecodeError: it is something else.
        """
        tape = cls()
        for line in data.splitlines():
            said = msgspec.json.decode(line, type=Said)
            tape._said[said.query, said.call, _sorted(said.args)] = said
        return tape


class Passing(Session):
    """A session that hands everything on to another one; a base for those that look at what passes."""

    def __init__(self, inner: Session) -> None:
        super().__init__(None)
        self.inner = inner

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        return await self.inner.fetch(query, *args)

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        return await self.inner.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        return await self.inner.fetchval(query, *args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns."""
        return await self.inner.fetch_columns(query, *args, types=types)

    async def execute(self, query: LiteralString, *args: object) -> int:
        """Run a statement."""
        return await self.inner.execute(query, *args)

    async def executemany(self, query: LiteralString, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement once a row."""
        await self.inner.executemany(query, rows)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Self]:
        """Open a transaction, or a savepoint inside one."""
        async with self.inner.transaction():
            yield self


class RecordingSession(Passing):
    """Writes down what another session answers."""

    def __init__(self, inner: Session, tape: Tape) -> None:
        super().__init__(inner)
        self.tape = tape

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        rows = await self.inner.fetch(query, *args)
        self.tape.keep(name_of(query), "fetch", args, [dict(row) for row in rows])
        return rows

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        row = await self.inner.fetchrow(query, *args)
        self.tape.keep(name_of(query), "fetchrow", args, None if row is None else dict(row))
        return row

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        value = await self.inner.fetchval(query, *args)
        self.tape.keep(name_of(query), "fetchval", args, value)
        return value

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns."""
        columns = await self.inner.fetch_columns(query, *args, types=types)
        self.tape.keep(name_of(query), "fetch_columns", args, columns)
        return columns


class ReplaySession(Session):
    """Answers from a tape; nothing else is there."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(None)
        self.tape = tape

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        return cast("list[Row]", self.tape.answer(name_of(query), "fetch", args))

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        return cast("Row | None", self.tape.answer(name_of(query), "fetchrow", args))

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        return self.tape.answer(name_of(query), "fetchval", args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns."""
        columns = cast("dict[str, Array]", self.tape.answer(name_of(query), "fetch_columns", args))
        if list(columns) != list(types):
            raise NotOnTapeError(f"{name_of(query)} was asked for {list(columns)}, not {list(types)}")
        return columns

    async def execute(self, query: LiteralString, *args: object) -> int:
        """Refuse: a tape is only read."""
        raise NotOnTapeError(f"a pack cannot be written to: {query[:60]} with {len(args)} values")


def _packed(value: object) -> Any:
    """A value as JSON; what JSON has no form for is an object with one member that names its type."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_packed(one) for one in value]
    if isinstance(value, Mapping):
        return {"map": [[name, _packed(one)] for name, one in value.items()]}
    return _tagged(value)


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, dt.datetime):
        return {"time": value.astimezone(dt.UTC).isoformat()}
    if isinstance(value, dt.date):
        return {"day": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value)
        return {plain.dtype.str: base64.b64encode(zlib.compress(plain.tobytes(), 1)).decode()}
    raise TypeError(f"{type(value).__name__} cannot be written down")


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "map":
        return {name: _unpacked(one) for name, one in inner}
    if kind in _DTYPES:
        return np.frombuffer(zlib.decompress(base64.b64decode(inner)), dtype=kind)
    return _READERS[kind](inner)


_READERS: Final[dict[str, Any]] = {
    "float": float.fromhex,
    "time": dt.datetime.fromisoformat,
    "day": dt.date.fromisoformat,
    "bytes": base64.b64decode,
    "decimal": Decimal,
}
