"""Purchased electricity on the market basis: certificates cover kilowatt-hours, the rest takes the remainder factor.

    co2e = (purchased - covered) x remainder + covered x 0 + void self-use x remainder

References:
    accounting rules 3.14, 3.15 (certificates, then the remainder), 3.16, 5.3 (self-used power whose certificates were
    sold counts at the remainder), 4.3 (a certificate covers electricity alone, once).
"""

from collections.abc import Sequence

from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.refusal import RefusedError


def share_out(whole: int, weights: Sequence[int]) -> list[int]:
    """Split a whole in proportion to weights: integers that add up to it exactly, by the largest remainder.

    >>> share_out(10, [1, 1, 1])
    [4, 3, 3]

    Args:
        whole: what is split, >= 0.
        weights: >= 0; ties go to the earlier one.
    """
    total = sum(weights)
    if not total:
        return [0 for _ in weights]
    parts = [whole * weight // total for weight in weights]
    left = whole - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(whole * weights[at] % total), at))
    for at in by_remainder[:left]:
        parts[at] += 1
    return parts


def covered_parts(cover: Cover, purchased_micro_kwh: Sequence[int]) -> list[int]:
    """How much of each purchase certificates cover [1e-6 kWh].

    Raises:
        RefusedError: more is covered than was purchased.
    """
    purchased = sum(purchased_micro_kwh)
    if cover.covered_micro_kwh > purchased:
        reason = (
            f"certificates for {cover.covered_micro_kwh / 1e6:g} kWh against {purchased / 1e6:g} kWh of purchases:"
            " they cover purchased electricity alone, never above it"
        )
        raise RefusedError("4.3", reason)
    return share_out(cover.covered_micro_kwh, purchased_micro_kwh)
