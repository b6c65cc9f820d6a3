"""Whatever a device refuses, everything else is read, and soon without a refused request."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.blocks import Holes
from parkcarbon.domain.profile import PointDef, RegisterType
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.readplan import Block

NAMES = sorted(QUANTITIES)


@dataclass(frozen=True)
class Refusing:
    """A device without some registers that answers blocks up to a length."""

    missing: frozenset[int]
    longest: int

    def answers(self, block: Block) -> bool:
        wanted = set(range(block.address, block.address + block.count))
        return block.count <= self.longest and not wanted & self.missing


def round_of(holes: Holes, points: list[PointDef], device: Refusing, gap: int) -> tuple[set[str], set[str], int]:
    """One round as the poller does it; what was read, what was found bad, how many requests were refused."""
    work = holes.plan(points, 125, gap)
    read: set[str] = set()
    bad: set[str] = set()
    refused = 0
    while work:
        block = work.pop(0)
        if device.answers(block):
            read |= {point.quantity for point in block.points}
            continue
        refused += 1
        halves = holes.halve(block)
        if not halves:
            holes.condemn(block)
            bad.add(block.points[0].quantity)
        work[:0] = halves
    holes.settle(found_bad=bool(bad))
    return read, bad, refused


@st.composite
def maps(draw: st.DrawFn) -> list[PointDef]:
    address = draw(st.integers(0, 50))
    kinds: tuple[RegisterType, ...] = ("u16", "u32", "u64")
    points = []
    for name in NAMES[: draw(st.integers(1, 15))]:
        words = draw(st.sampled_from(kinds))
        point = PointDef(quantity=name, address=address, function=3, type=words)
        points.append(point)
        address = point.end + draw(st.integers(0, 6))
    return points


@settings(max_examples=300, deadline=None)
@given(
    points=maps(),
    missing=st.frozensets(st.integers(0, 120), max_size=8),
    longest=st.integers(4, 125),
    gap=st.integers(0, 8),
)
def test_everything_else_is_read(points: list[PointDef], missing: frozenset[int], longest: int, gap: int) -> None:
    device = Refusing(missing, longest)
    fine = {point.quantity for point in points if not set(range(point.first, point.end)) & missing}
    holes = Holes()
    read, bad, _ = round_of(holes, points, device, gap)
    assert read == fine
    assert bad == {point.quantity for point in points} - fine
    good = [point for point in points if point.quantity in fine]
    for _ in range(2):
        read, bad, refused = round_of(holes, good, device, gap)
        assert (read, bad) == (fine, set())
    assert refused == 0, "what was learned was not kept"


@given(points=maps(), gap=st.integers(0, 8))
def test_a_device_that_refuses_nothing_is_read_as_planned(points: list[PointDef], gap: int) -> None:
    holes = Holes()
    planned = holes.plan(points, 125, gap)
    _, _, refused = round_of(holes, points, Refusing(frozenset(), 125), gap)
    assert refused == 0
    assert holes.plan(points, 125, gap) == planned
