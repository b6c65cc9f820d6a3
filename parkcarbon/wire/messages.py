"""The small messages around a batch: receipt, status, command, reply. All JSON, version 1.

Unknown members are ignored, a higher version is refused, every list and text is bounded.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from .errors import Reason, RefusedError
from .topics import SEQ_MAX

MESSAGE_MAX_BYTES = 256 * 1024
RECEIPT_MAX_SEQS = 1000

Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
Boot = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Text = Annotated[str, Meta(max_length=4000)]
Short = Annotated[str, Meta(max_length=200)]


class RefusedBatch(Struct, frozen=True, kw_only=True):
    """A batch that is refused for good."""

    seq: Seq
    reason: Short


class QuarantinedIn(Struct, frozen=True, kw_only=True):
    """How many readings of a committed batch the receiver keeps in quarantine."""

    seq: Seq
    n: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of the batches of one boot: `committed` to the database, `stored` by a gateway, or refused.

    `quarantined` names the committed batches of which readings were put aside; it is left out where there are none, and
    a peer of before, or a gateway that answers from memory, never says it.
    """

    boot: Boot
    committed: tuple[Seq, ...] = ()
    stored: tuple[Seq, ...] = ()
    refused: tuple[RefusedBatch, ...] = ()
    v: int = 1
    quarantined: tuple[QuarantinedIn, ...] | UnsetType = UNSET

    def in_quarantine(self) -> dict[int, int]:
        """Readings in quarantine by batch."""
        return {} if isinstance(self.quarantined, UnsetType) else {entry.seq: entry.n for entry in self.quarantined}


class DeviceStatus(Struct, frozen=True, kw_only=True):
    """One device as its source sees it; `last_seen` [ms UTC] is None before the first answer."""

    device: Short
    state: Literal["ok", "silent", "error"]
    last_seen: int | None = None
    detail: Text = ""


class Status(Struct, frozen=True, kw_only=True):
    """State of a source, retained; the last will is the same with `online` false.

    Attributes:
        at: when this was written [ms UTC].
        depth: batches waiting for `committed`.
        readings: readings in them.
        bytes: size of what waits [B].
        hours_left: until the outbox is full at the present rate [h]; None where no rate is known.
        backlog: True while older batches are being sent.
        clock: `uncertain` after an unsynchronised start or a step.
        quarantined: readings that receipts since the start say are in quarantine; left out where there are none.
    """

    source: Short
    at: int
    online: bool
    depth: int = 0
    readings: int = 0
    bytes: int = 0
    hours_left: float | None = None
    backlog: bool = False
    clock: Literal["synced", "uncertain"] = "synced"
    devices: tuple[DeviceStatus, ...] = ()
    v: int = 1
    quarantined: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Command(Struct, frozen=True, kw_only=True):
    """A request to a source: send batches `from_seq` … `to_seq` of `boot` again, or just answer."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: Literal["resend", "ping"]
    boot: Boot | None = None
    from_seq: Seq = 1
    to_seq: Seq = SEQ_MAX
    v: int = 1


class Reply(Struct, frozen=True, kw_only=True):
    """Answer to a command."""

    id: Short
    ok: bool
    detail: Text = ""
    v: int = 1


Message = TypeVar("Message", bound=Receipt | Status | Command | Reply)


class _Version(Struct):
    v: int = 1


_encoder = msgspec.json.Encoder()
_version = msgspec.json.Decoder(_Version)
_decoders: dict[type, msgspec.json.Decoder[object]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Receipt, Status, Command, Reply)
}


def encode(message: Receipt | Status | Command | Reply) -> bytes:
    """Encode a message as canonical JSON bytes."""
    return _encoder.encode(message)


def decode(payload: bytes, kind: type[Message]) -> Message:
    """Decode one of the small messages.

    Raises:
        RefusedError: with `oversize`, `version` or `undecodable`.
    """
    if len(payload) > MESSAGE_MAX_BYTES:
        raise RefusedError(Reason.OVERSIZE, f"{len(payload)} bytes")
    message: object = None
    try:
        version = _version.decode(payload).v
        if version == 1:
            message = _decoders[kind].decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise RefusedError(Reason.UNDECODABLE, str(error)[:200]) from None
    if not isinstance(message, kind):
        raise RefusedError(Reason.VERSION, f"version {version} is not 1")
    return message


def receipts(
    boot: str,
    *,
    committed: Iterable[int] = (),
    stored: Iterable[int] = (),
    refused: Iterable[tuple[int, str]] = (),
    quarantined: Mapping[int, int] | None = None,
) -> Iterator[Receipt]:
    """Yield receipts of bounded size that together carry everything given.

    Args:
        boot: whose batches.
        committed: numbers of batches in the database.
        stored: numbers of batches that a gateway keeps.
        refused: number and reason of each that is refused.
        quarantined: readings in quarantine by number of a committed batch; zero says nothing.
    """
    aside = quarantined or {}
    entries = [("committed", seq, "") for seq in committed]
    entries += [("stored", seq, "") for seq in stored]
    entries += [("refused", seq, reason) for seq, reason in refused]
    for start in range(0, len(entries), RECEIPT_MAX_SEQS):
        part = entries[start : start + RECEIPT_MAX_SEQS]
        done = tuple(seq for state, seq, _ in part if state == "committed")
        told = tuple(QuarantinedIn(seq=seq, n=aside[seq]) for seq in dict.fromkeys(done) if aside.get(seq))
        yield Receipt(
            boot=boot,
            committed=done,
            stored=tuple(seq for state, seq, _ in part if state == "stored"),
            refused=tuple(RefusedBatch(seq=seq, reason=reason) for state, seq, reason in part if state == "refused"),
            quarantined=told or UNSET,
        )
