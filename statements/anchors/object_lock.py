"""Roots as files in a folder where nothing is overwritten: a mounted bucket with object lock, a WORM share."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .claim import AnchorError, Answer, Claim


@dataclass(frozen=True, slots=True)
class FolderAnchor:
    """A folder. It is the storage that must keep what it has; this only never tries to change it."""

    folder: Path
    kind: str = "object_lock"

    @property
    def destination(self) -> str:
        """Path of the folder."""
        return str(self.folder)

    async def send(self, claims: Sequence[Claim]) -> list[Answer]:
        """Write `PARK/DAY.json` for each claim; one that is there already must say the same.

        Raises:
            AnchorError: there is no such folder.
        """
        return await asyncio.to_thread(self._write_all, claims)

    def _write_all(self, claims: Sequence[Claim]) -> list[Answer]:
        if not self.folder.is_dir():
            raise AnchorError(f"{self.folder}: no such folder")
        return [self._write(claim) for claim in claims]

    def _write(self, claim: Claim) -> Answer:
        path = self.folder / claim.park / f"{claim.day.isoformat()}.json"
        body = claim.line() + b"\n"
        try:
            path.parent.mkdir(exist_ok=True)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
            except FileExistsError:
                if path.read_bytes() == body:
                    return Answer(claim, str(path).encode())
                return Answer(claim, error=f"{path} is there already and says something else: it is not overwritten")
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return Answer(claim, error=f"{path}: {error.strerror}")
        return Answer(claim, str(path).encode())
