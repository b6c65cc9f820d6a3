"""One file, all checks, a line for each."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from parkcarbon.statement.record import Record, content_digest
from parkcarbon.statement.sign.documents import Rotation, Signature
from parkcarbon.statement.sign.json import check_json, check_rotation

from .content import DifferenceError, check_arithmetic, check_predecessor, read_record
from .figures import check_figures
from .pages import check_footers, check_verdict, draw_again, language_of
from .paper import RECORD, SIGNATURE, read_attachments, read_pages
from .report import Check, Report
from .roots import compare, kept_roots

if TYPE_CHECKING:
    from parkcarbon.statement.sign.seal import Seal

_T = TypeVar("_T")
Said = tuple[str, _T]
Kind = Literal["pdf", "json"]


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to compare with; see `verify_file`."""

    signature: bytes | None
    roots: bytes | None
    fingerprint: str | None
    rotations: tuple[bytes, ...]
    predecessor: bytes | None


class _EnoughError(Exception):
    """Something failed, and no more is asked."""


def verify_file(
    data: bytes,
    *,
    signature: bytes | None = None,
    roots: bytes | None = None,
    fingerprint: str | None = None,
    rotations: Sequence[bytes] = (),
    predecessor: bytes | None = None,
    first: bool = False,
) -> Report:
    """Check a statement; whatever the bytes are, the answer is a report.

    It takes a second or two, so event loops call it in a thread.

    Args:
        data: PDF, or JSON.
        signature: of the JSON; a PDF carries its own.
        roots: list of daily roots from a place that the operator does not control.
        fingerprint: of the operator's key, got on another way than the statement.
        rotations: records by which the operator's keys named their followers.
        predecessor: PDF or JSON of the version before, for a re-issue.
        first: stop at the first failure.
    """
    checking = _Checking(Given(signature, roots, fingerprint, tuple(rotations), predecessor), first=first)
    kind: Kind = "pdf" if data[:5] == b"%PDF-" else "json"
    with suppress(_EnoughError):
        if kind == "pdf":
            _pdf(checking, data)
        elif not data.lstrip().startswith(b"{"):
            checking.failed("schema", "this is neither a PDF nor a JSON: no statement, or its beginning is damaged")
        else:
            _json(checking, data, signature)
        if checking.record is not None:
            _record(checking, checking.record)
    return checking.report(kind)


def json_of(data: bytes) -> bytes:
    """The JSON of a statement: of a PDF the one attached to it.

    Raises:
        ValueError: the PDF carries none.
    """
    return read_attachments(data)[RECORD] if data[:5] == b"%PDF-" else data


class _Checking:
    """Collects what is found."""

    def __init__(self, given: Given, *, first: bool) -> None:
        self.given = given
        self.record: Record | None = None
        self.fingerprint = ""
        self.anchored = False
        self._first = first
        self._checks: list[Check] = []

    def make(self, name: str, work: Callable[[], Said[_T]]) -> _T | None:
        """Make a check; what it returns, or None where it fails."""
        try:
            said, found = work()
        except ValueError as error:
            self.failed(name, str(error))
            return None
        self._checks.append(Check(name, "ok", said))
        return found

    def failed(self, name: str, said: str) -> None:
        """Enter a failure."""
        self._checks.append(Check(name, "failed", said))
        if self._first:
            raise _EnoughError

    def maybe(self, name: str, work: Callable[[], tuple[bool, str]]) -> None:
        """Make a check that may not be possible here."""
        try:
            made, said = work()
        except ValueError as error:
            self.failed(name, str(error))
        else:
            self._checks.append(Check(name, "ok" if made else "not_checked", said))

    def report(self, kind: Kind) -> Report:
        """All of it."""
        record = self.record
        return Report(
            kind=kind,
            number="" if record is None else record.number,
            version=0 if record is None else record.version,
            digest="" if record is None else content_digest(record),
            fingerprint=self.fingerprint,
            anchored=self.anchored,
            checks=tuple(self._checks),
        )


def _pdf(checking: _Checking, data: bytes) -> None:
    from parkcarbon.statement.sign.seal import check_pdf  # pyHanko is not read in for a JSON

    seal = checking.make("pdf_signature", lambda: _sealed(check_pdf(data)))
    attached = checking.make("attachments", lambda: _attached(read_attachments(data)))
    if attached is None:
        return
    _json(checking, attached[RECORD], attached[SIGNATURE], seal)
    record = checking.record
    if record is None:
        return
    pages = checking.make("footers", lambda: _footers(record, read_pages(data)))
    texts = pages if pages is not None else _texts(data)
    if texts is not None:
        checking.make("verdict", lambda: (check_verdict(record, texts), None))
        checking.make("figures", lambda: (check_figures(record, texts, language_of(record, texts)), None))
        checking.maybe("drawing", lambda: draw_again(record, attached, texts, seal))


def _json(checking: _Checking, data: bytes, signature: bytes | None, seal: "Seal | None" = None) -> None:
    made = checking.make("json_signature", lambda: _json_signed(data, signature))
    if made is not None:
        checking.fingerprint = made.fingerprint
        checking.maybe("key", lambda: _key(made, checking.given, seal))
    elif checking.given.fingerprint is not None:
        checking.failed("key", "no signature holds, so there is no key to compare")
    checking.record = record = checking.make("schema", lambda: _schema(data))
    if record is not None:
        checking.make("arithmetic", lambda: (check_arithmetic(record), None))


def _record(checking: _Checking, record: Record) -> None:
    before, roots = checking.given.predecessor, checking.given.roots
    checking.maybe("predecessor", lambda: check_predecessor(record, None if before is None else json_of(before)))
    if roots is None:
        checking.maybe("roots", lambda: (False, "no list of roots from an independent place was given (--roots)"))
        return
    checking.anchored = checking.make("roots", lambda: _anchored(record, roots, checking.fingerprint)) is True


def _sealed(seal: "Seal") -> "Said[Seal]":
    signed = f"signed by {seal.signer}" + (f" on {seal.signed_at.isoformat()}" if seal.signed_at else "")
    stamp = "no time stamp" if seal.stamped_at is None else f"time stamp {seal.stamped_at.isoformat()}"
    by = f" of {seal.stamped_by}" if seal.stamped_by else ""
    return f"covers the whole file, nothing came after it; {signed}; {stamp}{by}", seal


def _attached(attached: dict[str, bytes]) -> Said[dict[str, bytes]]:
    return ", ".join(f"{name} ({len(body)} bytes)" for name, body in sorted(attached.items())), attached


def _footers(record: Record, pages: tuple[str, ...]) -> Said[tuple[str, ...]]:
    return check_footers(record, pages), pages


def _texts(data: bytes) -> tuple[str, ...] | None:
    try:
        return read_pages(data)
    except DifferenceError:
        return None


def _json_signed(data: bytes, signature: bytes | None) -> Said[Signature]:
    if signature is None:
        raise DifferenceError(
            "no signature came with it: FILE.sig beside it, or --signature FILE (`export --format sig` writes it)"
        )
    return "the JSON is the one that was signed (Ed25519)", check_json(data, signature)


def _schema(data: bytes) -> Said[Record]:
    record = read_record(data)
    return f"{record.schema}, canonical", record


def _key(made: Signature, given: Given, seal: "Seal | None") -> tuple[bool, str]:
    if seal is not None and seal.pdf_key.hex() != made.pdf_key:
        raise DifferenceError("the PDF was signed with another key than the JSON names")
    if given.fingerprint is None:
        return False, f"{made.fingerprint}: compare it with the one the operator gave you (--key)"
    wanted = given.fingerprint.lower().replace(":", "").replace(" ", "").removeprefix("sha256")
    if made.fingerprint == wanted:
        return True, "it is the one that was given"
    followers: dict[str, Rotation] = {rotation.old: rotation for rotation in map(check_rotation, given.rotations)}
    known, steps = wanted, 0
    while known in followers and known != made.fingerprint and steps < len(followers):
        known, steps = followers[known].new, steps + 1
    if known != made.fingerprint:
        raise DifferenceError(f"signed with {made.fingerprint[:16]}…, given was {wanted[:16] or 'nothing'}…")
    return True, f"it follows the one that was given, by {steps} signed change(s) of keys"


def _anchored(record: Record, roots: bytes, fingerprint: str) -> Said[bool]:
    anchored, said = compare(record, kept_roots(roots, record.park), fingerprint)
    if not anchored:
        raise DifferenceError(said)
    return said, anchored
