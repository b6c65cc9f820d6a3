"""The ledger by route and command line, on a park with meters: from a lot to what it covers and what is short."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.books.entries import enter_many, review
from parkcarbon.cli.accounts import ledger as verb
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, VIEWER, WALL, SceneClock, serving, settings_for
from tests.fakes.api_park import PARK, write_park

BASE = f"/api/v1/parks/{PARK}/ledger"
GEC: dict[str, Any] = {
    "kind": "GEC",
    "registry": "gec-cn",
    "serial_prefix": "GEC-",
    "first": "10001",
    "count": 500,
    "serial_digits": 8,
    "technology": "wind",
    "plant": "farm-1",
    "market": "China",
    "generated": "2026-10",
    "origin": "bought",
    "unit_cost": 4.5,
    "currency": "CNY",
    "evidence": "statement of account 7",
    "reason": "for November",
}
CCER: dict[str, Any] = {
    "kind": "CCER",
    "registry": "ccer",
    "serial_prefix": "CCER-",
    "first": 1,
    "count": 1000,
    "technology": "forestry",
    "market": "China",
    "generated": "2025",
    "origin": "bought",
    "criteria": dict.fromkeys(
        ("additional", "permanent", "programme_verified", "leakage_treated", "not_double_counted"), True
    ),
    "evidence": "register extract",
    "reason": "for November",
}
DONE: dict[str, Any] = {
    "on_day": "2026-11-20",
    "evidence": "extract",
    "public_record": "https://registry.example/1",
    "reason": "November",
}

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def url(postgres_url: str) -> str:
    await write_park(postgres_url)
    return postgres_url


@pytest.fixture
async def ask(url: str) -> AsyncIterator[Ask]:
    async with serving(create_app(settings_for(url), SceneClock()), token=None) as client:

        async def asking(token: str, path: str, body: dict[str, Any] | None = None, **query: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            if body is None:
                return await client.get(BASE + path, headers=headers, params=query)
            return await client.post(BASE + path, headers=headers, json=body)

        yield asking


async def made(answer: Awaitable[httpx.Response], what: str) -> int:
    got = await answer
    assert got.status_code == 201, got.text
    return int(got.json()[what])


async def enter_allowance(url: str) -> None:
    entries = [
        ("allowance_allocation", {"allocated_t": 20_000}),
        ("allowance_carried", {"carried_t": -100.5}),
        ("allowance_obligation", {"verified_t": 20_400, "verifier": "verifier 3"}),
    ]
    documents: list[dict[str, Any]] = [
        {"kind": kind, "document": said, "tenant": "cold", "period": "2026", "evidence": "notice 5"}
        for kind, said in entries
    ]
    prices = [("GEC", 5), ("credit", 80)]
    documents += [
        {
            "kind": "instrument_price",
            "document": {"instrument": name, "price": price},
            "period": "2026",
            "evidence": "quote",
        }
        for name, price in prices
    ]
    measure = {
        "measure": "lamps",
        "title": {"zh": "照明", "en": "Lamps"},
        "owner": "energy manager",
        "kind": "reduce",
        "status": "decided",
        "baseline": "as it is",
        "expected_co2e_t_per_year": 365,
        "cost": 100_000,
    }
    documents.append({"kind": "measure", "document": measure, "period": "2026", "evidence": "offer"})
    async with await Database.connect(url, max_size=1) as database, database.transaction() as session:
        for number in await enter_many(session, PARK, documents, author="energy manager"):
            await review(session, number, person="reviewer", decision="approved", reason="", park=PARK)


async def test_a_certificate_from_its_purchase_to_the_inventory(ask: Ask) -> None:
    lot = await made(ask(EDITOR, "/lots", GEC), "lot")
    before = (await ask(VIEWER, "/cover", period="2026-11")).json()
    assert (before["covered_kwh"], before["pending"][0]["reason"]) == (0, "held, not cancelled for 2026-11")
    bought = before["purchased_kwh"]
    count = int(bought // 1000)
    assert 0 < count < 500
    cancel = {**DONE, "kind": "cancelled", "period": "2026-11"}
    refused = await ask(EDITOR, f"/lots/{lot}/events", {**cancel, "count": count + 1, "first": 10001})
    assert (refused.status_code, refused.json()["rule"]) == (422, "4.3")
    event = await made(ask(EDITOR, f"/lots/{lot}/events", {**cancel, "first": 10001, "count": count}), "event")
    again = await ask(EDITOR, f"/lots/{lot}/events", {**cancel, "first": "10001", "count": 1, "tenant": "cold"})
    assert (again.status_code, again.json()["rule"]) == (422, "3.5")
    own = await ask(EDITOR, f"/events/{event}/confirmation", {"reason": "mine"})
    assert own.status_code == 403
    await made(ask(APPROVER, f"/events/{event}/confirmation", {"reason": "seen in the registry"}), "review")
    after = (await ask(VIEWER, "/cover", period="2026-11")).json()
    assert after["covered_kwh"] == count * 1000
    assert after["used"][0]["serials"] == f"GEC-00010001…{10000 + count:08}"
    listed = (await ask(AUDITOR, f"/lots/{lot}")).json()
    assert [part["status"] for part in listed["lots"][0]["stretches"]] == ["cancelled", "held"]
    assert listed["events"][0]["confirmed_by"] == "reviewer"
    sold = await ask(EDITOR, f"/lots/{lot}/events", {**DONE, "kind": "sold"})
    assert (sold.status_code, sold.json()["rule"]) == (422, "3.5")


async def test_who_may_what(ask: Ask) -> None:
    for token, status in ((VIEWER, 403), (AUDITOR, 403), (WALL, 403)):
        assert (await ask(token, "/lots", GEC)).status_code == status
    assert (await ask(WALL, "/lots")).status_code == 403
    lot = await made(ask(EDITOR, "/lots", GEC), "lot")
    assert (await ask(EDITOR, f"/lots/{lot}/strike", {"reason": "typo"})).status_code == 403
    await made(ask(APPROVER, f"/lots/{lot}/strike", {"reason": "typo"}), "review")
    assert (await ask(APPROVER, f"/lots/{lot}/strike", {"reason": "typo"})).status_code == 422
    assert (await ask(VIEWER, "/lots")).json() == {"lots": [], "events": [], "after": None}
    assert (await ask(VIEWER, f"/lots/{lot}")).status_code == 404
    assert (await ask(EDITOR, "/lots/77/events", {**DONE, "kind": "sold"})).status_code == 404
    assert (await ask(APPROVER, "/events/77/strike", {"reason": "x"})).status_code == 404


@pytest.mark.rule("3.4", "3.5", "4.1", "4.7")
@pytest.mark.parametrize(
    ("rule", "members"),
    [
        ("3.5", {"count": -5}),
        ("3.5", {"first": "12a"}),
        ("4.1", {"kind": "I-REC", "registry": "evident"}),
        ("4.1", {"technology": "storage"}),
        ("4.1", {"unit_kwh": 1}),
        ("3.14", {"generated": None}),
    ],
)
async def test_bad_lots_are_refused_with_the_rule(ask: Ask, rule: str, members: dict[str, Any]) -> None:
    refused = await ask(EDITOR, "/lots", {**GEC, **members})
    assert (refused.status_code, refused.json().get("rule")) == (422, rule), refused.text


@pytest.mark.rule("3.5", "4.4")
async def test_overlapping_lots_and_two_claims_on_one_generation_are_refused(ask: Ask) -> None:
    await made(ask(EDITOR, "/lots", GEC), "lot")
    refused = await ask(EDITOR, "/lots", {**GEC, "first": 10500, "count": 2})
    assert (refused.status_code, refused.json()["rule"]) == (422, "3.5")
    farm = {**CCER, "plant": "farm-1", "generated": "2026-10", "technology": "wind"}
    refused = await ask(EDITOR, "/lots", farm)
    assert (refused.status_code, refused.json()["rule"]) == (422, "4.4")


@pytest.mark.rule("3.4", "4.5", "4.7")
async def test_credits_for_the_gap_and_for_an_obligation(ask: Ask, url: str) -> None:
    await enter_allowance(url)
    lot = await made(ask(EDITOR, "/lots", CCER), "lot")
    empty = (await ask(VIEWER, "/gap", period="2026-11")).json()
    assert empty["short_kg"] == empty["remaining_kg"] > 0
    gec, credits_ = empty["purchase"]
    assert gec["count"] == int(empty["uncovered_kwh"] // 1000)
    assert empty["purchase_cost"] == pytest.approx(gec["count"] * 5 + credits_["count"] * 80)
    assert empty["measures"][0]["name"] == "lamps"
    assert empty["measures"][0]["kg"] == pytest.approx(30_000)
    assert empty["measures"][0]["cost_per_t"] == pytest.approx(10_000 / 365)
    act = {**DONE, "kind": "retired", "period": "2026-11", "first": 1, "count": 3}
    event = await made(ask(EDITOR, f"/lots/{lot}/events", act), "event")
    await made(ask(APPROVER, f"/events/{event}/confirmation", {"reason": "seen"}), "review")
    after = (await ask(VIEWER, "/gap", period="2026-11")).json()
    assert after["short_kg"] == pytest.approx(empty["short_kg"] - 3000)
    late = {**act, "period": "2025-10", "first": 4, "count": 1, "on_day": "2026-11-02"}
    refused = await ask(EDITOR, f"/lots/{lot}/events", late)
    assert (refused.status_code, refused.json()["rule"]) == (422, "3.4")
    surrender = {**DONE, "kind": "surrendered", "period": "2026", "first": 4, "count": 900}
    refused = await ask(EDITOR, f"/lots/{lot}/events", surrender)
    assert (refused.status_code, refused.json()["rule"]) == (422, "4.7")
    event = await made(ask(EDITOR, f"/lots/{lot}/events", {**surrender, "tenant": "cold"}), "event")
    view = (await ask(VIEWER, "/allowance", enterprise="cold", year="2026")).json()
    assert (view["balance_kg"], view["ccer_limit_kg"], view["ccer_surrendered_kg"]) == (-500_500.0, 1_020_000.0, 0)
    await made(ask(APPROVER, f"/events/{event}/confirmation", {"reason": "seen"}), "review")
    view = (await ask(VIEWER, "/allowance", enterprise="cold", year="2026")).json()
    assert (view["ccer_surrendered_kg"], view["ccer_counted_kg"], view["to_buy_kg"]) == (900_000, 900_000, 0)
    second = await made(ask(EDITOR, "/lots", {**CCER, "first": 2001}), "lot")
    refused = await ask(EDITOR, f"/lots/{second}/events", {**DONE, **surrender, "first": 2001, "tenant": "cold"})
    assert (refused.status_code, refused.json()["rule"]) == (422, "4.5")
    for enterprise in ("machining", ""):
        refused = await ask(VIEWER, "/allowance", enterprise=enterprise, year="2026")
        assert (refused.status_code, refused.json()["rule"]) == (422, "4.7")
    assert (await ask(VIEWER, "/lots", status="surrendered")).json()["lots"][0]["lot"] == lot


@pytest.mark.rule("4.7")
async def test_an_allowance_of_a_park_is_refused_at_entry(url: str) -> None:
    document = {"kind": "allowance_allocation", "document": {"allocated_t": 5}, "period": "2026", "evidence": "x"}
    async with await Database.connect(url, max_size=1) as database, database.transaction() as session:
        with pytest.raises(ValueError, match=r"rule 4\.7"):
            await enter_many(session, PARK, [document], author="energy manager")


async def test_a_tenant_claims_at_most_what_its_meters_count(ask: Ask) -> None:
    lot = await made(ask(EDITOR, "/lots", GEC), "lot")
    cancel = {**DONE, "kind": "cancelled", "period": "2026-11", "tenant": "cold", "first": 10001, "count": 1}
    said = await ask(EDITOR, f"/lots/{lot}/events", {**cancel, "limit_kwh": 900})
    assert (said.status_code, said.json()["rule"]) == (422, "4.3")
    event = await made(ask(EDITOR, f"/lots/{lot}/events", {**cancel, "limit_kwh": 1900}), "event")
    await made(ask(APPROVER, f"/events/{event}/confirmation", {"reason": "seen"}), "review")
    whole = (await ask(VIEWER, "/cover", period="2026-11")).json()
    assert (whole["covered_kwh"], whole["used"][0]["tenant"]) == (1000, "cold")


def run_verb(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    return asyncio.run(verb.run(parser.parse_args(list(arguments))))


async def test_the_same_from_the_command_line(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", url)
    await enter_allowance(url)
    lots = tmp_path / "lots.json"
    lots.write_text(json.dumps([{k: v for k, v in lot.items() if k != "reason"} for lot in (GEC, CCER)]))
    who = ["--author", "energy manager", "--reason", "November"]
    second = ["--author", "reviewer", "--reason", "seen"]
    at = ["--park", PARK, "--json"]

    async def said(*arguments: str) -> Any:
        capsys.readouterr()
        assert await asyncio.to_thread(run_verb, *arguments) == 0
        out = capsys.readouterr().out
        return json.loads(out[out.index("{\n") :])

    gec, ccer = (await said("enter", *at, str(lots), *who))["lots"]
    day = ["--on", "2026-11-20", "--evidence", "extract", "--public-record", "https://registry.example/1"]
    cancelled = await said(
        "cancel", *at, str(gec), "--count", "1", "--first", "10001", "--period", "2026-11", *day, *who
    )
    await said("confirm", *at, str(cancelled["event"]), *second)
    retired = await said("retire", *at, str(ccer), "--count", "2", "--first", "1", "--period", "2026-11", *day, *who)
    await said("confirm", *at, str(retired["event"]), *second)
    assert (await said("cover", *at, "--period", "2026-11"))["covered_kwh"] == 1000
    surrendered = ["--tenant", "cold", "--period", "2026", "--first", "10", "--count", "5"]
    await said("surrender", *at, str(ccer), *surrendered, *day, *who)
    await said("sell", *at, str(ccer), "--first", "20", "--count", "5", "--counterparty", "buyer", *day, *who)
    await said("transfer", *at, str(ccer), "--first", "30", "--count", "5", *day, *who)
    pending = ["--first", "40", "--count", "5", "--period", "2026-11"]
    applied = await said("apply", *at, str(ccer), *pending, *day, *who)
    await said("strike", *at, "--event", str(applied["event"]), *second)
    with pytest.raises(RefusedError, match=r"rule 4\.2"):
        await said("expire", *at, str(gec), "--first", "10002", *day, *who)
    with pytest.raises(RefusedError, match=r"rule 6\.9"):
        await said("strike", *at, "--lot", str(gec), *second)
    shown = await said("lots", *at)
    assert [part["status"] for part in shown["lots"][1]["stretches"]] == [
        *("retired", "held", "surrendered", "held", "sold", "held", "transferred", "held"),
    ]
    assert (await said("allowance", *at, "--enterprise", "cold", "--year", "2026"))["ccer_surrendered_kg"] == 0
    assert (await said("gap", *at, "--period", "2026-11"))["retired_kg"] == 2000
    for arguments in (["lots"], ["cover", "--period", "2026-11"], ["gap", "--period", "2026-11"]):
        assert await asyncio.to_thread(run_verb, *arguments, "--park", PARK) == 0
    out = capsys.readouterr().out
    assert "cancelled 1: GEC-00010001 in demo" in out
    assert "2026-11: 1,000.000 kWh covered" in out
