"""Daily roots of a statement against a list that was kept out of the operator's reach."""

import json
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from parkcarbon.statement.record import Record, Root

Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class KeptRoot(Struct, frozen=True):
    """A root as an anchor got it. Further members are allowed: receipts differ between anchors.

    Attributes:
        day: [YYYY-MM-DD].
        size: batches in the log.
        root: hex.
        park: whose; empty: the list is of one park.
        fingerprint: of the key that signed statements on that day; empty: not told.
    """

    day: str
    size: Annotated[int, Meta(ge=0)]
    root: Hash
    park: str = ""
    fingerprint: str = ""


class RootsError(ValueError):
    """The list cannot be read."""


class DifferentRootError(ValueError):
    """The statement's roots are not those that were kept."""


def kept_roots(data: bytes, park: str) -> dict[str, KeptRoot]:
    """Read a list of roots by day: a JSON list, an object with a member `roots`, or one object after another.

    Raises:
        RootsError: it is none, or says two things about a day.
    """
    found: dict[str, KeptRoot] = {}
    for root in _read(data):
        if root.park not in ("", park):
            continue
        known = found.setdefault(root.day, root)
        if (known.size, known.root) != (root.size, root.root):
            raise RootsError(f"the list has two roots of {root.day}: {known.root[:16]}… and {root.root[:16]}…")
    return found


def _read(data: bytes) -> list[KeptRoot]:
    try:
        items = [item for document in _documents(data.decode()) for item in _items(document)]
        return msgspec.convert(items, list[KeptRoot])
    except (ValueError, RecursionError) as error:
        raise RootsError(f"the list of roots cannot be read: {error}") from None


def _documents(text: str) -> Iterator[object]:
    """JSON after JSON, however lines are broken."""
    decoder, rest = json.JSONDecoder(), text.lstrip("\ufeff \t\r\n")
    while rest:
        document, end = decoder.raw_decode(rest)
        yield document
        rest = rest[end:].lstrip()


def _items(document: object) -> list[object]:
    inner = document.get("roots", document) if isinstance(document, dict) else document
    return inner if isinstance(inner, list) else [inner]


def compare(record: Record, kept: dict[str, KeptRoot], fingerprint: str) -> tuple[bool, str]:
    """Whether the newest root of a statement was kept elsewhere, and in words what that means.

    Raises:
        DifferentRootError: with the first day that differs.
    """
    told = {root.day: root for root in record.evidence.roots}
    for day, root in sorted(told.items()):
        _same_root(day, root, kept.get(day))
    _none_left_out(told, kept)
    _same_key(record, kept, fingerprint)
    whole = _of_whole_log(record, kept)
    if whole is not None:
        return True, f"the root over all {whole.size} batches is in the list, of {whole.day}"
    both = sorted(set(told) & set(kept))
    if not kept:
        return False, f"the list holds no root of {record.park}"
    if not told:
        return False, f"no day was over when its log of {record.evidence.log_size} was frozen, and no root is over that"
    if not both:
        return False, f"none of the statement's {len(told)} roots is in the list of {len(kept)}"
    last = kept[both[-1]]
    if both[-1] != max(told):
        return False, f"the list ends on {both[-1]}, the statement's last root is of {max(told)}"
    later = record.evidence.log_size - last.size
    beyond = f"; {later} of {record.evidence.log_size} batches came after it" if later else ""
    return True, f"{len(both)} of {len(told)} roots are in the list, the newest of {both[-1]}{beyond}"


def _same_root(day: str, told: Root, kept: KeptRoot | None) -> None:
    if kept is None:
        return
    if kept.size != told.size:
        raise DifferentRootError(f"{day}: the statement says {told.size} batches, the list {kept.size}")
    if kept.root != told.root:
        raise DifferentRootError(f"{day}: the statement says root {told.root[:16]}…, the list {kept.root[:16]}…")


def _of_whole_log(record: Record, kept: dict[str, KeptRoot]) -> KeptRoot | None:
    """A root of a later day that was kept over exactly as many batches as the log had when the figures were frozen."""
    evidence = record.evidence
    days = {root.day for root in evidence.roots}
    same = [root for day, root in sorted(kept.items()) if day not in days and root.size == evidence.log_size]
    for root in same:
        if root.root != evidence.log_root:
            raise DifferentRootError(
                f"{root.day}: over {root.size} batches the statement says root {evidence.log_root[:16]}…,"
                f" the list {root.root[:16]}…"
            )
    return same[0] if same else None


def _none_left_out(told: dict[str, Root], kept: dict[str, KeptRoot]) -> None:
    """A day that was kept, in between days that the statement tells, must be told too."""
    if told:
        missing = [day for day in sorted(kept) if min(told) < day < max(told) and day not in told]
        if missing:
            raise DifferentRootError(f"{missing[0]}: the list has a root, the statement has none")


def _same_key(record: Record, kept: dict[str, KeptRoot], fingerprint: str) -> None:
    """Where anchors were told the key, the one of the day of issue signed."""
    known = [root for day, root in sorted(kept.items()) if root.fingerprint and day <= record.issued_at[:10]]
    if known and fingerprint and known[-1].fingerprint != fingerprint:
        raise DifferentRootError(
            f"{known[-1].day}: the list names key {known[-1].fingerprint[:16]}…, signed was with {fingerprint[:16]}…"
        )
