"""A Monte Carlo of the same model as `propagation`: a check of its arithmetic that does not share its formulas.

Every cause is drawn once a trial, every interval of a scatter on its own; a line is multiplied by the product of
(1 + error) of its causes, so second-order effects are in. Normal errors: half-width = 1.96 σ. With `rectangular` errors
the same limits are hard bounds, which shows how much the choice matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from parkcarbon.domain.readings import FloatArray

from .propagation import Scatter, Term

Shape = Literal["normal", "rectangular"]

Z_95: Final = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

_CHUNK: Final = 4096
_EXPLICIT_INTERVALS: Final = 256
"""More intervals than this are drawn as blocks of equal size: the sum of independent normals is normal."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the trials gave.

    Attributes:
        mean: of the sum [unit of the terms].
        half_width: half the distance between the 2.5 % and 97.5 % quantiles [unit of the terms].
        draws: number of trials.
        seed: of the generator.
        shape: distribution of a single error.
    """

    mean: float
    half_width: float
    draws: int
    seed: int
    shape: Shape

    @property
    def pct(self) -> float | None:
        """Half-width as a share of the mean [%]; None where the mean is zero."""
        return 100 * self.half_width / abs(self.mean) if self.mean else None


def simulate(terms: Sequence[Term], *, draws: int, seed: int, shape: Shape = "normal") -> Simulated:
    """Draw the sum of the terms many times.

    Args:
        terms: as given to `propagation.combine`.
        draws: number of trials.
        seed: of the generator; the same seed gives the same result.
        shape: distribution of a single error.
    """
    generator = np.random.default_rng(seed)
    keys = sorted({cause.key for term in terms for cause in term.causes})
    column = {key: number for number, key in enumerate(keys)}
    totals = np.concatenate(
        [_trials(terms, column, generator, min(_CHUNK, draws - start), shape) for start in range(0, draws, _CHUNK)]
    )
    low, high = np.quantile(totals, (0.025, 0.975))
    return Simulated(float(totals.mean()), float(high - low) / 2, draws, seed, shape)


def _trials(
    terms: Sequence[Term], column: dict[str, int], generator: np.random.Generator, count: int, shape: Shape
) -> FloatArray:
    errors = _unit_errors(generator, (count, max(len(column), 1)), shape)
    total = np.zeros(count)
    for term in terms:
        value = np.full(count, term.value)
        for cause in term.causes:
            value *= 1 + cause.limit.half_width * errors[:, column[cause.key]]
        for scatter in term.scatter:
            value += _scattered(scatter, generator, count, shape)
        total += value
    return total


def _scattered(scatter: Scatter, generator: np.random.Generator, count: int, shape: Shape) -> FloatArray:
    """Sum of the errors of single intervals, one row a trial."""
    blocks = min(scatter.count, _EXPLICIT_INTERVALS)
    summed: FloatArray = np.zeros(count)
    if not blocks:
        return summed
    per_block = scatter.half_width * np.sqrt(scatter.count / blocks)
    for row in range(0, blocks, 64):
        width = min(64, blocks - row)
        summed += per_block * _unit_errors(generator, (count, width), shape).sum(axis=1)
    return summed


def _unit_errors(generator: np.random.Generator, size: tuple[int, int], shape: Shape) -> FloatArray:
    """Errors in units of the half-width."""
    if shape == "normal":
        return generator.standard_normal(size) / Z_95
    return generator.uniform(-1.0, 1.0, size)
