"""Which meter was where: the serial numbers that devices showed, kept over restarts."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct


class Seen(Struct, frozen=True):
    """A serial number and since when it is there [ms UTC]; what was there before, if anything."""

    serial: str
    since_ms: int
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A device shows another serial number than before."""

    before: str
    after: str


class Serials:
    """The memory.

    Args:
        path: JSON file; None: forgotten with the process.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: dict[str, Seen] = {}
        if path is not None:
            with contextlib.suppress(OSError, msgspec.DecodeError):
                self._seen = msgspec.json.decode(path.read_bytes(), type=dict[str, Seen])

    def see(self, device: str, serial: str, now_ms: int) -> Exchange | None:
        """Take down what a device shows; return the exchange if that is news [ms UTC]."""
        known = self._seen.get(device)
        if known is not None and known.serial == serial:
            return None
        self._seen[device] = Seen(serial, now_ms, None if known is None else known.serial)
        self._save()
        return None if known is None else Exchange(known.serial, serial)

    def note(self, device: str) -> str:
        """Say what is known, for the status; "" where nothing is."""
        seen = self._seen.get(device)
        if seen is None:
            return ""
        if seen.before is None:
            return f"serial {seen.serial}"
        since = datetime.fromtimestamp(seen.since_ms / 1000, UTC)
        return f"serial {seen.serial}, was {seen.before} until {since:%Y-%m-%dT%H:%M:%SZ}"

    def _save(self) -> None:
        if self._path is None:
            return
        temporary = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk: it will be read again
            temporary.write_bytes(msgspec.json.encode(self._seen))
            temporary.replace(self._path)
