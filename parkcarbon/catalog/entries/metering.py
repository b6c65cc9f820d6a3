"""Facts about metering that people enter: bills, states of charge, certificates of meters.

The days, the tenant and the evidence of an entry stand beside its document; here is only what was entered for them.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from parkcarbon.domain.refusal import RefusedError

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Text = Annotated[str, Meta(min_length=1)]

UNITS: Final = {
    "electricity": frozenset({"kWh", "MWh"}),
    "gas": frozenset({"Nm3", "m3", "kWh", "MWh"}),
    "heat": frozenset({"GJ", "kWh", "MWh"}),
}


class Bill(Struct, frozen=True, forbid_unknown_fields=True):
    """A supplier's bill: what it charges for its own days, which are the days of the entry.

    Attributes:
        amount: billed [unit].
        unit: of the amount.
        supplier: who bills.
        number: of the bill.
        carrier: what is billed.
        direction: bought or delivered to the grid.
        connection: connection point of electricity; None: the only one.
        meter: number of the supplier's meter.
        cost: net of tax as the bill says [currency].
        currency: of the cost.
        accuracy_class: of the supplier's meter; empty: as the park's own gate meter, assumed.
    """

    amount: float
    unit: Text
    supplier: Text
    number: Text
    carrier: Literal["electricity", "gas", "heat"] = "electricity"
    direction: Literal["import", "export"] = "import"
    connection: Slug | None = None
    meter: str = ""
    cost: float | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "CNY"
    accuracy_class: str = ""

    def __post_init__(self) -> None:
        """Refuse a negative amount and a wrong dimension.

        Raises:
            RefusedError: with the rule's number.
        """
        if self.amount < 0:
            raise RefusedError("6.10", f"bill {self.number}: {self.amount:g} {self.unit} is negative")
        if self.unit not in UNITS[self.carrier]:
            known = ", ".join(sorted(UNITS[self.carrier]))
            raise RefusedError("6.10", f"bill {self.number}: {self.carrier} in {self.unit!r}; it is billed in {known}")
        if self.carrier == "gas" and self.unit == "m3":
            raise RefusedError("1.12", f"bill {self.number}: m3 without its conditions; enter Nm3 as billed, or energy")


class StateOfCharge(Struct, frozen=True, forbid_unknown_fields=True):
    """State of charge of a store at a moment, where no gauge shows it."""

    storage: Slug
    at: dt.datetime
    soc_pct: float

    def __post_init__(self) -> None:
        """Refuse what no store can show.

        Raises:
            RefusedError: outside 0 to 100 %, or a moment without a zone.
        """
        if not 0 <= self.soc_pct <= 100:
            raise RefusedError("6.10", f"{self.storage}: a state of charge of {self.soc_pct:g} % is outside 0 to 100 %")
        if self.at.tzinfo is None:
            raise RefusedError("6.10", f"{self.storage}: {self.at} has no time zone")


class MeterCertificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A calibration certificate of one meter, valid for the days of the entry.

    Attributes:
        device: of the park document.
        serial: of the meter on the certificate.
        certificate: its number.
        laboratory: who calibrated.
        calibrated_on: when.
        accuracy_class: found or confirmed.
        ct_class: of the transformers, where they were calibrated with it.
        passed: False for a meter that failed: what it counted is doubtful.
    """

    device: Slug
    serial: Text
    certificate: Text
    laboratory: Text
    calibrated_on: dt.date
    accuracy_class: Text
    ct_class: str = ""
    passed: bool = True


KINDS: Final[dict[str, type[Struct]]] = {
    "bill": Bill,
    "soc": StateOfCharge,
    "meter_certificate": MeterCertificate,
}
