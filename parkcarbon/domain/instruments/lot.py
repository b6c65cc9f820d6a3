"""Lots: serial ranges of certificates, contracts and credits, with what decides what they may be used for.

References:
    accounting rules 3.4, 3.5 (what is kept per unit), 3.14 (quality of a certificate), 3.17 (hour stamps), 4.1 (GEC of
    1,000 kWh, storage, own use, hydro before 2023), 4.2 (validity), 4.5 (CCER of 1 t), 4.7 (allowances are none).
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from parkcarbon.domain.refusal import RefusedError

Kind = Literal["GEC", "GO", "I-REC", "green_power_contract", "CCER", "other_credit"]
Origin = Literal["own_pv", "own_use", "third_party_roof", "green_power_contract", "bought"]
IssuedFor = Literal["exported", "self_used"]
Granularity = Literal["hour", "month", "period"]
Claim = Literal["certificate", "credit", "contract"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ORIGINS: Final[tuple[Origin, ...]] = get_args(Origin)

ALLOWANCES: Final = ("CEA", "allowance")
"""What some take for a credit: they offset nothing and are no instruments; rule 4.7."""

GEC_MICRO_KWH: Final = 1_000_000_000
"""One GEC stands for 1,000 kWh [1e-6 kWh]; rule 4.1."""

CCER_NANO_KG: Final = 1_000_000_000_000
"""One CCER stands for 1 t CO2e [1e-9 kg]; rule 4.5."""

GEC_VALID_MONTHS: Final = 24
"""A GEC is valid for two years from its generation month; rule 4.2."""

CRITERIA: Final = ("additional", "permanent", "programme_verified", "leakage_treated", "not_double_counted")
"""What a credit must be; rule 3.4."""

HYDRO_FROM: Final = dt.date(2023, 1, 1)
"""Hydropower commissioned before gets no tradable GEC; rule 4.1."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_HOUR: Final = dt.timedelta(hours=1)

BEHIND_UTC: Final = dt.timedelta(hours=12)
"""No local time is farther behind UTC; a lot carries no time zone."""

AHEAD_OF_UTC: Final = dt.timedelta(hours=14)
"""No local time is farther ahead of it."""

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._/-]*")
_NOT_MAINLAND: Final = ("China/HK", "China/MO", "China/TW")
_I_REC_UNTIL: Final = 2025  # generation of this year on gets no I-REC in mainland China


@dataclass(frozen=True, slots=True, order=True)
class Serials:
    """Consecutive serials of one registry: a prefix and the numbers `[first, first + count)` after it.

    The prefix never ends in a digit, so that one printed serial is one number and not two ways to split it.

    >>> str(Serials("GEC-2026-", 41, 3, 6))
    'GEC-2026-000041…000043'
    """

    prefix: str
    first: int
    count: int
    digits: int = 0

    @property
    def end(self) -> int:
        """The number after the last."""
        return self.first + self.count

    def __str__(self) -> str:
        first, last = (str(number).zfill(self.digits) for number in (self.first, self.end - 1))
        return f"{self.prefix}{first}" if self.count == 1 else f"{self.prefix}{first}…{last}"

    def part(self, first: int, end: int) -> "Serials":
        """The serials `[first, end)` of these."""
        return Serials(self.prefix, first, end - first, self.digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A serial range that came into the books at once.

    Attributes:
        lot_id: row of `instrument_lot`; 0 before it is entered.
        park: whose books.
        tenant: entity that holds it; None: the park's operator.
        kind: what it is.
        registry: one numbering of serials, lower case.
        serials: the serials.
        unit_micro_kwh: electricity behind one serial [1e-6 kWh]; of a credit: the generation it was issued for.
        unit_nano_kg: one credit [1e-9 kgCO2e]; None: no credit.
        carrier: what was generated.
        technology: `solar`, `wind`, `hydro`, …, for credits the kind of project.
        plant: registered plant, lower case; None: a project that generates no power.
        project: name or number of the project.
        commissioned: day the plant began to run; needed for hydropower.
        market: where it may be claimed: `China`, `EU`, …
        generated_from: begin of the generation (of a credit: of the reduction).
        generated_to: its end.
        granularity: what the times stand for.
        generation_month: first local day of the generation month.
        vintage: local year of generation.
        origin: where the lot comes from.
        issued_for: for generation inside the park: what became of the electricity.
        tradable: False for own-use and other non-tradable certificates.
        contract: number of the contract behind it.
        unit_cost_micro: price of one serial [1e-6 of the currency]; None: not known.
        currency: of the price.
        criteria: quality of a credit by `CRITERIA`; absent: not known.
        evidence: what proves it.
        simulated: True for the demonstration.
        author: who entered it.
        recorded_at: when; None before it is entered.
    """

    lot_id: int = 0
    park: str = ""
    tenant: str | None = None
    kind: Kind
    registry: str
    serials: Serials
    unit_micro_kwh: int | None = None
    unit_nano_kg: int | None = None
    carrier: str = "electricity"
    technology: str
    plant: str | None = None
    project: str = ""
    commissioned: dt.date | None = None
    market: str
    generated_from: dt.datetime
    generated_to: dt.datetime
    granularity: Granularity
    generation_month: dt.date | None = None
    vintage: int
    origin: Origin
    issued_for: IssuedFor | None = None
    tradable: bool = True
    contract: str | None = None
    unit_cost_micro: int | None = None
    currency: str = ""
    criteria: Mapping[str, bool] = field(default_factory=dict)
    evidence: str = ""
    simulated: bool = False
    author: str = ""
    recorded_at: dt.datetime | None = None

    @property
    def claim(self) -> Claim:
        """What it is good for."""
        if self.kind in ("CCER", "other_credit"):
            return "credit"
        return "contract" if self.kind == "green_power_contract" else "certificate"

    @property
    def expires(self) -> dt.date | None:
        """First day on which it is no longer valid; None: never."""
        if self.kind != "GEC" or self.generation_month is None:
            return None
        return add_months(self.generation_month, GEC_VALID_MONTHS)

    @property
    def hour_stamped(self) -> bool:
        """True when it tells the hour (or less) of its generation."""
        return self.granularity == "hour"


def add_months(day: dt.date, months: int) -> dt.date:
    """The first of the month so many months later.

    >>> add_months(dt.date(2024, 11, 1), 24)
    datetime.date(2026, 11, 1)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)


def time_ms(time: dt.datetime) -> int:
    """An aware time as ms since 1970 UTC."""
    return (time - _EPOCH) // _MILLISECOND


def mainland(market: str) -> bool:
    """True for mainland China and its provinces."""
    return (market == "China" or market.startswith("China/")) and market not in _NOT_MAINLAND


def refuse_lot(lot: Lot) -> None:
    """Refuse a lot that cannot be what it says; the database checks the same.

    Raises:
        RefusedError: with the rule.
    """
    for check in (_names, _amounts, _times, _kind, _origin, _quality):
        check(lot)


def refuse_allowance(kind: object) -> None:
    """Refuse an allowance where an instrument is expected.

    Raises:
        RefusedError: rule 4.7.
    """
    if kind in ALLOWANCES:
        raise RefusedError("4.7", f"{kind} is an allowance of an obligated enterprise and offsets nothing")


def _names(lot: Lot) -> None:
    refuse_allowance(str(lot.kind))
    if lot.kind not in KINDS:
        raise RefusedError("3.14", f"{lot.kind!r} is no kind of instrument; there are {', '.join(KINDS)}")
    for what, text in (("registry", lot.registry), ("plant", lot.plant)):
        if text is not None and not _SLUG.fullmatch(text):
            raise RefusedError("3.5", f"{what} {text!r}: lower case letters, digits and . _ / - are expected")
    prefix = lot.serials.prefix
    if prefix != prefix.upper() or any(sign.isspace() for sign in prefix) or prefix[-1:].isdigit():
        raise RefusedError("3.5", f"serial prefix {prefix!r}: upper case, no space, no digit at its end")
    if not lot.evidence:
        raise RefusedError("3.14", "a lot needs evidence: certificate, statement of account, contract or invoice")


def _amounts(lot: Lot) -> None:
    if lot.serials.first < 0 or lot.serials.count <= 0:
        raise RefusedError("3.5", f"serials from {lot.serials.first}, {lot.serials.count} of them: none are there")
    for what, amount in (("kWh", lot.unit_micro_kwh), ("kg", lot.unit_nano_kg)):
        if amount is not None and amount <= 0:
            raise RefusedError("3.14", f"{amount} micro or nano {what} a serial: it must be above zero")
    if lot.unit_cost_micro is not None and lot.unit_cost_micro < 0:
        raise RefusedError("3.14", f"a cost of {lot.unit_cost_micro / 1e6:g} a serial is negative")
    if lot.kind == "GEC" and lot.unit_micro_kwh != GEC_MICRO_KWH:
        raise RefusedError("4.1", f"a GEC stands for 1,000 kWh, not {(lot.unit_micro_kwh or 0) / 1e6:g}")
    if lot.kind == "CCER" and lot.unit_nano_kg != CCER_NANO_KG:
        raise RefusedError("4.5", f"a CCER stands for 1 t CO2e, not {(lot.unit_nano_kg or 0) / 1e12:g}")
    if (lot.claim == "credit") != (lot.unit_nano_kg is not None):
        raise RefusedError("4.6", f"{lot.kind}: credits and only credits have a mass of CO2e")
    if lot.claim != "credit" and lot.unit_micro_kwh is None:
        raise RefusedError("4.3", f"{lot.kind}: how many kWh stand behind one serial?")


def _times(lot: Lot) -> None:
    start, end = lot.generated_from, lot.generated_to
    if start.tzinfo is None or end.tzinfo is None or end <= start:
        raise RefusedError("3.14", f"generated from {start} to {end}: two times with a zone, in order, are needed")
    if lot.hour_stamped and end - start > _HOUR:
        raise RefusedError("3.18", f"an hour stamp of {end - start} is longer than an hour")
    if lot.kind == "GEC" and lot.generation_month is None:
        raise RefusedError("4.2", "a GEC has a generation month")
    month = lot.generation_month
    if month is not None and (month.day != 1 or month.year != lot.vintage):
        raise RefusedError("4.2", f"generation month {month} is no first of a month of {lot.vintage}")
    first, last = _day(start - BEHIND_UTC), _day(end + AHEAD_OF_UTC - _MILLISECOND)  # wherever the meter is
    if month is not None and (last < month or first >= add_months(month, 1)):
        raise RefusedError("4.2", f"generation month {month:%Y-%m} is not that of {start} to {end}")
    if not first.year <= lot.vintage <= last.year:
        raise RefusedError("3.14", f"vintage {lot.vintage} is not the year of {start} to {end}")
    two_years = _day(start + AHEAD_OF_UTC).year < _day(end - BEHIND_UTC - _MILLISECOND).year
    if lot.claim == "certificate" and two_years:
        raise RefusedError("3.14", f"generated from {start} to {end}: certificates of two years are two lots")


def _day(time: dt.datetime) -> dt.date:
    return time.astimezone(dt.UTC).date()


def _kind(lot: Lot) -> None:
    if lot.technology in ("storage", "battery"):
        raise RefusedError("4.1", f"{lot.technology}: the discharge of storage gets no certificate")
    if lot.claim != "credit" and lot.plant is None:
        raise RefusedError("3.14", f"{lot.kind}: which plant generated it?")
    if lot.claim == "certificate" and lot.carrier != "electricity":
        raise RefusedError("4.3", f"a certificate of {lot.carrier} covers no electricity")
    if lot.kind == "I-REC" and mainland(lot.market) and lot.vintage >= _I_REC_UNTIL:
        raise RefusedError(
            "4.1", f"I-REC for generation of {lot.vintage} in {lot.market}: the GEC is the sole proof there"
        )
    if lot.kind == "GEC" and lot.technology == "hydro":
        if lot.commissioned is None:
            raise RefusedError("4.1", "hydropower: commissioned when? Before 2023 its GEC cannot be traded")
        if lot.commissioned < HYDRO_FROM and lot.tradable:
            raise RefusedError("4.1", f"hydropower of {lot.commissioned}, before 2023, gets no tradable GEC")


def _origin(lot: Lot) -> None:
    if lot.origin not in ORIGINS:
        raise RefusedError("3.14", f"{lot.origin!r} is no origin; there are {', '.join(ORIGINS)}")
    inside = lot.origin in ("own_pv", "own_use", "third_party_roof")
    if inside != (lot.issued_for is not None):
        raise RefusedError("5.3", f"{lot.origin}: generation inside the park was exported or self_used, which?")
    if inside and lot.unit_micro_kwh is None:
        raise RefusedError("5.3", f"{lot.kind} for generation of the park: how many kWh stand behind one serial?")
    if lot.origin == "own_use" and (lot.issued_for != "self_used" or lot.tradable):
        raise RefusedError("4.1", "own-use certificates are for self-used kWh and not tradable")
    if lot.origin in ("bought", "green_power_contract") and not lot.tradable:
        raise RefusedError("4.1", f"a certificate that is not tradable cannot have come by {lot.origin}")
    if lot.origin in ("third_party_roof", "green_power_contract") and not lot.contract:
        raise RefusedError("3.14", f"{lot.origin}: by which contract?")


def _quality(lot: Lot) -> None:
    if unknown := set(lot.criteria) - set(CRITERIA):
        raise RefusedError("3.4", f"{', '.join(sorted(unknown))}: no criterion; there are {', '.join(CRITERIA)}")
