"""Credits: which retired units offset the remaining emissions of a period; they never enter the inventory.

References:
    accounting rules 3.1, 3.2 (offset only what remains), 3.4, 3.5, 4.4-4.6.
"""

from dataclasses import dataclass

from .eligibility import Reason, for_compliance, of_retirement, unconfirmed
from .event import Event
from .lot import Lot

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Retired:
    """What one retirement is good for.

    Attributes:
        nano_kg: offset [1e-9 kgCO2e]; 0 where a rule refuses it or a person is missing.
        reason: the rule that refuses it.
        waiting: why it does not count yet.
    """

    nano_kg: int
    reason: Reason | None = None
    waiting: str | None = None


def retired(lot: Lot, event: Event) -> Retired:
    """What a retirement (or surrender) offsets.

    Args:
        lot: lot of the units.
        event: what was done with them.
    """
    if reason := for_compliance(event) or of_retirement(lot, event):
        return Retired(0, reason=reason)
    if waiting := unconfirmed(event):
        return Retired(0, waiting=waiting)
    return Retired(event.serials.count * (lot.unit_nano_kg or 0))
