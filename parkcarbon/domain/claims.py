"""What a statement may call itself: standards with the dates in which they may be named, and subjects they apply to.

References:
    accounting rules 3.3 (ISO 14068-1 is for organisations, products, buildings; not for territories), 3.6 (PAS 2060
    withdrawn on 30 November 2025), 3.9 (neutrality only for a closed, verified year), 3.10 (EU product claims that rest
    on offsets are banned from 27 September 2026: Directive (EU) 2024/825), 4.8 (no CBAM value).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

from .refusal import RefusedError

Subject = Literal["organisation", "building", "product", "territory"]
Claim = Literal["inventory", "progress", "neutral"]


@dataclass(frozen=True, slots=True)
class Standard:
    """A document a statement may be drawn up against.

    Attributes:
        name: as it is cited.
        claims: what may be stated under it.
        withdrawn_on: first day on which no new statement may name it.
    """

    name: str
    claims: frozenset[Claim]
    withdrawn_on: dt.date | None = None


STANDARDS: Final = {
    standard.name: standard
    for standard in (
        Standard("ISO 14064-1:2018", frozenset({"inventory", "progress"})),
        Standard("GHG Protocol", frozenset({"inventory", "progress"})),
        Standard("ISO 14068-1:2023", frozenset({"inventory", "progress", "neutral"})),
        Standard("PAS 2060:2014", frozenset({"inventory", "progress", "neutral"}), dt.date(2025, 11, 30)),
    )
}

_EU_BAN: Final = dt.date(2026, 9, 27)

PROGRESS_TITLE: Final = {
    "zh": "碳中和月度声明（进度·暂定，不构成碳中和宣告）",
    "en": "Monthly carbon-neutrality statement (progress, provisional, not a claim)",
}
NOT_A_CBAM_VALUE: Final = {"zh": "不可用于CBAM", "en": "not a CBAM value"}


def check_claim(
    *, standard: str, subject: Subject, entity: str, claim: Claim, market: str, issued_on: dt.date, full_year: bool
) -> None:
    """Refuse a statement that may not be made.

    Args:
        standard: one of `STANDARDS`.
        subject: what it is about.
        entity: name of the organisation that makes it.
        claim: what it states.
        market: where it is used, for example `EU`.
        issued_on: day of issue.
        full_year: True for a closed, verified calendar year.

    Raises:
        RefusedError: with the rule.
    """
    known = STANDARDS.get(standard)
    if known is None:
        raise RefusedError("3.8", f"standard {standard!r} is not one of {', '.join(STANDARDS)}")
    if known.withdrawn_on is not None and issued_on >= known.withdrawn_on:
        raise RefusedError(
            "3.6", f"{standard} was withdrawn on {known.withdrawn_on}; a statement of {issued_on} cannot name it"
        )
    if claim not in known.claims:
        raise RefusedError("3.8", f"{standard} knows no {claim} statement")
    if subject == "territory" or not entity.strip():
        raise RefusedError("3.3", "a statement names an organisation with a boundary, not a territory")
    if claim == "neutral" and not full_year:
        raise RefusedError("3.9", "neutrality is stated only for a closed, verified year; a month is progress")
    if claim == "neutral" and subject == "product" and market == "EU" and issued_on >= _EU_BAN:
        raise RefusedError("3.10", f"product claims that rest on offsets are banned in the EU from {_EU_BAN}")
