"""Live figures and the flow picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.live import (
    ELECTRIC_BUS,
    HEAT_BUS,
    UNMETERED,
    UNMETERED_HEAT,
    Edge,
    FlowGraph,
    LivePower,
    Signed,
    flow_graph,
    live_figures,
    split_signed,
    tenant_node,
)

FACTORS = {"electricity": 0.5, "gas": 2.0, "heat": 110.0}


def power(node: str, flow: str, kw: float | None, **more: object) -> LivePower:
    return LivePower(node, flow, more.pop("carrier", "electricity"), kw, **more)  # type: ignore[arg-type]


PARK = (
    power("grid", "import", 600.0),
    power("grid", "export", 0.0),
    power("pv", "generation", 300.0),
    power("battery", "charge", 0.0),
    power("battery", "discharge", 100.0),
    power("m1", "sub_meter", 500.0, tenant="a"),
    power("m2", "sub_meter", 200.0, tenant="b"),
    power("m3", "sub_meter", 100.0, tenant="a"),
    power("boiler", "fuel", 1000.0, carrier="gas", rate=92.5, tenant="a", averaged=True),
    power("steam", "heat", 500.0, carrier="heat", rate=1.8),
)


def test_figures_of_a_whole_park() -> None:
    figures = live_figures(PARK, FACTORS)
    assert figures.load_kw == 1000.0
    assert figures.unmetered_kw == 200.0
    assert figures.generation_kw == 300.0
    assert figures.self_consumption_pct == 100.0
    assert figures.self_sufficiency_pct == 30.0
    assert figures.parts_kgco2e_h == {"electricity": 300.0, "gas": 185.0, "heat": pytest.approx(198.0)}
    assert figures.emission_rate_kgco2e_h == pytest.approx(683.0)
    assert figures.averaged == ("gas",)
    assert figures.tenants_kw == {"a": 600.0, "b": 200.0}


def test_exported_generation_is_not_self_used() -> None:
    figures = live_figures((power("g", "import", 0.0), power("g", "export", 75.0), power("p", "generation", 300.0)), {})
    assert figures.load_kw == 225.0
    assert figures.self_consumption_pct == 75.0
    assert figures.self_sufficiency_pct == 100.0


def test_unknown_is_never_zero() -> None:
    figures = live_figures((power("g", "import", None), power("p", "generation", 10.0)), FACTORS)
    assert figures.load_kw is None
    assert figures.self_sufficiency_pct is None
    assert figures.emission_rate_kgco2e_h is None
    assert figures.self_consumption_pct == 100.0


def test_a_meter_from_files_is_left_out_beside_live_ones() -> None:
    figures = live_figures((*PARK, power("canteen", "import", None, from_files=True)), FACTORS)
    assert figures == live_figures(PARK, FACTORS)
    late_gas = power("old-boiler", "fuel", None, carrier="gas", from_files=True)
    assert live_figures((*PARK, late_gas), FACTORS).parts_kgco2e_h["gas"] == 185.0
    graph = flow_graph((*PARK, power("canteen", "import", None, from_files=True)))
    assert graph.imbalance_kw is None  # the picture has a place for it, without a number


def test_a_flow_from_files_alone_is_not_zero() -> None:
    pair = (power("g", "import", None, from_files=True), power("p", "generation", 10.0))
    assert live_figures(pair, FACTORS).load_kw is None
    known = (power("g", "import", 30.0, averaged=True, from_files=True), power("p", "generation", 10.0))
    assert live_figures(known, FACTORS).load_kw == 40.0


def test_a_sub_meter_from_files_leaves_the_remainder_unknown() -> None:
    late = power("m4", "sub_meter", None, tenant="b", from_files=True)
    figures = live_figures((*PARK, late), FACTORS)
    assert figures.load_kw == 1000.0
    assert figures.unmetered_kw is None
    assert figures.tenants_kw["b"] is None


def test_a_carrier_without_a_factor_makes_the_rate_unknown() -> None:
    figures = live_figures(PARK, {"electricity": 0.5, "heat": 110.0})
    assert figures.parts_kgco2e_h["gas"] is None
    assert figures.emission_rate_kgco2e_h is None


def test_a_park_without_gas_needs_no_gas_factor() -> None:
    figures = live_figures((power("g", "import", 10.0),), {"electricity": 0.5})
    assert figures.emission_rate_kgco2e_h == 5.0
    assert figures.parts_kgco2e_h == {"electricity": 5.0, "gas": None, "heat": None}
    assert figures.generation_kw is None


def test_at_night_self_consumption_has_nothing_to_share() -> None:
    figures = live_figures((power("g", "import", 10.0), power("p", "generation", 0.0)), FACTORS)
    assert figures.self_consumption_pct is None
    assert figures.self_sufficiency_pct == 0.0


def test_no_meters_no_figures() -> None:
    figures = live_figures((), FACTORS)
    assert figures.emission_rate_kgco2e_h is None


def balance(graph: FlowGraph, node: str) -> float:
    return sum(e.kw for e in graph.edges if e.target == node) - sum(e.kw for e in graph.edges if e.origin == node)


def test_the_flow_picture_of_a_whole_park() -> None:
    graph = flow_graph(PARK)
    assert set(graph.edges) == {
        Edge("grid", ELECTRIC_BUS, 600.0),
        Edge("pv", ELECTRIC_BUS, 300.0),
        Edge("battery", ELECTRIC_BUS, 100.0),
        Edge(ELECTRIC_BUS, tenant_node("a"), 600.0),
        Edge(ELECTRIC_BUS, tenant_node("b"), 200.0),
        Edge(ELECTRIC_BUS, UNMETERED, 200.0),
        Edge("boiler", tenant_node("a"), 1000.0),
        Edge("steam", UNMETERED_HEAT, 500.0),
    }
    assert graph.imbalance_kw == 0.0
    kinds = {node.node: node.kind for node in graph.nodes}
    assert kinds["battery"] == "battery"
    assert kinds[ELECTRIC_BUS] == "bus"
    assert HEAT_BUS not in kinds
    assert {node.node: node.kw for node in graph.nodes}[ELECTRIC_BUS] == 1000.0


def test_grid_and_battery_turn_with_their_sign() -> None:
    graph = flow_graph(
        (
            power("grid", "import", 0.0),
            power("grid", "export", 40.0),
            power("battery", "charge", 60.0),
            power("battery", "discharge", 0.0),
            power("pv", "generation", 100.0),
        )
    )
    assert Edge(ELECTRIC_BUS, "grid", 40.0) in graph.edges
    assert Edge(ELECTRIC_BUS, "battery", 60.0) in graph.edges
    assert not [edge for edge in graph.edges if edge.origin in {"grid", "battery"}]


def test_a_heat_bus_where_heat_has_both_sides_metered() -> None:
    graph = flow_graph((*PARK, power("h1", "sub_meter", 900.0, carrier="heat", tenant="b")))
    assert Edge("boiler", HEAT_BUS, 1000.0) in graph.edges
    assert Edge("steam", HEAT_BUS, 500.0) in graph.edges
    assert Edge(HEAT_BUS, tenant_node("b"), 900.0) in graph.edges
    assert Edge(HEAT_BUS, UNMETERED_HEAT, 600.0) in graph.edges
    assert balance(graph, HEAT_BUS) == 0.0


def test_sub_meters_above_the_load_are_shown_as_imbalance() -> None:
    graph = flow_graph((power("grid", "import", 100.0), power("m", "sub_meter", 130.0, tenant="a")))
    assert graph.imbalance_kw == 30.0
    assert Edge(UNMETERED, ELECTRIC_BUS, 30.0) in graph.edges
    assert balance(graph, ELECTRIC_BUS) == 0.0


def test_an_unknown_power_has_no_edge_and_no_number() -> None:
    graph = flow_graph((power("grid", "import", None), power("m", "sub_meter", 130.0, tenant="a")))
    numbers = {node.node: node.kw for node in graph.nodes}
    assert numbers["grid"] is None
    assert numbers[UNMETERED] is None
    assert numbers[tenant_node("a")] == 130.0
    assert graph.imbalance_kw is None
    assert [edge.target for edge in graph.edges] == [tenant_node("a")]
    assert numbers[ELECTRIC_BUS] is None


def test_a_bus_is_known_while_all_that_enters_is() -> None:
    graph = flow_graph((power("grid", "import", 200.0), power("m", "sub_meter", None, tenant="a")))
    numbers = {node.node: node.kw for node in graph.nodes}
    assert (numbers[ELECTRIC_BUS], numbers[tenant_node("a")], numbers[UNMETERED]) == (200.0, None, None)


FLOWS = st.sampled_from(["import", "export", "generation", "charge", "discharge", "sub_meter", "fuel", "heat"])


@st.composite
def powers(draw: st.DrawFn) -> list[LivePower]:
    found = []
    for i, flow in enumerate(draw(st.lists(FLOWS, max_size=12))):
        carrier = {"fuel": "gas", "heat": "heat"}.get(
            flow, draw(st.sampled_from(["electricity", "electricity", "heat"]))
        )
        if carrier == "heat" and flow not in {"heat", "sub_meter"}:
            carrier = "electricity"
        kw = draw(st.integers(0, 10_000)) / 4  # exact in binary: sums are equal, not near
        node = {"import": "grid", "export": "grid", "charge": "battery", "discharge": "battery"}.get(flow, f"{flow}{i}")
        tenant = draw(st.sampled_from(["a", "b", None]))
        found.append(power(node, flow, kw, carrier=carrier, tenant=tenant))
    return found


@given(powers())
def test_every_bus_balances_and_every_edge_is_directed(drawn: list[LivePower]) -> None:
    graph = flow_graph(drawn)
    assert all(edge.kw >= 0 for edge in graph.edges)
    for node in graph.nodes:
        if node.kind == "bus":
            assert balance(graph, node.node) == 0.0
    names = {node.node for node in graph.nodes}
    assert {edge.origin for edge in graph.edges} | {edge.target for edge in graph.edges} <= names
    assert len(names) == len(graph.nodes)


@given(powers())
def test_the_picture_and_the_figures_agree(drawn: list[LivePower]) -> None:
    figures, graph = live_figures(drawn, FACTORS), flow_graph(drawn)
    electric = [p for p in drawn if p.carrier == "electricity"]
    if electric:
        assert figures.unmetered_kw is not None
        assert -balance(graph, UNMETERED) == -figures.unmetered_kw
        assert graph.imbalance_kw == max(-figures.unmetered_kw, 0.0)


def test_split_signed() -> None:
    assert split_signed(7.0) == Signed(7.0, 0.0)
    assert split_signed(-7.0) == Signed(0.0, 7.0)
