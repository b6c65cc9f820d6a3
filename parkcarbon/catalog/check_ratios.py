"""Whether the points of one device agree about their transformers: see `check` for the form of a problem.

A meter has one set of current and one of voltage transformers. A ratio that changes on its energy register and not on
its power gauge, or not on its export register, is a forgotten episode: the power, or one direction, would go on with
the old ratio and no reading would show it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from parkcarbon.domain.profile import DeviceProfile
from parkcarbon.domain.quantities import QUANTITIES

from .park import Device, Park, Point
from .profiles import load_profile, profile_names

_SHARE: Final[dict[str, tuple[str, ...]]] = {"ct": ("ct", "ct_pt"), "pt": ("pt", "ct_pt")}
Name = Literal["ct", "pt"]


def ratio_problems(park: Park) -> Iterator[str]:
    """Yield a line for every point whose ratio differs from that of another point behind the same transformers."""
    for device in park.devices:
        profile = load_profile(device.profile) if device.profile in profile_names() else None
        dated = [point for point in device.points if all(episode.at.tzinfo is not None for episode in point.episodes)]
        for name in ("ct", "pt"):
            yield from _differing(device, [point for point in dated if _behind(point, profile, name)], name)


def _behind(point: Point, profile: DeviceProfile | None, name: Name) -> bool:
    """Whether the register of a point is still to be multiplied by this ratio.

    The profile says so. Without registers, electricity meters that are read by hand share both; amounts may come from
    anywhere, each with a scale of its own.
    """
    quantity = QUANTITIES.get(point.quantity)
    if profile is None or quantity is None or quantity.carrier != "electricity":
        return False
    if profile.transport == "file":
        return point.kind == "counter"
    return any(found.quantity == point.quantity and found.ratio in _SHARE[name] for found in profile.points)


def _differing(device: Device, points: Sequence[Point], name: Name) -> Iterator[str]:
    """Compare each point with the one that says most, and tell the first moment at which they differ."""
    if not any(point.episodes for point in points):
        return
    first = max(points, key=lambda point: len(point.episodes))
    for point in points:
        moments = sorted({episode.at for episode in (*first.episodes, *point.episodes)})
        for moment in moments:
            here, there = _ratio(point, name, moment), _ratio(first, name, moment)
            if here is not None and there is not None and here != there:
                yield (
                    f"devices[{device.device}].points[{point.quantity}].episodes: {name} {here:g} at"
                    f" {moment.isoformat()}, where {first.quantity} has {there:g}: one meter has one transformer"
                )
                break


def _ratio(point: Point, name: Name, moment: dt.datetime) -> float | None:
    """The ratio at a moment; None before the first episode, 1 where a point has none at all."""
    if not point.episodes:
        return 1.0
    past = [episode for episode in point.episodes if episode.at <= moment]
    ratio: float | None = getattr(max(past, key=lambda episode: episode.at), name) if past else None
    return ratio
