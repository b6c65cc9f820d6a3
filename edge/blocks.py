"""Learn which registers of a device do not go together in one request. Pure.

A device may refuse a block because of one register that it does not have, because of a hole between two values, or
because the block is longer than it likes. The refused block is halved until the halves are answered or a single point
is left, which is then known to be bad.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from parkcarbon.domain.profile import Function, PointDef
from parkcarbon.domain.readplan import Block, plan_reads

Register = tuple[Function, int]


@dataclass(slots=True)
class Holes:
    """What was learned about one device.

    Attributes:
        cuts: registers that must not be read in one request with the register before them.
        bad: registers of points that the device does not have.
    """

    cuts: set[Register] = field(default_factory=set)
    bad: set[Register] = field(default_factory=set)
    _trial: set[Register] = field(default_factory=set)

    def plan(self, points: Iterable[PointDef], max_registers: int, max_gap: int) -> list[Block]:
        """Plan the reads of some points around what is known."""
        blocks = plan_reads(points, max_registers, max_gap)
        return [part for block in blocks for part in self._parts(block)]

    def halve(self, block: Block) -> list[Block]:
        """Split a refused block where it is most likely to break: at its largest gap, else in the middle.

        Returns:
            Two blocks, or none where a single point is left.
        """
        points = _ordered(block.points)
        if len(points) < 2:
            return []
        ends = _running_ends(points)
        gaps = [points[i].first - ends[i - 1] for i in range(1, len(points))]
        widest = max(gaps)
        place = gaps.index(widest) + 1 if widest > 0 else len(points) // 2
        self._trial.add((block.function, points[place].first))
        return [_block(points[:place]), _block(points[place:])]

    def condemn(self, block: Block) -> None:
        """The device does not have the one point of this block."""
        self.bad |= {(block.function, address) for address in range(block.address, block.address + block.count)}

    def pardon(self, block: Block) -> None:
        """The device has them after all."""
        self.bad -= {(block.function, address) for address in range(block.address, block.address + block.count)}

    def settle(self, *, found_bad: bool) -> None:
        """The refused block was taken apart: keep the cuts only where no bad register explains them."""
        if not found_bad:
            self.cuts |= self._trial
        self._trial.clear()

    def forget(self) -> None:
        """Start afresh: the device may have been exchanged or set up anew."""
        self.cuts.clear()
        self.bad.clear()
        self._trial.clear()

    def _parts(self, block: Block) -> list[Block]:
        points = _ordered(block.points)
        ends = _running_ends(points)
        parts: list[list[PointDef]] = [[points[0]]]
        for i in range(1, len(points)):
            if self._divided(block.function, parts[-1][0].first, ends[i - 1], points[i].first):
                parts.append([points[i]])
            else:
                parts[-1].append(points[i])
        return [block] if len(parts) == 1 else [_block(part) for part in parts]

    def _divided(self, function: Function, start: int, end: int, following: int) -> bool:
        """Whether a known hole lies between what ends at `end` and what begins at `following`."""
        cut = any((function, address) in self.cuts for address in range(start + 1, following + 1))
        return cut or any((function, address) in self.bad for address in range(end, following))


def _ordered(points: Iterable[PointDef]) -> list[PointDef]:
    return sorted(points, key=lambda point: (point.first, point.end))


def _running_ends(points: Sequence[PointDef]) -> list[int]:
    ends = [points[0].end]
    for point in points[1:]:
        ends.append(max(ends[-1], point.end))
    return ends


def _block(points: Sequence[PointDef]) -> Block:
    start = points[0].first
    return Block(points[0].function, start, max(point.end for point in points) - start, tuple(points))
