"""Avoided emissions: a comparison with what would have happened. Never part of an inventory, never subtracted from one.

    EF_CM = w_OM x OM + w_BM x BM
    avoided = energy x EF_CM

References:
    accounting rules 5.2 (exports are not netted), 5.4 (combined margin; no published value was found, so both margins
    are asked for), 5.5 (its own page, never in the neutrality arithmetic). The weights usual for wind and solar,
    0.75 and 0.25, are recalled from CDM TOOL07: an entered value, not a default.
"""

from dataclasses import dataclass

from .refusal import RefusedError
from .working import Figure, computed


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedMargin:
    """Margins of a grid as somebody entered them.

    Attributes:
        operating_kg_per_kwh: operating margin, OM [kgCO2/kWh].
        build_kg_per_kwh: build margin, BM [kgCO2/kWh].
        operating_weight: w_OM, in [0, 1]; w_BM is the rest.
        source: where the margins were read.
    """

    operating_kg_per_kwh: float | None
    build_kg_per_kwh: float | None
    operating_weight: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Avoided:
    """An amount that no inventory takes: it has no scope, and `subtract_from` refuses."""

    figure: Figure

    def subtract_from(self, inventory_nano_kg: int) -> int:
        """Refuse.

        Raises:
            RefusedError: always; rule 5.5.
        """
        raise RefusedError(
            "5.5",
            f"{self.figure.value} kgCO2 avoided is a comparison with a counterfactual;"
            f" it cannot lower an inventory of {inventory_nano_kg / 1e9:g} kg",
        )


def avoided(energy_micro_kwh: int, margin: CombinedMargin) -> Avoided:
    """Avoided emissions of exported or generated electricity.

    Args:
        energy_micro_kwh: electricity [1e-6 kWh], not negative.
        margin: of the grid it went to.

    Raises:
        RefusedError: rule 5.4, a margin, a weight or the source is missing; negative energy.

    >>> margin = CombinedMargin(operating_kg_per_kwh=1.0, build_kg_per_kwh=0.5, operating_weight=0.5, source="letter")
    >>> avoided(1_000_000_000, margin).figure.value
    750.0
    """
    if energy_micro_kwh < 0:
        raise RefusedError("", f"{energy_micro_kwh / 1e6:g} kWh avoided: the amount is negative")
    operating, build, weight = margin.operating_kg_per_kwh, margin.build_kg_per_kwh, margin.operating_weight
    if operating is None or build is None or weight is None or not margin.source.strip():
        raise RefusedError(
            "5.4", "operating margin, build margin, weight and source are all needed; none has a default"
        )
    if operating < 0 or build < 0 or not 0 <= weight <= 1:
        raise RefusedError("5.4", f"margins {operating}, {build} and weight {weight} are not possible")
    source = {"kind": "setting", "source": margin.source}

    def leaf(name: str, value: float, unit: str) -> Figure:
        return Figure(name, value, unit, source=source)

    om, bm = leaf("operating_margin", operating, "kgCO2/kWh"), leaf("build_margin", build, "kgCO2/kWh")
    w_om, w_bm = leaf("operating_weight", weight, "1"), leaf("build_weight", 1 - weight, "1")
    factor = computed(
        "combined_margin",
        "sum",
        "kgCO2/kWh",
        computed("operating_part", "product", "kgCO2/kWh", w_om, om),
        computed("build_part", "product", "kgCO2/kWh", w_bm, bm),
        rule="5.4",
    )
    energy = Figure("energy", energy_micro_kwh / 1e6, "kWh")
    figure = computed(
        "avoided_emissions",
        "product",
        "kgCO2",
        energy,
        factor,
        label_en="Avoided emissions (outside the sum)",
        label_zh="避免排放（不计入）",
        rule="5.5",
    )
    return Avoided(figure)
