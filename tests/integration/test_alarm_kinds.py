"""Kinds of rules on a park in the database: what each reads, that it fires where it must and not beside it."""

import datetime as dt
import math
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from api.app import create_app
from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Compiled, Scene
from parkcarbon.alarm.observe.figures import load_figures
from parkcarbon.alarm.observe.points import load_gauges
from parkcarbon.alarm.rules.check import compile_rules
from parkcarbon.alarm.rules.document import Alarms, Rule
from parkcarbon.books import entries
from parkcarbon.domain.factors import Factor
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, Session, from_ms
from parkcarbon.kit.pgcopy import Column
from parkcarbon.live.figures import figures_at
from parkcarbon.live.load import load_newest, load_park
from parkcarbon.live.model import ParkModel
from tests.fakes.alarm_kinds import NAME, Desk
from tests.fakes.alarm_park import AlarmPark, service
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.api_park import (
    FIRST_MS,
    NOW_MS,
    PARK,
    QUARTER_MS,
    RUNNING_MS,
    factor_json,
    factor_of,
    power_kw,
    write_park,
)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MIDNIGHT_MS = FIRST_MS + 9 * DAY_MS  # of the 21st, local
GATE_KW = power_kw("gate", RUNNING_MS)
NOVEMBER = (dt.date(2026, 11, 1), dt.date(2026, 12, 1))


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Session]:
    """The park with its nine days, in one transaction."""
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=2) as database, database.transaction() as found:
        yield found


async def park_of(session: Session) -> ParkModel:
    model = await load_park(session, PARK, NOW_MS)
    assert model is not None
    return model


async def rule_in(session: Session, kind: str, **members: Any) -> tuple[ParkModel, Compiled]:
    model = await park_of(session)
    rule = Rule(rule="r", kind=kind, name=NAME, **members)  # type: ignore[arg-type]
    return model, compile_rules(Alarms(park=PARK, rules=(rule,)), model, KINDS)[0]


async def look(session: Session, kind: str, now_ms: int = NOW_MS, **members: Any) -> Desk:
    """What a rule says of the park at a moment."""
    model, rule = await rule_in(session, kind, **members)
    known = KINDS[kind]
    read = {} if known.load is None else {kind: await known.load(session, model, [rule], now_ms)}
    newest = await load_gauges(session, [point for point in model.points if not point.metered])
    desk = Desk(rule)
    desk.look(Scene(model, now_ms, newest, read=read))
    return desk


async def past(session: Session, kind: str, begin_ms: int, end_ms: int, **members: Any) -> Desk:
    """What a rule would have said of a time that is over, one after the other."""
    model, rule = await rule_in(session, kind, **members)
    history = KINDS[kind].history
    assert history is not None
    desk = Desk(rule)
    seen = await history(session, model, rule, begin_ms, end_ms)
    assert all(begin_ms <= one.at_ms < end_ms for one in seen)
    for one in seen:
        desk.take([one], one.at_ms)
    return desk


async def enter(session: Session, kind: str, document: dict[str, Any], days: tuple[dt.date, dt.date]) -> None:
    await entries.enter(
        session,
        PARK,
        kind,
        document,
        tenant=None,
        from_day=days[0],
        to_day=days[1],
        evidence="sheet",
        author="energy manager",
        reason="",
    )


# ── figures ─────────────────────────────────────────────────────────────────────────────────────


async def test_figures_are_those_of_the_api(database_url: str) -> None:
    """Also while the running interval of a meter without a gauge is known in part: it is not finished."""
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        await session.execute(
            "insert into interval_15min (point_id, start, amount_micro, coverage, method, measured_ms)"
            " select point_id, $1, 7000000, 0.2, 0, 180000 from point where point = 'boiler-gas/gas_volume_base'",
            from_ms(RUNNING_MS),
        )
    async with serving(create_app(settings_for(database_url), SceneClock())) as client:
        answer = (await client.get(f"/api/v1/parks/{PARK}/now")).json()
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        model = await park_of(session)
        figures = (await load_figures(session, model, NOW_MS)).values
        assert figures == figures_at(model, await load_newest(session, model, NOW_MS), NOW_MS)
    shown = answer["figures"]
    edges = {(edge["from"], edge["to"]): edge["kw"] for edge in answer["flow"]["edges"]}
    assert figures == {
        "load": shown["load"]["value"],
        "import": edges["grid", "bus-electricity"],
        "export": 0.0,
        "generation": shown["pv"]["generation_kw"],
        "emission_rate": shown["emission_rate"]["value"],
        "self_consumption": shown["pv"]["value"],
        "self_sufficiency": shown["pv"]["self_sufficiency"],
        "completeness": shown["completeness"]["value"],
        "energy_today": shown["energy_today"]["value"],
        "emissions_today": shown["emissions_today"]["value"],
    }
    assert all(value is not None for value in figures.values())


@pytest.mark.parametrize("name", ["energy_today", "emissions_today", "completeness", "self_sufficiency"])
async def test_figures_of_the_past_end_where_the_page_is(session: Session, name: str) -> None:
    """At the end of the last finished interval: what the page would show with the running one taken off."""
    model = await park_of(session)
    await session.execute("delete from interval_15min where start >= $1", from_ms(RUNNING_MS))
    await session.execute("delete from rollup_day")
    await session.execute(
        "insert into rollup_day (point_id, day, amount_micro, co2e_nano_kg, coverage, method, known_ms, measured_ms,"
        " suspect_ms) select point_id, (start at time zone 'UTC' + interval '8 hours')::date, sum(amount_micro),"
        " sum(co2e_nano_kg), 1, 0, sum(coverage * 900000), sum(measured_ms), 0 from interval_15min group by 1, 2"
    )
    now = (await load_figures(session, model, RUNNING_MS)).values[name]
    unit = {"energy_today": "kWh", "emissions_today": "kgCO2e"}.get(name, "%")
    desk = await past(
        session, "threshold", RUNNING_MS - HOUR_MS, RUNNING_MS + 1, of=(name,), on=f"0 {unit}", off=f"0 {unit}"
    )
    assert desk.seen[-1].at_ms == RUNNING_MS
    assert desk.seen[-1].value == pytest.approx(now, rel=1e-9)


# ── threshold and emission rate ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("of", ["gate/active_power", "gate/active_energy_import", "import"])
async def test_a_limit_on_gauge_counter_and_figure(session: Session, of: str) -> None:
    fires = await look(session, "threshold", of=(of,), on="190 kW")
    assert len(fires.fired) == 1
    assert fires.seen[0].value == pytest.approx(GATE_KW)
    assert (await look(session, "threshold", of=(of,), on="200 kW")).fired == []
    silent = await look(session, "threshold", NOW_MS + 2 * HOUR_MS, of=(of,), on="190 kW")
    assert [one.value for one in silent.seen] == [None]


async def test_a_counter_of_the_past(session: Session) -> None:
    """The machines use more than 130 kW from 8 to 10 and from 13 to 15 o'clock of every day."""
    members: dict[str, Any] = {"of": ("m1/active_energy_import",), "after": "20 min"}
    desk = await past(session, "threshold", FIRST_MS, MIDNIGHT_MS, on="130 kW", **members)
    assert (len(desk.fired), len(desk.resolved)) == (18, 18)
    never = await past(session, "threshold", FIRST_MS, MIDNIGHT_MS, on="140 kW", **members)
    assert never.fired == []


async def test_a_gauge_of_the_past(session: Session) -> None:
    """Ten minutes of readings behind a ratio of 3000, five of them beyond, then silence."""
    times = MIDNIGHT_MS + 5000 * np.arange(120)
    kw = np.where((np.arange(120) >= 30) & (np.arange(120) < 90), 1300.0, 1000.0)
    point_id = await session.fetchval("select point_id from point where point = 'gate/active_power'")
    await session.copy(
        "reading",
        [
            Column("point_id", "int4", np.full(120, point_id)),
            Column("time", "timestamptz", times),
            Column("value", "float8", kw / 3000),
            Column("quality", "int2", np.zeros(120, np.int16)),
            Column("batch_id", "int8", np.ones(120, np.int64)),
        ],
    )
    members: dict[str, Any] = {"of": ("gate/active_power",), "on": "1.25 MW", "after": "2 min"}
    desk = await past(session, "threshold", MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS, **members)
    assert (len(desk.fired), len(desk.resolved)) == (1, 1)
    assert desk.seen[-1].level.value == "unknown"
    longer = await past(session, "threshold", MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS, **(members | {"after": "6 min"}))
    assert longer.fired == []


async def test_an_own_hourly_factor_counts_in_the_rate(database_url: str) -> None:
    """The park's own series of the grid's intensity: 0.5 kgCO2/kWh now."""
    await write_park(database_url)
    own = Factor(
        factor="OWN-HOURLY",
        purpose="grid_average",
        carrier="electricity",
        region="China/JS",
        gas="CO2",
        unit="gCO2/kWh",
        value=None,
        basis="hourly",
        data_year=2026,
        publisher="supplier",
        edition="2026",
        series=True,
        own=True,
    )
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        factor_id = await session.fetchval(
            "insert into factor (factor, purpose, carrier, region, gas, basis, unit, data_year, publisher, edition,"
            " unverified, digest, document, recorded_at)"
            " values ('OWN-HOURLY', 'grid_average', 'electricity', 'China/JS', 'CO2', 'hourly', 'gCO2/kWh', 2026,"
            " 'supplier', '2026', false, ''::bytea, $1, '2026-11-01Z') returning factor_id",
            factor_json(own).decode(),
        )
        await session.execute(
            "insert into factor_value (factor_id, start, span_ms, value) values ($1, $2, 3600000, 500)",
            factor_id,
            from_ms(NOW_MS - NOW_MS % HOUR_MS),
        )
        await session.execute(
            "update park set document = jsonb_set(document, '{method,electricity_factor}', '\"OWN-HOURLY\"')"
        )
    async with serving(create_app(settings_for(database_url), SceneClock())) as client:
        shown = (await client.get(f"/api/v1/parks/{PARK}/now")).json()["figures"]["emission_rate"]
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as session:
        figures = await load_figures(session, await park_of(session), NOW_MS)
    assert shown["parts"]["electricity"] == pytest.approx(0.5 * GATE_KW)
    assert figures.values["emission_rate"] == shown["value"]


async def test_emission_rate(session: Session) -> None:
    grid, gas, heat = (
        factor_of(carrier, unit).co2e for carrier, unit in (("electricity", "kWh"), ("gas", "Nm3"), ("heat", "GJ"))
    )
    expected = GATE_KW * grid + power_kw("boiler-gas", RUNNING_MS) * gas + 150 * 0.0036 * heat
    fires = await look(session, "emission_rate", on=f"{expected - 1:.3f} kgCO2e/h")
    assert fires.seen[0].value == pytest.approx(expected)
    assert fires.fired == ["park"]
    assert (await look(session, "emission_rate", on=f"{expected + 1:.3f} kgCO2e/h")).fired == []
    desk = await past(session, "emission_rate", MIDNIGHT_MS, RUNNING_MS + 1, on=f"{expected - 1:.3f} kgCO2e/h")
    assert desk.seen[-1].value == pytest.approx(expected, rel=1e-6)


# ── budgets, prices, production ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "what", "unit", "amounts"),
    [
        ("energy_budget_pace", "electricity", "kWh", (20_000, 400_000)),
        ("emission_budget_pace", "co2e_location", "t", (10, 1_000)),
    ],
)
async def test_budgets(session: Session, kind: str, what: str, unit: str, amounts: tuple[float, float]) -> None:
    small, large = amounts
    assert (await look(session, kind)).seen[0].reason.en == "no budget is entered"
    await enter(session, "budget", {"what": what, "amount": large, "unit": unit}, NOVEMBER)
    assert (await look(session, kind)).fired == []
    year = (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    await enter(session, "budget", {"what": what, "amount": small, "unit": unit}, year)
    fires = await look(session, kind)
    assert fires.fired == ["park"]
    desk = await past(session, kind, MIDNIGHT_MS - 2 * DAY_MS, MIDNIGHT_MS + 1)
    assert len(desk.seen) == 3
    assert desk.seen[-1].value == pytest.approx(fires.seen[0].value)


async def test_carbon_price(session: Session) -> None:
    rule: dict[str, Any] = {"on": "95 CNY/t"}
    assert (await look(session, "carbon_price", **rule)).seen[0].level.value == "unknown"
    for price, day in ((88.0, 1), (97.5, 20)):
        document = {"instrument": "CEA", "price": price}
        await enter(session, "instrument_price", document, (dt.date(2026, 11, day), dt.date(2027, 1, 1)))
    fires = await look(session, "carbon_price", **rule)
    assert (fires.fired, fires.seen[0].value) == (["park"], 97.5)
    assert (await look(session, "carbon_price", on="99 CNY/t")).fired == []
    desk = await past(session, "carbon_price", MIDNIGHT_MS - 10 * DAY_MS, MIDNIGHT_MS, **rule)
    assert [one.value for one in desk.seen] == [88.0] * 9 + [97.5]
    assert (desk.fired, desk.seen[-1].at_ms) == (["park"], MIDNIGHT_MS - DAY_MS)


async def test_intensity_of_a_kilowatt_hour(session: Session) -> None:
    """Emissions of the scene over its load, by hand."""
    factors = [
        factor_of(carrier, unit).co2e for carrier, unit in (("electricity", "kWh"), ("gas", "Nm3"), ("heat", "GJ"))
    ]
    starts = range(RUNNING_MS - DAY_MS, RUNNING_MS, QUARTER_MS)

    def kg(start: int) -> float:
        amounts = (
            max(0.0, power_kw("gate", start)),
            power_kw("boiler-gas", start),
            power_kw("heat-main", start) * 0.0036,
        )
        return math.fsum(amount * factor for amount, factor in zip(amounts, factors, strict=True))

    load = math.fsum(power_kw("gate", s) + power_kw("pv-1", s) - power_kw("battery", s) for s in starts)
    expected = math.fsum(kg(start) for start in starts) / load
    fires = await look(session, "intensity", on=f"{expected * 0.99:.4f} kgCO2e/kWh")
    assert fires.seen[0].value == pytest.approx(expected, rel=1e-6)
    assert fires.fired == ["park"]
    members: dict[str, Any] = {"on": f"{expected * 1.01:.4f} kgCO2e/kWh"}
    assert (await look(session, "intensity", **members)).fired == []
    desk = await past(session, "intensity", RUNNING_MS - HOUR_MS, RUNNING_MS + 1, **members)
    assert desk.seen[-1].value == pytest.approx(expected, rel=1e-6)


async def test_electricity_for_each_tonne(session: Session) -> None:
    days = (dt.date(2026, 11, 14), dt.date(2026, 11, 16))
    starts = range(FIRST_MS + 2 * DAY_MS, FIRST_MS + 4 * DAY_MS, QUARTER_MS)
    kwh = math.fsum(power_kw("gate", s) + power_kw("pv-1", s) - power_kw("battery", s) for s in starts) / 4
    assert (await look(session, "intensity", on="120 kWh/t")).seen[0].level.value == "unknown"
    await enter(session, "production", {"product": "parts", "amount": kwh / 100, "unit": "t"}, days)
    fires = await look(session, "intensity", on="99 kWh/t")
    assert fires.seen[0].value == pytest.approx(100)
    assert fires.fired == ["park"]
    assert (await look(session, "intensity", on="101 kWh/t")).fired == []
    desk = await past(session, "intensity", FIRST_MS, MIDNIGHT_MS, on="99 kWh/t")
    assert [None if one.value is None else round(one.value) for one in desk.seen] == [None] * 4 + [100] * 5
    assert desk.fired == ["park"]


# ── night, power factor, demand ─────────────────────────────────────────────────────────────────


async def test_use_at_night(session: Session) -> None:
    """The machines draw 24 kW at night, and 120 kW and more from six o'clock on."""
    members: dict[str, Any] = {"of": ("m1/active_energy_import",)}
    late_ms = MIDNIGHT_MS - HOUR_MS // 2
    assert len((await look(session, "night_consumption", late_ms, on="20 kW", **members)).fired) == 1
    assert (await look(session, "night_consumption", late_ms, on="25 kW", **members)).fired == []
    assert (await look(session, "night_consumption", on="20 kW", **members)).fired == []  # it is day
    desk = await past(session, "night_consumption", FIRST_MS, MIDNIGHT_MS, on="20 kW", after="1 h", **members)
    assert (len(desk.fired), len(desk.resolved)) == (10, 9)
    never = await past(session, "night_consumption", FIRST_MS, MIDNIGHT_MS, on="25 kW", **members)
    assert never.fired == []
    park = await look(session, "night_consumption", late_ms, of=("load",), on="20 kW")
    loads = power_kw("gate", late_ms) + power_kw("pv-1", late_ms) - power_kw("battery", late_ms)
    assert park.seen[0].value == pytest.approx(loads)


async def add_point(session: Session, device: str, quantity: str, kind: str, unit: str) -> int:
    point_id = await session.fetchval(
        "insert into point (park_id, device_id, point, quantity, kind, unit, carrier, period_ms)"
        " select $1, device_id, device || '/' || $3, $3, $4, $5, 'electricity', 5000 from device"
        " where park_id = $1 and device = $2 returning point_id",
        PARK,
        device,
        quantity,
        kind,
        unit,
    )
    return int(point_id)


async def test_power_factor_by_energy(session: Session) -> None:
    """Three quarters of the active energy are reactive: 0.8."""
    point_id = await add_point(session, "m1", "reactive_energy_import", "counter", "kvarh")
    await session.execute(
        "insert into interval_15min (point_id, start, amount_micro, coverage, method, measured_ms)"
        " select $1::int, start, amount_micro * 3 / 4, coverage, method, measured_ms from interval_15min"
        " where point_id = (select point_id from point where point = 'm1/active_energy_import')",
        point_id,
    )
    fires = await look(session, "power_factor", of=("m1",))
    assert fires.seen[0].value == pytest.approx(0.8, rel=1e-6)
    assert fires.fired == ["device:m1"]
    assert (await look(session, "power_factor", of=("m1",), on="0.79")).fired == []
    assert [one.subject for one in (await look(session, "power_factor")).seen] == ["device:m1"]
    desk = await past(session, "power_factor", MIDNIGHT_MS, RUNNING_MS + 1, of=("m1",))
    assert (desk.fired, desk.seen[-1].at_ms) == (["device:m1"], RUNNING_MS)


async def test_power_factor_by_gauge(session: Session) -> None:
    point_id = await add_point(session, "m2", "power_factor", "gauge", "1")
    for value, fired in ((-0.85, ["device:m2"]), (0.97, [])):
        await session.execute(
            "insert into point_state (point_id, last_time, last_value, last_quality) values ($1, $2, $3, 0)"
            " on conflict (point_id) do update set last_value = $3",
            point_id,
            from_ms(NOW_MS - 1000),
            value,
        )
        assert (await look(session, "power_factor", of=("m2",))).fired == fired
    await session.execute(
        "insert into reading (point_id, time, value, quality, batch_id) values ($1, $2, -0.85, 0, 1)",
        point_id,
        from_ms(NOW_MS - 1000),
    )
    desk = await past(session, "power_factor", NOW_MS - HOUR_MS, NOW_MS, of=("m2",))
    assert [one.value for one in desk.seen] == [0.85]


async def test_demand(session: Session) -> None:
    """The gate takes the same power throughout: 1250 kW are contracted."""
    fires = await look(session, "demand_peak", on=f"{GATE_KW / 12.5 - 0.1:.3f} %")
    assert fires.seen[0].value == pytest.approx(GATE_KW / 12.5, rel=1e-5)
    assert fires.fired == ["park"]
    assert (await look(session, "demand_peak")).fired == []
    assert (await look(session, "demand_peak", on=f"{GATE_KW - 1:.1f} kW")).fired == ["park"]
    desk = await past(session, "demand_peak", MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS, on="0.2 MW", after="10 min")
    assert len(desk.fired) == len(desk.resolved) > 0
    assert max(one.value or 0 for one in desk.seen) == pytest.approx(
        max(power_kw("gate", start) for start in range(MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS, QUARTER_MS)), rel=1e-6
    )


# ── all of them, as the alerts process judges them ──────────────────────────────────────────────

LOOKED_AT = (
    "kind: threshold, of: [gate/active_power], on: {kw} kW",
    "kind: threshold, of: [load], on: {kw} kW",
    "kind: emission_rate, on: {kw} kgCO2e/h",
    "kind: energy_budget_pace, on: '{share} %'",
    "kind: emission_budget_pace, on: '{share} %'",
    "kind: intensity, on: {each} kgCO2e/kWh",
    "kind: night_consumption, of: [load], hours: '12:00-16:00', on: {kw} kW",
    "kind: demand_peak, on: {kw} kW",
    "kind: carbon_price, on: {each} CNY/t",
    "kind: power_factor, of: [m2], on: '{factor}'",
)


def rules_with(**limits: float) -> str:
    """A document with a rule of each kind."""
    more = "receivers: [desk], name: {zh: 规则, en: Rule}"
    rules = (f"  - {{rule: r{at}, {text.format(**limits)}, {more}}}" for at, text in enumerate(LOOKED_AT))
    return "\n".join(["park: demo", "receivers: [{receiver: desk, channel: desk, language: both}]", "rules:", *rules])


@pytest.mark.parametrize("fires", [True, False])
async def test_the_alerts_process_judges_every_kind(postgres_url: str, *, fires: bool) -> None:
    await write_park(postgres_url)
    kw, share, each, factor = (50, 1, 0.1, 0.9) if fires else (5000, 5000, 999, 0.5)
    async with await Database.connect(postgres_url, max_size=3) as database:
        async with database.transaction() as session:
            for what, unit, most in (("electricity", "kWh", 100_000), ("co2e_location", "t", 1000)):
                await enter(session, "budget", {"what": what, "amount": most, "unit": unit}, NOVEMBER)
            await enter(session, "instrument_price", {"instrument": "CEA", "price": 90}, NOVEMBER)
            point_id = await add_point(session, "m2", "power_factor", "gauge", "1")
            await session.execute(
                "insert into point_state (point_id, last_time, last_value, last_quality) values ($1, $2, 0.8, 0)",
                point_id,
                from_ms(NOW_MS - 1000),
            )
        park = AlarmPark(database, postgres_url)
        await park.rules(rules_with(kw=kw, share=share, each=each, factor=factor))
        evaluator = service(park, ManualClock(NOW_MS))
        await evaluator.take(database)
        sent = await evaluator.look(database)
        raised = {row["rule"]: row for row in await park.episodes()}
        messages = await park.messages()
    if not fires:
        assert (sent, raised) == (0, {})
        return
    assert sorted(raised) == [f"r{at}" for at in range(10)]
    assert sent == len(messages) == 10
    assert (raised["r3"]["unit"], raised["r8"]["value"], raised["r9"]["value"]) == ("%", 90, 0.8)
    assert all(row["reason_zh"] and row["reason_en"] and row["limit_value"] is not None for row in raised.values())


async def test_a_kind_that_cannot_read_keeps_no_other_from_being_judged(postgres_url: str) -> None:
    """An entry that a later version wrote and this one does not know."""
    await write_park(postgres_url)
    async with await Database.connect(postgres_url, max_size=3) as database:
        await database.execute(
            "insert into entry (park_id, kind, from_day, to_day, document, evidence, author, reason, needs_review)"
            " values ('demo', 'budget', '2026-11-01', '2026-12-01', '{}', 'sheet', 'clerk', '', false)"
        )
        park = AlarmPark(database, postgres_url)
        await park.rules(rules_with(kw=50, share=1, each=0.1, factor=0.9))
        evaluator = service(park, ManualClock(NOW_MS))
        await evaluator.take(database)
        await evaluator.look(database)
        raised = {row["kind"] for row in await park.episodes()}
    assert raised == {"threshold", "emission_rate", "intensity", "night_consumption", "demand_peak"}
