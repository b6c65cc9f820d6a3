"""What cancelled instruments do to the inventory of a period; `cover_period` of this package computes it."""

from dataclasses import dataclass

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cover:
    """The effect of instruments on one period and boundary. Amounts are integers, exact.

    Attributes:
        covered_micro_kwh: purchased electricity that cancelled certificates cover [1e-6 kWh]; zero rate in the
            market-based method; never more than was purchased.
        void_micro_kwh: self-used own generation whose certificates were sold [1e-6 kWh]; counted at the remainder
            factor in the market-based method, never at zero.
        retired_nano_kg: credits retired for this period [1e-9 kgCO2e]; never part of the inventory.
        used: one document a use: lot, serials, kWh or kg, rule.
        pending: lots that would count once cancelled or retired for this period, and why they do not yet.
        refused: lots that do not count, with the rule's number and the reason.
    """

    covered_micro_kwh: int = 0
    void_micro_kwh: int = 0
    retired_nano_kg: int = 0
    used: tuple[Json, ...] = ()
    pending: tuple[Json, ...] = ()
    refused: tuple[Json, ...] = ()


NO_COVER = Cover()
