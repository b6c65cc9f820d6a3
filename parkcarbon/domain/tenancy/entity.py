"""Entity view: what each legal entity of the park reports for itself, and the eliminations that lead to its total.

Inside a park the same emission can stand in two inventories: whoever burns the gas of a boiler has it in scope 1,
whoever buys the steam has a share of it in scope 2. Power and heat that are bought and passed on leave the seller's
scope 2 for its scope 3 (category 3, sold on) and enter the buyer's scope 2. Roof power is the owner's own generation
and the buyer's purchase; both count it at zero unless its certificates were sold. For every total

    sum of the entities' parts - eliminations = park's total                     exactly, in 1e-9 kg

References:
    GHG Protocol Scope 2 Guidance (2015), 5.2 (power bought and sold on); accounting rules 3.3, 5.1, 5.3.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal

from parkcarbon.domain.refusal import RefusedError

from .apportion import largest_remainder
from .power import EntityPower
from .views import Emission, EntityPart, Total

Medium = Literal["power", "roof_pv", "steam", "heat"]
Basis = Literal["location", "market"]

BASES: Final[tuple[Basis, ...]] = ("location", "market")
_SCOPE_2: Final[Mapping[Basis, Total]] = {"location": "scope2_location", "market": "scope2_market"}
_BASIS_OF: Final[Mapping[Total, Basis]] = {total: basis for basis, total in _SCOPE_2.items()}


@dataclass(frozen=True, slots=True)
class InnerDelivery:
    """Steam or heat that one entity delivers to another.

    Attributes:
        delivery: name.
        medium: steam or heat.
        seller: entity.
        buyer: entity.
        amount: delivered, micro-units.
        unit: of the amount.
        fuel: sources (points) whose emissions it carries; empty: bought heat that is passed on.
        produced: all that was made from that fuel, micro-units of the same unit.
    """

    delivery: str
    medium: Medium
    seller: str
    buyer: str
    amount: int
    unit: str
    fuel: tuple[str, ...] = ()
    produced: int = 0


@dataclass(frozen=True, slots=True)
class EntityLine:
    """One line of an entity's own inventory [1e-9 kg].

    `kind`: `own`: a line of the park or a part of one; `bought_inside`: bought from another entity; `sold_on`: bought
    and passed on, in scope 3. `basis` is that of scope 2 the line comes from; None: the same on both.
    """

    entity: str
    total: Total
    basis: Basis | None
    source: str
    kind: Literal["own", "bought_inside", "sold_on"]
    co2e_nano_kg: int
    counterpart: str = ""


@dataclass(frozen=True, slots=True)
class Elimination:
    """One row of the table: what stands twice, and in whose inventory it is taken away.

    Attributes:
        medium: what was delivered.
        seller: entity.
        buyer: entity.
        source: connection point or delivery.
        amount: delivered, micro-units.
        unit: of the amount.
        basis: of scope 2.
        from_entity: whose line is taken away.
        from_total: of which total.
        co2e_nano_kg: taken away [1e-9 kg].
    """

    medium: Medium
    seller: str
    buyer: str
    source: str
    amount: int
    unit: str
    basis: Basis
    from_entity: str
    from_total: Total
    co2e_nano_kg: int


@dataclass(frozen=True)
class Parties:
    """Who is who in the entity view.

    Attributes:
        entities: in the order of the park document.
        operator: whoever holds what nobody else does.
        of_tenant: tenant to entity.
        of_source: source of a line to the entity whose it is; a missing one is the tenant's or the operator's.
        holders: connection point to its holder.
        connection_of: import point to its connection point.
    """

    entities: tuple[str, ...]
    operator: str
    of_tenant: Mapping[str, str] = field(default_factory=dict)
    of_source: Mapping[str, str] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)
    connection_of: Mapping[str, str] = field(default_factory=dict)

    def whose(self, emission: Emission) -> str:
        """The entity of a line."""
        if emission.source in self.of_source:
            return self.of_source[emission.source]
        return self.of_tenant.get(emission.tenant or "", self.operator)


@dataclass(frozen=True)
class EntityView:
    """Inventories of the entities beside each other; they overlap, only with the eliminations do they add up.

    Attributes:
        entities: in the order of the park document.
        lines: of all of them.
        eliminations: the table.
        power: electricity bought and generated, by connection point.
        notes: what a reader should know.
    """

    entities: tuple[str, ...]
    lines: tuple[EntityLine, ...]
    eliminations: tuple[Elimination, ...]
    power: Mapping[str, EntityPower] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def part(self, entity: str, total: Total, basis: Basis = "location") -> EntityPart:
        """What one entity reports in one scope; `basis` matters for scope 3 alone, which holds what was sold on."""
        return EntityPart(
            entity, total, sum(line.co2e_nano_kg for line in self._lines(total, basis) if line.entity == entity)
        )

    def eliminated(self, total: Total, basis: Basis = "location") -> int:
        """What is taken away from one total [1e-9 kg]; a total of scope 2 is of its own basis, whatever is asked."""
        basis = _BASIS_OF.get(total, basis)
        return sum(row.co2e_nano_kg for row in self.eliminations if (row.from_total, row.basis) == (total, basis))

    def reconciled(self, total: Total, basis: Basis = "location") -> int:
        """Sum of the entities less the eliminations [1e-9 kg]: the park's total."""
        return sum(line.co2e_nano_kg for line in self._lines(total, basis)) - self.eliminated(total, basis)

    def _lines(self, total: Total, basis: Basis) -> list[EntityLine]:
        wanted: tuple[Basis | None, ...] = (None, basis)
        if total in _SCOPE_2.values():
            wanted = (None, "location", "market")
        return [line for line in self.lines if line.total == total and line.basis in wanted]


def entity_view(
    emissions: Sequence[Emission],
    parties: Parties,
    power: Mapping[str, EntityPower],
    deliveries: Sequence[InnerDelivery] = (),
    *,
    notes: Sequence[str] = (),
) -> EntityView:
    """Give each entity its own inventory and list what stands twice.

    Args:
        emissions: lines of the park's inventory.
        parties: who is who.
        power: electricity by connection point.
        deliveries: steam and heat between entities.
        notes: what the amounts rest on.

    Raises:
        RefusedError: more was delivered than was made or bought.
    """
    building = _Building(parties, power, deliveries, list(notes))
    building.heat_bought(emissions)
    building.without_line(emissions)
    for emission in emissions:
        building.take(emission)
    building.roof_power()
    return EntityView(
        parties.entities,
        tuple(building.lines),
        tuple(building.table.values()),
        power,
        tuple(dict.fromkeys(building.notes)),
    )


class _Building:
    """Lines and eliminations as they come up."""

    def __init__(
        self,
        parties: Parties,
        power: Mapping[str, EntityPower],
        deliveries: Sequence[InnerDelivery],
        notes: list[str],
    ) -> None:
        self._parties = parties
        self._power = power
        self._deliveries = deliveries
        self.notes = notes
        self.lines: list[EntityLine] = []
        self.table: dict[tuple[str, ...], Elimination] = {}
        self._heat: dict[tuple[str, Total], int] = {}

    def heat_bought(self, emissions: Sequence[Emission]) -> None:
        """Note how much heat each entity bought: what is passed on comes from all of it alike."""
        for emission in emissions:
            if emission.carrier == "heat" and emission.total in _SCOPE_2.values():
                key = (self._parties.whose(emission), emission.total)
                self._heat[key] = self._heat.get(key, 0) + emission.amount_micro

    def without_line(self, emissions: Sequence[Emission]) -> None:
        """Say which deliveries carry nothing, as no line of the inventory stands behind what they pass on."""
        burnt = {emission.source for emission in emissions if emission.total == "scope1"}
        bought = {seller for seller, _ in self._heat}
        for delivery in self._deliveries:
            found = not burnt.isdisjoint(delivery.fuel) if delivery.fuel else delivery.seller in bought
            if delivery.amount and not found:
                what = "the fuel behind it" if delivery.fuel else f"{delivery.medium} bought by {delivery.seller}"
                self.notes.append(
                    f"{delivery.delivery}: no line of the inventory is {what}: its {delivery.amount / 1e6:g}"
                    f" {delivery.unit} carry no emission to {delivery.buyer}"
                )

    def take(self, emission: Emission) -> None:
        """Put a line of the park where it belongs."""
        if emission.total in _SCOPE_2.values() and emission.carrier == "electricity" and emission.tenant is None:
            self._electricity(emission)
        elif emission.total in _SCOPE_2.values() and emission.carrier == "heat":
            self._bought_heat(emission)
        else:
            owner = self._parties.whose(emission)
            self._line(owner, emission, "own", emission.co2e_nano_kg)
            self._made_heat(emission, owner)

    def roof_power(self) -> None:
        """Roof power of one entity that another used: kWh in the table, its emission is zero where it was made."""
        for connection, power in self._power.items():
            for (seller, buyer), amount in power.generation.items():
                if seller != buyer:
                    for basis in BASES:
                        self._eliminate(
                            Elimination(
                                "roof_pv", seller, buyer, connection, amount, "kWh", basis, buyer, _SCOPE_2[basis], 0
                            )
                        )

    def _electricity(self, emission: Emission) -> None:
        weights = self._used_generation() if emission.of_generation else self._drawn(emission)
        basis = _basis(emission)
        if not any(weights.values()):
            self.notes.append(f"{emission.source}: no meter says who drew it; it stays with the operator")
            self._line(self._parties.operator, emission, "own", emission.co2e_nano_kg)
            return
        keys = {f"{source} {entity}": (source, entity) for source, entity in weights}
        parts = largest_remainder(emission.co2e_nano_kg, {key: weights[pair] for key, pair in keys.items()})
        for key, nano in parts.items():
            connection, entity = keys[key]
            holder = self._parties.holders.get(connection, self._parties.operator)
            if emission.of_generation or entity == holder:
                self._line(entity, emission, "own", nano)
                continue
            self._line(entity, emission, "bought_inside", nano, holder)
            self.lines.append(EntityLine(holder, "scope3", basis, emission.source, "sold_on", nano, entity))
            drawn = weights[connection, entity]
            self._eliminate(
                Elimination("power", holder, entity, connection, drawn, "kWh", basis, holder, "scope3", nano)
            )

    def _drawn(self, emission: Emission) -> dict[tuple[str, str], int]:
        """Who drew the power of a line: behind its connection point, or behind all of them."""
        only = self._parties.connection_of.get(emission.source)
        found = {}
        for connection, power in self._power.items():
            for entity, amount in power.drawn.items():
                if only not in {None, connection}:
                    continue
                if amount < 0:
                    self.notes.append(f"{entity} gave back {-amount / 1e6:g} kWh more than it drew at {connection}")
                found[connection, entity] = max(amount, 0)
        return found

    def _used_generation(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for connection, power in self._power.items():
            for (_, buyer), amount in power.generation.items():
                found[connection, buyer] = found.get((connection, buyer), 0) + amount
        return found

    def _bought_heat(self, emission: Emission) -> None:
        """Bought heat, less what its owner passed on."""
        owner = self._parties.whose(emission)
        basis = _basis(emission)
        passed = [d for d in self._deliveries if d.seller == owner and not d.fuel]
        parts = _portions(emission, passed, self._heat[owner, emission.total])
        self._line(owner, emission, "own", emission.co2e_nano_kg - sum(parts.values()))
        for delivery in passed:
            nano = parts[delivery.delivery]
            self._line(delivery.buyer, emission, "bought_inside", nano, owner)
            self.lines.append(EntityLine(owner, "scope3", basis, emission.source, "sold_on", nano, delivery.buyer))
            self._delivered(delivery, basis, "scope3", nano)

    def _made_heat(self, emission: Emission, owner: str) -> None:
        """Heat made from a fuel and sold inside: in the buyer's scope 2 as well, and taken away there."""
        sold = [d for d in self._deliveries if emission.total == "scope1" and emission.source in d.fuel]
        _refuse_more_than_made(sold)
        for delivery in sold:
            if delivery.seller != owner:
                self.notes.append(f"{delivery.delivery}: {delivery.seller} sells heat from fuel of {owner}")
            nano = _portions(emission, [delivery], delivery.produced)[delivery.delivery]
            for basis in BASES:
                total = _SCOPE_2[basis]
                bought = EntityLine(
                    delivery.buyer, total, basis, emission.source, "bought_inside", nano, delivery.seller
                )
                self.lines.append(bought)
                self._delivered(delivery, basis, total, nano)

    def _delivered(self, delivery: InnerDelivery, basis: Basis, total: Total, nano: int) -> None:
        """What the seller passed on is taken from its scope 3, what it made from the buyer's scope 2."""
        self._eliminate(
            Elimination(
                delivery.medium,
                delivery.seller,
                delivery.buyer,
                delivery.delivery,
                delivery.amount,
                delivery.unit,
                basis,
                delivery.seller if total == "scope3" else delivery.buyer,
                total,
                nano,
            )
        )

    def _line(
        self,
        entity: str,
        emission: Emission,
        kind: Literal["own", "bought_inside"],
        nano: int,
        counterpart: str = "",
    ) -> None:
        basis = _basis(emission) if emission.total in _SCOPE_2.values() else None
        self.lines.append(EntityLine(entity, emission.total, basis, emission.source, kind, nano, counterpart))

    def _eliminate(self, row: Elimination) -> None:
        """Add to the row of this delivery; power appears in several lines of the park but is delivered once."""
        key = (row.medium, row.seller, row.buyer, row.source, row.basis)
        before = self.table[key].co2e_nano_kg if key in self.table else 0
        self.table[key] = replace(row, co2e_nano_kg=before + row.co2e_nano_kg)


def _basis(emission: Emission) -> Basis:
    return "market" if emission.total == "scope2_market" else "location"


def _refuse_more_than_made(sold: Sequence[InnerDelivery]) -> None:
    """Refuse deliveries that together carry more than all of the fuel they were made from.

    Raises:
        RefusedError: rule 5.6.
    """
    shares = [Fraction(delivery.amount, delivery.produced) for delivery in sold if delivery.produced]
    if len(sold) > 1 and sum(shares) > 1:
        names = ", ".join(delivery.delivery for delivery in sold)
        raise RefusedError("5.6", f"{names}: {float(100 * sum(shares)):g} % of what was made are delivered")


def _portions(emission: Emission, deliveries: Sequence[InnerDelivery], whole: int) -> dict[str, int]:
    """What of a line each delivery carries: its share of all that was made or bought."""
    delivered = sum(delivery.amount for delivery in deliveries)
    if delivered > whole:
        names = ", ".join(delivery.delivery for delivery in deliveries)
        unit = deliveries[0].unit
        raise RefusedError(
            "5.6", f"{names}: {delivered / 1e6:g} {unit} delivered of {whole / 1e6:g} {unit} made or bought"
        )
    if not deliveries:
        return {}
    weights = {f"d {delivery.delivery}": delivery.amount for delivery in deliveries} | {"rest": whole - delivered}
    if whole == 0:
        return {delivery.delivery: 0 for delivery in deliveries}
    parts = largest_remainder(emission.co2e_nano_kg, weights)
    return {delivery.delivery: parts[f"d {delivery.delivery}"] for delivery in deliveries}


def cells(view: EntityView) -> Iterator[tuple[str, Total, int]]:
    """Every entity's part of every total, location-based in scope 3."""
    totals: tuple[Total, ...] = ("scope1", "scope2_location", "scope2_market", "scope3")
    for entity in view.entities:
        for total in totals:
            yield entity, total, view.part(entity, total).co2e_nano_kg
