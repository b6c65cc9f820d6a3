"""What entries of activity data have in common: the frame beside the document, given factors, measured conditions."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from parkcarbon.catalog.terms import Positive
from parkcarbon.domain.activities.activity import (
    Activity,
    Calorific,
    GivenFactor,
    Kind,
)
from parkcarbon.domain.activities.counting import validate
from parkcarbon.domain.reading import Method
from parkcarbon.domain.refusal import RefusedError

Text = Annotated[str, Meta(min_length=1)]
Fuel = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
State = Literal["measured", "estimated", "manual"]
HeatUnit = Literal["GJ", "MJ", "kWh", "MWh"]
FuelUnit = Literal["kg", "t", "L", "m3", "Nm3", "GJ", "kWh", "MWh"]
GwpSet = Literal["AR4", "AR5", "AR6"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands beside the document of an entry.

    Attributes:
        name: id of the activity, for example `entry:12`.
        from_day: first local day.
        to_day: day after the last.
        tenant: whose; None: the park's.
        evidence: what proves it.
        simulated: True for a demonstration.
    """

    name: str
    from_day: dt.date
    to_day: dt.date
    tenant: str | None = None
    evidence: str = ""
    simulated: bool = False


_ANY_FRAME: Final = Frame("entry", dt.date(2000, 1, 1), dt.date(2000, 1, 2), evidence="-")


class SupplierFactor(Struct, frozen=True, forbid_unknown_fields=True):
    """A factor that comes with the entry.

    Attributes:
        value: the number [unit].
        unit: kg or t of CO2 or CO2e per unit of the amount, for example `tCO2/GJ`.
        publisher: supplier, laboratory or data set.
        document: certificate or edition.
        data_year: year it describes.
        basis: NCV or HHV of a fuel's factor per energy.
        gwp_set: set behind a CO2e value, where stated.
        life_cycle: carbon-footprint value; right in scope 3 only.
        unverified: assumed, or not seen in its source.
    """

    value: Annotated[float, Meta(ge=0)]
    unit: Annotated[str, Meta(pattern=r"^(g|kg|t)CO2e?/\S+$")]
    publisher: Text
    document: Text
    data_year: int | None = None
    basis: Calorific | None = None
    gwp_set: GwpSet | None = None
    life_cycle: bool = False
    unverified: bool = False

    def given(self) -> GivenFactor:
        """As the domain has it."""
        return GivenFactor(
            value=self.value,
            unit=self.unit,
            publisher=self.publisher,
            document=self.document,
            data_year=self.data_year,
            basis=self.basis,
            gwp_set=self.gwp_set,
            life_cycle=self.life_cycle,
            unverified=self.unverified,
        )


class MeasuredCalorificValue(Struct, frozen=True, forbid_unknown_fields=True):
    """A measured or certified calorific value [GJ per `per`], net or gross."""

    value: Positive
    per: Literal["t", "10^4Nm3"]
    basis: Calorific
    document: Text


class ActivityEntry(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all kinds here have in common.

    Attributes:
        source: what the line is called, for example `boiler 2`; empty: the number of the entry.
        state: how well the amount is known.
        note: words of whoever enters it.
    """

    needs_review: ClassVar[bool] = False

    source: str = ""
    state: State = "manual"
    note: str = ""

    def activity(self, frame: Frame) -> Activity:
        """As the domain counts it."""
        raise NotImplementedError

    def blank(
        self, frame: Frame, kind: Kind, subject: str, amount: float, unit: str, *, category: int | None = None
    ) -> Activity:
        """An activity with what every kind has."""
        return Activity(
            activity=frame.name,
            kind=kind,
            subject=subject,
            amount_micro=micro(amount),
            unit=unit,
            from_day=frame.from_day,
            to_day=frame.to_day,
            category=category,
            source=self.source,
            tenant=frame.tenant,
            evidence=frame.evidence,
            state=Method[self.state.upper()],
            simulated=frame.simulated,
            note=self.note,
        )

    def __post_init__(self) -> None:
        """Refuse what breaks a rule whatever the factors are.

        Raises:
            RefusedError: with the rule's number.
        """
        validate(self.activity(_ANY_FRAME))


def micro(amount: float) -> int:
    """An amount as an integer of a millionth of its unit, exact for the decimals that were written.

    >>> micro(0.1), micro(1234567.891234)
    (100000, 1234567891234)

    Raises:
        RefusedError: not a number.
    """
    whole = Decimal(repr(amount))
    if not whole.is_finite():
        raise RefusedError("6.10", f"{amount} is no amount")
    return int((whole * 1_000_000).to_integral_value())
