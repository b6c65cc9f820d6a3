"""Data quality of a period: shares by data state, by quantity and by time, and completeness.

    completeness = measured meter-hours / expected meter-hours

Substituted, estimated and manual hours do not raise it. Each carrier has its own; shares by quantity are within one
unit. The threshold is a setting of the product, no rule of law.

References:
    accounting rule 6.7; glossary 31, 32.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from parkcarbon.domain.reading import Method

HOUR_MS = 3_600_000
COMPLETE_PCT = 95.0
"""Completeness from which data count as complete: a product setting."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class PointStates:
    """One point in one period, by data state.

    Attributes:
        point: name.
        carrier: of the amount.
        unit: of the amount.
        flow: meaning in the balance.
        amount_micro: amount by state [1e-6 unit].
        known_ms: time by state [ms]; what is missing of `expected_ms` is missing.
        measured_ms: measured time [ms].
        expected_ms: time the point should cover [ms].
        suspect_ms: time in suspect intervals [ms].
    """

    point: str
    carrier: str
    unit: str
    flow: str | None
    amount_micro: Mapping[Method, int]
    known_ms: Mapping[Method, int]
    measured_ms: int
    expected_ms: int
    suspect_ms: int = 0

    @property
    def completeness_pct(self) -> float | None:
        """Measured of expected time [%]."""
        return 100 * self.measured_ms / self.expected_ms if self.expected_ms else None


@dataclass(frozen=True)
class CarrierQuality:
    """Quality of all flows of one carrier and unit."""

    carrier: str
    unit: str
    points: tuple[PointStates, ...]

    @property
    def completeness_pct(self) -> float | None:
        """Measured of expected meter-hours [%]; None where nothing is expected."""
        expected = sum(point.expected_ms for point in self.points)
        return 100 * sum(point.measured_ms for point in self.points) / expected if expected else None

    def by_time(self) -> dict[str, float]:
        """Share of the expected time by state; sums to 1."""
        expected = sum(point.expected_ms for point in self.points)
        spent = {method: sum(point.known_ms.get(method, 0) for point in self.points) for method in Method}
        spent[Method.MISSING] += max(expected - sum(spent.values()), 0)
        return _shares(spent)

    def by_quantity(self) -> dict[str, float]:
        """Share of the known quantity by state; what is missing has none. Sums to 1."""
        return _shares({m: sum(abs(point.amount_micro.get(m, 0)) for point in self.points) for m in Method})


@dataclass(frozen=True)
class Quality:
    """Data quality of a park in a period."""

    carriers: tuple[CarrierQuality, ...]
    complete_pct: float = COMPLETE_PCT
    incomplete: tuple[str, ...] = field(default=())

    @property
    def completeness_pct(self) -> float | None:
        """Over all carriers [%]: meter-hours of different carriers add up, amounts do not."""
        expected = sum(point.expected_ms for carrier in self.carriers for point in carrier.points)
        measured = sum(point.measured_ms for carrier in self.carriers for point in carrier.points)
        return 100 * measured / expected if expected else None

    @property
    def complete(self) -> bool | None:
        """Tested on the unrounded share; None where nothing is expected."""
        share = self.completeness_pct
        return None if share is None else share >= self.complete_pct

    def document(self) -> Json:
        """Plain JSON."""
        return {
            "completeness_pct": self.completeness_pct,
            "threshold_pct": self.complete_pct,
            "complete": self.complete,
            "incomplete": list(self.incomplete),
            "carriers": [_carrier_document(carrier) for carrier in self.carriers],
        }


def quality(points: Iterable[PointStates], *, complete_pct: float = COMPLETE_PCT) -> Quality:
    """Quality by carrier and unit.

    Args:
        points: those with a flow.
        complete_pct: threshold of completeness [%].
    """
    groups: dict[tuple[str, str], list[PointStates]] = {}
    for point in sorted(points, key=lambda item: item.point):
        groups.setdefault((point.carrier, point.unit), []).append(point)
    carriers = tuple(CarrierQuality(carrier, unit, tuple(found)) for (carrier, unit), found in sorted(groups.items()))
    incomplete = [
        point.point
        for carrier in carriers
        for point in carrier.points
        if point.completeness_pct is not None and point.completeness_pct < complete_pct
    ]
    return Quality(carriers, complete_pct, tuple(incomplete))


def _carrier_document(carrier: CarrierQuality) -> Json:
    return {
        "carrier": carrier.carrier,
        "unit": carrier.unit,
        "completeness_pct": carrier.completeness_pct,
        "states_by_time": carrier.by_time(),
        "states_by_quantity": carrier.by_quantity(),
        "points": [
            {
                "point": point.point,
                "flow": point.flow,
                "completeness_pct": point.completeness_pct,
                "hours_expected": point.expected_ms / HOUR_MS,
                "hours_measured": point.measured_ms / HOUR_MS,
                "hours_suspect": point.suspect_ms / HOUR_MS,
            }
            for point in carrier.points
        ],
    }


def _shares(spent: Mapping[Method, int]) -> dict[str, float]:
    whole = sum(spent.values())
    return {method.name.lower(): value / whole for method, value in spent.items()} if whole else {}
