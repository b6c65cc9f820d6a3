"""Meters behind meters: what may be added up without counting anything twice.

A sub-meter may stand below another one: a machine's below its hall's. Both registers count the machine. In a sum only
the *outermost* meters count, those that no other meter of the sum stands above:

    metered = sum of the outermost meters;   unmetered = load - metered

A sum over one owner takes his outermost meters and subtracts what others are metered for below them. Over owners who
share out all meters these sums add up to `metered` again, exactly, since every meter in between enters once with each
sign.

Leaves instead of outermost meters would lose whatever is used between a meter and those below it: it would become
unmetered although a meter of the owner has counted it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol, TypeVar


class Nested(Protocol):
    """A metered point that may stand below another one; `below` is the name of that one."""

    @property
    def point(self) -> str:
        """Name, `device/quantity`."""

    @property
    def below(self) -> str | None:
        """The nearest meter upstream, or None."""


P = TypeVar("P", bound=Nested)


def outermost(points: Iterable[P]) -> list[P]:
    """Those of the points that stand below none of the others, in their order.

    Give all points of one carrier that count in the sum. A point that stands below one that is not given counts: see
    `nearest_upstream` for chains that lead through others.

    Raises:
        ValueError: meters stand below one another in a circle.
    """
    given = list(points)
    linked, present = _linked(given), {point.point for point in given}
    return [point for point in given if _first_above(point.point, linked, present) is None]


def weights(points: Iterable[P], mine: Callable[[P], bool]) -> dict[str, int]:
    """How each point enters the sum of one owner: 1 for his outermost ones, -1 for the first of others below them.

    Points that do not enter are left out. The weights of owners who share out all points add up to 1 for the outermost
    points of all and to 0 for every other.

    Args:
        points: all points of one carrier that count, of every owner.
        mine: whether a point is the owner's.

    Raises:
        ValueError: meters stand below one another in a circle.
    """
    given = list(points)
    linked, present = _linked(given), {point.point for point in given}
    own = {point.point for point in given if mine(point)}
    found = {}
    for point in given:
        weight = int(point.point in own) - int(_first_above(point.point, linked, present) in own)
        if weight:
            found[point.point] = weight
    return found


def nearest_upstream(upstream: Mapping[str, str | None], present: Collection[str]) -> dict[str, str]:
    """The first meter above each present one that is itself present; those with none are left out.

    Args:
        upstream: of every point ever declared, the one it stands below.
        present: points that there are now.

    Raises:
        ValueError: meters stand below one another in a circle.
    """
    _refuse_circles(upstream)
    found = {name: _first_above(name, upstream, present) for name in present}
    return {name: above for name, above in found.items() if above is not None}


def circle(upstream: Mapping[str, str | None]) -> list[str] | None:
    """The first circle of meters that stand below one another; None where there is none."""
    fine: set[str] = set()
    for start in upstream:
        walked: list[str] = []
        name: str | None = start
        while name is not None and name not in fine:
            if name in walked:
                return walked[walked.index(name) :]
            walked.append(name)
            name = upstream.get(name)
        fine.update(walked)
    return None


def _linked(points: Iterable[Nested]) -> dict[str, str | None]:
    """Those that stand below another one: few of many."""
    upstream: dict[str, str | None] = {point.point: point.below for point in points if point.below is not None}
    _refuse_circles(upstream)
    return upstream


def _refuse_circles(upstream: Mapping[str, str | None]) -> None:
    found = circle(upstream)
    if found is not None:
        raise ValueError(f"{' below '.join([*found, found[0]])}: meters stand below one another in a circle")


def _first_above(name: str, upstream: Mapping[str, str | None], present: Collection[str]) -> str | None:
    above = upstream.get(name)
    while above is not None and above not in present:
        above = upstream.get(above)
    return above
