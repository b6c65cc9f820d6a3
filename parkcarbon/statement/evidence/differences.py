"""How two records differ: the figures first, in the order of the pages, then everything else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from parkcarbon.statement.places import places
from parkcarbon.statement.record import Record, content_digest

_OTHERS: Final = (
    "kind", "park", "park_name", "entity", "timezone", "period", "from_time", "to_time", "number", "version", "status",
    "known_on", "method_profile", "method_version", "verdict", "front", "missing", "evidence", "supersedes", "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """What does not come out as it was told.

    Attributes:
        kind: `member`, `leaf`, `root`, `batch`, `reading`, `interval`, `figure`, `record`, `question`.
        where: figure id, point and time, batch, or member of the pack.
        told: what the statement, or the pack, says.
        found: what comes out.
    """

    kind: str
    where: str
    told: str
    found: str

    def __str__(self) -> str:
        return f"{self.kind} {self.where}: told {self.told}, found {self.found}"


def differences(told: Record, found: Record) -> list[Difference]:
    """Compare what was issued with what comes out now, without who approved it and when."""
    listed = list(_figures(told, found))
    listed += [
        Difference("record", name, _short(getattr(told, name)), _short(getattr(found, name)))
        for name in _OTHERS
        if getattr(told, name) != getattr(found, name)
    ]
    listed += _sections(told, found)
    before, after = content_digest(told), content_digest(found)
    if not listed and before != after:
        listed.append(Difference("record", "bytes", before, after))
    return listed


def _figures(told: Record, found: Record) -> Iterator[Difference]:
    order = dict.fromkeys([place.figure for place in places(told)]) | dict.fromkeys(told.figures)
    for name in order | dict.fromkeys(found.figures):
        before, after = told.figures.get(name), found.figures.get(name)
        if before == after:
            continue
        if before is None or after is None:
            yield Difference("figure", name, *("nothing" if one is None else one.shown for one in (before, after)))
        elif before.value != after.value:
            yield Difference("figure", name, f"{before.value} {before.unit}", f"{after.value} {after.unit}")
        else:
            yield Difference("figure", name, _short(before), _short(after))


def _sections(told: Record, found: Record) -> Iterator[Difference]:
    before, after = ({section.id: section for section in record.sections} for record in (told, found))
    for name in before | after:
        pair = [msgspec.to_builtins(side.get(name)) for side in (before, after)]
        if pair[0] != pair[1]:
            path, one, other = _first(pair[0], pair[1])
            yield Difference("record", f"section {name}{path}", _short(one), _short(other))


def _first(told: Any, found: Any) -> tuple[str, Any, Any]:
    """Path of the first member that differs, and both sides of it."""
    if isinstance(told, dict) and isinstance(found, dict):
        keys: list[Any] = [key for key in told | found if told.get(key) != found.get(key)]
        path, one, other = _first(told.get(keys[0]), found.get(keys[0]))
        return f".{keys[0]}{path}", one, other
    if isinstance(told, list | tuple) and isinstance(found, list | tuple) and len(told) == len(found):
        at = next(at for at, pair in enumerate(zip(told, found, strict=True)) if pair[0] != pair[1])
        path, one, other = _first(told[at], found[at])
        return f"[{at}]{path}", one, other
    return "", told, found


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 160 else f"{text[:157]}…"
