"""The bytes of a leaf: what is hashed into the log of a park.

Canonical JSON with sorted members and no spaces. `at` is written with microseconds, as the database keeps it: it
decides the order. The digest is that of the whole frame, so a leaf vouches for every reading in it.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from parkcarbon.domain.merkle import leaf_hash

Kind: TypeAlias = Literal["committed", "tombstone", "revived"]
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Leaf:
    """A batch that became known.

    Attributes:
        park: whose log.
        at: when: order of the log, then source, boot, seq.
        kind: `committed`; `tombstone`: its source gave it up; `revived`: it came after all.
        source: who sent it.
        boot: identity of the outbox.
        seq: number within the boot.
        digest: sha256 of the frame; of a tombstone: of the header line that was given up.
        t_min: earliest reading; None: it has none.
        t_max: latest reading.
    """

    park: str
    at: dt.datetime
    kind: Kind
    source: str
    boot: str
    seq: int
    digest: bytes
    t_min: dt.datetime | None
    t_max: dt.datetime | None

    def to_bytes(self) -> bytes:
        """Canonical JSON: the bytes that are hashed."""
        return _encode(
            {
                "at": micro(self.at),
                "boot": self.boot,
                "digest": self.digest.hex(),
                "kind": self.kind,
                "park": self.park,
                "seq": self.seq,
                "source": self.source,
                "t_max": None if self.t_max is None else micro(self.t_max),
                "t_min": None if self.t_min is None else micro(self.t_min),
            }
        )

    def hash(self) -> bytes:
        """Hash of the leaf."""
        return leaf_hash(self.to_bytes())


def micro(moment: dt.datetime) -> str:
    """A moment in UTC with microseconds: `2026-11-21T00:00:00.000000Z`."""
    return f"{moment.astimezone(dt.UTC).isoformat(timespec='microseconds')[:26]}Z"


def parse_micro(text: str) -> dt.datetime:
    """Read what `micro` wrote.

    Raises:
        ValueError: it is no such moment.
    """
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
