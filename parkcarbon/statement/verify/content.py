"""Checks of a record by itself: canonical bytes, arithmetic, what it says of its predecessor."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from parkcarbon.statement.arithmetic import check
from parkcarbon.statement.record import Record, content_digest, decode, encode
from parkcarbon.statement.render.schema import DECIMAL, FIGURE

_DECIMAL: Final = re.compile(DECIMAL)
_FIGURE: Final = re.compile(FIGURE)
_HEX: Final = re.compile(r"[0-9a-f]{64}")


class DifferenceError(ValueError):
    """Something is not as it should be; the message says the first thing."""


def read_record(data: bytes) -> Record:
    """Decode a record; its bytes must be the canonical ones.

    Raises:
        DifferenceError: it is none, of another schema, or has members reordered, twice or unknown.
    """
    try:
        record = decode(data)
    except msgspec.DecodeError as error:
        raise DifferenceError(str(error)) from None
    except UnicodeDecodeError as error:
        raise DifferenceError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    again = encode(record)
    if again != data:
        at = next((i for i, (a, b) in enumerate(zip(data, again, strict=False)) if a != b), min(len(data), len(again)))
        near = data[max(0, at - 20) : at + 20].decode("utf-8", "replace")
        raise DifferenceError(
            f"not the canonical bytes: members reordered, twice or unknown, at byte {at} near {near!r}"
        )
    if wrong := next(_outside_schema(record), None):
        raise DifferenceError(wrong)
    return record


def _outside_schema(record: Record) -> Iterator[str]:
    """What the published schema refuses beyond the types."""
    if record.version < 1:
        yield f"version is {record.version}"
    for digest in (record.evidence.log_root, record.evidence.ledger_digest):
        if not _HEX.fullmatch(digest):
            yield f"evidence: {digest!r} is no sha256"
    for name, figure in record.figures.items():
        if not _FIGURE.fullmatch(name):
            yield f"{name!r} is no name of a figure"
        scale = "1" if figure.formula is None else figure.formula.scale
        numbers = (figure.value or "0", figure.within, scale)
        if wrong := next((number for number in numbers if not _DECIMAL.fullmatch(number)), None):
            yield f"{name}: {wrong!r} is no decimal"
        if not 0 <= figure.places <= 18:
            yield f"{name}: {figure.places} places"


def check_arithmetic(record: Record) -> str:
    """Check every figure against its formula, its printed text and its places, and the verdict against its figures.

    Raises:
        DifferenceError: with the first that differs.
    """
    try:
        found = check(record)
    except (LookupError, ArithmeticError) as error:
        raise DifferenceError(f"it cannot be computed: {error!r}") from error
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise DifferenceError(found[0] + more)
    formulas = sum(figure.formula is not None for figure in record.figures.values())
    return f"{len(record.figures)} figures are printed as their values, {formulas} follow from others"


def check_predecessor(record: Record, predecessor: bytes | None) -> tuple[bool, str]:
    """Check what a re-issue says of the version before; False: the version before was not given.

    Raises:
        DifferenceError: with the first thing that differs.
    """
    said = record.supersedes
    if said is None:
        if record.version != 1:
            raise DifferenceError(f"it is version {record.version} and names no predecessor")
        return True, "it is the first version"
    if said.version != record.version - 1 or said.number != record.number:
        raise DifferenceError(f"{record.number} V{record.version} says it supersedes {said.number} V{said.version}")
    for change in said.changes:
        figure = record.figures.get(change.figure)
        now = (None,) if figure is None else (figure.value, figure.shown)
        if change.after not in now:
            raise DifferenceError(f"{change.figure}: changed to {change.after}, the statement has {now[-1]}")
    if predecessor is None:
        return (
            False,
            f"supersedes V{said.version} sha256 {said.digest[:16]}… ({said.reason}); V{said.version} not given",
        )
    before = read_record(predecessor)
    if (digest := content_digest(before)) != said.digest:
        raise DifferenceError(f"V{said.version} was sha256 {said.digest[:16]}…, the one given has {digest[:16]}…")
    _check_changes(before, record)
    return True, f"supersedes V{said.version} ({said.reason}); {len(said.changes)} lines changed, all of them named"


def _check_changes(before: Record, record: Record) -> None:
    changes = record.supersedes.changes if record.supersedes else ()
    for change in changes:
        figure = before.figures.get(change.figure)
        then = (None,) if figure is None else (figure.value, figure.shown)
        if change.before not in then:
            raise DifferenceError(f"{change.figure}: changed from {change.before}, the version before had {then[-1]}")
    named = {change.figure for change in changes}
    for name in sorted({*before.figures, *record.figures}):
        old, new = before.figures.get(name), record.figures.get(name)
        shown = (old.shown if old else None, new.shown if new else None)
        if shown[0] != shown[1] and name not in named:
            raise DifferenceError(f"{name} changed from {shown[0]} to {shown[1]}, and the re-issue does not say so")


def first_difference(wanted: str, found: str) -> str:
    """Where two texts part, with a few words around.

    >>> first_difference("total 1,234.5 t", "total 1,274.5 t")
    "'total 1,234.5 t' should be there, 'total 1,274.5 t' is"
    """
    pairs = enumerate(zip(wanted, found, strict=False))
    place = next((at for at, (a, b) in pairs if a != b), min(len(wanted), len(found)))
    near = slice(max(0, place - 12), place + 18)
    return f"{wanted[near]!r} should be there, {found[near]!r} is"
