"""The views of schema `report`: every column is documented, and the figures are the API's to the last digit."""

import datetime as dt
import importlib.resources
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, LiteralString

import pytest

from api.app import create_app
from ingest.localdays import runs_of, write_all_local_days, write_local_days
from parkcarbon.kit.db import Database, RejectedError, Row, from_ms, to_ms
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.api_park import FIRST_MS, NOW_MS, PARK, RUNNING_MS, write_park
from tests.fakes.postgres import Server, run

if TYPE_CHECKING:
    import httpx

ZONE = "Asia/Shanghai"
VIEWS: LiteralString = """
    select viewname, definition from pg_views where schemaname = 'report' order by 1"""
COMMENTS: LiteralString = """
    select c.relname::text as view, a.attname::text as name, col_description(c.oid, a.attnum) as meaning
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'report'::regnamespace and c.relkind = 'v' order by 1, 2"""


async def _set_up(url: str) -> None:
    await write_park(url)
    async with await Database.connect(url, max_size=1) as database, database.session() as session:
        await write_all_local_days(session)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("postgres", marks=pytest.mark.postgres),
        pytest.param("timescale", marks=pytest.mark.timescale),
    ],
)
def report_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with the park and its local days, on each store."""
    server: Server = request.getfixturevalue(f"{request.param}_server")
    url = server.clone()
    run(lambda: _set_up(url))
    yield url
    server.drop(url)


@pytest.fixture
async def client(report_url: str) -> AsyncIterator["httpx.AsyncClient"]:
    """The API on the same database, at the moment of the scene."""
    async with serving(create_app(settings_for(report_url), SceneClock())) as found:
        yield found


async def rows(url: str, query: LiteralString, *args: object) -> list[Row]:
    async with await Database.connect(url, max_size=1) as database:
        return await database.fetch(query, *args)


async def series(client: "httpx.AsyncClient", metric: str, step: str, *, group_by: str = "none") -> dict[str, Any]:
    """Values of a series of whole finished steps by group and start."""
    last = RUNNING_MS - RUNNING_MS % 86_400_000 - 8 * 3_600_000 if step == "1d" else RUNNING_MS - 3_600_000
    query = {
        "metric": metric,
        "from": from_ms(FIRST_MS).isoformat(),
        "to": from_ms(last).isoformat(),
        "step": step,
        "group_by": group_by,
    }
    answer = await client.get(f"/api/v1/parks/{PARK}/series", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    starts = [dt.datetime.fromisoformat(start) for start in body["starts"]]
    return {group["key"]: dict(zip(starts, group["values"], strict=True)) for group in body["groups"]}


async def test_every_column_says_what_it_is(report_url: str) -> None:
    found = await rows(report_url, COMMENTS)
    assert len(found) > 200
    assert [f"{row['view']}.{row['name']}" for row in found if not row["meaning"]] == []


async def test_the_migrations_make_the_views_of_the_schema_files(server: Server) -> None:
    direct = server.empty()
    migrated = server.clone()
    folder = importlib.resources.files("ingest").joinpath("sql/schema")
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    texts: list[LiteralString] = [entry.read_text(encoding="utf-8") for entry in files]
    async with await Database.connect(migrated, max_size=1) as database:
        timescale = database.timescale
    async with await Database.connect(direct, max_size=1) as database:
        if timescale:
            await database.execute("create extension timescaledb")
        for text in texts:
            await database.execute(text)
    for query in (VIEWS, COMMENTS):
        assert [tuple(r.values()) for r in await rows(migrated, query)] == [
            tuple(r.values()) for r in await rows(direct, query)
        ]
    server.drop(direct)
    server.drop(migrated)


async def test_no_view_uses_a_named_time_zone(report_url: str) -> None:
    for row in await rows(report_url, VIEWS):
        assert "time zone" not in row["definition"].lower().replace("timestamp with time zone", ""), row["viewname"]


@pytest.mark.parametrize(
    "names",
    [("energy_kwh", "load_kwh"), ("co2e_kg", "co2e_location_kg"), ("gas_m3", "gas_m3"), ("heat_gj", "heat_gj")],
)
@pytest.mark.parametrize(("step", "view"), [("15m", "15min"), ("1h", "hour"), ("1d", "day")])
async def test_amounts_are_those_of_the_api(
    report_url: str, client: "httpx.AsyncClient", names: tuple[str, str], step: str, view: str
) -> None:
    metric, column = names
    expected = (await series(client, metric, step))["total"]
    assert len(expected) > 5
    assert any(expected.values())
    query: Any = f"select time, {column} as value from report.balance_{view} where park = $1"  # noqa: S608
    found = {row["time"]: row["value"] for row in await rows(report_url, query, PARK)}
    assert {start: found.get(start) for start in expected} == expected


@pytest.mark.parametrize(
    "names",
    [
        ("load_kw", "load_kw"),
        ("grid_import_kw", "grid_import_kw"),
        ("grid_export_kw", "grid_export_kw"),
        ("generation_kw", "generation_kw"),
        ("charge_kw", "charge_kw"),
        ("discharge_kw", "discharge_kw"),
        ("emission_rate_kgco2e_h", "emission_rate_kg_per_h"),
        ("self_consumption_pct", "self_consumption_pct"),
    ],
)
@pytest.mark.parametrize(("step", "view"), [("15m", "15min"), ("1h", "hour"), ("1d", "day")])
async def test_means_are_those_of_the_api(
    report_url: str, client: "httpx.AsyncClient", names: tuple[str, str], step: str, view: str
) -> None:
    metric, column = names
    expected = (await series(client, metric, step))["total"]
    query: Any = f"select time, {column} as value from report.balance_{view} where park = $1"  # noqa: S608
    found = {row["time"]: row["value"] for row in await rows(report_url, query, PARK)}
    assert any(value is not None for value in expected.values())
    for start, value in expected.items():
        assert found[start] == (None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)), start


@pytest.mark.parametrize(("metric", "column"), [("energy_kwh", "use_kwh"), ("co2e_kg", "co2e_location_kg")])
async def test_tenants_have_what_the_api_gives_them(
    report_url: str, client: "httpx.AsyncClient", metric: str, column: str
) -> None:
    expected = await series(client, metric, "1d", group_by="tenant")
    assert set(expected) == {"machining", "cold"}
    query: Any = f"select tenant, time, {column} as value from report.tenant_day where park = $1"  # noqa: S608
    found = {(row["tenant"], row["time"]): row["value"] for row in await rows(report_url, query, PARK)}
    for tenant, values in expected.items():
        assert {start: found[tenant, start] for start in values} == values


async def test_completeness_is_that_of_the_api(report_url: str, client: "httpx.AsyncClient") -> None:
    expected = (await series(client, "completeness_pct", "1d"))["total"]
    found = {
        row["time"]: row["completeness_pct"]
        for row in await rows(report_url, "select time, completeness_pct from report.quality_day where park = $1", PARK)
    }
    assert {start: found[start] for start in expected} == expected


async def test_today_is_that_of_the_live_page(report_url: str, client: "httpx.AsyncClient") -> None:
    figures = (await client.get(f"/api/v1/parks/{PARK}/now")).json()["figures"]
    (today,) = await rows(
        report_url,
        "select b.* from report.balance_day b join report.park p using (park)"
        " where park = $1 and b.time <= $2 and b.time > $2 - interval '1 day'",
        PARK,
        from_ms(NOW_MS),
    )
    assert today["load_kwh"] == figures["energy_today"]["value"]
    assert today["co2e_location_kg"] == figures["emissions_today"]["value"]
    assert today["generation_kwh"] == figures["pv"]["generation_today_kwh"]
    assert today["self_sufficiency_pct"] == pytest.approx(figures["pv"]["self_sufficiency"], rel=1e-12)


async def test_a_flow_that_is_not_known_leaves_the_balance_open(postgres_url: str) -> None:
    await _set_up(postgres_url)
    async with await Database.connect(postgres_url, max_size=1) as database:
        await database.execute(
            "delete from rollup_day r using point p where p.point_id = r.point_id and p.flow = 'generation'"
            " and day = '2026-11-15'"
        )
        (row,) = await database.fetch("select * from report.balance_day where day = '2026-11-15'")
    assert row["load_kwh"] is None
    assert row["generation_kwh"] is None
    assert row["self_consumption_pct"] is None
    assert row["grid_import_kwh"] > 0


async def test_meters_behind_meters_count_once(postgres_url: str) -> None:
    """What machining's m1 has below it belongs to the cold chain: c1 is taken from it."""
    await _set_up(postgres_url)
    async with await Database.connect(postgres_url, max_size=2) as database:
        await database.execute(
            "update park set document = jsonb_set(document, '{devices}', (select jsonb_agg(case d.value ->> 'device'"
            " when 'c1' then jsonb_set(d.value, '{points,0,below}', '\"m1/active_energy_import\"') else d.value end"
            " order by d.ordinality) from jsonb_array_elements(document -> 'devices') with ordinality d))"
        )
        async with serving(create_app(settings_for(postgres_url), SceneClock())) as client:
            expected = await series(client, "energy_kwh", "1d", group_by="tenant")
        signs = await database.fetch(
            "select tenant, point, sign from report.tenant_point where flow = 'sub_meter' order by 1, 2"
        )
        found = {
            (row["tenant"], row["time"]): row["use_kwh"]
            for row in await database.fetch("select * from report.tenant_day")
        }
    assert [tuple(row.values()) for row in signs] == [
        ("cold", "c1/active_energy_import", 1),
        ("machining", "c1/active_energy_import", -1),
        ("machining", "m1/active_energy_import", 1),
        ("machining", "m2/active_energy_import", 1),
    ]
    for tenant, values in expected.items():
        assert {start: found[tenant, start] for start in values} == values


async def test_local_days_are_written_once_and_follow_the_rules_of_the_zone(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    async with await Database.connect(postgres_url, max_size=1) as database, database.session() as session:
        assert await write_local_days(session, "Europe/Berlin") == 11_323
        assert await write_local_days(session, "Europe/Berlin") == 0
        hours = await session.fetch(
            "select day::text as day, extract(epoch from end_at - start_at)::int / 3600 as hours, start_at"
            " from zone_day where timezone = 'Europe/Berlin' and day in ('2026-03-29', '2026-10-25', '2026-10-26')"
            " order by day"
        )
        assert [(row["day"], row["hours"]) for row in hours] == [
            ("2026-03-29", 23),
            ("2026-10-25", 25),
            ("2026-10-26", 24),
        ]
        assert hours[2]["start_at"] == dt.datetime(2026, 10, 25, 23, tzinfo=dt.UTC)
        gaps = (
            "select count(*) from zone_day a join zone_day b on b.timezone = a.timezone and b.day = a.day + 1"
            " where a.end_at <> b.start_at"
        )
        assert await session.fetchval(gaps) == 0


def test_a_zone_without_changes_is_one_run() -> None:
    (only,) = runs_of(ZONE, dt.date(2020, 1, 1), dt.date(2030, 12, 31))
    assert (only.start_at, only.days) == (dt.datetime(2019, 12, 31, 16, tzinfo=dt.UTC), 4018)
    assert to_ms(only.start_at + 5 * only.length) == to_ms(dt.datetime(2020, 1, 5, 16, tzinfo=dt.UTC))


async def test_the_views_cannot_be_written(postgres_url: str) -> None:
    async with await Database.connect(postgres_url, max_size=1) as database:
        with pytest.raises(RejectedError):
            await database.execute("delete from report.balance_day")
