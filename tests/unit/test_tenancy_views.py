"""The allocation and the entity view: exact sums, the elimination table by hand, and that the two are never mixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.tenancy.allocation import Rule, Stretch, allocate
from parkcarbon.domain.tenancy.entity import BASES, InnerDelivery, Parties, entity_view
from parkcarbon.domain.tenancy.power import EntityPower
from parkcarbon.domain.tenancy.views import PARK, AllocatedPart, Emission, EntityPart, Total, sum_of

KWH = 1_000_000
KG = 1_000_000_000


def stretch(weights: dict[str, int], amount: int = 1, rule: Rule | None = None) -> Stretch:
    return Stretch(rule or Rule(), amount, weights)


@pytest.mark.rule("6.8")
def test_a_total_by_tenant_by_hand() -> None:
    lines = [
        Emission("scope2_location", "gate/active_energy_import", "electricity", 100),
        Emission("scope2_market", "gate/active_energy_import", "electricity", 101),
        Emission("scope1", "boiler/gas_volume_base", "gas", 50, tenant="b"),
        Emission("scope1", "entry:1", "other", 10),
    ]
    stretches = {
        "electricity": [stretch({"a": 1, "b": 2, PARK: 0})],
        "other": [stretch({"a": 1, "b": 1}, rule=Rule("by-area", "2026-01-01", "other", "area"))],
    }
    found = allocate(lines, stretches, ["a", "b"])
    assert [found.part(tenant, "scope2_location").co2e_nano_kg for tenant in found.tenants] == [33, 67, 0]
    assert [found.part(tenant, "scope2_market").co2e_nano_kg for tenant in found.tenants] == [34, 67, 0]
    # gas has no rule of its own: like other, by area, and then a meter of b's own does not make it b's
    assert [found.part(tenant, "scope1").co2e_nano_kg for tenant in found.tenants] == [30, 30, 0]
    assert [found.total(total) for total in ("scope1", "scope2_location", "scope3")] == [60, 100, None]


def test_what_is_a_tenants_by_itself_is_not_split_while_meters_decide() -> None:
    line = Emission("scope1", "boiler/gas_volume_base", "gas", 50, tenant="b")
    found = allocate([line], {"gas": [stretch({"a": 9, "b": 1})], "other": []}, ["a", "b"])
    assert found.part("b", "scope1").co2e_nano_kg == 50


def test_nobody_is_given_what_no_meter_shows() -> None:
    line = Emission("scope1", "boiler/gas_volume_base", "gas", 50)
    found = allocate([line], {"gas": [stretch({"a": 0, "b": 0, PARK: 0})], "other": []}, ["a", "b"])
    assert found.part(PARK, "scope1").co2e_nano_kg == 50
    assert found.notes == ("boiler/gas_volume_base: no meter says who used it; it stays with the park",)


@pytest.mark.rule("3.16", "5.3")
def test_generation_whose_certificates_were_sold_goes_by_who_used_it() -> None:
    void = Emission("scope2_market", "void", "electricity", 90, of_generation=True)
    stretches = {"electricity": [stretch({"a": 1, "b": 0})], "generation": [stretch({"a": 1, "b": 2})], "other": []}
    found = allocate([void], stretches, ["a", "b"])
    assert [found.part(tenant, "scope2_market").co2e_nano_kg for tenant in ("a", "b")] == [30, 60]


def test_a_rule_that_changes_within_a_year_splits_each_stretch_by_its_own() -> None:
    line = Emission("scope2_location", "gate", "electricity", 1000)
    first = stretch({"a": 1, "b": 0}, amount=3, rule=Rule("first", "2026-01-01"))
    second = stretch({"a": 0, "b": 1}, amount=1, rule=Rule("second", "2026-10-01"))
    found = allocate([line], {"electricity": [first, second], "other": []}, ["a", "b"])
    assert [found.part(tenant, "scope2_location").co2e_nano_kg for tenant in ("a", "b")] == [750, 250]
    assert [rule.rule for rule in found.rules] == ["first", "second"]


WEIGHTS = st.fixed_dictionaries({name: st.integers(0, 10**12) for name in ("a", "b", "c", PARK)})


@given(
    st.lists(st.integers(0, 10**18), min_size=1, max_size=4),
    st.lists(st.tuples(WEIGHTS, st.integers(0, 10**9)), min_size=1, max_size=3),
)
def test_parts_always_add_up(totals: list[int], weights: list[tuple[dict[str, int], int]]) -> None:
    lines = [Emission("scope1", f"line {at}", "gas", total) for at, total in enumerate(totals)]
    found = allocate(lines, {"gas": [stretch(w, amount) for w, amount in weights], "other": []}, ["a", "b", "c"])
    assert sum_of(found.part(tenant, "scope1") for tenant in found.tenants) == sum(totals) == found.total("scope1")


def test_the_rule_in_words() -> None:
    words = Rule(by="area", carrier="heat").words()
    assert words == {"zh": "按面积", "en": "by floor area"}
    assert "never above it" in Rule().words()["en"]
    assert "损耗归园区" in Rule(losses="park").words()["zh"]


@pytest.mark.rule("3.3")
def test_the_two_views_are_never_added() -> None:
    allocated, own = AllocatedPart("a", "scope1", 5), EntityPart("a-co", "scope1", 7)
    assert sum_of([allocated, allocated]) == 10
    with pytest.raises(RefusedError, match="are not added"):
        sum_of([allocated, own])
    with pytest.raises(RefusedError, match=r"rule 3\.13"):
        sum_of([own, EntityPart("a-co", "scope2_market", 7)])


# An operator buys 1,000 kWh, keeps 100, sells on 600 to a-co and 300 to b-co, which also uses 50 kWh of its roof.
# a-co burns gas for 2,000 kg and sells 40 of 100 GJ of the steam to b-co. The operator buys 10 GJ of heat, passes 4 on.
PARTIES = Parties(
    ("op", "a-co", "b-co"),
    "op",
    {"a": "a-co", "b": "b-co"},
    {"boiler/gas_volume_base": "a-co"},
    {"grid": "op"},
    {"gate/active_energy_import": "grid"},
)
POWER = {
    "grid": EntityPower(
        {"op": 100 * KWH, "a-co": 600 * KWH, "b-co": 300 * KWH},
        {("op", "b-co"): 50 * KWH, ("op", "op"): 7 * KWH},
        1000 * KWH,
    )
}
LINES = [
    Emission("scope1", "boiler/gas_volume_base", "gas", 2000 * KG),
    Emission("scope2_location", "gate/active_energy_import", "electricity", 500 * KG),
    Emission("scope2_market", "gate/active_energy_import", "electricity", 400 * KG),
    Emission("scope2_market", "void", "electricity", 57 * KG, of_generation=True),
    Emission("scope2_location", "district", "heat", 1100 * KG, amount_micro=10_000_000, unit="GJ"),
    Emission("scope2_market", "district", "heat", 1100 * KG, amount_micro=10_000_000, unit="GJ"),
    Emission("scope3", "waste", "other", 30 * KG, tenant="b"),
]
DELIVERIES = [
    InnerDelivery("steam", "steam", "a-co", "b-co", 40_000_000, "GJ", ("boiler/gas_volume_base",), 100_000_000),
    InnerDelivery("warmth", "heat", "op", "a-co", 4_000_000, "GJ"),
]


@pytest.mark.rule("3.3", "3.16", "5.1", "5.3")
def test_the_entities_and_their_eliminations_by_hand() -> None:
    view = entity_view(LINES, PARTIES, POWER, DELIVERIES)

    def kg(entity: str, total: Total) -> float:
        return view.part(entity, total).co2e_nano_kg / KG

    assert [kg(entity, "scope1") for entity in view.entities] == [0, 2000, 0]
    # op: 50 of its own power and 660 of heat it kept; a-co: 300 of power, 440 of heat; b-co: 150 of power, 800 of steam
    assert [kg(entity, "scope2_location") for entity in view.entities] == [710, 740, 950]
    # the roof's certificates were sold: its 57 kWh count where they were used, 7 at op, 50 at b-co
    assert [kg(entity, "scope2_market") for entity in view.entities] == [40 + 660 + 7, 240 + 440, 120 + 800 + 50]
    assert [kg(entity, "scope3") for entity in view.entities] == [450 + 440, 0, 30]
    rows = {(r.medium, r.seller, r.buyer, r.basis): r for r in view.eliminations}
    assert rows["steam", "a-co", "b-co", "location"].co2e_nano_kg == 800 * KG
    assert rows["steam", "a-co", "b-co", "location"].from_entity == "b-co"
    assert rows["power", "op", "a-co", "location"].co2e_nano_kg == 300 * KG
    assert rows["power", "op", "a-co", "market"].co2e_nano_kg == 240 * KG
    assert (
        rows["roof_pv", "op", "b-co", "location"].amount,
        rows["roof_pv", "op", "b-co", "location"].co2e_nano_kg,
    ) == (
        50 * KWH,
        0,
    )
    assert rows["heat", "op", "a-co", "market"].from_total == "scope3"


def total_of(lines: list[Emission], total: Total) -> int:
    return sum(line.co2e_nano_kg for line in lines if line.total == total)


@pytest.mark.rule("3.3")
def test_the_entities_less_the_eliminations_are_the_park_on_both_bases() -> None:
    view = entity_view(LINES, PARTIES, POWER, DELIVERIES)
    for basis in BASES:
        totals: tuple[Total, ...] = ("scope1", "scope2_location" if basis == "location" else "scope2_market", "scope3")
        for total in totals:
            assert view.reconciled(total, basis) == total_of(LINES, total)


@given(
    st.lists(st.integers(0, 10**17), min_size=7, max_size=7),
    st.lists(st.integers(-(10**9), 10**12), min_size=3, max_size=3),
)
def test_the_identity_holds_for_any_amounts(nanos: list[int], drawn: list[int]) -> None:
    lines = [
        Emission(
            line.total, line.source, line.carrier, nano, line.tenant, line.of_generation, line.amount_micro, line.unit
        )
        for line, nano in zip(LINES, nanos, strict=True)
    ]
    power = {"grid": EntityPower(dict(zip(PARTIES.entities, drawn, strict=True)), {("op", "b-co"): 3}, sum(drawn))}
    view = entity_view(lines, PARTIES, power, DELIVERIES)
    for basis in BASES:
        for total in ("scope1", "scope2_location", "scope2_market", "scope3"):
            if total != f"scope2_{'market' if basis == 'location' else 'location'}":
                assert view.reconciled(total, basis) == total_of(lines, total)


@pytest.mark.rule("5.6")
def test_more_steam_than_was_made_is_refused() -> None:
    steam = InnerDelivery("steam", "steam", "a-co", "b-co", 140_000_000, "GJ", ("boiler/gas_volume_base",), 100_000_000)
    with pytest.raises(RefusedError, match=r"rule 5\.6: steam: 140 GJ delivered of 100 GJ made or bought"):
        entity_view(LINES, PARTIES, POWER, [steam])


@pytest.mark.rule("5.6")
def test_two_buyers_together_cannot_get_more_steam_than_was_made() -> None:
    """60 and 60 of 100 GJ: each alone would be possible."""
    steam = [
        InnerDelivery(name, "steam", "a-co", buyer, 60_000_000, "GJ", ("boiler/gas_volume_base",), 100_000_000)
        for name, buyer in (("first", "b-co"), ("second", "op"))
    ]
    with pytest.raises(RefusedError, match=r"rule 5\.6: first, second: 120 % of what was made are delivered"):
        entity_view(LINES, PARTIES, POWER, steam)


def test_the_market_total_is_reconciled_on_its_own_basis_whatever_is_asked() -> None:
    view = entity_view(LINES, PARTIES, POWER, DELIVERIES)
    for basis in BASES:
        assert view.reconciled("scope2_market", basis) == total_of(LINES, "scope2_market")
        assert view.reconciled("scope2_location", basis) == total_of(LINES, "scope2_location")


@pytest.mark.rule("6.7")
def test_a_delivery_with_no_line_behind_it_is_said_and_carries_nothing() -> None:
    """b-co gives back what it got: steam that it bought inside is on no line of the park's inventory."""
    back = InnerDelivery("back", "steam", "b-co", "a-co", 30_000_000, "GJ")
    lost = InnerDelivery("lost", "heat", "a-co", "b-co", 20_000_000, "GJ", ("kiln/gas_volume_base",), 100_000_000)
    view = entity_view(LINES, PARTIES, POWER, [*DELIVERIES, back, lost])
    assert view.lines == entity_view(LINES, PARTIES, POWER, DELIVERIES).lines
    assert [note.partition(":")[0] for note in view.notes] == ["back", "lost"]
    assert "30 GJ carry no emission to a-co" in view.notes[0]


def test_storage_that_gave_more_than_it_took_is_said() -> None:
    power = {"grid": EntityPower({"op": 100, "a-co": 50, "b-co": -20}, {}, 130)}
    view = entity_view(LINES, PARTIES, power)
    assert any("b-co gave back" in note for note in view.notes)
    assert view.reconciled("scope2_location") == total_of(LINES, "scope2_location")
