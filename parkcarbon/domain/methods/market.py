"""Purchased electricity on the market basis: certificates cover kilowatt-hours, the rest takes the remainder factor.

    co2e = (purchased - covered) x remainder + covered x 0 + void self-use x remainder

References:
    accounting rules 3.14, 3.15 (certificates, then the remainder), 3.16, 5.3 (self-used power whose certificates were
    sold counts at the remainder), 4.3 (a certificate covers electricity alone, once).
"""

from collections.abc import Sequence
from typing import Final

from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.refusal import RefusedError

Json = dict[str, object]

_LISTS: Final = ("used", "pending", "refused")


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


def instruments(cover: Cover, effect: str) -> tuple[Json, ...]:
    """The uses of certificates behind a line.

    Args:
        cover: of the period.
        effect: `covers_purchased` or `void`.
    """
    return tuple(use for use in cover.used if use.get("effect") == effect)


def electricity_document(cover: Cover) -> Json:
    """A cover without its credits, which are no part of an inventory."""
    document = cover.document()
    lists = {name: [item for item in _items(document[name]) if "kg" not in item] for name in _LISTS}
    return {name: value for name, value in document.items() if name != "retired_kg"} | lists


def _items(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def covered_parts(cover: Cover, purchased_micro_kwh: Sequence[int]) -> list[int]:
    """How much of each purchase certificates cover [1e-6 kWh]; nothing of one that a wrong meter shows below zero.

    Raises:
        RefusedError: more is covered than was purchased.
    """
    purchased = sum(purchased_micro_kwh)
    if cover.covered_micro_kwh > max(purchased, 0):
        reason = (
            f"certificates for {cover.covered_micro_kwh / 1e6:g} kWh against {purchased / 1e6:g} kWh of purchases:"
            " they cover purchased electricity alone, never above it"
        )
        raise RefusedError("4.3", reason)
    return share_out(cover.covered_micro_kwh, [max(amount, 0) for amount in purchased_micro_kwh])
