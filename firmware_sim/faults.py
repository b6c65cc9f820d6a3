"""What goes wrong with meters and lines, as pure transforms.

A register is a function from times to values; a fault wraps it into another one. Faults of the line (silence,
exception codes) and of a single answer (a torn value) change answers, not registers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from .noise import Floats, Ints

Read = Callable[[Ints], Floats]
"""What a register shows [unit] at ascending times [ms UTC]."""

Kind = Literal["silent", "exception", "stuck", "drop", "glitch", "reset", "rollover", "exchange", "torn"]
FOREVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        device: whose.
        kind: what; see `wrap` and `verdict`.
        from_ms: since when [ms UTC].
        to_ms: until when, exclusive [ms UTC].
        quantity: which register; None = every counter of the device.
        amount: size of a drop, glitch or tear, first reading of an exchanged meter [unit].
        code: exception code.
    """

    device: str
    kind: Kind
    from_ms: int
    to_ms: int = FOREVER_MS
    quantity: str | None = None
    amount: float = 0.0
    code: int = 4

    def active(self, time_ms: Ints) -> npt.NDArray[np.bool_]:
        """Which times it touches."""
        return (time_ms >= self.from_ms) & (time_ms < self.to_ms)

    def touches(self, quantity: str, *, cumulative: bool) -> bool:
        """Whether it touches a register."""
        return cumulative if self.quantity is None else self.quantity == quantity


def wrap(read: Read, fault: Fault, modulus: float | None) -> Read:
    """The register with a fault.

    - `stuck` holds the value it had; `drop` falls by `amount`; `glitch` is `amount` off and comes back.
    - `reset` counts from zero, `exchange` from `amount`: another meter that nobody declared.
    - `rollover` is a meter that reaches its modulus (or `amount`, where it has none) at `from_ms`.
    """

    @cache
    def at_start() -> float:
        return float(read(np.array([fault.from_ms], dtype=np.int64))[0])

    def changed(time_ms: Ints) -> Floats:
        value = read(time_ms)
        if fault.kind == "rollover":
            top = modulus or fault.amount
            return (value - at_start() + top) % top
        active = fault.active(time_ms)
        if not active.any():
            return value
        if fault.kind == "stuck":
            other = np.full_like(value, at_start())
        elif fault.kind == "drop":
            other = np.maximum(value - fault.amount, 0.0)
        elif fault.kind == "glitch":
            other = value + fault.amount
        else:
            other = value - at_start() + (fault.amount if fault.kind == "exchange" else 0.0)
        return np.where(active, other, value)

    return read if fault.kind in ("silent", "exception", "torn") else changed


def wrap_all(read: Read, faults: Iterable[Fault], quantity: str, *, cumulative: bool, modulus: float | None) -> Read:
    """The register with every fault that touches it, one after the other."""
    for fault in faults:
        if fault.touches(quantity, cumulative=cumulative):
            read = wrap(read, fault, modulus)
    return read


def answers(faults: Iterable[Fault], time_ms: Ints) -> npt.NDArray[np.bool_]:
    """At which times the device gives its registers at all."""
    given = np.ones(len(time_ms), dtype=np.bool_)
    for fault in faults:
        if fault.kind in ("silent", "exception"):
            given &= ~fault.active(time_ms)
    return given


def verdict(faults: Iterable[Fault], time_ms: int) -> int | None:
    """What a request meets: 0 = silence, another number = an exception code, None = an answer."""
    moment = np.array([time_ms], dtype=np.int64)
    for fault in faults:
        if fault.kind in ("silent", "exception") and fault.active(moment)[0]:
            return 0 if fault.kind == "silent" else fault.code
    return None


def tear(older: Mapping[int, int], newer: Mapping[int, int]) -> dict[int, int]:
    """A value read while it changed: its lower addresses still show the older one.

    >>> tear({10: 1, 11: 0xFFFF}, {10: 2, 11: 0})
    {10: 1, 11: 0}
    """
    addresses = sorted(newer)
    half = set(addresses[: len(addresses) // 2])
    return {address: (older if address in half else newer)[address] for address in addresses}
