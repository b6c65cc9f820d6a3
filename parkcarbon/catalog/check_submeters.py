"""What can be wrong with meters that stand below meters: see `check` for the form of a problem."""

from collections.abc import Iterator, Mapping

from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.submeters import circle

from .park import Park, Point


def submeter_problems(park: Park) -> Iterator[str]:
    """Yield a line for every `below` that leads nowhere, to another kind of meter, or back to where it began."""
    points = {f"{device.device}/{point.quantity}": point for device in park.devices for point in device.points}
    for device in park.devices:
        for point in device.points:
            if point.below is not None:
                place = f"devices[{device.device}].points[{point.quantity}].below"
                yield from _one(place, f"{device.device}/{point.quantity}", point, points)
    found = circle({name: point.below for name, point in points.items()})
    if found is not None and len(found) > 1:
        yield f"devices: {' below '.join([*found, found[0]])}: meters stand below one another in a circle"


def _one(place: str, name: str, point: Point, points: Mapping[str, Point]) -> Iterator[str]:
    if point.flow != "sub_meter":
        yield f"{place}: {point.below!r}: only a sub_meter stands below another meter, not flow {point.flow}"
        return
    upstream = points.get(point.below or "")
    if upstream is None or upstream.flow != "sub_meter":
        told = "is not a point" if upstream is None else f"has flow {upstream.flow}"
        yield f"{place}: {point.below!r} {told}; a sub_meter of this park is expected (all stand below the gate)"
        return
    if point.below == name:
        yield f"{place}: {point.below!r} is the point itself"
    here, there = (QUANTITIES.get(quantity) for quantity in (point.quantity, upstream.quantity))
    if here is not None and there is not None and (here.carrier, here.unit) != (there.carrier, there.unit):
        yield (
            f"{place}: {point.below!r} counts {there.carrier} in {there.unit}, this point {here.carrier} in {here.unit}"
        )
