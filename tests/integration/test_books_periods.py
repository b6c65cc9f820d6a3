"""Periods: the order of steps in the database, what is frozen, what stands against closing, what changed since."""

import argparse
import asyncio
import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import httpx
import pytest

from api.app import create_app
from api.schemas_inventory import Inventory as Answer
from parkcarbon.books import entries
from parkcarbon.books.periods import closing as periods
from parkcarbon.books.periods.difference import difference
from parkcarbon.cli.accounts import period as verb
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.clock import SystemClock
from parkcarbon.kit.db import Database, RejectedError
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, SECOND_APPROVER, serving, settings_for
from tests.fakes.api_park import PARK, ROLLUPS
from tests.fakes.books_park import APRIL, MARCH, late_amount, write_books_park

GATE = "gate/active_energy_import"
PROPOSED: LiteralString = """
insert into substitution (point_id, from_time, to_time, rule, method, amounts_micro, document, before_micro,
                          after_micro, author, reason)
values ($1, $2::timestamptz, $2::timestamptz + interval '15 minutes', '6.1', 'mean', '{5}', '{}', 0, 5,
        'energy manager', 'meter failed')
returning substitution_id"""
BASE = f"/api/v1/parks/{PARK}"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeze what is known now, not a minute ago."""
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))


@pytest.fixture
async def books(database_url: str, at_once: None) -> AsyncIterator[Database]:
    await write_books_park(database_url)
    async with await Database.connect(database_url, max_size=3) as database:
        yield database


async def provisional(books: Database, period: str = "2025-03", person: str = "energy manager") -> None:
    async with books.transaction() as session:
        await periods.make_provisional(session, PARK, period, person=person, reason="", now=now())


async def close(
    books: Database, period: str = "2025-03", person: str = "reviewer", reason: str = "", *, override: bool = False
) -> periods.Frozen:
    async with books.transaction() as session:
        return await periods.close(session, PARK, period, person=person, reason=reason, now=now(), override=override)


async def reopen(books: Database, period: str = "2025-03", reason: str = "late readings") -> None:
    async with books.transaction() as session:
        await periods.reopen(session, PARK, period, person="reviewer", reason=reason)


async def read(books: Database, period: str = "2025-03", **more: Any) -> periods.Answer:
    async with books.transaction() as session:
        return await periods.answer(session, PARK, period, now=now(), **more)


async def state(books: Database, period: str = "2025-03") -> tuple[str, int]:
    async with books.session() as session:
        found = await periods.standing(session, PARK, period)
    return found.state, found.version


async def enter(books: Database, kind: str, document: dict[str, Any], period: str = "", **days: str) -> int:
    new = {"kind": kind, "document": document, "evidence": "invoice 17"} | (days or {"period": period})
    async with books.transaction() as session:
        return (await entries.enter_many(session, PARK, [new], author="energy manager"))[0]


@pytest.mark.rule("3.9", "6.9")
async def test_open_provisional_closed_and_reopened_with_a_reason(books: Database) -> None:
    assert await state(books) == ("open", 0)
    with pytest.raises(RefusedError, match="2025-03 is open, only a provisional period can be closed"):
        await close(books)
    await provisional(books)
    assert await state(books) == ("provisional", 0)
    with pytest.raises(RefusedError, match="is provisional already"):
        await provisional(books)
    assert json.loads((await read(books)).body)["final"] is False
    with pytest.raises(RefusedError, match=r"rule 6\.9: Energy Manager made 2025-03 provisional and cannot close it"):
        await close(books, person="Energy Manager")
    done = await close(books)
    assert (done.version, done.closed_by) == (1, "reviewer")
    assert await state(books) == ("closed", 1)
    assert json.loads((await read(books)).body)["final"] is True
    for step in (provisional(books), close(books)):
        with pytest.raises(RefusedError, match="closed already"):
            await step
    with pytest.raises(RefusedError, match="re-opened only with a reason"):
        await reopen(books, reason=" ")
    await reopen(books)
    assert await state(books) == ("open", 1)
    with pytest.raises(RefusedError, match="2025-03 is open"):
        await reopen(books)


@pytest.mark.rule("3.9")
async def test_a_period_that_is_not_over_stays_open(books: Database) -> None:
    running = f"{now():%Y-%m}"
    with pytest.raises(RefusedError, match=r"rule 3\.9: .* is not over"):
        await provisional(books, running)
    async with books.session() as session:
        (only,) = await periods.obstacles(session, PARK, running, now=now())
    assert (only.what, only.hard) == ("running", True)


@pytest.mark.rule("6.9")
async def test_a_closed_month_never_changes(books: Database) -> None:
    await provisional(books)
    done = await close(books)
    before = await read(books)
    assert before.body == done.body
    assert hashlib.sha256(before.body).digest() == done.digest
    await late_amount(books, GATE, MARCH, 1_000_000_000)
    await enter(books, "fuel", {"fuel": "diesel", "amount": 2, "unit": "t"}, "2025-03")
    after = await read(books)
    assert after.body == before.body
    assert after.frozen is not None
    assert (after.frozen.version, after.frozen.basis["predecessor"]) == (1, None)
    assert {item["factor"] for item in done.basis["factors"]} >= {"CN-2023-JS"}
    assert all(item["id"] for item in done.basis["factors"])
    assert not done.basis["not_frozen"]
    for method in ("iso14064", "gbt32150", "zcp910"):
        assert json.loads((await read(books, method=method)).body)["final"] is True


@pytest.mark.rule("6.9")
async def test_what_came_late_is_a_difference_with_its_cause_and_a_new_version_on_demand(books: Database) -> None:
    await provisional(books)
    first = await close(books)
    async with books.session() as session:
        assert (await difference(session, PARK, "2025-03", now=now()))["identical"]
    await late_amount(books, GATE, MARCH, 1_000_000_000)
    number = await enter(books, "fuel", {"fuel": "diesel", "amount": 2, "unit": "t"}, "2025-03")
    async with books.session() as session:
        found = await difference(session, PARK, "2025-03", now=now())
    lines = {(line["source"], line["basis"]): line for line in found["lines"]}
    gate = lines[GATE, "location"]
    assert gate["before"]["activity"] == 744_000
    assert gate["after"]["activity"] == 745_000
    assert gate["change_kg"] == pytest.approx(582.7)
    assert gate["causes"] == ["1 readings came later"]
    (diesel,) = [line for line in found["lines"] if line["entry"]]
    assert (diesel["before"], diesel["entry"]) == (None, f"entry:{number}")
    assert diesel["causes"] == [f"entry:{number} was entered or approved later"]
    total = found["totals"]["location"]
    assert total["change_kg"] == pytest.approx(gate["change_kg"] + diesel["change_kg"])
    assert found["facts"]["decisions"] == []
    assert [batch["batches"] for batch in found["facts"]["batches"]] == [1]
    assert "energy" in found["also_changed"]

    closed_at = now()
    await asyncio.sleep(1.1)  # the re-opening is recorded after `closed_at`
    await reopen(books)
    await provisional(books)
    second = await close(books)
    assert second.version == 2
    assert second.basis["predecessor"] == {"version": 1, "digest": first.digest.hex()}
    newest, old = await read(books), await read(books, version=1)
    assert (newest.body, old.body) == (second.body, first.body)
    assert json.loads(second.body)["energy"]["grid_import_kwh"] == 745_000
    assert (await read(books, as_of=closed_at)).body == first.body
    with pytest.raises(LookupError, match="no frozen ghgp version 3"):
        await read(books, version=3)
    async with books.session() as session:
        between = await difference(session, PARK, "2025-03", now=now(), version=2)
        with pytest.raises(LookupError, match="2025-04 of demo was never closed"):
            await difference(session, PARK, "2025-04", now=now())
    assert {line["source"] for line in between["lines"]} == {line["source"] for line in found["lines"]}
    assert between["to"]["digest"] == second.digest.hex()


async def test_a_correction_and_a_substitution_are_told_as_causes(books: Database) -> None:
    await provisional(books)
    await close(books)
    await late_amount(books, GATE, MARCH, 1_000_000)
    async with books.transaction() as session:
        point = await session.fetchval("select point_id from point where point = $1", GATE)
        await session.execute(
            "insert into correction (point_id, kind, from_time, to_time, document, author, reason)"
            " values ($1, 'exclude', '2025-03-05Z', '2025-03-05Z', '{}', 'energy manager', 'spike')",
            point,
        )
        number = await session.fetchval(PROPOSED, point, dt.datetime(2025, 3, 20, tzinfo=dt.UTC))
    async with books.session() as session:
        before = await difference(session, PARK, "2025-03", now=now())
        await session.execute(
            "insert into substitution_review (substitution_id, person, decision, reason)"
            " values ($1, 'reviewer', 'approved', 'bill seen')",
            number,
        )
        after = await difference(session, PARK, "2025-03", now=now())
    told = "correction (exclude) number 1 by energy manager: spike"
    assert before["lines"][0]["causes"] == ["1 readings came later", told]
    substituted = f"substitution by rule 6.1 number {number} by energy manager: meter failed"
    assert after["lines"][0]["causes"] == ["1 readings came later", told, substituted]


async def test_two_approvers_at_the_same_instant(books: Database) -> None:
    await provisional(books)
    found = await asyncio.gather(
        close(books, person="reviewer"), close(books, person="second reviewer"), return_exceptions=True
    )
    assert sorted(type(item).__name__ for item in found) == ["Frozen", "RefusedError"]
    assert await state(books) == ("closed", 1)


@pytest.mark.rule("3.11", "6.7")
async def test_what_is_open_stands_against_closing(books: Database) -> None:
    await enter(books, "heat", {"amount": 10, "origin": "fossil", "source": "annex"}, "2025-03")
    gas = {"substance": "R-410A", "refilled_kg": 1}  # of a day: nobody expects one every month
    await enter(books, "refrigerant", gas, from_day="2025-03-05", to_day="2025-03-06")
    waiting = await enter(books, "removal", {"subject": "belt", "removed_t": 1, "method": "VM0047"}, "2025-04")
    async with books.transaction() as session:
        point = await session.fetchval("select point_id from point where point = $1", GATE)
        await session.execute(
            "insert into question (point_id, at, kind, document) values ($1, '2025-04-10Z', 'implausible', '{}')", point
        )
        await session.execute(
            "delete from interval_15min where point_id = $1 and start >= '2025-04-20Z' and start < '2025-04-21Z'", point
        )
        await session.execute(ROLLUPS)
        await session.fetchval(PROPOSED, point, dt.datetime(2025, 4, 20, tzinfo=dt.UTC))
    await provisional(books, "2025-04")
    with pytest.raises(periods.NotReadyError) as refused:
        await close(books, "2025-04")
    found = {obstacle.what: obstacle for obstacle in refused.value.obstacles}
    assert set(found) == {"question", "gap", "missing_entry", "unapproved_entry", "unapproved_substitution"}
    assert found["question"].message.endswith(f"{GATE} at 2025-04-10T00:00:00Z: implausible")
    assert found["gap"].items == ({"point": GATE},)
    assert found["missing_entry"].message == "entered for 2025-03 and not for 2025-04: heat annex"
    assert found["unapproved_entry"].items[0]["entry"] == waiting
    assert not refused.value.hard
    assert refused.value.rule == "3.11"
    with pytest.raises(RefusedError, match="closed over 5 open points without a reason"):
        await close(books, "2025-04", override=True)
    done = await close(books, "2025-04", reason="meter failed, bill used", override=True)
    async with books.session() as session:
        event = (await periods.standing(session, PARK, "2025-04")).events[-1]
    assert (done.version, event["reason"]) == (1, "meter failed, bill used")
    assert {item["what"] for item in event["override"]} == set(found)


async def test_a_recomputation_that_waits_is_not_overridden(books: Database) -> None:
    await provisional(books)
    async with books.transaction() as session:
        point = await session.fetchval("select point_id from point where point = $1", GATE)
        await session.execute(
            "insert into recompute (point_id, from_time, to_time, reason)"
            " values ($1, '2025-03-10Z', '2025-03-11Z', 'changed facts')",
            point,
        )
    with pytest.raises(periods.NotReadyError, match="1 points are about to be computed again") as refused:
        await close(books, reason="never mind", override=True)
    assert refused.value.hard


async def test_what_came_within_the_last_minute_is_waited_for(books: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(seconds=60))
    await provisional(books)
    await provisional(books, "2025-04")
    await late_amount(books, GATE, MARCH, 1_000_000)
    with pytest.raises(periods.NotReadyError, match="1 batches with readings of the period: try again in a minute"):
        await close(books, reason="hurry", override=True)
    await enter(books, "heat", {"amount": 10, "origin": "fossil"}, "2025-04")
    with pytest.raises(periods.NotReadyError, match="entries or instruments that change it: try again"):
        await close(books, "2025-04", reason="hurry", override=True)
    await books.execute("update config_version set changed_at = now()")
    with pytest.raises(periods.NotReadyError, match="a change of meters, factors or corrections"):
        await close(books, "2025-04", reason="hurry", override=True)


@pytest.mark.rule("3.9")
async def test_a_year_is_closed_after_its_months_and_opened_before_them(books: Database) -> None:
    await provisional(books, "2025")
    with pytest.raises(periods.NotReadyError, match="2025-01, 2025-02, 2025-03") as refused:
        await close(books, "2025", reason="x", override=True)
    assert refused.value.hard
    for month in range(1, 13):
        await provisional(books, f"2025-{month:02d}")
        await close(books, f"2025-{month:02d}", reason="no meters yet", override=True)
    year = await close(books, "2025", reason="true-up", override=True)
    assert json.loads(year.body)["energy"]["grid_import_kwh"] == 61 * 96 * 250
    with pytest.raises(RefusedError, match=r"rule 3\.9: 2025 is closed and rests on 2025-03: re-open the year first"):
        await reopen(books)
    await reopen(books, "2025")
    await reopen(books)


FORGED: list[LiteralString] = [
    "update period_event set person = 'x'",
    "delete from period_event",
    "update period_frozen set body = ''",
    "delete from period_frozen",
    "truncate period_event cascade",
]


@pytest.mark.rule("6.9")
async def test_the_database_itself_keeps_what_was_closed(books: Database) -> None:
    await provisional(books)
    done = await close(books)
    for statement in FORGED:
        with pytest.raises(RejectedError, match=r"rule 6\.9: period_"):
            await books.execute(statement)
    event = await books.fetchval("select event_id from period_frozen limit 1")
    with pytest.raises(RejectedError, match="frozen when its period is closed, not later"):
        await books.execute(
            "insert into period_frozen (event_id, method, body, digest, as_of, basis)"
            " select event_id, 'ghgp', 'x', sha256('x'), as_of, basis from period_frozen where event_id = $1 limit 1",
            event,
        )
    await provisional(books, "2025-04")
    with pytest.raises(RejectedError, match="2025-04 is closed without its inventory"):
        await books.execute(
            "insert into period_event (park_id, period, event, person, reason)"
            " values ('demo', '2025-04', 'closed', 'reviewer', '')"
        )
    assert await state(books, "2025-04") == ("provisional", 0)
    assert (await read(books)).body == done.body


@pytest.mark.rule("4.10")
def test_a_month_shows_the_day_by_which_it_should_be_closed() -> None:
    assert periods.Standing("2026-03").document()["lock_by"] == "2026-05-10"
    assert periods.Standing("2026").document()["lock_by"] is None


async def test_list(books: Database) -> None:
    await provisional(books, "2025-04")
    async with books.session() as session:
        found = {item.period: item.state for item in await periods.list_periods(session, PARK, now=now())}
    assert list(found)[-11:] == ["2025", *(f"2025-{month:02d}" for month in range(12, 2, -1))]
    assert (found["2025-04"], found["2025-03"], found["2025-12"]) == ("provisional", "open", "open")
    base = {"year": 2023, "months": [{"month": 1}], "boundary": "x", "same_boundary": True, "recalculation_policy": "x"}
    async with books.transaction() as session:
        await entries.enter(
            session,
            PARK,
            "base_year",
            base,
            tenant=None,
            from_day=dt.date(2023, 1, 1),
            to_day=dt.date(2024, 1, 1),
            evidence="x",
            author="x",
            reason="",
        )
        again = await periods.list_periods(session, PARK, now=now())
    assert {item.period: item.state for item in again} == found  # its sum is known, there is nothing to close


async def test_routes(postgres_url: str, at_once: None) -> None:
    await write_books_park(postgres_url)
    async with serving(create_app(settings_for(postgres_url), SystemClock()), token=None) as client:

        async def ask(token: str, method: str, path: str, **more: Any) -> httpx.Response:
            return await client.request(method, BASE + path, headers={"Authorization": f"Bearer {token}"}, **more)

        shown = (await ask(AUDITOR, "GET", "/periods/2025-03")).json()
        assert (shown["state"], shown["obstacles"], shown["versions"]) == ("open", [], [])
        path = "/periods/2025-03"
        assert (await ask(AUDITOR, "POST", f"{path}/provisional", json={})).status_code == 403
        assert (await ask(APPROVER, "POST", f"{path}/provisional", json={})).json()["state"] == "provisional"
        assert (await ask(EDITOR, "POST", f"{path}/close", json={})).status_code == 403
        mine = await ask(APPROVER, "POST", f"{path}/close", json={})
        assert (mine.status_code, mine.json()["rule"]) == (422, "6.9")
        done = await ask(SECOND_APPROVER, "POST", f"{path}/close", json={})
        assert done.status_code == 200, done.text
        frozen = await ask(AUDITOR, "GET", "/inventory?period=2025-03")
        assert frozen.headers["x-parkcarbon-version"] == "1"
        assert frozen.headers["x-parkcarbon-digest"] == done.json()["digest"]
        assert hashlib.sha256(frozen.content).hexdigest() == done.json()["digest"]
        assert Answer.model_validate(frozen.json()).final
        async with await Database.connect(postgres_url, max_size=1) as database:
            await late_amount(database, GATE, MARCH, 1_000_000_000)
            await late_amount(database, GATE, APRIL, 1_000_000)
            await database.execute(
                "insert into question (point_id, at, kind, document)"
                " select point_id, '2025-04-10Z', 'implausible', '{\"value\": 7}' from point where point = $1",
                GATE,
            )
        asked = (await ask(AUDITOR, "GET", "/quality/questions?period=2025-04")).json()["questions"]
        assert [(item["point"], item["document"]) for item in asked] == [(GATE, {"value": 7})]
        assert (await ask(AUDITOR, "GET", "/quality/questions?period=2025-03")).json()["questions"] == []
        changed = (await ask(AUDITOR, "GET", f"{path}/difference")).json()
        assert changed["identical"] is False
        assert {line["source"] for line in changed["lines"]} == {GATE}
        assert (await ask(AUDITOR, "GET", "/periods/2025-04/difference")).status_code == 404
        assert (await ask(APPROVER, "POST", f"{path}/reopen", json={})).json()["rule"] == "6.9"
        opened = await ask(APPROVER, "POST", f"{path}/reopen", json={"reason": "late readings"})
        assert (opened.json()["state"], opened.json()["version"]) == ("open", 1)
        old = await ask(AUDITOR, "GET", "/inventory?period=2025-03&version=1")
        assert old.content == frozen.content
        await ask(EDITOR, "POST", "/periods/2026-99/provisional", json={})
        found = (await ask(AUDITOR, "GET", "/periods")).json()["periods"]
        assert {"2025-03", "2025-04", "2025"} <= {item["period"] for item in found}
        await ask(EDITOR, "POST", "/periods/2025-05/provisional", json={})
        refused = await ask(APPROVER, "POST", "/periods/2025-05/close", json={})
        assert (refused.status_code, refused.json()["rule"]) == (422, "3.11")
        assert {item["where"] for item in refused.json()["errors"]} == {"gap", "not_in_total"}


async def test_command_line(
    postgres_url: str, at_once: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_books_park(postgres_url)
    monkeypatch.setenv("PARKCARBON_DATABASE_URL", postgres_url)

    async def run(*words: str, code: int = 0) -> str:
        parser = argparse.ArgumentParser()
        verb.describe(parser)
        assert await verb.run(parser.parse_args([words[0], "--park", PARK, *words[1:]])) == code
        return capsys.readouterr().out

    assert "2025-03: provisional" in await run("provisional", "2025-03", "--author", "energy manager")
    assert "2025-03 closed, version 1, sha256" in await run("close", "2025-03", "--author", "reviewer")
    assert "is the same as what is known on" in await run("difference", "2025-03")
    async with await Database.connect(postgres_url, max_size=1) as database:
        await late_amount(database, GATE, MARCH, 1_000_000_000)
    told = await run("difference", "2025-03", code=1)
    assert f"scope 2 location {GATE}: +582.700 kg (1 readings came later)" in told
    assert "2025-03: open, version 1" in await run("reopen", "2025-03", "--author", "reviewer", "--reason", "late")
    assert "version 1 ghgp as of" in await run("show", "2025-03")
    assert "cannot be closed" in await run("show", "2099-01")
    assert "2025-04: open, to be closed by 2025-06-09" in await run("list")
    with pytest.raises(RefusedError, match="only a provisional period can be closed"):
        await run("close", "2025-04", "--author", "reviewer")
