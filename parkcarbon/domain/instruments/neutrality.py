"""The neutral test, and the verdict of a month: every condition at once, on exact integers, with all reasons.

References:
    accounting rules 3.4, 3.7 (coverage, reduction after the first period), 3.9 (a month is provisional), 3.11 (the
    test), 3.12 (surplus), 6.8 (display rounding decides nothing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .eligibility import Reason

Word = Literal["neutral", "covered_to_date", "partly_covered", "not_covered", "cannot_be_judged"]

WORDS: Final[dict[Word, tuple[str, str]]] = {
    "neutral": ("碳中和", "carbon neutral"),
    "covered_to_date": ("暂定已覆盖", "covered to date (provisional)"),
    "partly_covered": ("部分覆盖", "partly covered"),
    "not_covered": ("未覆盖", "not covered"),
    "cannot_be_judged": ("无法判定", "cannot be judged"),
}
"""Chinese and English of each verdict; a month takes one of the last four."""

COVERED_PPM: Final = 950_000
"""At least this part of the footprint must be covered [1e-6]; rule 3.7."""

EXCLUDED_PPM: Final = 10_000
"""Each exclusion must be below this part of the footprint [1e-6]; rule 3.7."""

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the test looks at.

    Attributes:
        whole_year: a calendar year; a month is never neutral.
        closed: the period is closed.
        verified: a third party has verified it.
        residual_nano_kg: emissions on the declared basis before credits [1e-9 kgCO2e]; None: not known.
        retired_nano_kg: eligible credits retired for the period [1e-9 kgCO2e].
        open_gaps: unresolved data gaps, a sentence each.
        first_period: there is no period before it.
        reduction_nano_kg: against the base year [1e-9 kgCO2e]; None: not known.
        required_nano_kg: the reduction the management plan asks for [1e-9 kgCO2e]; 0 or less asks for more than zero
            after the first period.
        exclusions: (what is left out and listed, part of the footprint [1e-6]).
        unlisted: significant sources that are neither in the boundary nor listed as an exclusion.
    """

    whole_year: bool
    closed: bool
    verified: bool
    residual_nano_kg: int | None
    retired_nano_kg: int
    open_gaps: Sequence[str] = ()
    first_period: bool = False
    reduction_nano_kg: int | None = None
    required_nano_kg: int = 0
    exclusions: Sequence[tuple[str, int]] = ()
    unlisted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    Attributes:
        word: one of `WORDS`.
        neutral: True only for a closed, verified year that meets every condition.
        reasons: every condition that fails, in the order of the test; empty only when neutral.
        short_nano_kg: residual above the retired credits [1e-9 kgCO2e]; None: not known, or the residual is negative.
        surplus_nano_kg: retired above the residual [1e-9 kgCO2e]; never a negative emission.
    """

    word: Word
    neutral: bool
    reasons: tuple[Reason, ...]
    short_nano_kg: int | None
    surplus_nano_kg: int

    def document(self) -> Json:
        """Plain JSON, masses in kg."""
        zh, en = WORDS[self.word]
        return {
            "verdict": self.word,
            "label": {"zh": zh, "en": en},
            "neutral": self.neutral,
            "short_kg": None if self.short_nano_kg is None else self.short_nano_kg / 1e9,
            "surplus_kg": self.surplus_nano_kg / 1e9,
            "reasons": [{"rule": reason.rule, "reason": reason.text} for reason in self.reasons],
        }


def judge(case: Case) -> Verdict:
    """Judge a period.

    Args:
        case: the facts, exact.
    """
    reasons = (*_amounts(case), *_gaps(case), *_state(case), *_reduction(case), *_boundary(case))
    residual, retired = case.residual_nano_kg, case.retired_nano_kg
    fit = residual is not None and residual >= 0
    short = max(residual - retired, 0) if residual is not None and fit else None
    surplus = max(retired - residual, 0) if residual is not None and fit else 0
    neutral = not reasons
    return Verdict("neutral" if neutral else _word(case, short), neutral, reasons, short, surplus)


def _word(case: Case, short: int | None) -> Word:
    if short is None or case.open_gaps or case.unlisted:
        return "cannot_be_judged"
    if short == 0:
        return "covered_to_date"
    return "partly_covered" if case.retired_nano_kg > 0 else "not_covered"


def amounts_unfit(case: Case) -> list[Reason]:
    """Why the remaining emissions cannot be compared with credits; empty: they can.

    What is bought and burned is never less than nothing: a negative sum is an error of sign, and no surplus.
    """
    if case.residual_nano_kg is None:
        return [Reason("3.11", "the remaining emissions are not known")]
    if case.residual_nano_kg < 0:
        return [Reason("5.6", "the remaining emissions are negative: a sign or an amount is wrong")]
    return []


def _amounts(case: Case) -> list[Reason]:
    unfit = amounts_unfit(case)
    if unfit or case.residual_nano_kg is None:
        return unfit
    short = case.residual_nano_kg - case.retired_nano_kg
    if short > 0:
        return [Reason("3.11", f"{short / 1e12:.12f} t of the remaining emissions are not covered by retired credits")]
    return []


def _gaps(case: Case) -> list[Reason]:
    return [Reason("3.11", f"unresolved data gap: {gap}") for gap in case.open_gaps]


def _state(case: Case) -> list[Reason]:
    reasons = []
    if not case.whole_year:
        reasons.append(Reason("3.9", "a month is provisional until the true-up at the year's end"))
    if not case.closed:
        reasons.append(Reason("3.11", "the period is not closed"))
    if not case.verified:
        reasons.append(Reason("3.9", "no third party has verified the period"))
    return reasons


def _reduction(case: Case) -> list[Reason]:
    if case.first_period:
        return []
    if case.reduction_nano_kg is None:
        return [Reason("3.11", "the reduction against the base year is not known")]
    if case.reduction_nano_kg < case.required_nano_kg:
        reduced, required = case.reduction_nano_kg / 1e12, case.required_nano_kg / 1e12
        return [Reason("3.11", f"reduced by {reduced:.6f} t, the plan requires {required:.6f} t")]
    if case.reduction_nano_kg <= 0:
        return [Reason("3.7", "after the first period a reduction is mandatory, not offsetting alone")]
    return []


def _boundary(case: Case) -> list[Reason]:
    reasons = [Reason("3.8", f"{what} is neither in the boundary nor listed as an exclusion") for what in case.unlisted]
    for what, ppm in case.exclusions:
        if ppm >= EXCLUDED_PPM:
            reasons.append(Reason("3.7", f"{what} is {ppm / 1e4:.4f} % of the footprint: too much for an exclusion"))
    covered = 1_000_000 - sum(ppm for _, ppm in case.exclusions)
    if covered < COVERED_PPM:
        reasons.append(Reason("3.7", f"{covered / 1e4:.4f} % of the footprint are covered, 95 % are needed"))
    return reasons
