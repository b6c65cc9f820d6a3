"""Live figures from the latest readings: indicative, while accumulated figures come from intervals alone.

    load = import + generation + discharge - charge - export                                   [kW]
    unmetered = load - sum of the tenants' sub-meters                                           [kW]
    self-used generation = max(generation - export, 0)                                          [kW]
    self-consumption = self-used / generation, self-sufficiency = self-used / load              [%]
    emission rate = import x EF_grid + gas flow x EF_gas + heat x EF_heat                       [kgCO2e/h]

A flow the park does not have is absent from the input and counts nothing. A flow it has but whose reading is unknown is
None, and every figure that needs it is None: unknown is never zero. A meter that comes from files is no live meter:
beside live meters of the same flow it is left out of the live figures, which name it; a flow of files alone is as known
as they are.

References:
    accounting rules 5.1, 5.2 (import is gross, exports earn nothing), 5.6 (metering identity).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Carrier = Literal["electricity", "gas", "heat"]
NodeKind = Literal["grid", "pv", "battery", "gas", "heat", "tenant", "unmetered", "bus"]

ELECTRIC_BUS: Final = "bus-electricity"
HEAT_BUS: Final = "bus-heat"
UNMETERED: Final = "unmetered"
UNMETERED_HEAT: Final = "unmetered-heat"

_SIGNS: Final = {"import": 1, "generation": 1, "discharge": 1, "charge": -1, "export": -1}


class Signed(NamedTuple):
    """A signed power split into its two directions [kW], both >= 0."""

    positive_kw: float
    negative_kw: float


def split_signed(power_kw: float) -> Signed:
    """Split a signed meter power, for example import (+) and export (-).

    >>> split_signed(-12.5)
    Signed(positive_kw=0.0, negative_kw=12.5)
    """
    return Signed(max(power_kw, 0.0), max(-power_kw, 0.0))


@dataclass(frozen=True, slots=True)
class LivePower:
    """The power of one flow now.

    Attributes:
        node: what it belongs to on the page: a device, or the tenant for sub-meters.
        flow: `import`, `export`, `generation`, `charge`, `discharge`, `sub_meter`, `fuel` or `heat`.
        carrier: of the flow.
        kw: power [kW], >= 0; None: unknown.
        rate: what the factor is per, each hour: kWh/h for electricity, Nm3/h for gas, GJ/h for heat; None: unknown.
        tenant: who uses it; None: the park.
        averaged: True when the power is the average of the last interval of a slow meter.
        from_files: True when its readings come from files, hours or weeks after they were taken.
    """

    node: str
    flow: str
    carrier: Carrier
    kw: float | None
    rate: float | None = None
    tenant: str | None = None
    averaged: bool = False
    from_files: bool = False


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """The figures of the page that come from power; None is unknown."""

    load_kw: float | None
    unmetered_kw: float | None
    generation_kw: float | None
    self_consumption_pct: float | None
    self_sufficiency_pct: float | None
    emission_rate_kgco2e_h: float | None
    parts_kgco2e_h: Mapping[str, float | None]
    averaged: tuple[str, ...]
    tenants_kw: Mapping[str, float | None]


class Node(NamedTuple):
    """A node of the flow picture; `kw` is what passes through it, >= 0."""

    node: str
    kind: NodeKind
    kw: float | None


class Edge(NamedTuple):
    """Power from one node to another [kW], >= 0."""

    origin: str
    target: str
    kw: float


@dataclass(frozen=True)
class FlowGraph:
    """The flow picture: at every bus, in = out.

    Attributes:
        nodes: sources, buses, sinks.
        edges: directed, kW >= 0; none for a power that is unknown.
        imbalance_kw: by how much the sub-meters say more than the load (> 0: meter error or a wrong ratio); 0 when
            the unmetered remainder is not negative; None while any power is unknown.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    imbalance_kw: float | None
    unknown: tuple[str, ...] = field(default=())


def live_figures(powers: Iterable[LivePower], kg_per_unit: Mapping[str, float | None]) -> LiveFigures:
    """Work out the live figures.

    Args:
        powers: the power of every flow of the park; a flow with several meters is summed.
        kg_per_unit: factor now by carrier [kgCO2e/kWh, /Nm3, /GJ]; None or absent: there is none.
    """
    given = tuple(powers)
    known = tuple(power for power, out in zip(given, left_out(given), strict=True) if not out)
    by_flow = {flow: _sum_kw(known, "electricity", flow) for flow in _SIGNS}
    load = load_kw(by_flow)
    submetered = _sum_kw(known, "electricity", "sub_meter")
    generation = by_flow["generation"]
    parts = {carrier: _rate(known, carrier, kg_per_unit.get(carrier)) for carrier in ("electricity", "gas", "heat")}
    present = [parts[carrier] for carrier in parts if _has(known, carrier)]
    return LiveFigures(
        load_kw=load,
        unmetered_kw=None if load is None or submetered is None else load - submetered,
        generation_kw=generation if _flow(known, "electricity", "generation") else None,
        self_consumption_pct=_percent(_self_used(by_flow), generation),
        self_sufficiency_pct=_percent(_self_used(by_flow), load),
        emission_rate_kgco2e_h=_total(present) if present else None,
        parts_kgco2e_h=parts,
        averaged=tuple(carrier for carrier in ("electricity", "gas", "heat") if _averaged(known, carrier)),
        tenants_kw=tenant_powers(known),
    )


def left_out(powers: Sequence[LivePower]) -> list[bool]:
    """Which powers the live figures leave out: those from files beside live ones of the same carrier and flow.

    Sub-meters are never left out: what they would show is part of the load, and no remainder without them is true.
    """
    live = {(power.carrier, power.flow) for power in powers if not power.from_files and power.flow != "sub_meter"}
    return [power.from_files and (power.carrier, power.flow) in live for power in powers]


def load_kw(by_flow: Mapping[str, float | None]) -> float | None:
    """Load from the powers by flow [kW]; None when one of them is unknown.

    >>> load_kw({"import": 100.0, "generation": 50.0, "charge": 20.0, "export": 5.0})
    125.0
    """
    return _total([None if kw is None else _SIGNS[flow] * kw for flow, kw in by_flow.items()])


def tenant_powers(powers: Sequence[LivePower]) -> dict[str, float | None]:
    """Power of each tenant's electricity sub-meters [kW], tenants in order of appearance."""
    tenants = dict.fromkeys(power.tenant for power in powers if power.flow == "sub_meter" and power.tenant is not None)
    return {
        tenant: _total(
            [p.kw for p in powers if p.tenant == tenant and (p.carrier, p.flow) == ("electricity", "sub_meter")]
        )
        for tenant in tenants
    }


def flow_graph(powers: Iterable[LivePower]) -> FlowGraph:
    """Draw the flows: one bus per carrier with suppliers and users, `bus-heat` only where heat has both metered.

    The unmetered remainder closes the balance of a bus. Where sub-meters claim more than the load the edge turns round
    (unmetered to bus) and the difference is the imbalance: shown, not smoothed.
    """
    known = tuple(powers)
    drawing = _Drawing()
    imbalance = _draw_bus(drawing, known, "electricity", ELECTRIC_BUS, UNMETERED)
    if _flow(known, "heat", "sub_meter"):
        _draw_bus(drawing, known, "heat", HEAT_BUS, UNMETERED_HEAT)
    else:
        _draw_direct(drawing, known)
    return FlowGraph(drawing.nodes(), tuple(drawing.edges), imbalance, tuple(drawing.unknown))


class _Drawing:
    """Nodes and edges as they are drawn; a node's kW is the larger of what enters and what leaves it."""

    def __init__(self) -> None:
        self._kinds: dict[str, NodeKind] = {}
        self.edges: list[Edge] = []
        self.unknown: list[str] = []

    def node(self, name: str, kind: NodeKind) -> None:
        self._kinds.setdefault(name, kind)

    def edge(self, origin: str, target: str, kw: float | None) -> None:
        """Draw a power; an unknown one leaves its ends without a number, a bus only where it would enter."""
        if kw is None:
            self.unknown += [name for name in (origin, target) if name == target or self._kinds[name] != "bus"]
        else:
            self.edges.append(Edge(origin, target, kw))

    def nodes(self) -> tuple[Node, ...]:
        return tuple(
            Node(name, kind, None if name in self.unknown else self._through(name))
            for name, kind in self._kinds.items()
        )

    def _through(self, name: str) -> float:
        entering = sum(edge.kw for edge in self.edges if edge.target == name)
        leaving = sum(edge.kw for edge in self.edges if edge.origin == name)
        return max(entering, leaving)


_KINDS: Final[Mapping[str, NodeKind]] = {
    "import": "grid",
    "export": "grid",
    "generation": "pv",
    "charge": "battery",
    "discharge": "battery",
    "fuel": "gas",
    "heat": "heat",
}
_SUPPLY: Final = frozenset({"import", "generation", "discharge", "fuel", "heat"})


def _draw_bus(
    drawing: _Drawing, powers: Sequence[LivePower], carrier: Carrier, bus: str, unmetered: str
) -> float | None:
    """Draw one hub with its suppliers and users; returns the imbalance [kW]."""
    mine = [power for power in powers if _on_bus(power, carrier)]
    if not mine:
        return None
    drawing.node(bus, "bus")
    balance: list[float | None] = []
    for node in dict.fromkeys(power.node for power in mine if power.flow in _KINDS):
        balance += _draw_device(drawing, [power for power in mine if power.node == node], node, bus)
    for tenant in dict.fromkeys(power.tenant or power.node for power in mine if power.flow == "sub_meter"):
        kw = _total([p.kw for p in mine if p.flow == "sub_meter" and (p.tenant or p.node) == tenant])
        drawing.node(tenant_node(tenant), "tenant")
        drawing.edge(bus, tenant_node(tenant), kw)
        balance.append(None if kw is None else -kw)
    rest = _total(balance)
    drawing.node(unmetered, "unmetered")
    if rest is None or rest >= 0:
        drawing.edge(bus, unmetered, rest)
        return None if rest is None else 0.0
    drawing.edge(unmetered, bus, -rest)
    return -rest


def _draw_device(drawing: _Drawing, powers: Sequence[LivePower], node: str, bus: str) -> list[float | None]:
    """Draw what one device takes or gives; of two directions the one that stands still is left out."""
    by_flow = {
        flow: _total([power.kw for power in powers if power.flow == flow])
        for flow in dict.fromkeys(power.flow for power in powers if power.flow in _KINDS)
    }
    moving = {flow: kw for flow, kw in by_flow.items() if kw is None or kw > 0}
    for flow, kw in (moving or dict(list(by_flow.items())[:1])).items():
        drawing.node(node, _KINDS[flow])
        drawing.edge(*((node, bus) if flow in _SUPPLY else (bus, node)), kw)
    return [kw if kw is None or flow in _SUPPLY else -kw for flow, kw in by_flow.items()]


def tenant_node(tenant: str) -> str:
    """Name of a tenant's node; devices may be called like tenants."""
    return f"tenant-{tenant}"


def _on_bus(power: LivePower, carrier: Carrier) -> bool:
    """Gas feeds the heat bus where there is one."""
    if carrier == "heat":
        return power.carrier == "heat" or (power.carrier == "gas" and power.flow == "fuel")
    return power.carrier == carrier


def _draw_direct(drawing: _Drawing, powers: Sequence[LivePower]) -> None:
    """Draw gas and purchased heat to whoever uses them, without a bus."""
    for power in powers:
        if power.flow not in {"fuel", "heat"}:
            continue
        drawing.node(power.node, _KINDS[power.flow])
        user = tenant_node(power.tenant) if power.tenant else UNMETERED_HEAT
        drawing.node(user, "tenant" if power.tenant else "unmetered")
        drawing.edge(power.node, user, power.kw)


def _flow(powers: Sequence[LivePower], carrier: str, flow: str) -> list[LivePower]:
    return [power for power in powers if (power.carrier, power.flow) == (carrier, flow)]


def _sum_kw(powers: Sequence[LivePower], carrier: str, flow: str) -> float | None:
    return _total([power.kw for power in _flow(powers, carrier, flow)])


def _emitting(powers: Sequence[LivePower], carrier: str) -> list[LivePower]:
    return _flow(powers, carrier, {"electricity": "import", "gas": "fuel", "heat": "heat"}[carrier])


def _has(powers: Sequence[LivePower], carrier: str) -> bool:
    return bool(_emitting(powers, carrier))


def _averaged(powers: Sequence[LivePower], carrier: str) -> bool:
    return any(power.averaged for power in _emitting(powers, carrier))


def _rate(powers: Sequence[LivePower], carrier: str, kg_per_unit: float | None) -> float | None:
    emitting = _emitting(powers, carrier)
    if not emitting or kg_per_unit is None:
        return None
    amount = _total([power.kw if carrier == "electricity" else power.rate for power in emitting])
    return None if amount is None else amount * kg_per_unit


def _self_used(by_flow: Mapping[str, float | None]) -> float | None:
    generation, export = by_flow["generation"], by_flow["export"]
    return None if generation is None or export is None else max(generation - export, 0.0)


def _percent(part: float | None, whole: float | None) -> float | None:
    """A share [%]; None where there is nothing to share."""
    if part is None or whole is None or whole <= 0:
        return None
    return 100 * min(part / whole, 1.0)


def _total(values: Sequence[float | None]) -> float | None:
    """Sum; None as soon as one is unknown."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
