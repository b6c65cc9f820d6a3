"""Which meter was where: the serial numbers that devices showed, kept over restarts."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from parkcarbon.wire.body import SerialChange


class Seen(Struct, frozen=True):
    """A serial number and since when it is there [ms UTC]; what was there before, and what is not in a batch yet."""

    serial: str
    since_ms: int
    before: str | None = None
    untold: tuple[SerialChange, ...] = ()


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

    def see(self, device: str, serial: str, since_ms: int) -> SerialChange | None:
        """Take down what a device shows; return the change if it is one.

        Args:
            device: whose.
            serial: what it shows.
            since_ms: readings from here on are of the meter that shows it [ms UTC].
        """
        known = self._seen.get(device)
        if known is None:
            self._seen[device] = Seen(serial, since_ms)
            self._save()
            return None
        if known.serial == serial:
            return None
        change = SerialChange(device=device, t=since_ms, serial=serial, was=known.serial)
        self._seen[device] = Seen(serial, since_ms, known.serial, (*known.untold, change))
        self._save()
        return change

    def untold(self) -> tuple[SerialChange, ...]:
        """Return the changes that are not known to be safe in a batch, over restarts too."""
        return tuple(change for seen in self._seen.values() for change in seen.untold)

    def told(self, changes: Sequence[SerialChange]) -> None:
        """These are in the outbox now."""
        for device in {change.device for change in changes}:
            seen = self._seen[device]
            left = tuple(change for change in seen.untold if change not in changes)
            self._seen[device] = msgspec.structs.replace(seen, untold=left)
        if changes:
            self._save()

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
