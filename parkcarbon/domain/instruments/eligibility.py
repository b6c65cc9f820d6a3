"""What stands against counting an instrument: one function a rule, each with the rule's number and the reason.

References:
    accounting rules 3.2, 3.4, 3.5, 3.14, 4.1-4.7, 5.3.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from .event import CLAIMING, Event
from .lot import BEHIND_UTC, CRITERIA, Lot, add_months, mainland

VintageMatch = Literal["same_year", "within_validity"]

CREDIT_MONTHS: Final = 12
"""A credit is retired no later than so many months after the end of the period; rule 3.4."""

_MOMENT: Final = dt.timedelta(microseconds=1)


class PeriodLike(Protocol):
    """A whole local month or year."""

    @property
    def label(self) -> str:
        """`2026-03` or `2026`."""

    @property
    def from_day(self) -> dt.date:
        """First local day."""

    @property
    def to_day(self) -> dt.date:
        """Day after the last."""

    @property
    def from_ms(self) -> int:
        """Begin [ms UTC]."""

    @property
    def to_ms(self) -> int:
        """End [ms UTC]."""

    @property
    def year(self) -> int:
        """Its year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSettings:
    """What decides beside the lots.

    Attributes:
        market: where the park is: certificates of another market are not used.
        vintage_match: (from this consumption day on, how generation and consumption must match), by day; before the
            first: the same year. `within_validity`: any generation the certificate is still valid for.
    """

    market: str
    vintage_match: tuple[tuple[dt.date, VintageMatch], ...] = ()

    def match_on(self, day: dt.date) -> VintageMatch:
        """The match that applies to consumption on a day."""
        said = [(since, match) for since, match in self.vintage_match if since <= day]
        return max(said)[1] if said else "same_year"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something does not count."""

    rule: str
    text: str


def not_electricity(lot: Lot) -> Reason | None:
    """4.3, 4.6: only certificates of electricity cover electricity."""
    if lot.claim == "credit":
        return Reason("4.6", f"{lot.kind} is an offset, not electricity")
    if lot.carrier != "electricity":
        return Reason("4.3", f"a certificate of {lot.carrier} covers no purchased electricity")
    return None


def contract_alone(lot: Lot) -> Reason | None:
    """4.1: a green-power contract counts only through its GEC."""
    if lot.claim == "contract":
        return Reason("4.1", f"contract {lot.contract or lot.serials} counts only through its GEC")
    return None


def other_market(lot: Lot, settings: InstrumentSettings) -> Reason | None:
    """3.14: certificates come from the market of the consumption."""
    if _market(lot.market) != _market(settings.market):
        return Reason("3.14", f"market {lot.market} is not {settings.market}")
    return None


def _market(place: str) -> str:
    return "China" if mainland(place) else place.partition("/")[0] if not place.startswith("China/") else place


def not_accepted(lot: Lot) -> Reason | None:
    """4.1: what cannot prove anything where it was generated: storage, I-REC of mainland China after 2024."""
    if lot.technology in ("storage", "battery"):
        return Reason("4.1", f"{lot.technology}: discharge carries no certificate")
    if lot.kind == "I-REC" and mainland(lot.market) and lot.vintage > 2024:
        return Reason("4.1", f"I-REC of {lot.vintage} in mainland China: the GEC is the sole proof")
    return None


def not_generated(lot: Lot, on_day: dt.date) -> Reason | None:
    """3.14: a certificate is issued for what was generated; none can be cancelled before that."""
    if (lot.generated_to - BEHIND_UTC - _MOMENT).astimezone(dt.UTC).date() > on_day:
        return Reason("3.14", f"the generation reaches to {lot.generated_to.isoformat()}, after {on_day}")
    return None


def other_vintage(lot: Lot, claim_from: dt.date, settings: InstrumentSettings) -> Reason | None:
    """3.14: generation near the consumption; by the dated setting, the same year."""
    if settings.match_on(claim_from) == "same_year" and lot.vintage != claim_from.year:
        return Reason("3.14", f"generated in {lot.vintage}, consumed in {claim_from.year}")
    return None


def expired(lot: Lot, on_day: dt.date) -> Reason | None:
    """4.2: a GEC is valid for two years from its generation month."""
    if lot.expires is not None and on_day >= lot.expires:
        return Reason(
            "4.2", f"generation of {lot.generation_month:%Y-%m} is valid until {lot.expires}, not on {on_day}"
        )
    return None


def not_redeemed(event: Event) -> Reason | None:
    """3.14: tracked and redeemed on behalf of the reporter, which somebody must be able to see."""
    if not event.public_record and not event.evidence:
        return Reason("3.14", f"{event.kind} on {event.on_day} with neither a public record nor evidence")
    return None


def no_public_record(event: Event) -> Reason | None:
    """3.5: what nobody can look up counts nothing."""
    if not event.public_record:
        return Reason("3.5", f"{event.kind} on {event.on_day} without a public record counts 0")
    return None


def retired_late(event: Event) -> Reason | None:
    """3.4: within 12 months after the end of the period."""
    if event.claim_to is not None and event.on_day >= add_months(event.claim_to, CREDIT_MONTHS):
        last = event.claim_to - dt.timedelta(days=1)
        return Reason("3.4", f"retired on {event.on_day}, more than {CREDIT_MONTHS} months after {last}")
    return None


def not_ex_post(lot: Lot, event: Event) -> Reason | None:
    """3.4: only reductions that had happened when they were retired."""
    if (lot.generated_to - _MOMENT).astimezone(dt.UTC).date() > event.on_day:
        return Reason("3.4", f"the reduction reaches to {lot.generated_to.isoformat()}, after {event.on_day}")
    return None


def poor_quality(lot: Lot) -> Reason | None:
    """3.4: additional, permanent, verified, leakage treated, not counted twice; not known is not yes."""
    wanting = [name for name in CRITERIA if lot.criteria.get(name) is not True]
    if wanting:
        return Reason("3.4", f"not shown to be {', '.join(wanting).replace('_', ' ')}")
    return None


def own_reduction(lot: Lot) -> Reason | None:
    """3.2: self-used generation already lowered the purchases; it is no credit on top."""
    if lot.claim == "credit" and lot.issued_for == "self_used":
        return Reason("3.2", "the kWh it was issued for were self-used: the reduction is in the inventory already")
    return None


def for_compliance(event: Event) -> Reason | None:
    """4.5: a CCER surrendered for compliance serves nothing else."""
    if event.kind == "surrendered":
        return Reason("4.5", f"surrendered for compliance of {event.tenant} on {event.on_day}: serves no neutrality")
    return None


def of_certificate(lot: Lot, claim_from: dt.date, settings: InstrumentSettings, on_day: dt.date) -> Reason | None:
    """The first rule that keeps a certificate from covering consumption, were it cancelled on a day.

    Args:
        lot: the lot.
        claim_from: first day of the consumption.
        settings: of the park.
        on_day: day of the cancellation.
    """
    checks: tuple[Callable[[], Reason | None], ...] = (
        lambda: contract_alone(lot),
        lambda: not_electricity(lot),
        lambda: not_accepted(lot),
        lambda: other_market(lot, settings),
        lambda: not_generated(lot, on_day),
        lambda: expired(lot, on_day),
        lambda: other_vintage(lot, claim_from, settings),
    )
    return next((reason for check in checks if (reason := check()) is not None), None)


def of_retirement(lot: Lot, event: Event) -> Reason | None:
    """The first rule that keeps a retired credit from offsetting anything."""
    checks: tuple[Callable[[], Reason | None], ...] = (
        lambda: own_reduction(lot),
        lambda: poor_quality(lot),
        lambda: no_public_record(event),
        lambda: not_ex_post(lot, event),
        lambda: retired_late(event),
    )
    return next((reason for check in checks if (reason := check()) is not None), None)


def unconfirmed(event: Event) -> str | None:
    """A sentence where a second person is still missing."""
    if event.kind in CLAIMING and event.confirmed_by is None:
        return f"{event.kind} on {event.on_day}, entered by {event.author}: a second person has not confirmed it"
    return None
