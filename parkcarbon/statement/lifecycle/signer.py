"""The key at hand: what it signs, and the public half on record."""

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from parkcarbon.kit.db import Session

from .store import QUERIES

if TYPE_CHECKING:  # pyHanko takes a second to load
    from parkcarbon.statement.sign.keys import SigningKey

KEY_VARIABLE: Final = "PARKCARBON_SIGNING_KEY_FILE"
TSA_VARIABLE: Final = "PARKCARBON_TSA_URL"


class Signer(Protocol):
    """Signs the bytes of a record and of a PDF."""

    @property
    def fingerprint(self) -> str:
        """Of the key."""

    @property
    def public_key(self) -> bytes:
        """Raw Ed25519 public key [32 bytes]."""

    @property
    def rotation(self) -> str:
        """Record by which the key before named this one, JSON; `{}`: there is none."""

    def json(self, data: bytes) -> bytes:
        """Detached signature over a record."""

    def pdf(self, data: bytes, *, at: dt.datetime, reason: str) -> bytes:
        """A PDF with its signature; not to be called where an event loop runs."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """Signs with the key of a secret file.

    Attributes:
        key: of it.
        tsa_url: where time stamps are got; None: nowhere.
        rotation: record by which the key before named this one, JSON; `{}`: there is none.
    """

    key: "SigningKey"
    tsa_url: str | None = None
    rotation: str = "{}"

    @property
    def fingerprint(self) -> str:
        """Of the key."""
        return self.key.fingerprint

    @property
    def public_key(self) -> bytes:
        """Raw Ed25519 public key [32 bytes]."""
        return self.key.public_key

    def json(self, data: bytes) -> bytes:
        """Detached signature over a record."""
        from parkcarbon.statement.sign.json import sign_json

        return sign_json(data, self.key)

    def pdf(self, data: bytes, *, at: dt.datetime, reason: str) -> bytes:
        """A PDF with its signature."""
        from parkcarbon.statement.sign.pdf import sign_pdf

        return sign_pdf(data, self.key, at=at, reason=reason, tsa_url=self.tsa_url)


def load_signer(path: Path, tsa_url: str | None = None) -> Signer:
    """The signer of a secret file, with the record of the rotation that lies beside it.

    Raises:
        KeyFileError: it cannot be used.
    """
    from parkcarbon.statement.sign.keys import ROTATION_FILE, load_key

    record = (path if path.is_dir() else path.parent) / ROTATION_FILE
    rotation = record.read_text(encoding="utf-8") if record.is_file() else "{}"
    return KeySigner(load_key(path), tsa_url, rotation)


def signer_at_hand(environment: Mapping[str, str] = os.environ) -> Signer | None:
    """The signer of the secret file that PARKCARBON_SIGNING_KEY_FILE names; None: it names none.

    Raises:
        KeyFileError: it names one that cannot be used.
    """
    path = environment.get(KEY_VARIABLE)
    return load_signer(Path(path), environment.get(TSA_VARIABLE) or None) if path else None


async def record_key(session: Session, signer: Signer, *, person: str, reason: str) -> bool:
    """Put the public half of a key on record, and retire the one that it follows; True where it was not there.

    Args:
        session: a connection that may write.
        signer: with the key.
        person: who put it into service.
        reason: why.

    Raises:
        ValueError: the key was retired, or follows another one without a record of that.
    """
    rows = await session.fetch(QUERIES["key_list"])
    mine = [row for row in rows if row["fingerprint"] == signer.fingerprint]
    if mine:
        if mine[0]["retired_at"] is not None:
            raise ValueError(f"key {signer.fingerprint} was retired and signs nothing any more")
        return False
    before = next((row["fingerprint"] for row in rows if row["retired_at"] is None), None)
    if before is not None:
        _refuse_unnamed(signer, before)
        await session.execute(QUERIES["key_retire"], before, person, f"followed by {signer.fingerprint}")
    values = signer.fingerprint, signer.public_key, before, signer.rotation, person, reason
    await session.execute(QUERIES["key_insert"], *values)
    return True


def _refuse_unnamed(signer: Signer, before: str) -> None:
    """Refuse a key that the one in service did not name as its follower."""
    from parkcarbon.statement.sign.json import check_rotation

    if signer.rotation == "{}":
        raise ValueError(
            f"key {signer.fingerprint[:16]}… is another one than {before[:16]}… which is in service: make it with"
            " `parkcarbon statement key new --replaces`, and keep the record of the rotation beside it"
        )
    record = check_rotation(signer.rotation.encode())
    if (record.old, record.new) != (before, signer.fingerprint):
        raise ValueError(f"the record of the rotation is from {record.old[:16]}… to {record.new[:16]}…")
