"""What storage keeps for itself: loss = charge - discharge - change of the state of charge x capacity.

The loss is load. Discharge carries no emission factor: what was emitted for it was counted when it was charged.

References:
    accounting rules 1.9, 5.6 (losses count as load; no emission on discharge); glossary 储能损耗.
"""

from dataclasses import dataclass

from parkcarbon.domain.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class StorageLoss:
    """The loss of one store over a period [1e-6 kWh].

    Attributes:
        charge_micro: what went in.
        discharge_micro: what came out.
        stored_micro: what is in it at the end less what was at the beginning; None: a state of charge is not known.
    """

    charge_micro: int
    discharge_micro: int
    stored_micro: int | None

    @property
    def loss_micro(self) -> int | None:
        """Counted as load; None where a state of charge is not known. Negative: capacity, gauge or a meter is wrong."""
        if self.stored_micro is None:
            return None
        return self.charge_micro - self.discharge_micro - self.stored_micro

    @property
    def efficiency(self) -> float | None:
        """What came out of what was used up, round trip [1]; None where nothing was or it is not known."""
        if self.stored_micro is None or self.charge_micro - self.stored_micro <= 0:
            return None
        return self.discharge_micro / (self.charge_micro - self.stored_micro)


def storage_loss(
    charge_micro: int,
    discharge_micro: int,
    *,
    soc_from_pct: float | None,
    soc_to_pct: float | None,
    capacity_kwh: float,
) -> StorageLoss:
    """The loss of a store over a period.

    Args:
        charge_micro: energy in [1e-6 kWh].
        discharge_micro: energy out [1e-6 kWh].
        soc_from_pct: state of charge at the beginning [%]; None: not known.
        soc_to_pct: at the end [%].
        capacity_kwh: what it holds between 0 and 100 % [kWh].

    Raises:
        RefusedError: negative energy, no capacity, or a state of charge outside 0 to 100 %.

    >>> storage_loss(250_000_000, 220_000_000, soc_from_pct=20, soc_to_pct=22, capacity_kwh=500).loss_micro
    20000000
    """
    for name, micro in (("charge", charge_micro), ("discharge", discharge_micro)):
        if micro < 0:
            raise RefusedError("5.6", f"{name} of {micro / 1e6:g} kWh is negative")
    if not capacity_kwh > 0:
        raise RefusedError("6.10", f"a store of {capacity_kwh:g} kWh holds nothing")
    for soc in (soc_from_pct, soc_to_pct):
        if soc is not None and not 0 <= soc <= 100:
            raise RefusedError("6.10", f"a state of charge of {soc:g} % is outside 0 to 100 %")
    stored = None
    if soc_from_pct is not None and soc_to_pct is not None:
        stored = round((soc_to_pct - soc_from_pct) / 100 * capacity_kwh * 1e6)
    return StorageLoss(charge_micro, discharge_micro, stored)
