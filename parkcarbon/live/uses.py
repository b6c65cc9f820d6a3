"""Which points emit, and which are a tenant's use."""

from typing import Final

from parkcarbon.domain.submeters import weights

from .model import ParkModel, PointInfo

_EMITTING: Final = {"electricity": "import", "gas": "fuel", "heat": "heat"}


def emitting_points(model: ParkModel) -> list[PointInfo]:
    """Points whose emissions count in the park's total."""
    return [point for point in model.metered() if point.flow == _EMITTING.get(point.carrier)]


def use_of(model: ParkModel, tenant: str) -> list[tuple[PointInfo, int]]:
    """Electricity of a tenant: his outermost sub-meters, less what others are metered for below them, with signs."""
    meters = model.metered("electricity", "sub_meter")
    entering = weights(meters, lambda point: point.tenant == tenant)
    return [(p, entering[p.point] * direction(p)) for p in meters if p.point in entering]


def direction(point: PointInfo) -> int:
    """A sub-meter's export register counts what the tenant gives back."""
    return -1 if point.flow == "sub_meter" and point.quantity.endswith("_export") else 1
