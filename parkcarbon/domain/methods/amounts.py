"""Amounts of metered points over a period, and the energy balance, completeness and data states that follow from them.

References:
    accounting rules 5.6 (metering identity), 6.7 (data states and completeness).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from parkcarbon.domain.calorific import CalorificMean
from parkcarbon.domain.reading import Method
from parkcarbon.domain.submeters import outermost

Json = dict[str, object]

_BALANCE: Final = frozenset({"import", "export", "generation", "charge", "discharge"})
_MISSING_TOLD: Final = 1e-4  # of a running month the newest seconds are always on their way


@dataclass(frozen=True, slots=True)
class PointAmount:
    """What one point amounts to in the period, summed from its intervals.

    Attributes:
        point: name, `device/quantity`.
        flow: what it means for the balance; None: nothing.
        carrier: `electricity`, `gas`, `heat` or `none`.
        unit: unit of the amount.
        amount_micro: amount [1e-6 unit].
        co2e_nano_kg: stored location-based CO2e of its intervals [1e-9 kg]; None where any interval has none.
        intervals: number of intervals behind the sums.
        measured_ms: time that is measured [ms].
        expected_ms: time the point should cover: the period so far [ms].
        suspect_ms: time in suspect intervals [ms].
        method_ms: known and missing time by `Method` [ms]; the rest of `expected_ms` is missing.
        tenant: whose meter it is; None: the park's.
        calorific: of gas by volume, the mean of a series of calorific values over its intervals; None: no series is
            declared, or it has no values.
        below: of a sub-meter, the nearest sub-meter upstream; None: it stands below the gate alone.
    """

    point: str
    flow: str | None
    carrier: str
    unit: str
    amount_micro: int
    co2e_nano_kg: int | None = None
    intervals: int = 0
    measured_ms: int = 0
    expected_ms: int = 0
    suspect_ms: int = 0
    method_ms: Mapping[Method, int] = field(default_factory=dict)
    tenant: str | None = None
    calorific: CalorificMean | None = None
    below: str | None = None

    @property
    def amount(self) -> float:
        """Amount [unit]."""
        return self.amount_micro / 1e6

    @property
    def known(self) -> bool:
        """False where nothing at all is known of the period; its amount is then not zero but unknown."""
        if self.amount_micro or self.measured_ms:
            return True
        return any(time_ms for method, time_ms in self.method_ms.items() if method is not Method.MISSING)


def energy_balance(points: Sequence[PointAmount]) -> Json:
    """Energy of the period by flow; None where no point carries the flow, or nothing is known of those that do.

    load = import + generation + discharge - charge - export; unmetered = load - sum of sub-meters, both in kWh. Of
    sub-meters that stand below one another the outermost count.
    """
    power = {flow: flow_micro(points, flow) for flow in ("import", "export", "generation", "charge", "discharge")}
    balanced = [point for point in points if point.carrier == "electricity" and point.flow in _BALANCE]
    whole = bool(balanced) and all(point.known for point in balanced)
    supplied = power["import"] is not None or power["generation"] is not None
    load = load_of(power) if whole and supplied else None
    metered = flow_micro(outermost([point for point in points if _is_sub_meter(point)]), "sub_meter")
    return {
        "grid_import_kwh": _kwh(power["import"]),
        "grid_export_kwh": _kwh(power["export"]),
        "generation_kwh": _kwh(power["generation"]),
        "charge_kwh": _kwh(power["charge"]),
        "discharge_kwh": _kwh(power["discharge"]),
        "load_kwh": _kwh(load),
        "unmetered_kwh": None if load is None or metered is None else (load - metered) / 1e6,
        "gas": _by_unit(points, "gas", "fuel"),
        "heat": _by_unit(points, "heat", "heat"),
    }


def _is_sub_meter(point: PointAmount) -> bool:
    return (point.carrier, point.flow) == ("electricity", "sub_meter")


def load_of(power: Mapping[str, int | None]) -> int:
    """Load = import + generation + discharge - charge - export; a flow the park does not have counts nothing."""
    known = {flow: amount or 0 for flow, amount in power.items()}
    return known["import"] + known["generation"] + known["discharge"] - known["charge"] - known["export"]


def completeness_pct(points: Sequence[PointAmount]) -> float | None:
    """Measured time of expected time, over the points given [%]; None where nothing is expected."""
    expected = sum(point.expected_ms for point in points)
    return 100 * sum(point.measured_ms for point in points) / expected if expected else None


def state_shares(points: Sequence[PointAmount]) -> dict[str, float]:
    """Share of the expected time by data state; the shares sum to 1, what no interval covers is missing."""
    expected = sum(point.expected_ms for point in points)
    if not expected:
        return {}
    spent = {method: sum(point.method_ms.get(method, 0) for point in points) for method in Method}
    spent[Method.MISSING] += max(expected - sum(spent.values()), 0)
    whole = sum(spent.values())
    return {method.name.lower(): time_ms / whole for method, time_ms in spent.items()}


def flow_micro(points: Sequence[PointAmount], flow: str) -> int | None:
    """Electricity of one flow [1e-6 kWh], exact; None where nothing is known of it."""
    amounts = [
        point.amount_micro for point in points if point.carrier == "electricity" and point.flow == flow and point.known
    ]
    return sum(amounts) if amounts else None


def _kwh(micro: int | None) -> float | None:
    return None if micro is None else micro / 1e6


def _by_unit(points: Sequence[PointAmount], carrier: str, flow: str) -> dict[str, float]:
    """Amounts of a carrier, one sum per unit."""
    sums: dict[str, int] = {}
    for point in points:
        if (point.carrier, point.flow) == (carrier, flow) and point.known:
            sums[point.unit] = sums.get(point.unit, 0) + point.amount_micro
    return {unit: micro / 1e6 for unit, micro in sums.items()}


def flow_warnings(points: Sequence[PointAmount]) -> list[str]:
    """What a reader should know of the period, in sentences."""
    warnings = []
    exported = flow_micro(points, "export")
    if exported:
        warnings.append(f"{exported / 1e6:g} kWh exported are not netted against purchases")
    missing = state_shares(points).get(Method.MISSING.name.lower(), 0.0)
    if missing > _MISSING_TOLD:
        warnings.append(f"{100 * missing:.3g} % of the metered time is missing: the amounts are too low")
    if any(point.suspect_ms for point in points):
        warnings.append("some amounts are suspect; they are counted as recorded")
    return warnings
