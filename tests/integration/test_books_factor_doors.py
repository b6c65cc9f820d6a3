"""The factor library by route and by command line: the same answers, the same refusals."""

import argparse
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.books.library.factors import enter_factor
from parkcarbon.catalog.factors import load_factors
from parkcarbon.cli.accounts import factor as verb
from parkcarbon.kit.db import Database
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, VIEWER, WALL, SceneClock, serving, settings_for
from tests.fakes.api_park import PARK, write_park
from tests.fakes.values_server import ANSWERS, hours_csv, values_server

BASE = f"/api/v1/parks/{PARK}/factors"
OWN: dict[str, Any] = {
    "factor": "OWN-GRID-2026",
    "purpose": "grid_average",
    "carrier": "electricity",
    "region": "China/JS",
    "gas": "CO2",
    "unit": "kgCO2/kWh",
    "value": 0.4,
    "data_year": 2026,
    "publisher": "supplier",
    "edition": "notice 12",
    "source_page": "notice 12, page 2",
}
WHY = {"reason": "supplier's notice", "evidence": "notice 12"}
NOV = 1_793_491_200_000  # 2026-11-01T00:00:00Z


def by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def web() -> Iterator[str]:
    with values_server() as address:
        yield address


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    await write_park(database_url, data=False)
    app = create_app(settings_for(database_url), clock=SceneClock())
    async with serving(app, EDITOR) as opened:
        yield opened


async def test_the_list_is_narrowed_and_paged(client: httpx.AsyncClient) -> None:
    page = (await client.get(BASE, params={"purpose": "grid_average", "region": "China/JS", "limit": "2"})).json()
    assert [item["factor"] for item in page["factors"]] == ["CN-2021-JS", "CN-2022-JS"]
    rest = (await client.get(BASE, params={"region": "China/JS", "after": page["after"]})).json()
    assert [item["factor"] for item in rest["factors"]] == ["CN-2023-JS"]
    assert rest["after"] is None
    item = rest["factors"][0]
    assert (item["value"], item["published_on"], item["state"], item["own"]) == (
        0.5827,
        "2025-12-31",
        "approved",
        False,
    )
    everything: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await client.get(BASE, params={"limit": "100"} | ({"after": after} if after else {}))).json()
        everything += [item["factor"] for item in page["factors"]]
        after = page["after"]
    assert everything == sorted({factor.factor for factor in load_factors()})
    early = await client.get(BASE, params={"known_on": "2020-01-01T00:00:00Z"})
    assert early.json()["factors"] == []
    for wrong in ({"after": "x"}, {"after": "1:"}, {"limit": "0"}, {"porpoise": "gwp"}, {"known_on": "2026-01-01"}):
        assert (await client.get(BASE, params=wrong)).status_code == 422


@pytest.mark.rule("1.2", "1.4", "1.6")
async def test_a_lookup_says_how_it_matched_and_never_gives_a_zero(client: httpx.AsyncClient) -> None:
    async def find(**asked: str) -> httpx.Response:
        return await client.get(f"{BASE}/find", params=asked)

    grid = {"purpose": "grid_average", "carrier": "electricity", "gas": "CO2e,CO2"}
    jiangsu = (await find(**grid, region="China/JS", year="2026")).json()
    assert (jiangsu["factor"], jiangsu["value"], jiangsu["match"]) == ("CN-2023-JS", 0.5827, "newest_published")
    assert jiangsu["notes"] == ["CN-2023-JS describes 2023, not 2026"]
    tibet = (await find(**grid, region="China/XZ", year="2023")).json()
    assert (tibet["factor"], tibet["value"], tibet["match"]) == ("CN-2023-NATIONAL", 0.5306, "national_fallback")
    assert "no value for China/XZ" in tibet["notes"][0]
    nowhere = await find(**grid, region="Atlantis")
    assert nowhere.status_code == 404
    assert "no grid_average factor for electricity" in nowhere.json()["detail"]
    footprint = await find(purpose="grid_average", factor="CN-FP-2024")
    assert (footprint.status_code, footprint.json()["rule"]) == (422, "1.4")
    assert footprint.json()["detail"].startswith("rule 1.4: CN-FP-2024 is a life_cycle factor")
    assert (await find(purpose="grid_average", factor="CN-ETS-2021")).json()["rule"] == "1.6"
    assert (await find(purpose="grid_mean")).status_code == 422
    equal = await find(purpose="energy_conversion", carrier="electricity", region="China", basis="等价值", year="2026")
    assert equal.status_code == 404
    assert "listed without a value: TCE-ELEC-EQUIV" in equal.json()["detail"]


async def test_propose_approve_use_withdraw(client: httpx.AsyncClient) -> None:
    made = await client.post(BASE, json=OWN | WHY)
    assert made.status_code == 201
    record = made.json()
    assert (record["state"], record["author"], record["own"]) == ("proposed", "energy manager", True)
    grid = {"purpose": "grid_average", "carrier": "electricity", "gas": "CO2", "region": "China/JS", "year": "2026"}
    assert (await client.get(f"{BASE}/find", params=grid)).json()["factor"] == "CN-2023-JS"
    address = f"{BASE}/{record['id']}/decision"
    yes = {"decision": "approved", "reason": "compared"}
    assert (await client.post(address, json=yes)).status_code == 403
    waiting = (await client.get(f"{BASE}/warnings")).json()["warnings"][-1]
    assert (waiting["kind"], waiting["factor"], waiting["newer"]) == ("proposed", "OWN-GRID-2026", None)
    done = await client.post(address, json=yes, headers=by(APPROVER))
    assert done.status_code == 200
    assert (done.json()["factor"]["state"], done.json()["factor"]["person"]) == ("approved", "reviewer")
    later = grid | {"known_on": "2099-01-01T00:00:00Z"}
    found = (await client.get(f"{BASE}/find", params=later)).json()
    assert (found["factor"], found["match"], found["reviewer"]) == ("OWN-GRID-2026", "exact", "reviewer")
    twice = await client.post(address, json=yes, headers=by(APPROVER))
    assert (twice.status_code, twice.json()["rule"]) == (422, "6.9")
    gone = await client.post(address, json={"decision": "withdrawn", "reason": "replaced"}, headers=by(APPROVER))
    assert gone.json()["factor"]["state"] == "withdrawn"
    assert (await client.get(f"{BASE}/find", params=later)).json()["factor"] == "CN-2023-JS"


@pytest.mark.rule("6.9")
async def test_whoever_proposes_cannot_approve_even_with_the_right_to(client: httpx.AsyncClient) -> None:
    record = (await client.post(BASE, json=OWN | WHY, headers=by(APPROVER))).json()
    answer = await client.post(
        f"{BASE}/{record['id']}/decision", json={"decision": "approved", "reason": "mine"}, headers=by(APPROVER)
    )
    assert (answer.status_code, answer.json()["rule"]) == (422, "6.9")
    assert "a second person must" in answer.json()["detail"]


async def test_roles(client: httpx.AsyncClient) -> None:
    for token in (VIEWER, AUDITOR):
        assert (await client.get(BASE, params={"limit": "1"}, headers=by(token))).status_code == 200
        assert (await client.post(BASE, json=OWN | WHY, headers=by(token))).status_code == 403
    assert (await client.get(BASE, headers=by(WALL))).status_code == 403


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"unit": "kgCO2/kg"}, "1.8"),
        ({"title": "product carbon footprint"}, "1.4"),
        ({"edition": "carbon footprint factors 2025"}, "1.4"),
        ({"purpose": "lifecycle"}, "1.6"),
        ({"value": -0.4}, "6.10"),
        ({"source_page": ""}, None),
        ({"publisher": "  "}, None),
        ({"gas": "x" * 1001}, None),
        ({"valid_from": "2026-07-01", "valid_to": "2026-07-01"}, None),
    ],
)
@pytest.mark.rule("1.4", "1.6", "1.8")
async def test_bad_proposals_are_refused_with_the_rule(
    client: httpx.AsyncClient, change: dict[str, Any], rule: str | None
) -> None:
    answer = await client.post(BASE, json=OWN | WHY | change)
    assert (answer.status_code, answer.json().get("rule")) == (422, rule)
    assert "OWN-GRID-2026" in answer.json()["detail"]


async def test_a_series_by_upload_and_from_its_approved_address(client: httpx.AsyncClient, web: str) -> None:
    series = OWN | {"factor": "OWN-HOURLY", "value": None, "series": True, "source_page": f"{web}/grid.csv"}
    number = (await client.post(BASE, json=series | WHY)).json()["id"]
    how = {"source": "november.csv", "reason": "november"}
    wrong = await client.post(f"{BASE}/{number}/series", params=how, content=b"start,value\n2026-11-01T00:00Z,many\n")
    assert (wrong.status_code, wrong.json()["detail"]) == (
        422,
        "november.csv, line 2: could not convert string to float: 'many'",
    )
    body = hours_csv(NOV, [0.5, 0.25])
    loaded = await client.post(f"{BASE}/{number}/series", params=how, content=body)
    assert loaded.status_code == 201
    assert {name: loaded.json()[name] for name in ("read", "new", "waits")} == {"read": 2, "new": 2, "waits": True}
    early = await client.post(f"{BASE}/{number}/series/fetch", json={"reason": "hourly"})
    assert (early.status_code, "nobody approved an address" in early.json()["detail"]) == (422, True)
    yes = {"decision": "approved", "reason": "compared"}
    await client.post(f"{BASE}/{number}/decision", json=yes, headers=by(APPROVER))
    missing = await client.post(f"{BASE}/{number}/series/fetch", json={"reason": "hourly"})
    assert (missing.status_code, "answered 404" in missing.json()["detail"]) == (422, True)
    ANSWERS["/grid.csv"] = (200, "text/csv", hours_csv(NOV, [0.5, 0.25, 0.75]))
    fetched = (await client.post(f"{BASE}/{number}/series/fetch", json={"reason": "hourly"})).json()
    assert (fetched["new"], fetched["waits"]) == (1, False)
    detail = (await client.get(f"{BASE}/{number}")).json()
    assert [(load["source"], load["values"], load["state"]) for load in detail["loads"]] == [
        ("november.csv", 2, "approved"),
        (f"{web}/grid.csv", 3, "approved"),
    ]
    assert detail["loads"][0]["sha256"] == hashlib.sha256(body).hexdigest()
    assert (await client.get(f"{BASE}/999999")).status_code == 404


@pytest.mark.rule("1.1", "1.5")
async def test_a_data_year_published_since_the_choice_is_a_warning(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"{BASE}/warnings", params={"since": "2025-12-30"})).json()["warnings"]
    newer = {one["factor"]: one["newer"] for one in found if one["kind"] == "newer"}
    assert newer["CN-2022-JS"] == "CN-2023-JS"
    assert "CN-2023-JS of 2023 is published (2025-12-31)" in next(
        one["text"] for one in found if one["factor"] == "CN-2022-JS"
    )
    assert [one for one in (await client.get(f"{BASE}/warnings")).json()["warnings"] if one["kind"] == "newer"] == []


# ── command line ────────────────────────────────────────────────────────────────────────────────────


async def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    assert await verb.run(parser.parse_args([*arguments])) == 0
    lines = capsys.readouterr().out.splitlines(keepends=True)
    return "".join(line for line in lines if "database.connected" not in line)


async def test_the_command_line_does_the_same(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, web: str
) -> None:
    await write_park(postgres_url, data=False)
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", postgres_url)
    park = ["--park", PARK]
    listed = await command(capsys, "list", *park, "--purpose", "park_indicator")
    assert "CN-ZCP-ELECTRICITY: park_indicator electricity China CO2 2022: 0.8325 kgCO2/kWh (approved)" in listed
    found = await command(
        capsys, "find", *park, "--purpose", "grid_average", "--carrier", "electricity", "--gas", "CO2",
        "--region", "China/XZ", "--year", "2023",
    )  # fmt: skip
    assert "CN-2023-NATIONAL 0.5306 kgCO2/kWh (national_fallback)" in found
    file = tmp_path / "own.yaml"
    file.write_text(json.dumps(OWN | {"evidence": "notice 12", "series": True, "value": None}), encoding="utf-8")
    who = ["--author", "energy manager", "--reason", "notice"]
    number = str(json.loads(await command(capsys, "propose", *park, str(file), *who, "--json"))["number"])
    values = tmp_path / "values.csv"
    values.write_bytes(hours_csv(NOV, [0.5, 0.25]))
    said = await command(capsys, "series", *park, number, str(values), *who)
    assert "2 values read, 2 new as load 1, 0 points to be computed again; they count once another person" in said
    ANSWERS["/v"] = (200, "application/json", b'[{"start": "2026-11-01T02:00Z", "value": 0.125}]')
    loaded = json.loads(await command(capsys, "series", *park, number, f"{web}/v", *who, "--json"))
    assert (loaded["new"], loaded["waits"], loaded["source"]) == (1, True, f"{web}/v")
    assert "proposed: OWN-GRID-2026" in await command(capsys, "warnings", *park)
    decided = await command(capsys, "decide", *park, number, "approved", "--author", "reviewer", "--reason", "compared")
    assert decided.startswith(f"{number}: approved, ")
    shown = json.loads(await command(capsys, "show", *park, number, "--json"))
    assert (shown["state"], shown["person"], [load["decision"] for load in shown["loads"]]) == (
        "approved",
        "reviewer",
        ["approved", "approved"],
    )
    assert "own, approved" in await command(capsys, "list", *park, "--state", "approved", "--region", "China/JS")
    bad = tmp_path / "bad.yaml"
    bad.write_text("factor: x\nporpoise: gwp\n", encoding="utf-8")
    with pytest.raises(ValueError, match="porpoise"):
        await command(capsys, "propose", *park, str(bad), *who)


async def test_an_upgraded_database_shows_each_record_once(postgres_url: str) -> None:
    """A corrected record of the catalog is a new version; the list gives the newest, a lookup uses it."""
    await write_park(postgres_url, data=False)
    async with await Database.connect(postgres_url) as database:
        corrected = next(factor for factor in load_factors() if factor.factor == "CN-2023-JS")
        async with database.transaction() as session:
            assert await enter_factor(session, corrected, None) is not None
    async with serving(create_app(settings_for(postgres_url), clock=SceneClock()), VIEWER) as client:
        page = (await client.get(BASE, params={"region": "China/JS", "year": "2023"})).json()["factors"]
    assert len(page) == 1
