"""Allowances of one obligated enterprise on its own boundary; never of a park, and never an offset.

References:
    accounting rules 4.5 (CCER for at most 5 % of the obligation), 4.7 (surplus = allocation −
    verified emissions, less a carried deficit).
"""

from dataclasses import dataclass
from typing import Final

from parkcarbon.domain.refusal import RefusedError

CCER_SHARE: Final = (5, 100)
"""CCER may serve at most this share of the obligation; rule 4.5."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where an enterprise stands in a compliance year. Masses in 1e-9 kgCO2e, exact.

    Attributes:
        enterprise: tenant id of the obligated enterprise.
        year: compliance year.
        allocated: allowances allocated.
        carried: allowances carried over from before; below zero: a deficit.
        obligation: verified emissions on the enterprise's own boundary; None: not verified yet.
        ccer: CCER surrendered for it.
    """

    enterprise: str
    year: int
    allocated: int | None
    carried: int
    obligation: int | None
    ccer: int

    @property
    def ccer_limit(self) -> int | None:
        """Most that CCER may serve; None: the obligation is not known."""
        if self.obligation is None:
            return None
        return self.obligation * CCER_SHARE[0] // CCER_SHARE[1]

    @property
    def ccer_counted(self) -> int | None:
        """CCER that count."""
        return None if self.ccer_limit is None else min(self.ccer, self.ccer_limit)

    @property
    def balance(self) -> int | None:
        """Allocation + carried − obligation; above zero a surplus, below a deficit."""
        if self.allocated is None or self.obligation is None:
            return None
        return self.allocated + self.carried - self.obligation

    @property
    def to_buy(self) -> int | None:
        """Allowances still to be bought after the CCER that count."""
        if self.balance is None or self.ccer_counted is None:
            return None
        return max(-self.balance - self.ccer_counted, 0)

    def document(self) -> Json:
        """Plain JSON, masses in kg."""
        return {
            "enterprise": self.enterprise,
            "year": self.year,
            "allocated_kg": _kg(self.allocated),
            "carried_kg": _kg(self.carried),
            "obligation_kg": _kg(self.obligation),
            "balance_kg": _kg(self.balance),
            "ccer_surrendered_kg": _kg(self.ccer),
            "ccer_limit_kg": _kg(self.ccer_limit),
            "ccer_counted_kg": _kg(self.ccer_counted),
            "to_buy_kg": _kg(self.to_buy),
            "notes": ["allowances lower no inventory and offset nothing (rule 4.7)"],
        }


def allowance_view(
    enterprise: str | None,
    year: int,
    *,
    allocated: int | None,
    carried: int,
    obligation: int | None,
    ccer: int,
) -> Allowance:
    """Where an obligated enterprise stands.

    Args:
        enterprise: tenant id.
        year: compliance year.
        allocated: allowances [1e-9 kgCO2e]; None: not known.
        carried: from before [1e-9 kgCO2e], below zero a deficit.
        obligation: verified emissions [1e-9 kgCO2e]; None: not known.
        ccer: surrendered [1e-9 kgCO2e].

    Raises:
        RefusedError: for a park, or a mass that is negative.
    """
    if not enterprise:
        raise RefusedError("4.7", "allowances belong to an obligated enterprise on its own boundary, never to the park")
    for what, mass in (("allocation", allocated), ("obligation", obligation), ("CCER", ccer)):
        if mass is not None and mass < 0:
            raise RefusedError("4.7", f"{what} of {mass / 1e12:g} t is negative")
    return Allowance(enterprise, year, allocated, carried, obligation, ccer)


def refuse_ccer_above(obligation: int | None, surrendered: int, more: int) -> None:
    """Refuse CCER above 5 % of the obligation.

    Raises:
        RefusedError: it would be above, or the obligation is not known.
    """
    if obligation is None:
        raise RefusedError("4.5", "the obligation of the year is not entered: 5 % of it is not known")
    limit = obligation * CCER_SHARE[0] // CCER_SHARE[1]
    if surrendered + more > limit:
        raise RefusedError(
            "4.5", f"{(surrendered + more) / 1e12:g} t of CCER are above 5 % of the obligation, {limit / 1e12:g} t"
        )


def _kg(nano: int | None) -> float | None:
    return None if nano is None else nano / 1e9
