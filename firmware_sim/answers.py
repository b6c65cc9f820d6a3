"""The log of every answer: what the devices said, for whoever checks what became of it.

One JSON object a line, written to the file before the answer leaves: `t` [ms UTC], `device`, `bus`, `unit`, `fc`,
`address`, `count`, then `hex` (the registers) and `values` (what each whole value among them decodes to, by quantity),
or `exception` (the code). Silence is no answer and has no line. Readings of the history are not repeated here: its
`.npz` files are the log of what the data loggers read.
"""

import json
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

LOG_FILE = "answers.jsonl"
MAX_BYTES = 128 * 1024 * 1024
"""Size at which the log moves on to a new file; the one before is kept as `<name>.1`."""


class AnswerLog:
    """Appends lines to a file, unbuffered by us: a line is with the operating system before `write` returns."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: IO[bytes]

    def __enter__(self) -> Self:
        self._file = self._path.open("ab", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, entry: dict[str, object]) -> None:
        """Append one answer."""
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        if self._file.tell() > self._max_bytes:
            self._file.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._file = self._path.open("ab", buffering=0)


def logged_values(folder: Path) -> dict[str, set[float]]:
    """Every value that each point (`device/quantity`) of a prepared park ever showed to a reader, history included.

    Args:
        folder: where the park was prepared and the log is.
    """
    found: dict[str, set[float]] = defaultdict(set)
    for path in sorted(folder.glob("history-*.npz")):
        with np.load(path) as file:
            points, index, values = file["points"], file["p"], file["x"]
        for number, point in enumerate(points):
            found[str(point)].update(values[index == number].tolist())
    for path in (folder / f"{LOG_FILE}.1", folder / LOG_FILE):
        if path.exists():
            with path.open("rb") as lines:
                for line in lines:
                    _add(found, json.loads(line))
    return found


def _add(found: dict[str, set[float]], entry: dict[str, dict[str, float | None]]) -> None:
    for quantity, value in entry.get("values", {}).items():
        if value is not None:
            found[f"{entry['device']}/{quantity}"].add(value)
