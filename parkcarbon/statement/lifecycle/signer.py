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
    """

    key: "SigningKey"
    tsa_url: str | None = None

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


def signer_at_hand(environment: Mapping[str, str] = os.environ) -> Signer | None:
    """The signer of the secret file that PARKCARBON_SIGNING_KEY_FILE names; None: it names none.

    Raises:
        KeyFileError: it names one that cannot be used.
    """
    path = environment.get(KEY_VARIABLE)
    if not path:
        return None
    from parkcarbon.statement.sign.keys import load_key

    return KeySigner(load_key(Path(path)), environment.get(TSA_VARIABLE) or None)


async def record_key(session: Session, signer: Signer, *, person: str, reason: str, rotation: str = "{}") -> bool:
    """Put the public half of a key on record; True where it was not there.

    Args:
        session: a connection that may write.
        signer: with the key.
        person: who put it into service.
        reason: why.
        rotation: record of the rotation, JSON; empty object: the first key.

    Raises:
        ValueError: the key was retired.
    """
    rows = await session.fetch(QUERIES["key_list"])
    mine = [row for row in rows if row["fingerprint"] == signer.fingerprint]
    if mine:
        if mine[0]["retired_at"] is not None:
            raise ValueError(f"key {signer.fingerprint} was retired and signs nothing any more")
        return False
    before = rows[-1]["fingerprint"] if rows else None
    await session.execute(
        QUERIES["key_insert"], signer.fingerprint, signer.public_key, before, rotation, person, reason
    )
    return True
