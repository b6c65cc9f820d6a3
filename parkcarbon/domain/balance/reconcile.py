"""Gate meter against sub-meters against the bill, on the bill's own dates. Differences are shown, not smoothed.

References:
    accounting rule 6.11 (differences above the combined meter error are shown); 6.6 (independent errors in quadrature).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: `gate`, `sub_meters`, `bill`, …
        amount_micro: [1e-6 of the unit]; None: not known, or only in part.
        error_micro: half-width of its 95 % interval [1e-6 of the unit].
        missing_h: hours that are not known.
    """

    name: str
    amount_micro: int | None
    error_micro: float = 0.0
    missing_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides and what lies between them.

    Attributes:
        left: one side.
        right: the other.
        allowed_micro: low and high end of what the difference may be without any error, for example the band of the
            unmetered part; 0 and 0 where both measure the same.
    """

    left: Side
    right: Side
    allowed_micro: tuple[float, float] = (0.0, 0.0)

    @property
    def amount_micro(self) -> int | None:
        """Left less right; None where either is not known."""
        if self.left.amount_micro is None or self.right.amount_micro is None:
            return None
        return self.left.amount_micro - self.right.amount_micro

    @property
    def error_micro(self) -> float:
        """Combined error of both sides."""
        return math.hypot(self.left.error_micro, self.right.error_micro)

    @property
    def beyond_error(self) -> bool | None:
        """True when the difference is outside what is allowed by more than the meters may err; None: not known."""
        amount = self.amount_micro
        if amount is None:
            return None
        low, high = self.allowed_micro
        return amount < low - self.error_micro or amount > high + self.error_micro

    @property
    def percent(self) -> float | None:
        """Of the right side [%]."""
        amount = self.amount_micro
        return None if amount is None or not self.right.amount_micro else 100 * amount / self.right.amount_micro


def combined_error(parts: Sequence[tuple[float, int]]) -> float:
    """Error of a sum of independent meters [1e-6 unit]: (half-width as a fraction, amount [1e-6 unit]) each.

    >>> combined_error([(0.005, 3_000_000), (0.005, 4_000_000)])
    25000.0
    """
    return math.sqrt(math.fsum((half_width * amount) ** 2 for half_width, amount in parts))
