"""A record as the template draws it. What needs thinking is done here; the template places and draws."""

import datetime as dt
import zoneinfo
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from parkcarbon.statement.record import (
    Cell,
    Change,
    Column,
    Line,
    Paragraph,
    Record,
    Section,
    Table,
    Text,
    content_digest,
    tables,
)
from parkcarbon.statement.sheet import UNKNOWN, shown

from . import scales, words
from .blocks import Blocks, Clean, Ems, Json, Language

Rows = list[list[Text | str]]

FOOTER_REASON: Final = 60
"""Characters of a re-issue's reason that a footer has room for; page 1 has all of it."""

CHANGES: Final = "entity.changes"
"""Table of a section that lists what a re-issue changed; where there is none, the record's own list is printed."""

_CHANGE_COLUMNS: Final[tuple[tuple[str, Literal["left", "right"], float], ...]] = (
    ("changed_line", "left", 2.2),
    ("before", "right", 1.0),
    ("after", "right", 1.0),
    ("unit", "left", 0.8),
    ("cause", "left", 2.2),
)


class View:
    """Turns a record into what the template draws.

    Args:
        record: of the statement.
        language: `zh`, `en`, or `both` with Chinese above English.
        clean: makes any text one that can be set.
        ems: how wide a text is [em]; None: about.
    """

    def __init__(self, record: Record, language: Language, clean: Clean = str, ems: Ems | None = None) -> None:
        self.record = record
        self.language = language
        self.clean = clean
        self.blocks = Blocks(record.figures, language, clean, ems)
        self.text = self.blocks.text

    def whole(self) -> Json:
        """The statement."""
        record, digest = self.record, content_digest(self.record)
        return {
            "language": self.language,
            "title": self.clean(f"{record.number} V{record.version} {record.front.title.zh} {record.front.title.en}"),
            "author": self.clean(f"{record.entity.zh} {record.entity.en}"),
            "words": {name: self.text(text) for name, text in words.WORDS.items()},
            "frame": self._frame(digest),
            "front": self._front(),
            "changes": self._changes(),
            "sections": [self._section(section) for section in record.sections],
            "digest": digest,
            "levels": scales.LEVELS,
        }

    def _section(self, section: Section) -> Json:
        blocks = [self.blocks.block(block) for block in section.blocks]
        return {"id": section.id, "head": self.text(section.head), "page": section.page, "blocks": blocks}

    def _two(self, text: Text) -> str:
        """Words in both languages on one line, whatever the language of the pages."""
        return self.clean(text.zh if text.zh == text.en else f"{text.zh} {text.en}")

    def _one(self, text: Text) -> str:
        """Words on one line in the languages of the pages."""
        return self._two(text) if self.language == "both" else self.clean(str(getattr(text, self.language)))

    def _frame(self, digest: str) -> Json:
        record, before = self.record, self.record.supersedes
        status = self._two(words.WORDS[record.status])
        if not record.issued_at:
            status = f"{self._two(words.WORDS['draft'])} · {status}"
        reason = "" if before is None else self.clean(before.reason)
        if len(reason) > FOOTER_REASON:
            reason = reason[: FOOTER_REASON - 1] + "…"
        return {
            "number": self.clean(record.number),
            "version": f"V{record.version}",
            "digest": digest[:16],
            "status": status,
            "supersedes": None if before is None else f"{self._two(words.WORDS['supersedes'])} V{before.version}",
            "reason": reason,
            "entity": self.text(record.entity),
            "period": self.text(words.period(record.period)),
        }

    def _front(self) -> Json:
        record, front, verdict = self.record, self.record.front, self.record.verdict
        before = record.supersedes
        return {
            "title": self.text(front.title),
            "stamp": [self.clean(front.stamp.zh), self.clean(front.stamp.en)],
            "identity": [[self.text(name), self.clean(value)] for name, value in self._identity()],
            "verdict": self.text(verdict.label),
            "word": verdict.word,
            "scope": self.text(verdict.scope_words),
            "sentence": self.text(verdict.sentence),
            "reasons": [self.text(reason) for reason in verdict.reasons],
            "bases": [self._basis(front.judged, judged=True), self._basis(front.other, judged=False)],
            "boundary": [self.text(line) for line in front.boundary],
            "bridge": self.blocks.bridge(front.bridge),
            "verification": self.text(front.verification),
            "people": self._people(),
            "pending": self._pending(),
            "notes": [self.text(note) for note in record.notes if note not in self._said()],
            "reason": "" if before is None else self.clean(before.reason),
            "replaced": "" if before is None else self.clean(f"{before.number} V{before.version} {before.digest[:16]}"),
        }

    def _said(self) -> set[Text]:
        """What paragraphs say: a note that stands on a later page is not printed on page 1 too."""
        blocks = (block for section in self.record.sections for block in section.blocks)
        return {block.text for block in blocks if isinstance(block, Paragraph)}

    def _identity(self) -> list[tuple[Text, str]]:
        record, name = self.record, words.WORDS
        issued = self._one(name["not_issued"])
        if record.issued_at:
            issued = f"{self._one(name['issued_at'])} {self._local(record.issued_at)}"
        return [
            (name["entity"], self._one(record.entity)),
            (name["park"], f"{self._one(record.park_name)} · {record.park}"),
            (name["period"], f"{record.period} · {self._span()}"),
            (name["number"], f"{record.number} · V{record.version}"),
            (name["known_on"], f"{self._local(record.known_on)} · {issued}"),
        ]

    def _span(self) -> str:
        """Begin and end; the offset once where it did not change."""
        record = self.record
        begin, end = dt.datetime.fromisoformat(record.from_time), dt.datetime.fromisoformat(record.to_time)
        if begin.utcoffset() == end.utcoffset():
            return f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M} ({_offset(end)}, {record.timezone})"
        return f"{_minutes(begin)} – {_minutes(end)} ({record.timezone})"

    def _local(self, moment: str) -> str:
        """A moment on the park's clock, with its offset."""
        return _minutes(dt.datetime.fromisoformat(moment).astimezone(zoneinfo.ZoneInfo(self.record.timezone)))

    def _basis(self, names: tuple[str, str], *, judged: bool) -> Json:
        total, half = (self.record.figures[name] for name in names)
        steps = {step.figure: step.label for step in self.record.front.bridge.steps}
        word = words.WORDS["declared" if judged else "other_basis"]
        return {
            "label": self.text(steps.get(names[0], word)),
            "role": self.text(word),
            "shown": total.shown,
            "half": half.shown,
            "unit": self.clean(total.unit),
            "known": total.value is not None,
        }

    def _people(self) -> Json:
        heads = (("role", 1.0), ("person", 2.0), ("at", 1.6), ("comment", 2.2))
        rows: Rows = [
            [self._one(words.WORDS[act.role]), act.person, self._local(act.at), act.comment] for act in self.record.acts
        ]
        if rows and all(act.role != "reviewed" for act in self.record.acts):
            rows.insert(1, [self._one(words.WORDS["reviewed"]), self._one(words.WORDS["nobody"]), "", ""])
        return self._list("people", [(head, "left", weight) for head, weight in heads], rows)

    def _pending(self) -> Json | None:
        if not self.record.missing:
            return None
        heads = (("item", 2.4), ("owner", 1.6), ("due", 1.0))
        rows: Rows = [[item.text, item.owner, item.due] for item in self.record.missing]
        return self._list("pending", [(head, "left", weight) for head, weight in heads], rows)

    def _changes(self) -> Json | None:
        before = self.record.supersedes
        if before is None or any(table.id == CHANGES for _, table in tables(self.record)):
            return None
        rows: Rows = [
            [change.label, *self._before_and_after(change), change.unit, change.cause] for change in before.changes
        ]
        return self._list("changes", list(_CHANGE_COLUMNS), rows)

    def _before_and_after(self, change: Change) -> tuple[str, str]:
        """Both values as their figure is printed; in full where that would hide the difference."""
        figure = self.record.figures.get(change.figure)
        if figure is not None:
            before, after = (_printed(value, figure.places) for value in (change.before, change.after))
            if before != after:
                return before, after
        return change.before or UNKNOWN, change.after or UNKNOWN

    def _list(
        self,
        name: str,
        heads: list[tuple[str, Literal["left", "right"], float]],
        rows: Rows,
    ) -> Json:
        """A table of words that the record keeps outside its sections."""
        columns = tuple(Column(words.WORDS[head], align=align, weight=weight) for head, align, weight in heads)
        lines = tuple(Line(tuple(map(_words, row))) for row in rows)
        return self.blocks.table(Table(f"front.{name}", words.WORDS[name], columns, lines))


def _words(text: Text | str) -> Cell:
    return Cell(text=text if isinstance(text, Text) else Text(text, text))


def _printed(value: str | None, places: int) -> str:
    """A value as a figure prints it; words, or what is printed already, as it is."""
    try:
        return shown(None if value is None else Decimal(value), places)
    except InvalidOperation:
        return str(value)


def _offset(moment: dt.datetime) -> str:
    return moment.isoformat()[-6:]


def _minutes(moment: dt.datetime) -> str:
    """Day, hour and minute with the offset: `2026-10-01 00:00 +08:00`."""
    return f"{moment:%Y-%m-%d %H:%M} {_offset(moment)}"
