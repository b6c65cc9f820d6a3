"""The park's total by tenant in its books: the allocation view and the entity view, each from the same inventory."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from parkcarbon.books.amounts import Period, months_of
from parkcarbon.books.facts import Facts
from parkcarbon.books.inventory import inventory_of, load_inputs
from parkcarbon.books.quality.balance import Behind, balance_of, behind_connections
from parkcarbon.books.sources import sources_of
from parkcarbon.catalog.park import Park
from parkcarbon.catalog.park_tenancy import AllocationRule, Delivery
from parkcarbon.domain.balance.hourly import Balance
from parkcarbon.domain.inventory import Inventory, Line, PointAmount
from parkcarbon.domain.readings import Int64Array
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.tenancy import power as tenancy
from parkcarbon.domain.tenancy.allocation import GENERATION, Allocation, Rule, Stretch, allocate
from parkcarbon.domain.tenancy.entity import EntityView, InnerDelivery, Parties, entity_view
from parkcarbon.domain.tenancy.power import EntityPower, Plant, PowerUse, entity_power, power_use
from parkcarbon.domain.tenancy.views import PARK, Emission, Total
from parkcarbon.kit.db import Session
from parkcarbon.kit.db import to_ms as ms_of

Json = dict[str, Any]

QUARTER_MS: Final = 900_000
CARRIERS: Final = ("electricity", "gas", "heat", "other")
VOID_SOURCE: Final = "self-used generation, certificates sold"
"""What the inventory calls own generation that may not be counted at zero."""


@dataclass(frozen=True)
class PowerOf:
    """Electricity of one month behind one connection point."""

    behind: tenancy.Behind
    use: PowerUse


@dataclass
class Usage:
    """What was used in the months of a period.

    Attributes:
        drawn: by rule: power drawn by tenant and `_park` [1e-6 kWh].
        generated: by rule: generation used by them [1e-6 kWh].
        amounts: by month: amounts of the metered points of gas and heat.
        imported: by month [1e-6 kWh].
        known: intervals in which everything behind a connection point was known.
        intervals: how many there are.
        negative: sum of negative unmetered intervals [1e-6 kWh].
    """

    drawn: dict[str, dict[str, int]] = field(default_factory=dict)
    generated: dict[str, dict[str, int]] = field(default_factory=dict)
    amounts: dict[str, list[PointAmount]] = field(default_factory=dict)
    imported: dict[str, int] = field(default_factory=dict)
    known: int = 0
    intervals: int = 0
    negative: int = 0

    def add(self, rule: Rule, month: str, part: PowerOf) -> None:
        """Add one month of one connection point."""
        for kept, amounts in ((self.drawn, part.use.drawn_by()), (self.generated, part.use.generation_by())):
            sums = kept.setdefault(rule.rule, {})
            for user, amount in amounts.items():
                sums[user] = sums.get(user, 0) + amount
        self.imported[month] = self.imported.get(month, 0) + int(part.behind.only_known().imported.sum())
        self.known += part.use.known
        self.intervals += part.use.intervals
        self.negative += part.use.negative

    def notes(self) -> list[str]:
        """What a reader should know of the weights."""
        said = []
        if self.known < self.intervals:
            hours = (self.intervals - self.known) / 4
            said.append(f"{hours:g} h in which a meter is unknown are left out of the split for everybody")
        if self.negative:
            said.append(f"{-self.negative / 1e6:.3f} kWh more were metered as used than supplied; nobody is given them")
        return said


async def build_allocation(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> Allocation:
    """The park's inventory of a period by tenant.

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        RefusedError: no such period, or one that had not begun.
        LookupError: there is no such park.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    return await allocation_of(session, inputs.facts, inputs.period, inventory_of(inputs, final=False))


async def build_entities(
    session: Session, park: str, period: str, *, now: dt.datetime, as_of: dt.datetime | None = None
) -> tuple[EntityView, dict[Total, int | None]]:
    """Each legal entity's own inventory of a period, with the eliminations; and the park's totals [1e-9 kg].

    Args:
        session: a connection, best in a transaction that sees one moment of the database.
        park: id.
        period: `2026-03` or `2026`.
        now: time of now.
        as_of: moment of knowledge; None: now.

    Raises:
        RefusedError: no such period, or the park names no entities.
        LookupError: there is no such park.
    """
    inputs = await load_inputs(session, park, period, now=now, as_of=as_of)
    inventory = inventory_of(inputs, final=False)
    view = await entities_of(session, inputs.facts, inputs.period, inventory)
    totals: dict[Total, int | None] = {
        "scope1": inventory.scope(1).co2e_nano_kg,
        "scope2_location": inventory.scope(2, "location").co2e_nano_kg,
        "scope2_market": inventory.scope(2, "market").co2e_nano_kg,
        "scope3": inventory.scope3.co2e_nano_kg,
    }
    return view, totals


async def allocation_of(session: Session, facts: Facts, period: Period, inventory: Inventory) -> Allocation:
    """Split the inventory of a period among the tenants.

    Args:
        session: a connection.
        facts: the park as known.
        period: of the inventory.
        inventory: on the GHG Protocol profile.
    """
    months = months_of(period, facts.zone)
    rules = {
        (carrier, month.label): rule_at(facts.document, carrier, month) for month in months for carrier in CARRIERS
    }
    usage = Usage()
    for month in months:
        rule = rules["electricity", month.label]
        if month.from_ms < _ms(facts):
            for part in await power_of(session, facts, month, rule):
                usage.add(rule, month.label, part)
            if any(rules[carrier, month.label].by == "metered" for carrier in ("gas", "heat")):
                usage.amounts[month.label] = await sources_of(facts).totals(session, facts, month.from_ms, month.to_ms)
    tenants = [tenant.tenant for tenant in facts.document.tenants]
    stretches = {
        carrier: _stretches(facts, carrier, [(month, rules[carrier, month.label]) for month in months], usage)
        for carrier in CARRIERS
    }
    if any(stretch.rule.by == "metered" for stretch in stretches["electricity"]):
        by_month = [(month, rules["electricity", month.label]) for month in months]
        stretches[GENERATION] = _stretches(facts, GENERATION, by_month, usage)
    notes = usage.notes()
    if not facts.document.allocation:
        notes.insert(0, "no allocation rule is declared: the product's default is used")
    return allocate(emissions_of(inventory, facts), stretches, tenants, notes=notes)


def rule_at(document: Park, carrier: str, month: Period) -> Rule:
    """The rule in force for a carrier in a month: its own, else that for all, else the default."""
    for wanted in (carrier, "all"):
        declared = [rule for rule in document.allocation if rule.carrier == wanted and rule.from_day <= month.from_day]
        if declared:
            newest = max(declared, key=lambda rule: rule.from_day)
            return _rule(newest)
    return Rule()


def _rule(rule: AllocationRule) -> Rule:
    return Rule(rule.rule, rule.from_day.isoformat(), rule.carrier, rule.by, rule.shared_pv, rule.losses)


def _stretches(facts: Facts, carrier: str, rules: Sequence[tuple[Period, Rule]], usage: Usage) -> list[Stretch]:
    """Months of one rule after another make one stretch."""
    by_rule: dict[Rule, list[Period]] = {}
    for month, rule in rules:
        by_rule.setdefault(rule, []).append(month)
    return [
        Stretch(rule, _used(carrier, months, usage), _weights(facts, carrier, rule, months, usage))
        for rule, months in by_rule.items()
    ]


def _used(carrier: str, months: Sequence[Period], usage: Usage) -> int:
    """What the stretches of a period are weighed by: what was bought, or days where nothing was metered."""
    flows = {"gas": "fuel", "heat": "heat"}
    if carrier == "electricity":
        return sum(usage.imported.get(month.label, 0) for month in months)
    if carrier in flows and usage.amounts:
        return sum(
            point.amount_micro
            for month in months
            for point in usage.amounts.get(month.label, [])
            if (point.carrier, point.flow) == (carrier, flows[carrier])
        )
    return sum((month.to_day - month.from_day).days for month in months)


def _weights(facts: Facts, carrier: str, rule: Rule, months: Sequence[Period], usage: Usage) -> dict[str, int]:
    tenants = [tenant.tenant for tenant in facts.document.tenants]
    if rule.by != "metered":
        declared = next(item for item in facts.document.allocation if item.rule == rule.rule)
        given = {weight.tenant: round(weight.weight * 1e6) for weight in declared.weights}
        return {tenant: given.get(tenant, 0) for tenant in tenants}
    if carrier in {"electricity", GENERATION}:
        used = (usage.drawn if carrier == "electricity" else usage.generated).get(rule.rule, {})
        return {tenant: used.get(tenant, 0) for tenant in (*tenants, PARK)}
    weights = dict.fromkeys((*tenants, PARK), 0)
    for month in months:
        amounts = usage.amounts.get(month.label, [])
        for point in amounts:
            if (point.carrier, point.flow) == (carrier, "sub_meter"):
                below = sum(other.amount_micro for other in amounts if other.below == point.point)
                owner = _tenant_of(facts, point.point) or PARK
                weights[owner] = weights.get(owner, 0) + max(point.amount_micro - below, 0)
    return weights


async def power_of(session: Session, facts: Facts, period: Period, rule: Rule) -> list[PowerOf]:
    """Electricity by user behind every connection point, from quarters of an hour.

    Args:
        session: a connection.
        facts: the park as known.
        period: a month.
        rule: how generation and losses are shared.
    """
    found = []
    sources = sources_of(facts)
    for behind in behind_connections(facts):
        end_ms = min(period.to_ms, _ms(facts))
        amounts = await sources.quarters(session, facts, behind.points, period.from_ms, end_ms)
        part = _tenancy(facts, behind, balance_of(behind, amounts))
        found.append(PowerOf(part, power_use(part, shared_pv=rule.shared_pv, losses=rule.losses)))
    return found


def _tenancy(facts: Facts, behind: Behind, balance: Balance) -> tenancy.Behind:
    """Sort the channels of a balance by user; what flows back through a tenant's meter is generation behind it."""
    document = facts.document
    tenants = tuple(tenant.tenant for tenant in document.tenants)
    owner_of = _owners(facts)
    members = {member.channel.point: member for member in behind.members}
    load = np.zeros((len(tenants), len(balance.start_ms)), dtype=np.int64)
    common = np.zeros(len(balance.start_ms), dtype=np.int64)
    plants: list[Plant] = []
    rows: list[Int64Array] = []
    for channel, amount in zip(balance.channels, balance.amount_micro, strict=True):
        if channel.role == "generation" or channel.gives_back:
            owner = members[channel.point].owner or owner_of.get(channel.tenant or "", _operator(document))
            plants.append(Plant(channel.point, channel.tenant, owner))
            rows.append(amount)
        elif channel.role == "load" and channel.tenant in tenants:
            load[tenants.index(channel.tenant)] += amount
        elif channel.role == "load":
            common += amount
    nothing = np.zeros((0, len(balance.start_ms)), dtype=np.int64)
    return tenancy.Behind(
        connection=behind.connection.connection,
        tenants=tenants,
        load=load,
        common=common,
        plants=tuple(plants),
        generation=np.vstack(rows) if rows else nothing,
        imported=balance.of("import"),
        exported=balance.of("export") if balance.has("export") else None,
        charged=balance.of("charge"),
        discharged=balance.of("discharge"),
        known=balance.known,
        holder=behind.connection.holder or _operator(document),
        storage_owner=_storage_owner(facts, behind),
    )


def _storage_owner(facts: Facts, behind: Behind) -> str:
    owners = _owners(facts)
    for member in behind.members:
        if member.channel.role == "charge":
            return member.owner or owners.get(member.channel.tenant or "", _operator(facts.document))
    return _operator(facts.document)


async def entities_of(session: Session, facts: Facts, period: Period, inventory: Inventory) -> EntityView:
    """Each legal entity's own inventory of a period, and the eliminations that lead to the park's.

    Args:
        session: a connection.
        facts: the park as known.
        period: of the inventory.
        inventory: on the GHG Protocol profile.

    Raises:
        RefusedError: the park document names no entities, or more was delivered than made.
    """
    document = facts.document
    if not document.entities:
        raise RefusedError("3.3", f"{facts.park} names no legal entities; the entity view is about organisations")
    names = [entity.entity for entity in document.entities]
    power: dict[str, EntityPower] = {}
    usage = Usage()
    rule = Rule(losses="park")
    for month in months_of(period, facts.zone):
        if month.from_ms >= _ms(facts):
            continue
        for part in await power_of(session, facts, month, rule):
            usage.add(rule, month.label, part)
            found = entity_power(part.behind, part.use, _owners(facts), names)
            name = part.behind.connection
            power[name] = _added(power[name], found) if name in power else found
    deliveries = await _deliveries(session, facts, period)
    return entity_view(emissions_of(inventory, facts), _parties(facts), power, deliveries, notes=usage.notes())


def _added(left: EntityPower, right: EntityPower) -> EntityPower:
    drawn = {entity: left.drawn[entity] + right.drawn[entity] for entity in left.drawn}
    pairs = dict.fromkeys((*left.generation, *right.generation))
    generation = {pair: left.generation.get(pair, 0) + right.generation.get(pair, 0) for pair in pairs}
    return EntityPower(drawn, generation, left.imported + right.imported)


async def _deliveries(session: Session, facts: Facts, period: Period) -> list[InnerDelivery]:
    if not facts.document.deliveries:
        return []
    end_ms = min(period.to_ms, _ms(facts))
    amounts = {p.point: p for p in await sources_of(facts).totals(session, facts, period.from_ms, end_ms)}
    return [_delivery(delivery, amounts) for delivery in facts.document.deliveries]


def _delivery(delivery: Delivery, amounts: Mapping[str, PointAmount]) -> InnerDelivery:
    def total(points: Sequence[str]) -> int:
        unknown = [point for point in points if point not in amounts or not amounts[point].known]
        if unknown:
            raise RefusedError("6.7", f"{delivery.delivery}: {', '.join(unknown)} is not known: no share can be given")
        return sum(amounts[point].amount_micro for point in points)

    unit = amounts[delivery.meters[0]].unit if delivery.meters[0] in amounts else ""
    return InnerDelivery(
        delivery.delivery,
        delivery.medium,
        delivery.seller,
        delivery.buyer,
        total(delivery.meters),
        unit,
        delivery.fuel,
        total(delivery.produced) if delivery.produced else 0,
    )


def _parties(facts: Facts) -> Parties:
    document = facts.document
    owners = _owners(facts)
    devices = {device.device: device for device in document.devices}
    of_source: dict[str, str] = {}
    connection_of: dict[str, str] = {}
    for behind in behind_connections(facts):
        for member in behind.members:
            if member.channel.role == "import":
                connection_of[member.channel.point] = behind.connection.connection
    for point in facts.points:
        device = devices.get(point.device)
        if device is not None and device.owner is not None:
            of_source[point.point] = device.owner
        elif point.tenant is not None:
            of_source[point.point] = owners.get(point.tenant, _operator(document))
    holders = {
        behind.connection.connection: behind.connection.holder or _operator(document)
        for behind in behind_connections(facts)
    }
    names = tuple(entity.entity for entity in document.entities)
    return Parties(names, _operator(document), owners, of_source, holders, connection_of)


def _owners(facts: Facts) -> dict[str, str]:
    """Tenant to entity."""
    return {tenant: entity.entity for entity in facts.document.entities for tenant in entity.tenants}


def _operator(document: Park) -> str:
    return next((entity.entity for entity in document.entities if entity.operator), "")


def emissions_of(inventory: Inventory, facts: Facts) -> list[Emission]:
    """Lines of an inventory as the views take them."""
    totals: list[tuple[Total, Sequence[Line]]] = [
        ("scope1", inventory.scope(1).lines),
        ("scope2_location", inventory.scope(2, "location").lines),
        ("scope2_market", inventory.scope(2, "market").lines),
        ("scope3", inventory.scope3.lines),
    ]
    return [_emission(total, line, facts) for total, lines in totals for line in lines]


def _emission(total: Total, line: Line, facts: Facts) -> Emission:
    carrier = line.carrier if line.carrier in {"electricity", "gas", "heat"} else "other"
    return Emission(
        total,
        line.source,
        carrier,
        line.co2e_nano_kg,
        line.tenant or _tenant_of(facts, line.source),
        of_generation=line.source == VOID_SOURCE,
        amount_micro=line.amount_micro,
        unit=line.activity_unit,
    )


def _tenant_of(facts: Facts, point: str) -> str | None:
    number = facts.point_ids.get(point)
    return None if number is None else next(found.tenant for found in facts.points if found.point_id == number)


def _ms(facts: Facts) -> int:
    """Up to where readings are expected, on the boundary of an interval [ms UTC]."""
    return ms_of(facts.until) // QUARTER_MS * QUARTER_MS
