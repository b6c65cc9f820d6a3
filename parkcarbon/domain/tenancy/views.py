"""The two views of a park's total. They answer different questions and are different types: they are never added.

*Allocation*: the park's own total, split by a declared rule; a tenant's part is a share of the park's inventory.
*Entity*: what a legal entity would report for itself; parts overlap where one sells to another, and an elimination
table leads back to the park's total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError

Total = Literal["scope1", "scope2_location", "scope2_market", "scope3"]
TOTALS: Final[tuple[Total, ...]] = ("scope1", "scope2_location", "scope2_market", "scope3")

PARK: Final = "_park"
"""The park's own part: common meters, and what no rule gives to a tenant."""
STORAGE: Final = "_storage"
"""What storage takes; it gives back what it can, so only its loss is use."""


@dataclass(frozen=True, slots=True)
class Emission:
    """One line of the park's inventory, as the views take it.

    Attributes:
        total: which total of the inventory it is in; electricity on both bases appears once for each.
        source: name of the line: a point or an activity.
        carrier: `electricity`, `gas`, `heat` or `other`: which rule splits it.
        co2e_nano_kg: [1e-9 kgCO2e].
        tenant: whose it is by itself; None: the park's.
        of_generation: True for own generation that may not be counted at zero.
        amount_micro: amount behind it [1e-6 unit].
        unit: of the amount.
    """

    total: Total
    source: str
    carrier: str
    co2e_nano_kg: int
    tenant: str | None = None
    of_generation: bool = False
    amount_micro: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class AllocatedPart:
    """A tenant's part of one total of the park [1e-9 kgCO2e]."""

    tenant: str
    total: Total
    co2e_nano_kg: int


@dataclass(frozen=True, slots=True)
class EntityPart:
    """What a legal entity reports in one scope for itself [1e-9 kgCO2e]."""

    entity: str
    total: Total
    co2e_nano_kg: int


def sum_of(parts: Iterable[AllocatedPart | EntityPart]) -> int:
    """Sum of parts of one view and one total [1e-9 kgCO2e].

    Raises:
        RefusedError: parts of both views, or of two totals.
    """
    parts = tuple(parts)
    if len({type(part) for part in parts}) > 1:
        raise RefusedError("3.3", "parts of the park's allocated total and of entities' own inventories are not added")
    if len(found := {part.total for part in parts}) > 1:
        raise RefusedError("3.13", f"{' and '.join(sorted(found))} are different totals and are not added here")
    return sum(part.co2e_nano_kg for part in parts)
