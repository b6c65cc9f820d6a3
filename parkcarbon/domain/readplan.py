"""Plan block reads: which registers to ask for so that few requests bring all points."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from parkcarbon.domain.profile import DeviceProfile, Function, PointDef


@dataclass(frozen=True, slots=True)
class Block:
    """One read request.

    Attributes:
        function: Modbus function code.
        address: first wire address.
        count: registers.
        points: the points it brings, whole.
    """

    function: Function
    address: int
    count: int
    points: tuple[PointDef, ...]

    def registers(self, words: Sequence[int]) -> Mapping[int, int]:
        """Return the answered words by wire address.

        Raises:
            ValueError: the answer has another length than was asked for.
        """
        if len(words) != self.count:
            raise ValueError(f"{len(words)} registers answered, {self.count} asked for at {self.address}")
        return dict(enumerate(words, self.address))


def plan_reads(points: Iterable[PointDef], max_registers: int, max_gap: int) -> tuple[Block, ...]:
    """Join points to block reads; a value, or a value with its parts, is never split over two requests.

    Args:
        points: what is to be read, in any order.
        max_registers: longest block the device answers [registers].
        max_gap: most unwanted registers between two points of one block [registers].

    Returns:
        Blocks by function code and address; each point is in exactly one.

    Raises:
        ValueError: one point alone is longer than a block may be.
    """
    blocks: list[Block] = []
    for point in sorted(set(points), key=lambda p: (p.function, p.first, p.end, p.quantity)):
        if point.end - point.first > max_registers:
            raise ValueError(f"{point.quantity}: {point.end - point.first} registers do not fit {max_registers}")
        if blocks and _joins(blocks[-1], point, max_registers, max_gap):
            last = blocks[-1]
            count = max(last.address + last.count, point.end) - last.address
            blocks[-1] = Block(last.function, last.address, count, (*last.points, point))
        else:
            blocks.append(Block(point.function, point.first, point.end - point.first, (point,)))
    return tuple(blocks)


def plan_profile(profile: DeviceProfile, quantities: tuple[str, ...]) -> tuple[Block, ...]:
    """Plan the reads of some quantities of a device within the limits of its profile."""
    return plan_reads(profile.select(quantities), profile.max_registers_per_read, profile.max_gap)


def _joins(block: Block, point: PointDef, max_registers: int, max_gap: int) -> bool:
    end = block.address + block.count
    return (
        block.function == point.function
        and point.first - end <= max_gap
        and max(end, point.end) - block.address <= max_registers
    )
