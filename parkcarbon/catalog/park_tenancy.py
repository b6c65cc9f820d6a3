"""What the park document says of who is who: legal entities, connection points, storage, rules that split a total.

Everything here is optional. A park without it has one connection point, belongs to one operator, and splits its total
by what its sub-meters show.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from .terms import Flow, Name, Positive, Slug

PointName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}/[a-z0-9_]+$")]
Percent = Annotated[float, Meta(ge=0, le=100)]
Weight = Annotated[float, Meta(ge=0)]
CreditCode = Annotated[str, Meta(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]

BAND_LOW_PCT: Final = 0.0
BAND_HIGH_PCT: Final = 3.0


class Entity(Struct, frozen=True, forbid_unknown_fields=True):
    """A legal entity in the park; the operator holds whatever nobody else does.

    `obligated` marks an enterprise with an obligation of its own in the national carbon market; `credit_code` is the
    unified social credit code (GB 32100-2015).
    """

    entity: Slug
    name: Name
    tenants: tuple[Slug, ...] = ()
    operator: bool = False
    obligated: bool = False
    credit_code: CreditCode | None = None


class Connection(Struct, frozen=True, forbid_unknown_fields=True):
    """A connection point with the grid; its holder buys what is drawn there.

    The band is what the unmetered part of an hour may be, in percent of the import or of the whole supply.
    """

    connection: Slug
    name: Name
    holder: Slug | None = None  # an entity; none: the operator
    band_low_pct: Annotated[float, Meta(ge=-100, le=100)] = BAND_LOW_PCT
    band_high_pct: Annotated[float, Meta(ge=0, le=100)] = BAND_HIGH_PCT
    band_of: Literal["import", "supply"] = "import"


class Storage(Struct, frozen=True, forbid_unknown_fields=True):
    """A store of electricity: its two counters, the gauge of its state of charge, and what it holds."""

    storage: Slug
    name: Name
    charge: PointName
    discharge: PointName
    capacity_kwh: Positive
    soc: PointName | None = None  # none: states of charge are entered


class TenantWeight(Struct, frozen=True, forbid_unknown_fields=True):
    """Square metres, heads or a share of one tenant."""

    tenant: Slug
    weight: Weight


class AllocationRule(Struct, frozen=True, forbid_unknown_fields=True):
    """From a day on, the total of one carrier (or of all that have no rule of their own) is split like this.

    `shared_pv`: `net_load`: generation serves its own tenant first, the rest is shared per interval in proportion to
    simultaneous net load behind the same connection point; `pool`: all of it is shared; `none`: nobody is credited.
    `losses`: `use`: in proportion to use; `park`: they stay with the park.
    """

    rule: Slug
    from_day: dt.date
    carrier: Literal["all", "electricity", "gas", "heat", "other"] = "all"
    by: Literal["metered", "area", "headcount", "fixed"] = "metered"
    weights: tuple[TenantWeight, ...] = ()
    shared_pv: Literal["net_load", "pool", "none"] = "net_load"
    losses: Literal["use", "park"] = "use"


class Delivery(Struct, frozen=True, forbid_unknown_fields=True):
    """Steam or heat that one entity of the park sells to another.

    `meters` show what is delivered. Where it comes from fuel, `fuel` names the meters of that fuel and `produced` those
    of all heat made from it: what is delivered carries its share. Heat bought and passed on names no fuel.
    """

    delivery: Slug
    medium: Literal["steam", "heat"]
    seller: Slug
    buyer: Slug
    meters: tuple[PointName, ...]
    fuel: tuple[PointName, ...] = ()
    produced: tuple[PointName, ...] = ()


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """A point and what it is multiplied by in a sum."""

    point: PointName
    factor: float = 1.0


class FormulaFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """A flow that no meter shows by itself: a sum of points, each with a factor, and so much an hour.

    It takes part in the balance and in the split among tenants like a metered point; purchases and fuels are metered.
    """

    formula: Slug
    flow: Literal["sub_meter", "generation", "charge", "discharge", "export"]
    terms: tuple[Term, ...]
    constant_per_h: float = 0.0  # in the unit of the points
    tenant: Slug | None = None
    connection: Slug | None = None


FORMULA_FLOWS: Final[frozenset[Flow]] = frozenset({"sub_meter", "generation", "charge", "discharge", "export"})
