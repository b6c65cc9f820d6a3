"""A session on which derived tables say what comes out of readings, whatever they hold.

Facts come from the session behind it: the database, or a pack. What a composition asks about other periods comes from
there too and is named as context. A question on a derived table that has no answer here is an error, not a pass.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

import numpy as np

from parkcarbon.kit.db import Row, Session
from parkcarbon.kit.pgcopy import Array, PgType

from .answers import CONTEXT, QUESTIONS, Answers, Columns, Question, as_rows
from .questions import UnknownQuestionError, name_of, on_derived
from .tape import Passing

_KINDS: Final = {"day": "day", "start": "time"}


class RederivingSession(Passing):
    """Answers questions on intervals and roll-ups of a period from intervals that were computed again.

    Attributes:
        context: names of the questions on derived tables that were answered as they stood, with how often.
    """

    def __init__(self, inner: Session, answers: Answers) -> None:
        super().__init__(inner)
        self._answers = answers
        self.context: dict[str, int] = {}

    async def fetch(self, query: LiteralString, *args: object) -> list[Row]:
        """Return all rows."""
        question = self._question(query, args)
        if name_of(query) == "substitutions":
            return [self._recounted(row) for row in await self.inner.fetch(query, *args)]
        if question is None:
            return await self.inner.fetch(query, *args)
        mine = as_rows(question.answer(self._answers, args), _KINDS)
        if self._answers.inside(question, args):
            return mine
        rows = await self.inner.fetch(query, *args)
        kept = [row for row in rows if not self._in_period(question, row[question.time])]
        return sorted([*kept, *mine], key=lambda row: (row["point_id"], row[question.time]))

    async def fetchrow(self, query: LiteralString, *args: object) -> Row | None:
        """Return the first row, or None."""
        if self._question(query, args) is not None:
            raise UnknownQuestionError(f"{name_of(query)} is asked for one row")
        return await self.inner.fetchrow(query, *args)

    async def fetchval(self, query: LiteralString, *args: object) -> Any:
        """Return the first column of the first row, or None."""
        if self._question(query, args) is not None:
            raise UnknownQuestionError(f"{name_of(query)} is asked for one value")
        return await self.inner.fetchval(query, *args)

    async def fetch_columns(self, query: LiteralString, *args: object, types: Mapping[str, PgType]) -> dict[str, Array]:
        """Return the result of a query as numpy columns."""
        question = self._question(query, args)
        if question is None:
            return await self.inner.fetch_columns(query, *args, types=types)
        mine = question.answer(self._answers, args)
        if list(mine) != list(types):
            raise UnknownQuestionError(f"{name_of(query)} gives {list(types)}, evidence knows {list(mine)}")
        if self._answers.inside(question, args):
            return mine
        return self._merged(question, await self.inner.fetch_columns(query, *args, types=types), mine)

    def _question(self, query: str, args: Sequence[Any]) -> Question | None:
        """How a query is answered here; None: by the session behind.

        Raises:
            UnknownQuestionError: it reads a derived table in a way that is not known here.
        """
        name = name_of(query)
        if name == "substitutions" or not on_derived(query):
            return None
        question = QUESTIONS.get(name)
        if question is None and name not in CONTEXT:
            raise UnknownQuestionError(f"{name} reads derived tables and has no counterpart in evidence")
        if question is None:
            self._note(name)
            return None
        if self._answers.inside(question, args):
            return question
        self._note(name)
        return question if question.time and self._answers.touches(question, args) else None

    def _note(self, name: str) -> None:
        self.context[name] = self.context.get(name, 0) + 1

    def _in_period(self, question: Question, value: Any) -> bool:
        """Whether a row of a query that reaches outside belongs to the period."""
        period = self._answers.period
        if question.time == "day":
            return bool(period.from_day <= value < period.to_day)
        return bool(period.from_ms <= value.timestamp() * 1000 < period.to_ms)

    def _merged(self, question: Question, theirs: dict[str, Array], mine: Columns) -> dict[str, Array]:
        period = self._answers.period
        times = theirs[question.time]
        low, high = period.from_ms, period.to_ms
        if question.time == "day":
            epoch = np.datetime64("1970-01-01")
            low, high = (int((np.datetime64(day) - epoch).astype(int)) for day in (period.from_day, period.to_day))
        outside = (times < low) | (times >= high)
        whole = {name: np.concatenate([theirs[name][outside], mine[name]]) for name in theirs}
        if "point_id" not in whole:
            order = np.argsort(whole[question.time], kind="stable")
        else:
            order = np.lexsort((whole[question.time], whole["point_id"]))
        return {name: values[order] for name, values in whole.items()}

    def _recounted(self, row: Row) -> Row:
        """A substitution with the intervals of its span counted again, where that lies in the period."""
        low, high = (round(row[name].timestamp() * 1000) for name in ("from_time", "to_time"))
        period = self._answers.period
        if low < period.from_ms or high > period.to_ms:
            return row
        rows = self._answers.rows_of([row["point_id"]], low, high)
        method = self._answers.derived.intervals.method[rows]
        return dict(row) | {"intervals": len(rows), "superseded": int((method <= 1).sum())}
