"""The ledger against a period: what may be claimed, what is covered, what is short."""

import datetime as dt

from parkcarbon.books.amounts import Period, parse_period
from parkcarbon.books.facts import QUERIES, Facts, load_current
from parkcarbon.books.instruments.accounts import gap_of
from parkcarbon.books.instruments.documents import ActDocument, number
from parkcarbon.books.instruments.ledger import Act, record, surrender
from parkcarbon.books.instruments.load import load_cover
from parkcarbon.books.inventory import Inputs, inventory_of, load_inputs
from parkcarbon.catalog.entries.management import Measure
from parkcarbon.domain.instruments.cover import Cover
from parkcarbon.domain.instruments.gap import Gap
from parkcarbon.domain.inventory import Inventory, electricity_micro_kwh
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.submeters import weights
from parkcarbon.kit.db import Session

_COUNTED = frozenset({"import", "sub_meter"})


async def perform(
    session: Session,
    park: str,
    lot_id: int,
    wanted: ActDocument,
    *,
    author: str,
    reason: str,
    now: dt.datetime,
) -> int:
    """Do something with serials and return the event's number; what a cancellation may claim is read from the meters.

    Args:
        session: inside a transaction.
        park: who does it.
        lot_id: of which lot.
        wanted: what.
        author: who enters it.
        reason: why.
        now: time of now.

    Raises:
        RefusedError: a rule stands against it.
        LookupError: there is no such park or lot.
    """
    facts = await load_current(session, park, now)
    period = None if wanted.period is None else parse_period(wanted.period, facts.zone)
    limit = park_limit = None
    if wanted.kind == "cancelled" and period is not None:
        await session.execute(QUERIES["lock_claims"], park)
        inputs = await load_inputs(session, park, period.label, now=now)
        own_use = await session.fetchval(QUERIES["lot_issued_for"], lot_id) == "self_used"
        limit, park_limit = _limits(inputs, wanted, own_use=own_use)
    act = Act(
        kind=wanted.kind,
        lot_id=lot_id,
        first=None if wanted.first is None else number(wanted.first),
        count=wanted.count,
        on_day=wanted.on_day,
        tenant=wanted.tenant,
        claim_from=None if period is None else period.from_day,
        claim_to=None if period is None else period.to_day,
        limit_micro_kwh=limit,
        park_limit_micro_kwh=park_limit,
        to_park=wanted.to_park,
        counterparty=wanted.counterparty,
        public_record=wanted.public_record,
        evidence=wanted.evidence,
    )
    if wanted.on_day > now.astimezone(facts.zone).date():
        raise RefusedError("3.4", f"{wanted.on_day} is in the future")
    if act.kind == "surrendered":
        return await surrender(session, facts, act, author=author, reason=reason)
    return await record(session, park, act, author=author, reason=reason)


def _limits(inputs: Inputs, wanted: ActDocument, *, own_use: bool) -> tuple[int, int]:
    """What the claimant and the park bought (own-use: self-used) in the period [1e-6 kWh]."""
    flow, label = "self_used" if own_use else "import", inputs.period.label
    whole = electricity_micro_kwh(inputs.points, inputs.activities, label)[flow]
    if whole is None:
        raise RefusedError("4.3", f"the electricity {'self-used' if own_use else 'purchased'} in {label} is not known")
    if wanted.tenant is None:
        return whole, whole
    said = tenant_micro_kwh(inputs, wanted.tenant) if wanted.limit_kwh is None else round(wanted.limit_kwh * 1e6)
    if said is None:
        raise RefusedError("4.3", f"no meter tells what {wanted.tenant} used in {label}: enter it with evidence")
    if wanted.limit_kwh is not None and not wanted.evidence:
        raise RefusedError("4.3", f"{wanted.limit_kwh:g} kWh of {wanted.tenant}: an entered amount needs evidence")
    return min(said, whole), whole


def tenant_micro_kwh(inputs: Inputs, tenant: str) -> int | None:
    """Electricity that a tenant's own meters count [1e-6 kWh]; None: none does.

    Args:
        inputs: of the period.
        tenant: id.
    """
    counted = [point for point in inputs.points if point.carrier == "electricity" and point.flow in _COUNTED]
    signs = weights(counted, lambda point: point.tenant == tenant)
    known = [signs[point.point] * point.amount_micro for point in counted if point.point in signs and point.known]
    return sum(known) if known else None


async def cover_of(
    session: Session,
    park: str,
    period: str,
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    tenant: str | None = None,
) -> tuple[Inputs, Cover]:
    """What instruments do to a period of a park, or of one tenant.

    Args:
        session: a connection.
        park: id.
        period: month or year.
        now: time of now.
        as_of: moment of knowledge; None: now.
        tenant: only its claims, against what its own meters count.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    if tenant is None:
        return inputs, inputs.cover
    used = tenant_micro_kwh(inputs, tenant)
    cover = await load_cover(
        session, inputs.facts, inputs.period, purchased_micro_kwh=used, self_used_micro_kwh=None, tenant=tenant
    )
    return inputs, cover


async def gap_for(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> tuple[Gap, Inventory]:
    """What is short of covering scopes 1 and 2 (market-based) of a period, and what closing it would cost.

    Args:
        session: a connection.
        park: id.
        period: month or year.
        now: time of now.
        as_of: moment of knowledge; None: now.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    inventory = inventory_of(inputs, final=False)
    facts = inputs.facts
    gap = gap_of(
        facts,
        inputs.cover,
        facts.until.astimezone(facts.zone).date(),
        remaining_nano_kg=inventory.total_nano_kg("market"),
        purchased_micro_kwh=electricity_micro_kwh(inputs.points, inputs.activities, period)["import"],
        remainder_kg_per_kwh=remainder_kg_per_kwh(inventory),
        measures=measures_of(facts, inputs.period),
    )
    return gap, inventory


def remainder_kg_per_kwh(inventory: Inventory) -> float | None:
    """Factor of purchased electricity that no certificate covers, over all such lines [kgCO2/kWh]."""
    lines = [
        line
        for line in inventory.scope(2, "market").lines
        if line.kind == "electricity" and line.activity_unit == "kWh" and line.co2e_nano_kg > 0
    ]
    micro_kwh = sum(line.amount_micro for line in lines)
    return sum(line.co2e_nano_kg for line in lines) / micro_kwh / 1000 if micro_kwh else None


def measures_of(facts: Facts, period: Period) -> list[tuple[str, int, float | None]]:
    """Measures that are not running yet: name, saving in a period of this length [1e-9 kgCO2e], cost [currency].

    The cost of a period is its share of cost / lifetime + running cost a year; in another currency it is not known.

    Args:
        facts: the park as known.
        period: gives the length.
    """
    year = dt.date(period.year + 1, 1, 1) - dt.date(period.year, 1, 1)
    part = (period.to_day - period.from_day) / year
    found = []
    for entry in facts.entries:
        content = entry.content
        if isinstance(content, Measure) and content.status in ("proposed", "decided"):
            a_year = content.cost / content.lifetime_years + content.running_cost_per_year
            cost = a_year * part if content.currency == facts.document.currency else None
            found.append((content.measure, round(content.expected_co2e_t_per_year * part * 1e12), cost))
    return found
