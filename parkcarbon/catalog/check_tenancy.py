"""What can be wrong with the part of a park document that says who is who: see `check` for the form of a problem."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from parkcarbon.domain.quantities import QUANTITIES

from .park import Park, Point
from .park_tenancy import AllocationRule, Delivery, Entity, FormulaFlow, Storage

_BALANCE: Final = frozenset({"import", "export", "generation", "charge", "discharge", "sub_meter"})
_CODE_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"

Problems = Iterator[str]


def tenancy_problems(park: Park) -> Problems:
    """Every problem of entities, connections, storage, allocation, deliveries and formulas."""
    points = {f"{device.device}/{point.quantity}": point for device in park.devices for point in device.points}
    yield from _duplicates(park)
    yield from _entities(park)
    yield from _connections(park)
    yield from _device_places(park)
    for storage in park.storage:
        yield from _storage(storage, points)
    for rule in park.allocation:
        yield from _rule(rule, park)
    yield from _twice("allocation: carrier and from_day", (f"{r.carrier} {r.from_day}" for r in park.allocation))
    for delivery in park.deliveries:
        yield from _delivery(delivery, park, points)
    for formula in park.formulas:
        yield from _formula(formula, park, points)


def is_credit_code(code: str) -> bool:
    """True when the check character of a unified social credit code is right (GB 32100-2015: modulus 31, weights 3^i).

    >>> is_credit_code("91350100M000100Y43")
    True
    >>> is_credit_code("91350100M000100Y44")
    False
    """
    if len(code) != 18 or any(character not in _CODE_DIGITS for character in code):
        return False
    total = sum(_CODE_DIGITS.index(character) * pow(3, at, 31) for at, character in enumerate(code[:17]))
    return _CODE_DIGITS[-total % 31] == code[17]


def _duplicates(park: Park) -> Problems:
    yield from _twice("entities", (entity.entity for entity in park.entities))
    yield from _twice("connections", (connection.connection for connection in park.connections))
    yield from _twice("storage", (storage.storage for storage in park.storage))
    yield from _twice("allocation", (rule.rule for rule in park.allocation))
    yield from _twice("deliveries", (delivery.delivery for delivery in park.deliveries))
    devices = {device.device for device in park.devices}
    yield from _twice("formulas", (formula.formula for formula in park.formulas))
    for formula in park.formulas:
        if formula.formula in devices:
            yield f"formulas: {formula.formula!r} is the name of a device"


def _twice(place: str, names: Iterable[str]) -> Problems:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}: {name!r} appears {count} times"


def _entities(park: Park) -> Problems:
    if not park.entities:
        return
    operators = [entity.entity for entity in park.entities if entity.operator]
    if len(operators) != 1:
        yield f"entities: {', '.join(operators) or 'none'}: exactly one entity is the operator"
    tenants = [tenant.tenant for tenant in park.tenants]
    owned = Counter(tenant for entity in park.entities for tenant in entity.tenants)
    for tenant in tenants:
        if owned[tenant] != 1:
            yield f"entities: tenant {tenant!r} is in {owned[tenant]} entities; exactly one is expected"
    for entity in park.entities:
        yield from _entity(entity, tenants)


def _entity(entity: Entity, tenants: list[str]) -> Problems:
    place = f"entities[{entity.entity}]"
    for tenant in entity.tenants:
        if tenant not in tenants:
            yield f"{place}.tenants: {tenant!r} is not a tenant of this park"
    if entity.credit_code is not None and not is_credit_code(entity.credit_code):
        yield f"{place}.credit_code: {entity.credit_code!r}: its check character is wrong (GB 32100-2015)"


def _connections(park: Park) -> Problems:
    entities = {entity.entity for entity in park.entities}
    for connection in park.connections:
        place = f"connections[{connection.connection}]"
        if connection.holder is not None and connection.holder not in entities:
            yield f"{place}.holder: {connection.holder!r} is not an entity of this park"
        if connection.band_low_pct > connection.band_high_pct:
            yield f"{place}.band_low_pct: {connection.band_low_pct} is above band_high_pct {connection.band_high_pct}"


def _device_places(park: Park) -> Problems:
    entities = {entity.entity for entity in park.entities}
    connections = [connection.connection for connection in park.connections]
    for device in park.devices:
        place = f"devices[{device.device}]"
        if device.owner is not None and device.owner not in entities:
            yield f"{place}.owner: {device.owner!r} is not an entity of this park"
        balanced = any(point.flow in _BALANCE and _carrier(point) == "electricity" for point in device.points)
        yield from _place(place, device.connection, connections, needed=balanced)
    for formula in park.formulas:
        yield from _place(f"formulas[{formula.formula}]", formula.connection, connections, needed=True)


def _place(place: str, connection: str | None, connections: list[str], *, needed: bool) -> Problems:
    if connection is None:
        if needed and len(connections) > 1:
            yield f"{place}.connection: missing; one of {', '.join(connections)}"
    elif connection not in connections:
        yield f"{place}.connection: {connection!r} is not a connection point of this park"


def _storage(storage: Storage, points: Mapping[str, Point]) -> Problems:
    place = f"storage[{storage.storage}]"
    for name, flow in (("charge", "charge"), ("discharge", "discharge")):
        point = points.get(getattr(storage, name))
        if point is None or point.flow != flow:
            yield f"{place}.{name}: {getattr(storage, name)!r} is not a point with flow {flow}"
    if storage.soc is not None:
        gauge = points.get(storage.soc)
        if gauge is None or gauge.quantity != "state_of_charge":
            yield f"{place}.soc: {storage.soc!r} is not a point of state_of_charge"


def _rule(rule: AllocationRule, park: Park) -> Problems:
    place = f"allocation[{rule.rule}]"
    if rule.from_day.day != 1:
        yield f"{place}.from_day: {rule.from_day} is not the first of a month"
    known = {tenant.tenant for tenant in park.tenants}
    for weight in rule.weights:
        if weight.tenant not in known:
            yield f"{place}.weights: {weight.tenant!r} is not a tenant of this park"
    yield from _twice(f"{place}.weights", (weight.tenant for weight in rule.weights))
    if rule.by == "metered":
        if rule.weights:
            yield f"{place}.weights: {len(rule.weights)} given; meters say what each tenant used"
    elif not sum(weight.weight for weight in rule.weights) > 0:
        yield f"{place}.weights: {rule.by} needs weights that are not all zero"


def _delivery(delivery: Delivery, park: Park, points: Mapping[str, Point]) -> Problems:
    place = f"deliveries[{delivery.delivery}]"
    entities = {entity.entity for entity in park.entities}
    for name in ("seller", "buyer"):
        entity = getattr(delivery, name)
        if entity not in entities:
            yield f"{place}.{name}: {entity!r} is not an entity of this park"
    if delivery.seller == delivery.buyer:
        yield f"{place}.buyer: {delivery.buyer!r} is the seller"
    if not delivery.meters:
        yield f"{place}.meters: [] is empty"
    if bool(delivery.fuel) != bool(delivery.produced):
        yield f"{place}.produced: fuel and produced belong together: the share of the fuel is delivered ÷ produced"
    wanted = (
        (delivery.meters, "meters", "heat"),
        (delivery.produced, "produced", "heat"),
        (delivery.fuel, "fuel", "gas"),
    )
    for names, member, carrier in wanted:
        for point in names:
            if point not in points or _carrier(points[point]) != carrier:
                yield f"{place}.{member}: {point!r} is not a point of {carrier}"


def _formula(formula: FormulaFlow, park: Park, points: Mapping[str, Point]) -> Problems:
    place = f"formulas[{formula.formula}]"
    if formula.tenant is not None and formula.tenant not in {tenant.tenant for tenant in park.tenants}:
        yield f"{place}.tenant: {formula.tenant!r} is not a tenant of this park"
    if not formula.terms:
        yield f"{place}.terms: [] is empty"
    yield from _twice(f"{place}.terms", (term.point for term in formula.terms))
    for term in formula.terms:
        point = points.get(term.point)
        if point is None or point.kind == "gauge" or _carrier(point) != "electricity":
            yield f"{place}.terms: {term.point!r} is not a counter or amount of electricity"
        elif point.flow == formula.flow and term.factor > 0:
            yield f"{place}.terms: {term.point!r} has flow {point.flow} itself: it would count twice"


def _carrier(point: Point) -> str:
    quantity = QUANTITIES.get(point.quantity)
    return quantity.carrier if quantity is not None else "none"
