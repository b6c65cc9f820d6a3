"""What a composition was told, written down and played back: types, order, and nothing that was not asked."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, LiteralString

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.books.facts import QUERIES
from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.pgcopy import Array, PgType
from parkcarbon.statement.evidence.answers import CONTEXT, QUESTIONS
from parkcarbon.statement.evidence.questions import UnknownQuestionError, name_of, on_derived
from parkcarbon.statement.evidence.tape import NotOnTapeError, RecordingSession, ReplaySession, Tape

CLOCK = QUERIES["clock"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.binary(max_size=5)
    | st.dates()
    | st.datetimes(timezones=st.just(dt.UTC))
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


class Told(Session):
    """Answers everything with the same rows."""

    def __init__(self, rows: list[Row]) -> None:
        super().__init__(None)
        self.rows = rows

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        return self.rows

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        return self.rows[0] if self.rows else None

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        return next(iter(self.rows[0].values())) if self.rows else None

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        return {"a": np.array([1, 2]), "b": np.array([0.5, np.nan]), "c": np.array([True, False])}


def replayed(tape: Tape) -> ReplaySession:
    return ReplaySession(Tape.read(b"".join(line for _, line in tape.lines())))


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), VALUES, min_size=1, max_size=4), VALUES)
async def test_values_keep_their_types_and_members_their_order(row: dict[str, Any], argument: Any) -> None:
    tape = Tape()
    recording = RecordingSession(Told([row]), tape)
    await recording.fetch(CLOCK, argument)
    await recording.fetchrow(CLOCK, argument)
    await recording.fetchval(CLOCK, argument)
    again = replayed(tape)
    (found,) = await again.fetch(CLOCK, argument)
    assert (found, list(found), list(map(type, found.values()))) == (row, list(row), list(map(type, row.values())))
    assert await again.fetchrow(CLOCK, argument) == row
    assert await again.fetchval(CLOCK, argument) == next(iter(row.values()))


async def test_columns_keep_their_bytes() -> None:
    tape = Tape()
    types: dict[str, PgType] = {"a": "int8", "b": "float8", "c": "bool"}
    told = await RecordingSession(Told([]), tape).fetch_columns(CLOCK, [1, 2], types=types)
    found = await replayed(tape).fetch_columns(CLOCK, [1, 2], types=types)
    assert {name: values.tobytes() for name, values in found.items()} == {
        name: values.tobytes() for name, values in told.items()
    }
    with pytest.raises(NotOnTapeError, match="was asked for"):
        await replayed(tape).fetch_columns(CLOCK, [1, 2], types={"a": "int8"})


async def test_what_was_not_asked_is_not_answered() -> None:
    tape = Tape()
    await RecordingSession(Told([{"n": Decimal(1)}]), tape).fetchval(CLOCK, 1)
    again = replayed(tape)
    with pytest.raises(NotOnTapeError, match="was not asked with these arguments"):
        await again.fetchval(CLOCK, 2)
    with pytest.raises(NotOnTapeError, match="was not asked"):
        await again.fetch(CLOCK, 1)
    with pytest.raises(NotOnTapeError, match="cannot be written to"):
        await again.execute(CLOCK)
    with pytest.raises(UnknownQuestionError, match="without a name"):
        await again.fetchval("select 1")


def test_every_statement_of_the_books_on_derived_tables_has_an_answer_or_is_named_as_context() -> None:
    """A new query of the books on intervals or roll-ups needs its counterpart."""
    derived = {name for name, text in QUERIES.items() if on_derived(text)}
    assert derived - QUESTIONS.keys() - CONTEXT == {"substitutions"}
    assert name_of(QUERIES["hourly_amounts"]) == "hourly_amounts"
    assert not on_derived("select 1 -- interval_15min\nwhere 'rollup_day' = ''")
