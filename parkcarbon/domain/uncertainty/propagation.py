"""Propagation of uncertainty through sums of products: what shares a draw adds linearly, what does not in quadrature.

    X = Σ x_i                               x_i is a product of an amount and factors
    U_k = |Σ_i x_i·u_ik|                    one cause k (a meter, a transformer, a factor): one draw wherever it acts
    U_j = √n_j·h_j                          n_j intervals with errors of their own, each ±h_j
    U = √(Σ_k U_k² + Σ_j U_j²)

All half-widths are at 95 %. To first order: a factor of ±50 % on a tenth of a sum is exact to a few per cent of itself,
which the Monte Carlo of this package measures.

References:
    IPCC 2006 Vol. 1 ch. 3, eq. 3.1 and 3.2; accounting rule 6.6: the same factor behind several meters is correlated
    and added linearly.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .limits import Limit

COVERAGE_PCT: Final = 95

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cause:
    """What may be wrong by one draw: the same key is the same draw, in whatever line it stands.

    Attributes:
        key: identity of the draw, for example `meter:gate@2025-01-01` or `factor:CN-2023-JS`.
        kind: `meter`, `ct`, `factor`, `state` or `entered`.
        limit: how wrong.
    """

    key: str
    kind: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Scatter:
    """Errors of single intervals, each a draw of its own.

    Attributes:
        kind: `resolution` or `interpolation`.
        half_width: of one interval [unit of the term].
        count: number of intervals.
        assumed: True when the half-width was not read in a source.
    """

    kind: str
    half_width: float
    count: int
    assumed: bool = False

    @property
    def total(self) -> float:
        """Half-width of the sum of all intervals [unit of the term]."""
        return self.half_width * math.sqrt(self.count)


@dataclass(frozen=True, slots=True)
class Term:
    """One addend and what may be wrong with it; a cause that acts twice on a product stands there twice."""

    name: str
    value: float
    causes: tuple[Cause, ...] = ()
    scatter: tuple[Scatter, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one cause contributes to the whole [unit of the terms]."""

    key: str
    kind: str
    half_width: float
    assumed: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Combined:
    """A sum with its uncertainty.

    Attributes:
        value: the sum [unit of the terms].
        half_width: of the 95 % interval [unit of the terms].
        parts: by contribution, largest first.
    """

    value: float
    half_width: float
    parts: tuple[Part, ...]

    @property
    def pct(self) -> float | None:
        """Half-width as a share of the value [%]; None where the value is zero."""
        return 100 * self.half_width / abs(self.value) if self.value else None

    @property
    def assumed(self) -> bool:
        """True when any contribution rests on an assumed limit."""
        return any(part.assumed and part.half_width > 0 for part in self.parts)

    @property
    def assumed_share(self) -> float:
        """Part of the variance that rests on assumed limits, in [0, 1]."""
        whole = sum(part.half_width**2 for part in self.parts)
        return sum(part.half_width**2 for part in self.parts if part.assumed) / whole if whole else 0.0


def combine(terms: Iterable[Term]) -> Combined:
    """Sum the terms and propagate what may be wrong with them.

    >>> meter = Cause("meter:gate@1", "meter", Limit(0.005, False, "class 0.5"))
    >>> round(combine([Term(str(i), 10.0, (meter,)) for i in range(1000)]).pct, 9)
    0.5
    """
    chosen = tuple(terms)
    linear: dict[str, float] = {}
    causes: dict[str, Cause] = {}
    parts: list[Part] = []
    for term in chosen:
        for cause in term.causes:
            linear[cause.key] = linear.get(cause.key, 0.0) + term.value * cause.limit.half_width
            causes.setdefault(cause.key, cause)
        parts += [
            Part(f"{scatter.kind}:{term.name}", scatter.kind, scatter.total, scatter.assumed)
            for scatter in term.scatter
        ]
    parts += [
        Part(key, causes[key].kind, abs(effect), causes[key].limit.assumed, causes[key].limit.source)
        for key, effect in linear.items()
    ]
    half_width = math.sqrt(math.fsum(part.half_width**2 for part in parts))
    ordered = sorted(parts, key=lambda part: (-part.half_width, part.key))
    return Combined(math.fsum(term.value for term in chosen), half_width, tuple(ordered))
