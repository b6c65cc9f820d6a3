"""The evidence pack: one zip file from which every figure of a statement comes out again.

| member             | what it holds                                                                              |
|--------------------|--------------------------------------------------------------------------------------------|
| `manifest.json`    | whose statement, and the SHA-256 of every other member                                     |
| `statement.json`   | the record                                                                                 |
| `predecessor.json` | of a re-issue: the record before                                                           |
| `leaves.parquet`   | the log of the park up to the frozen size                                                  |
| `batches.parquet`  | raw frames (zstd) of every batch with readings around the period                           |
| `readings.parquet` | the readings that the scan ran over, each with the row of its batch                        |
| `set_aside.jsonl`  | readings of these batches that were in quarantine, and why                                 |
| `starts.json`      | what the scans are taken up from: checkpoints before the period                            |
| `facts.jsonl`      | the answers to every question on facts: documents, factors, entries, instruments, decisions |
| `context.jsonl`    | answers about other periods, carried as they stood                                         |
"""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

SCHEMA: Final = "parkcarbon.evidence/1"
MANIFEST: Final = "manifest.json"
MEMBERS: Final = (
    "statement.json",
    "leaves.parquet",
    "batches.parquet",
    "readings.parquet",
    "set_aside.jsonl",
    "starts.json",
    "facts.jsonl",
    "context.jsonl",
)
PREDECESSOR: Final = "predecessor.json"
_LARGEST: Final = 4 << 30


class PackError(ValueError):
    """The file is no evidence pack."""


class Manifest(Struct, frozen=True):
    """What a pack says about itself.

    Attributes:
        schema: `SCHEMA`.
        park: id.
        period: of the statement.
        number: of the statement.
        version: of the statement.
        record_digest: content digest of the record, hex.
        known_on: moment of knowledge.
        method_version: of the calculation.
        software: that composed the record.
        exported_by: software that made the pack.
        log_size: batches in the log.
        log_root: root over them, hex.
        points: metered points.
        readings: rows of `readings.parquet`.
        batches: rows of `batches.parquet`.
        members: SHA-256 of every other member, hex.
    """

    schema: str
    park: str
    period: str
    number: str
    version: int
    record_digest: str
    known_on: str
    method_version: str
    software: str
    exported_by: str
    log_size: int
    log_root: str
    points: int
    readings: int
    batches: int
    members: dict[str, str]


class Checkpoint(Struct, frozen=True):
    """State of the scan of a counter at a midnight UTC [ms]; `longest_ms` of a delta point instead."""

    point: int
    at_ms: int
    state: bytes


class Span(Struct, frozen=True):
    """The readings of a point that are in the pack: first and last time [ms UTC]."""

    point: int
    low_ms: int
    high_ms: int


class Reach(Struct, frozen=True):
    """How far the neighbours of a stretch of deltas reach, and how many there are [ms UTC]."""

    point: int
    from_ms: int
    to_ms: int
    neighbours: int
    low_ms: int | None
    high_ms: int | None
    before: int
    after: int


class StartsFile(Struct, frozen=True):
    """`starts.json`. `longest_ms` by point: no delta is longer."""

    checkpoints: list[Checkpoint]
    longest_ms: dict[int, int]
    spans: list[Span]
    reach: list[Reach]


class SetAside(Struct, frozen=True):
    """A reading in quarantine: row of its batch in `batches.parquet`, position in it."""

    batch: int
    row: int
    point: str
    reason: str


class Pack:
    """An open pack. Members are read when asked for; their hashes are looked at by `altered`.

    Args:
        path: the file.

    Raises:
        PackError: it is no pack.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise PackError(f"{path}: {error.strerror}") from None
        except zipfile.BadZipFile as error:
            raise PackError(f"{path} is no evidence pack, or is damaged: {error}") from None
        names = self._zip.namelist()
        if len(names) != len(set(names)) or sum(info.file_size for info in self._zip.infolist()) > _LARGEST:
            self._zip.close()
            raise PackError(f"{path}: members twice, or larger than {_LARGEST >> 30} GiB")
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        try:
            manifest = msgspec.json.decode(self.read(MANIFEST), type=Manifest)
        except (KeyError, msgspec.DecodeError) as error:
            self._zip.close()
            raise PackError(f"{self.path}: {MANIFEST}: {error}") from None
        if manifest.schema != SCHEMA:
            self._zip.close()
            raise PackError(f"{self.path}: schema is {manifest.schema!r}, this reads {SCHEMA!r}")
        return manifest

    def __enter__(self) -> "Pack":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        """Names of the members but the manifest."""
        return sorted(set(self._zip.namelist()) - {MANIFEST})

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            KeyError: there is none of that name.
            PackError: the zip file is damaged there.
        """
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, zipfile.error, NotImplementedError, EOFError, OSError) as error:
            raise PackError(f"{self.path}: {name}: {error}") from None

    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of every member but the manifest, hex."""
        return {name: self._hash(name) for name in self.names()}

    def _hash(self, name: str) -> str:
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                while block := member.read(1 << 20):
                    digest.update(block)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            return f"unreadable: {error}"
        return digest.hexdigest()


def open_pack(path: Path) -> Pack:
    """Open a pack.

    Raises:
        PackError: it is none.
    """
    return Pack(path)
