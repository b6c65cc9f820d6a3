"""Cumulative energy of every device since an epoch: the same whenever the simulator starts.

Days (UTC) are computed one at a time and only their totals are kept, so that a month costs little memory and any
moment is answered from the block of its day.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from .balance import HOURS_PER_STEP, STEP_MS, Park, positive_energy
from .localtime import DAY_MS
from .noise import Floats, Ints

STEPS = DAY_MS // STEP_MS
_KEEP_BLOCKS = 3


@dataclass(frozen=True, slots=True)
class Block:
    """One UTC day of all devices.

    Attributes:
        power: [device, knot], both ends of the day included.
        forward: energy of the positive part since the epoch at each knot [device, knot].
        backward: energy of the negative part, counted positive.
    """

    power: Floats
    forward: Floats
    backward: Floats


class Ledger:
    """Power and energy of a park's devices at any time from the epoch on."""

    def __init__(self, park: Park, epoch_ms: int, totals: Floats | None = None) -> None:
        """Begin at `epoch_ms` [ms UTC, a UTC midnight]; `totals` are those of an earlier ledger of the same park."""
        if epoch_ms % DAY_MS:
            raise ValueError(f"epoch {epoch_ms} is not a UTC midnight")
        self.park = park
        self.epoch_ms = epoch_ms
        self._rows = {device: row for row, device in enumerate(park.devices)}
        first = np.zeros((2, len(park.devices)))
        self._totals: list[Floats] = [first] if totals is None else list(totals)
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    @property
    def totals(self) -> Floats:
        """Energy at each UTC midnight reached so far [day, direction, device]; give it to the next ledger."""
        return np.stack(self._totals)

    def power(self, device: str, time_ms: Ints) -> Floats:
        """Power of a device [kW, Nm3/h] at ascending times."""
        if parts := self._split(time_ms):
            return np.concatenate([self.power(device, part) for part in parts])
        block, step, share = self._place(time_ms)
        row = block.power[self._rows[device]]
        power: Floats = row[step] + (row[np.minimum(step + 1, STEPS)] - row[step]) * share
        return power

    def energy(self, device: str, time_ms: Ints, *, backward: bool = False) -> Floats:
        """Energy of a device since the epoch [kWh, Nm3] at ascending times, of its positive or its negative part."""
        if parts := self._split(time_ms):
            return np.concatenate([self.energy(device, part, backward=backward) for part in parts])
        block, step, share = self._place(time_ms)
        row = self._rows[device]
        power = -block.power[row] if backward else block.power[row]
        counted = (block.backward if backward else block.forward)[row]
        after = np.minimum(step + 1, STEPS)
        left = power[step]
        right = left + (power[after] - left) * share
        energy: Floats = np.minimum(
            counted[step] + positive_energy(left, right, share * HOURS_PER_STEP), counted[after]
        )
        return energy

    def block(self, day: int) -> Block:
        """The block of a UTC day since the epoch."""
        if day < 0:
            raise ValueError(f"{-day} days before the epoch")
        found = self._blocks.get(day)
        if found is None:
            while len(self._totals) <= day:
                self._compute(len(self._totals) - 1)
            found = self._blocks[day] = self._compute(day)
            while len(self._blocks) > _KEEP_BLOCKS:
                self._blocks.popitem(last=False)
        return found

    def _compute(self, day: int) -> Block:
        start = self.epoch_ms + day * DAY_MS
        power = self.park.powers(np.arange(start, start + DAY_MS + 1, STEP_MS, dtype=np.int64))
        parts = []
        for sign, before in ((1.0, self._totals[day][0]), (-1.0, self._totals[day][1])):
            steps = positive_energy(sign * power[:, :-1], sign * power[:, 1:], HOURS_PER_STEP)
            parts.append(before[:, None] + np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1))
        if len(self._totals) == day + 1:
            self._totals.append(np.stack([part[:, -1] for part in parts]))
        return Block(power, parts[0], parts[1])

    def _split(self, time_ms: Ints) -> list[Ints]:
        """Times by UTC day, or nothing when they are all of one."""
        days = (time_ms - self.epoch_ms) // DAY_MS
        if days[0] == days[-1]:
            return []
        return np.split(time_ms, np.flatnonzero(np.diff(days)) + 1)

    def _place(self, time_ms: Ints) -> tuple[Block, Ints, Floats]:
        since = time_ms - self.epoch_ms
        day = int(since[0]) // DAY_MS
        within = since - day * DAY_MS
        step = within // STEP_MS
        return self.block(day), step, (within - step * STEP_MS) / STEP_MS
