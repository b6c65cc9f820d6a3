"""Tenants and entities of a real database: readings through ingest, an inventory, both views by hand."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from ingest.recompute import Recomputer
from parkcarbon.books.inventory import inventory_of, load_inputs
from parkcarbon.books.tenants.figures import allocation_document, allocation_figure, entity_document, entity_figure
from parkcarbon.books.tenants.views import build_allocation, build_entities, power_of, rule_at
from parkcarbon.domain.inventory import Inventory
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.tenancy.views import PARK, TOTALS, sum_of
from parkcarbon.domain.working import check
from parkcarbon.kit.db import from_ms
from tests.fakes.ingest_park import PARK as TESTPARK
from tests.fakes.ingest_park import Ingest, open_ingest
from tests.fakes.tenancy_park import DOCUMENT, LAST_MS, fill, quarter_amounts, send

NOW = from_ms(LAST_MS)
MONTH = "2025-11"
KWH = 1_000_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


async def settled(ingest: Ingest, document: str = DOCUMENT) -> None:
    await fill(ingest, document=document)
    await settle(ingest)


async def settle(ingest: Ingest) -> None:
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass


async def inventory(ingest: Ingest) -> Inventory:
    async with ingest.database.transaction() as session:
        return inventory_of(await load_inputs(session, TESTPARK, MONTH, now=NOW), final=False)


@pytest.mark.rule("5.1", "5.6", "6.8")
async def test_the_allocation_of_a_real_month(ingest: Ingest) -> None:
    await settled(ingest)
    whole = await inventory(ingest)
    async with ingest.database.transaction() as session:
        inputs = await load_inputs(session, TESTPARK, MONTH, now=NOW)
        rule = rule_at(inputs.facts.document, "electricity", inputs.period)
        (part,) = await power_of(session, inputs.facts, inputs.period, rule)
        found = await build_allocation(session, TESTPARK, MONTH, now=NOW)
    # 160 of 192 quarters without sun: 10, 5 and 1 kWh and their parts of the 0.2; with sun nobody draws anything
    assert part.use.drawn_by() == {"a": 1_620_000_000, "b": 810_000_000, PARK: 162_000_000}
    assert (part.use.known, part.use.intervals, part.use.negative) == (192, 192, 0)
    for total in TOTALS[:3]:
        assert sum_of(found.part(tenant, total) for tenant in found.tenants) == found.total(total)
    location = whole.scope(2, "location").co2e_nano_kg
    assert location is not None
    assert found.total("scope2_location") == location
    assert found.part("a", "scope2_location").co2e_nano_kg == pytest.approx(location * 10 / 16, abs=1)
    # the boiler is a's, but all that is not electricity goes by area: 3 : 1
    assert found.part("b", "scope1").co2e_nano_kg * 4 == pytest.approx(whole.scope(1).co2e_nano_kg, abs=4)
    figure = allocation_figure(found, "b", "scope2_location")
    assert check(figure) == []
    assert figure.value == found.part("b", "scope2_location").co2e_nano_kg / 1e9
    document = allocation_document(found)
    assert [rule["rule"] for rule in document["rules"]] == ["power-by-meter", "rest-by-area"]
    assert document["totals"]["scope3"] is None


@pytest.mark.rule("3.3", "5.1")
async def test_the_entities_of_a_real_month(ingest: Ingest) -> None:
    await settled(ingest)
    whole = await inventory(ingest)
    async with ingest.database.transaction() as session:
        view, totals = await build_entities(session, TESTPARK, MONTH, now=NOW)
    power = view.power["grid"]
    assert power.imported == 2600 * KWH
    assert power.drawn == {"op": 200 * KWH, "a-co": 1600 * KWH, "b-co": 800 * KWH, "roof-co": 0}
    # the roof serves a first; of the ten left 3.8 go out, five to b and 1.2 to the park's meter and losses
    assert power.generation == {
        ("roof-co", "a-co"): 320 * KWH,
        ("roof-co", "b-co"): 160 * KWH,
        ("roof-co", "op"): 38_400_000,
    }
    document = entity_document(view, totals)
    assert [row["difference_nano_kg"] for row in document["reconciliation"]] == [0, 0, 0, 0, 0]
    gas = whole.scope(1).co2e_nano_kg
    assert gas is not None
    steam = next(row for row in view.eliminations if row.medium == "steam" and row.basis == "location")
    assert (steam.amount, steam.unit, steam.from_entity) == (192_000_000, "GJ", "b-co")
    assert steam.co2e_nano_kg * 4 == pytest.approx(gas, abs=4)
    assert view.part("a-co", "scope1").co2e_nano_kg == gas
    located = whole.scope(2, "location").co2e_nano_kg or 0
    assert view.part("b-co", "scope2_location").co2e_nano_kg == pytest.approx(located * 8 / 26 + gas / 4, abs=2)
    for total in TOTALS:
        figure = entity_figure(view, total)
        assert check(figure) == []
    assert entity_figure(view, "scope2_location").value == located / 1e9
    assert entity_figure(view, "scope2_market").value == (whole.scope(2, "market").co2e_nano_kg or 0) / 1e9


async def test_a_park_without_entities_has_no_entity_view_and_the_default_rule(ingest: Ingest) -> None:
    text = DOCUMENT
    for name in ("entities", "deliveries", "allocation"):
        start = text.index(f"\n{name}:\n") + 1
        end = next(
            at for at in range(text.index("\n", start) + 1, len(text)) if text[at - 1] == "\n" and text[at] not in " \n"
        )
        text = text[:start] + text[end:]
    await settled(ingest, text.replace("    owner: roof-co\n", ""))
    async with ingest.database.transaction() as session:
        with pytest.raises(RefusedError, match="names no legal entities"):
            await build_entities(session, TESTPARK, MONTH, now=NOW)
        found = await build_allocation(session, TESTPARK, MONTH, now=NOW)
    assert "no allocation rule is declared: the product's default is used" in found.notes
    assert found.part("a", "scope1").co2e_nano_kg == found.total("scope1")  # a's own boiler


async def test_a_period_that_has_not_begun_is_refused(ingest: Ingest) -> None:
    await ingest.apply(DOCUMENT)
    async with ingest.database.transaction() as session:
        with pytest.raises(RefusedError, match="had not begun"):
            await build_allocation(session, TESTPARK, "2025-12", now=NOW - dt.timedelta(seconds=1))


@pytest.mark.rule("6.9")
async def test_both_views_as_known_before_late_readings(ingest: Ingest) -> None:
    """Half of the readings come later; what was known in between is what it was."""
    amounts = quarter_amounts()
    half = {point: values[: len(values) // 2] for point, values in amounts.items()}
    await fill(ingest, amounts=half)
    await settle(ingest)
    moment: dt.datetime = await ingest.database.fetchval("select clock_timestamp()")
    before = await views(ingest, NOW)
    await send(ingest, {point: values[len(values) // 2 :] for point, values in amounts.items()})
    await settle(ingest)
    after = await views(ingest, NOW)
    then = await views(ingest, moment + dt.timedelta(minutes=2), as_of=moment)
    assert after["tenants"] != before["tenants"]
    assert then["tenants"] == before["tenants"]
    assert then["eliminations"] == before["eliminations"]


async def views(ingest: Ingest, now: dt.datetime, as_of: dt.datetime | None = None) -> dict[str, object]:
    async with ingest.database.transaction() as session:
        allocation = await build_allocation(session, TESTPARK, MONTH, now=now, as_of=as_of)
        view, totals = await build_entities(session, TESTPARK, MONTH, now=now, as_of=as_of)
    return {
        "tenants": allocation_document(allocation)["tenants"],
        "eliminations": entity_document(view, totals)["eliminations"],
    }
