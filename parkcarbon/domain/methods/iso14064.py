"""The inventory by the categories of ISO 14064-1: the same lines as `ghgp`, in another order.

References:
    ISO 14064-1:2018, 5.2.4 and annex B: 1 direct; 2 imported energy; 3 transportation; 4 products used; 5 use of
    products; 6 other. Accounting rules 3.8 (by gas and scope, exclusions with reasons).
"""

from dataclasses import dataclass
from typing import Final

from parkcarbon.domain.emissions import Basis
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.methods.lines import Json, Line, by_gas, kilograms

NAMES: Final = {
    1: ("直接温室气体排放", "direct emissions"),
    2: ("输入能源的间接排放", "indirect emissions from imported energy"),
    3: ("运输的间接排放", "indirect emissions from transportation"),
    4: ("组织使用产品的间接排放", "indirect emissions from products used by the organisation"),
    5: ("使用组织产品的间接排放", "indirect emissions from the use of products of the organisation"),
    6: ("其他来源的间接排放", "indirect emissions from other sources"),
}
"""The six categories in both languages."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its lines, and whether anything is known of it."""

    number: int
    lines: tuple[Line, ...]

    @property
    def co2e_nano_kg(self) -> int | None:
        """Its sum [1e-9 kgCO2e]; None: nothing is known of it, which is not zero."""
        return sum(line.co2e_nano_kg for line in self.lines) if self.lines else None

    def document(self) -> Json:
        """As the API gives it."""
        zh, en = NAMES[self.number]
        return {
            "category": self.number,
            "name": {"zh": zh, "en": en},
            "co2e_kg": kilograms(self.co2e_nano_kg),
            "by_gas_kg_co2e": {gas: nano / 1e9 for gas, nano in by_gas(self.lines).items()},
            "biogenic_co2_kg": sum(line.biogenic_nano_kg for line in self.lines) / 1e9,
            "lines": [line.document() for line in self.lines],
        }


@dataclass(frozen=True, slots=True)
class ByCategory:
    """An inventory by category, on one basis of imported electricity."""

    inventory: Inventory
    basis: Basis
    categories: tuple[Category, ...]

    def document(self) -> Json:
        """As the API gives it."""
        return {
            "park": self.inventory.park,
            "period": self.inventory.period,
            "method_profile": "ghgp",
            "method_version": self.inventory.method_version,
            "view": "ISO 14064-1:2018",
            "basis": self.basis,
            "known_on": self.inventory.known_on,
            "gwp_set": self.inventory.gwp_set,
            "categories": [category.document() for category in self.categories],
            "not_in_total": list(self.inventory.not_in_total),
            "beside": list(self.inventory.beside),
        }


def by_category(inventory: Inventory, basis: Basis) -> ByCategory:
    """Put the lines of an inventory into the six categories.

    Args:
        inventory: on profile `ghgp`.
        basis: of imported electricity; the other one belongs beside it.
    """
    lines = (*inventory.lines(basis), *inventory.scope3.lines)
    categories = tuple(Category(number, tuple(line for line in lines if line.category == number)) for number in NAMES)
    return ByCategory(inventory, basis, categories)
