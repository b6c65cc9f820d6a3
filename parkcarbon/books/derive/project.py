"""Points of a park document as the calculation takes them; what it does not say of a register, the profile does."""

from collections.abc import Iterator
from dataclasses import dataclass

from parkcarbon.catalog import park as doc
from parkcarbon.catalog.profiles import load_profile, profile_names
from parkcarbon.domain.profile import PointDef
from parkcarbon.domain.quantities import QUANTITIES
from parkcarbon.domain.scan_types import Episode, Limits
from parkcarbon.kit.db import to_ms


@dataclass(frozen=True, slots=True)
class Projected:
    """One point of a document.

    Attributes:
        name: `device/quantity`.
        device: its device in the document.
        point: itself in the document.
        unit: of its amounts.
        carrier: `electricity`, `gas`, `heat` or `none`.
        limits: what is plausible where its episode does not say.
    """

    name: str
    device: doc.Device
    point: doc.Point
    unit: str
    carrier: str
    limits: Limits

    def episodes(self) -> tuple[Episode, ...]:
        """Its episodes as the scan takes them, by time."""
        return tuple(
            Episode(
                at_ms=to_ms(episode.at),
                ratio=episode.ct * episode.pt,
                sign=episode.sign,
                modulus=episode.modulus,
                limit_per_h=episode.limit_per_h,
                end_reading=episode.end_reading,
                start_reading=episode.start_reading,
            )
            for episode in sorted(self.point.episodes, key=lambda episode: episode.at)
        )


def projected(park: doc.Park) -> Iterator[Projected]:
    """Yield every point of a document, in its order."""
    for device in park.devices:
        definitions = _definitions(device.profile)
        for point in device.points:
            yield _projected(device, point, definitions.get(point.quantity))


def _definitions(profile: str) -> dict[str, PointDef]:
    if profile not in profile_names():
        return {}
    return {definition.quantity: definition for definition in load_profile(profile).points}


def _projected(device: doc.Device, point: doc.Point, definition: PointDef | None) -> Projected:
    quantity = QUANTITIES[point.quantity]
    resolution, modulus = point.resolution, point.modulus
    if definition is not None:
        resolution = resolution or definition.resolution
        modulus = modulus or definition.modulus
    limits = Limits(
        round(point.period_s * 1000), point.limit_per_h, resolution, modulus if point.kind == "counter" else None
    )
    return Projected(f"{device.device}/{point.quantity}", device, point, quantity.unit, quantity.carrier, limits)
