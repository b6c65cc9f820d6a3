"""Allowances of obligated enterprises, prices for the gap planner, and how certificates must match consumption.

An entry of an allowance belongs to a tenant, the obligated enterprise; its `from_day` lies in the compliance year.
"""

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

Mass = Annotated[float, Meta(ge=0)]


class AllowanceAllocation(Struct, frozen=True, forbid_unknown_fields=True):
    """Allowances (CEA) allocated to an enterprise for a year.

    Attributes:
        allocated_t: allocated [t CO2e].
        scheme: whose allowances.
    """

    needs_review: ClassVar[bool] = True
    tenant_by_rule: ClassVar[str] = "4.7"
    allocated_t: Mass
    scheme: str = "CEA"


class AllowanceCarried(Struct, frozen=True, forbid_unknown_fields=True):
    """Allowances carried over into a year; below zero: a deficit."""

    needs_review: ClassVar[bool] = True
    tenant_by_rule: ClassVar[str] = "4.7"
    carried_t: float


class AllowanceObligation(Struct, frozen=True, forbid_unknown_fields=True):
    """Verified emissions of an enterprise on its own boundary: what it must surrender for a year.

    Attributes:
        verified_t: verified emissions [t CO2e].
        verifier: body that verified them.
    """

    needs_review: ClassVar[bool] = True
    tenant_by_rule: ClassVar[str] = "4.7"
    verified_t: Mass
    verifier: str


class InstrumentPrice(Struct, frozen=True, forbid_unknown_fields=True):
    """Price for the gap planner from the entry's first day on.

    Attributes:
        instrument: a GEC of 1,000 kWh, a credit of 1 t CO2e, or an allowance of 1 t.
        price: of one [currency].
        currency: ISO 4217.
    """

    instrument: Literal["GEC", "credit", "CEA"]
    price: Mass
    currency: str = "CNY"


class InstrumentSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """How generation and consumption must match, for consumption from the entry's first day on.

    Attributes:
        vintage_match: `same_year`, or `within_validity`: any generation the certificate is still valid for.
    """

    needs_review: ClassVar[bool] = True
    vintage_match: Literal["same_year", "within_validity"]


KINDS: Final[dict[str, type[Struct]]] = {
    "allowance_allocation": AllowanceAllocation,
    "allowance_carried": AllowanceCarried,
    "allowance_obligation": AllowanceObligation,
    "instrument_price": InstrumentPrice,
    "instrument_setting": InstrumentSetting,
}
