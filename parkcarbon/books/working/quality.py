"""Data completeness with its working: measured of expected meter-hours."""

from collections.abc import Sequence

from parkcarbon.domain.inventory import PointAmount
from parkcarbon.domain.working import Figure, computed

_HOUR_MS = 3_600_000


def completeness_figure(points: Sequence[PointAmount]) -> Figure:
    """Measured time of expected time over the points that carry a flow [%]."""
    counted = [point for point in points if point.flow is not None]
    measured = computed("measured", "sum", "h", *(_hours(point, "measured", point.measured_ms) for point in counted))
    expected = computed("expected", "sum", "h", *(_hours(point, "expected", point.expected_ms) for point in counted))
    share = computed("share", "quotient", "1", measured, expected)
    hundred = Figure("percent", 100.0, "1", source={"kind": "setting", "text": "per cent"})
    return computed(
        "completeness",
        "product",
        "%",
        share,
        hundred,
        label_zh="数据完整率",
        label_en="data completeness",
        rule="6.7",
        notes=("substituted and interpolated hours do not raise it",),
    )


_WHAT_ZH = {"measured": "实测", "expected": "应有"}


def _hours(point: PointAmount, what: str, time_ms: int) -> Figure:
    source = {"kind": "interval", "point": point.point, "intervals": point.intervals}
    zh, en = f"{point.point} {_WHAT_ZH[what]}", f"{point.point}, {what}"
    return Figure(point.point, time_ms / _HOUR_MS, "h", label_zh=zh, label_en=en, source=source)
