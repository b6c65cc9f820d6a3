"""Indicators from the books: a small park whose amounts can be worked out by hand, with everything that is entered."""

import argparse
import datetime as dt
import json
import math
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.books import entries
from parkcarbon.books.indicators.budgets import budgets_of
from parkcarbon.books.indicators.comparisons import comparisons_of, intensities_of
from parkcarbon.books.indicators.figures import indicator_figure
from parkcarbon.books.indicators.measures import gap_measures, reductions_of
from parkcarbon.books.indicators.park import park_indicators, period_energy
from parkcarbon.books.indicators.power import duties_of, matching_of
from parkcarbon.books.indicators.uncertainty import uncertainty_of
from parkcarbon.books.inventory import Inputs, inventory_of, load_inputs
from parkcarbon.cli.accounts import indicators as verb
from parkcarbon.domain.indicators.budget import BudgetState
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from parkcarbon.kit.db import Database, Session, from_ms
from tests.fakes.api_client import AUDITOR, WALL, SceneClock, serving, settings_for
from tests.fakes.api_park import LIVE_MS, NOW_MS, PARK, QUARTER_MS, RUNNING_MS, amount, starts, write_park

NOW = from_ms(NOW_MS)
MONTH = "2026-11"
YEAR = (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
NOVEMBER = (dt.date(2026, 11, 1), dt.date(2026, 12, 1))


def total(device: str, quantity: str) -> float:
    """Amount of a point over the days the park has [unit]."""
    running = (LIVE_MS - RUNNING_MS) / 3_600_000 if device != "boiler-gas" else 0.0
    whole = math.fsum(amount(device, quantity, start) / 4 for start in starts()[:-1])
    return whole + amount(device, quantity, RUNNING_MS) * running


IMPORT, EXPORT = total("gate", "active_energy_import"), total("gate", "active_energy_export")
PV, GAS, HEAT = (
    total("pv-1", "active_energy_yield"),
    total("boiler-gas", "gas_volume_base"),
    total("heat-main", "heat_energy"),
)
CHARGE, DISCHARGE = total("battery", "active_energy_import"), total("battery", "active_energy_export")
MACHINING = total("m1", "active_energy_import") + total("m2", "active_energy_import")


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Session]:
    """The park with its nine days, in one transaction."""
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=2) as database, database.transaction() as found:
        yield found


async def enter(
    session: Session,
    kind: str,
    document: dict[str, Any],
    days: tuple[dt.date, dt.date] = YEAR,
    *,
    tenant: str | None = None,
    approve: bool = True,
) -> int:
    number = await entries.enter(
        session,
        PARK,
        kind,
        document,
        tenant=tenant,
        from_day=days[0],
        to_day=days[1],
        evidence=f"{kind} sheet",
        author="energy manager",
        reason="",
    )
    if approve and entries.needs_review(kind):
        await entries.review(session, number, person="reviewer", decision="approved", reason="")
    return number


async def inputs_of(session: Session) -> Inputs:
    return await load_inputs(session, PARK, MONTH, now=NOW)


COAL = {"year": 2026, "kgce_per_kwh": 0.3, "document": "bulletin of the year"}


@pytest.mark.rule("1.18", "2.4")
async def test_comprehensive_energy_at_both_values(session: Session) -> None:
    without = await period_energy(session, PARK, MONTH, now=NOW)
    assert without.comprehensive.tce("equal") is None
    assert "no 等价值 of electricity is known for 2026" in without.comprehensive.reason
    await enter(session, "equal_value", COAL)
    energy = await period_energy(session, PARK, MONTH, now=NOW)
    consumed = IMPORT + PV - EXPORT
    heat_tce = (GAS * 389.31e-4 + HEAT) / 29.307
    assert energy.comprehensive.tce("calorific") == pytest.approx(consumed * 0.1229 / 1000 + heat_tce)
    assert energy.comprehensive.tce("equal") == pytest.approx(consumed * 0.3 / 1000 + heat_tce)
    assert energy.comprehensive.clean_share_pct("equal") == pytest.approx(
        100 * (PV - EXPORT) * 0.0003 / (consumed * 0.0003 + heat_tce)
    )
    load = IMPORT + PV + DISCHARGE - CHARGE - EXPORT
    assert energy.own.self_consumption_pct == pytest.approx(100 * (PV - EXPORT) / PV)
    assert energy.own.self_sufficiency_pct == pytest.approx(100 * (PV - EXPORT) / load)
    assert energy.direct.share_pct == pytest.approx(100 * (PV - EXPORT) / consumed)


@pytest.mark.rule("1.18")
async def test_a_coal_value_counts_only_once_a_second_person_approved_it(session: Session) -> None:
    await enter(session, "equal_value", COAL, approve=False)
    energy = await period_energy(session, PARK, MONTH, now=NOW)
    assert energy.comprehensive.tce("equal") is None
    with pytest.raises(RefusedError, match=r"rule 1\.18: 0\.1229 kgce/kWh is no 等价值"):
        await enter(session, "equal_value", COAL | {"kgce_per_kwh": 0.1229})


@pytest.mark.rule("2.12")
async def test_a_year_to_date_with_unknown_months_is_not_computed_and_says_why(session: Session) -> None:
    await enter(session, "equal_value", COAL)
    to_date, last_year, rolling = await park_indicators(session, PARK, now=NOW)
    # January to October have no readings: the year to date is not the nine days alone.
    assert (to_date.verdict, to_date.value, to_date.energy_nano_kg) == ("not_computed", None, None)
    assert any("boiler-gas/gas_volume_base is not known" in reason for reason in to_date.reasons)
    assert [item.window.kind for item in (last_year, rolling)] == ["last_full_year", "rolling_12_months"]
    assert rolling.window.months[0] == "2025-11"
    assert rolling.window.months[-1] == "2026-10"
    assert all("indicative" in str(item.document()["status"]) for item in (to_date, last_year, rolling))


LAST_YEAR = (dt.date(2025, 1, 1), dt.date(2026, 1, 1))


@pytest.mark.rule("2.2", "2.3", "2.5", "2.6", "2.7")
async def test_the_park_indicator_of_a_year_that_was_entered(session: Session) -> None:
    # 600 GWh bought, 400 GWh over a dedicated line, 1,000 × 10⁴ Nm3 gas, 293,070 GJ heat of a biomass plant.
    await enter(session, "electricity", {"amount": 600_000, "unit": "MWh"}, LAST_YEAR)
    await enter(session, "electricity", {"amount": 400_000, "unit": "MWh", "origin": "non_fossil"}, LAST_YEAR)
    await enter(session, "fuel", {"fuel": "gas", "amount": 1e7, "unit": "Nm3"}, LAST_YEAR)
    await enter(session, "heat", {"amount": 293_070, "unit": "GJ", "origin": "non_fossil"}, LAST_YEAR)
    await enter(session, "equal_value", COAL | {"year": 2025}, LAST_YEAR)
    await enter(session, "guiding_indicator", {"indicator": "water_reuse", "value_pct": 85.0}, LAST_YEAR)
    excluded = {"indicator": "waste_heat_use", "excluded_because": "none above 60 °C"}
    await enter(session, "guiding_indicator", excluded, LAST_YEAR)
    _, last_year, _ = await park_indicators(session, PARK, now=NOW)
    tce = 1e9 * 0.3 / 1000 + (1e3 * 389.31 + 293_070) / 29.307
    tonnes = 6e8 * 0.8325 / 1000 + 1e3 * 389.31 * 0.0153 * 44 / 12
    assert last_year.energy.tce("equal") == pytest.approx(tce)
    assert last_year.energy_nano_kg == pytest.approx(tonnes * 1e12)
    assert last_year.value == pytest.approx(tonnes / tce)
    assert last_year.size_class is not None
    assert (last_year.size_class.limit_tco2_per_tce, last_year.verdict) == (0.2, "not_met")
    assert last_year.direct.share_pct == pytest.approx(40.0)
    assert last_year.direct.document()["reached"] is False
    guiding = {item.guiding.indicator: item for item in last_year.guiding}
    assert (guiding["water_reuse"].verdict, guiding["waste_heat_use"].verdict) == ("met", "excluded")
    clean = guiding["clean_energy_share"].value
    assert clean is not None
    assert clean.value_pct == pytest.approx(100 * (4e8 * 0.3 / 1000 + 293_070 / 29.307) / tce)
    assert check(last_year.figure(with_process=True)) == []


@pytest.mark.rule("3.18")
async def test_hourly_matching_by_hand(session: Session) -> None:
    matching = await matching_of(session, await inputs_of(session))
    load = matched = 0.0
    hours = [start for start in starts() if start % 3_600_000 == 0 and start + 4 * QUARTER_MS <= RUNNING_MS]
    for hour in hours:
        quarters = [hour + number * QUARTER_MS for number in range(4)]

        def kwh(device: str, quantity: str, at: list[int] = quarters) -> float:
            return sum(amount(device, quantity, start) / 4 for start in at)

        generated = kwh("pv-1", "active_energy_yield") - kwh("gate", "active_energy_export")
        used = (
            kwh("gate", "active_energy_import")
            + generated
            + kwh("battery", "active_energy_export")
            - kwh("battery", "active_energy_import")
        )
        load, matched = load + used, matched + min(used, max(generated, 0.0))
    assert matching.share_pct == pytest.approx(100 * matched / load)
    assert int(matching.known.sum()) == len(hours)


@pytest.mark.rule("4.9")
async def test_duties_of_tenants(session: Session) -> None:
    await enter(session, "green_power_duty", {"industry": "steel"}, tenant="cold")
    share = {"industry": "polysilicon", "share_pct": 34.2, "document": "provincial notice"}
    await enter(session, "green_power_duty", share, tenant="machining")
    cold, machining = await duties_of(session, await inputs_of(session))
    assert cold.required_micro is None
    assert "no share of steel is known for China/JS in 2026" in cold.reason
    assert machining.consumption_micro == pytest.approx(MACHINING * 1e6, abs=200)
    assert machining.short_micro == pytest.approx(MACHINING * 0.342 * 1e6, abs=200)
    with pytest.raises(RefusedError, match=r"rule 4\.9: a share of 30 %"):
        await enter(session, "green_power_duty", {"industry": "steel", "share_pct": 30.0}, tenant="cold")


async def test_intensities_of_park_and_tenant(session: Session) -> None:
    await enter(session, "production", {"product": "parts", "amount": 3000.0, "unit": "piece"}, NOVEMBER)
    await enter(session, "area", {"m2": 500.0}, tenant="machining")
    inputs = await inputs_of(session)
    inventory = inventory_of(inputs, final=False)
    found = {
        (item.tenant, item.name, item.numerator_unit): item for item in await intensities_of(session, inputs, inventory)
    }
    park = found[None, "production:parts", "kgCO2e"]
    whole = inventory.total_nano_kg("location")
    assert whole is not None
    assert park.value == pytest.approx(whole / 1e9 / 3000)
    assert found["machining", "floor_area", "kWh"].value == pytest.approx(MACHINING / 500)
    part = found["machining", "floor_area", "kgCO2e"].numerator
    assert part is not None
    assert 0 < part < whole / 1e9
    assert ("cold", "floor_area", "kWh") not in found


async def test_budgets_with_pace_and_forecast(session: Session) -> None:
    await enter(session, "budget", {"what": "electricity", "amount": 200_000, "unit": "kWh"}, NOVEMBER)
    await enter(
        session, "budget", {"what": "electricity", "amount": 20_000, "unit": "kWh"}, NOVEMBER, tenant="machining"
    )
    found = await budgets_by_span(session)
    park = found["park", "electricity", NOVEMBER[0]]
    # Days 12 to 20 are whole and all alike; 1 to 11 passed without readings and are forecast like the rest.
    day = [start for start in starts() if starts()[0] <= start < starts()[0] + 86_400_000]
    kwh = sum(
        (amount("gate", "active_energy_import", s) + amount("pv-1", "active_energy_yield", s)) / 4
        - amount("gate", "active_energy_export", s) / 4
        for s in day
    )
    assert (park.forecast.known_days, park.forecast.unknown_days, park.forecast.days_to_come) == (9, 11, 10)
    assert park.forecast.used == pytest.approx(9 * kwh)
    assert park.forecast.expected == pytest.approx(30 * kwh)
    assert park.budget == 200_000
    tenant = found["machining", "electricity", NOVEMBER[0]]
    assert tenant.forecast.used == pytest.approx(9 * sum(amount("m1", "", s) + amount("m2", "", s) for s in day) / 4)
    emitted = found["park", "co2e_location", NOVEMBER[0]]
    assert emitted.budget is None
    assert emitted.forecast.expected is not None
    assert {item.from_day for item in found.values()} == {NOVEMBER[0], YEAR[0]}


async def test_what_was_entered_before_the_meters_is_used_up_too(session: Session) -> None:
    """Ten days of October by entries, ten of November by meters, a refrigerant that no meter counts."""
    days = (dt.date(2026, 10, 1), dt.date(2026, 10, 11))
    before = await budgets_by_span(session)
    await enter(session, "electricity", {"amount": 10.0, "unit": "MWh"}, days)
    await enter(session, "electricity", {"amount": 2000.0, "direction": "generated", "origin": "non_fossil"}, days)
    await enter(session, "electricity", {"amount": 500.0, "direction": "delivered", "origin": "non_fossil"}, days)
    await enter(session, "fuel", {"fuel": "gas", "amount": 1000.0, "unit": "Nm3"}, days)
    only_two = await budgets_by_span(session)
    await enter(session, "heat", {"amount": 50.0, "origin": "fossil"}, days)
    await enter(session, "refrigerant", {"substance": "SF6", "refilled_kg": 1.0}, days)
    after = await budgets_by_span(session)
    month, year = ("park", "co2e_location", NOVEMBER[0]), ("park", "co2e_location", YEAR[0])
    assert after[month].forecast.used == before[month].forecast.used
    # heat is metered in this park: days on which neither a meter nor an entry tells it are not known
    assert only_two[year].forecast.used == before[year].forecast.used
    by_hand = 10_000 * 0.5827 + 1000 * 2.1643027623 + 50 * 110 + 25_200  # kg; SF6 by the IPCC
    assert after[year].forecast.used - before[year].forecast.used == pytest.approx(by_hand / 1000, rel=1e-9)
    assert after[year].forecast.known_days - before[year].forecast.known_days == 10
    power = ("park", "electricity", YEAR[0])
    assert after[power].forecast.used - before[power].forecast.used == pytest.approx(10_000 + 2000 - 500)


async def budgets_by_span(session: Session) -> dict[tuple[str, str, dt.date], BudgetState]:
    facts = (await inputs_of(session)).facts
    return {
        (item.name, item.what, item.from_day): item for item in await budgets_of(session, facts, dt.date(2026, 11, 21))
    }


@pytest.mark.rule("3.2")
async def test_measures_feed_the_reductions_line_and_the_planner(session: Session) -> None:
    measure = {
        "measure": "hall-led",
        "title": {"zh": "照明", "en": "Lighting"},
        "owner": "energy manager",
        "kind": "reduce",
        "status": "running",
        "baseline": "discharge lamps",
        "expected_co2e_t_per_year": 36.5,
        "cost": 50_000,
    }
    await enter(session, "measure", measure)
    await enter(session, "measure", measure | {"measure": "roof", "status": "decided"}, NOVEMBER)
    saving = {"measure": "hall-led", "co2e_t": 2.5, "how": "metered"}
    await enter(session, "measure_saving", saving, NOVEMBER)
    inputs = await inputs_of(session)
    line = reductions_of(inputs.facts, inputs.period)
    assert line.metered_nano_kg == 2_500_000_000_000
    assert line.expected_nano_kg == 3_000_000_000_000
    inventory = inventory_of(inputs, final=False)
    assert all("hall-led" not in item.source for item in inventory.lines("location"))
    (step,) = gap_measures(inputs.facts, dt.date(2026, 12, 1))
    assert step[:2] == ("roof", 36_500_000_000_000)
    assert step[2] == pytest.approx(5_000.0)
    await enter(session, "measure", measure, NOVEMBER)
    with pytest.raises(RefusedError, match=r"rule 6\.9: measure hall-led is there twice"):
        reductions_of((await inputs_of(session)).facts, inputs.period)


async def test_comparison_with_an_entered_base_year(session: Session) -> None:
    months = [
        {"month": month, "scope1_t": 10.0, "scope2_location_t": 90.0, "scope2_market_t": 95.0, "output": 1000.0}
        for month in range(1, 13)
    ]
    base = {
        "year": 2025,
        "months": months,
        "boundary": "the whole zone",
        "same_boundary": True,
        "recalculation_policy": "above 5 %",
        "output_of": "parts",
    }
    await enter(session, "base_year", base, (dt.date(2025, 1, 1), dt.date(2026, 1, 1)))
    await enter(session, "production", {"product": "parts", "amount": 1250.0, "unit": "piece"}, NOVEMBER)
    (against_base,) = await comparisons_of(session, PARK, MONTH, now=NOW)
    assert against_base.before.label == "2025-11"
    changes = {change.name: change for change in against_base.changes}
    assert changes["total_location"].before == 100_000_000_000_000
    assert changes["total_location"].expected == pytest.approx(125e12)
    # Twenty of thirty days have passed: the difference is shown, a percentage is not.
    assert not against_base.comparable
    assert any("has 21 days" in reason or "has 20 days" in reason for reason in against_base.reasons)


@pytest.mark.rule("6.6")
async def test_uncertainty_of_the_inventory(session: Session) -> None:
    assumed = {"subject": "purpose", "name": "grid_average", "half_width_pct": 4.0, "source": "expert judgement"}
    await enter(session, "uncertainty_assumption", assumed)
    inputs = await inputs_of(session)
    inventory = inventory_of(inputs, final=False)
    found = await uncertainty_of(session, inputs, inventory)
    (electricity,) = [line for line in found["scope2_location"].lines if line.source == "gate/active_energy_import"]
    # No class is declared: the meter as class 2, its transformer as class 1, the factor as entered; no steps.
    pct = electricity.combined.pct
    assert pct == pytest.approx(math.sqrt(2**2 + 1**2 + 4**2), rel=1e-3)
    total_location = found["total_location"].total
    whole = inventory.total_nano_kg("location")
    assert whole is not None
    assert total_location.value == pytest.approx(whole / 1e9)
    kinds = {part.key: part for part in total_location.parts}
    assert kinds["meter:gate@2020-01-01T00:00:00+00:00"].assumed
    assert any("假定 assumed" in note for note in found["total_location"].notes)


FIGURES = [
    "park910",
    "park910_with_process:rolling_12_months",
    "energy_calorific",
    "energy_equal",
    "clean_energy_share",
    "direct_green_supply",
    "self_consumption",
    "self_sufficiency",
    "hourly_matched_share",
    "reductions",
    "uncertainty:scope2_market",
    "budget:park:electricity",
]


async def test_every_indicator_shows_its_working(session: Session) -> None:
    await enter(session, "equal_value", COAL)
    for name in FIGURES:
        figure = await indicator_figure(session, PARK, name, MONTH, now=NOW)
        assert check(figure) == [], name
        assert figure.operation != "given", name
    with pytest.raises(LookupError, match="no indicator 'luck'"):
        await indicator_figure(session, PARK, "luck", MONTH, now=NOW)
    with pytest.raises(LookupError, match="no duty of tenant 'cold'"):
        await indicator_figure(session, PARK, "duty:cold", MONTH, now=NOW)


PATHS = ["park", f"energy?period={MONTH}", f"intensity?period={MONTH}", f"matching?period={MONTH}", "budget"] + [
    f"{name}?period={MONTH}" for name in ("duty", "measures", "compare", "uncertainty")
]


@pytest.fixture
async def client(postgres_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await write_park(postgres_url)
    async with serving(create_app(settings_for(postgres_url), SceneClock()), AUDITOR) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
async def test_routes(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/v1/parks/{PARK}/indicators/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["park"] == PARK
    wall = await client.get(f"/api/v1/parks/{PARK}/indicators/{path}", headers={"Authorization": f"Bearer {WALL}"})
    assert wall.status_code == 403


async def test_routes_refuse_what_they_do_not_know(client: httpx.AsyncClient) -> None:
    base = f"/api/v1/parks/{PARK}/indicators"
    assert (await client.get(f"{base}/energy?period=2026-13")).status_code == 422
    assert (await client.get(f"{base}/energy?period={MONTH}&colour=green")).status_code == 422
    assert (await client.get("/api/v1/parks/nowhere/indicators/park")).status_code == 404


async def test_the_verb_prints_what_the_route_gives(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_park(postgres_url)
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", postgres_url)
    monkeypatch.setattr(verb, "_now", lambda: NOW)
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    for action in ("energy", "intensity", "matching", "duty", "measures", "compare", "uncertainty"):
        options = parser.parse_args([action, "--park", PARK, "--period", MONTH, "--json"])
        assert await verb.run(options) == 0
        printed = capsys.readouterr().out
        assert json.loads(printed[printed.index("{\n") :])["park"] == PARK
    worded = [[action, "--day", "2026-11-21"] for action in ("park", "budget")]
    worded += [[action, "--period", MONTH] for action in ("compare", "uncertainty", "energy")]
    for words in worded:
        assert await verb.run(parser.parse_args([*words, "--park", PARK])) == 0
        told = capsys.readouterr().out
        assert PARK in told
        assert "e+0" not in told
