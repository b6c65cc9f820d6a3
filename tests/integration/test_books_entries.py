"""Entries: append-only in the database, two persons, all or nothing; by function, route and command line."""

import asyncio
import datetime as dt
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.books import entries
from parkcarbon.books.facts import LATEST, Entry, load_current, load_facts
from parkcarbon.catalog.entries import EntryError
from parkcarbon.cli.accounts import entry as verb
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, RejectedError, Session
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, VIEWER, SceneClock, serving, settings_for
from tests.fakes.api_park import PARK, write_park
from tests.fakes.books_kinds import with_test_kinds

MARCH: dict[str, Any] = {"from_day": dt.date(2026, 3, 1), "to_day": dt.date(2026, 4, 1)}
BASE = f"/api/v1/parks/{PARK}/entries"


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    with_test_kinds(monkeypatch)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Database]:
    """A database with the park and nothing entered."""
    await write_park(database_url, data=False)
    async with await Database.connect(database_url, max_size=3) as database:
        yield database


async def enter(session: Session, kind: str = "test_note", amount: float = 3.0, **more: Any) -> int:
    frame: dict[str, Any] = {
        **MARCH,
        "tenant": None,
        "evidence": "invoice 17",
        "author": "energy manager",
        "reason": "",
    }
    return await entries.enter(session, PARK, kind, {"amount": amount}, **(frame | more))


async def in_force(database: Database) -> list[Entry]:
    async with database.session() as session:
        return list((await load_facts(session, PARK, LATEST)).entries)


async def states(database: Database) -> dict[int, str]:
    async with database.session() as session:
        return {item["entry"]: item["state"] for item in await entries.list_entries(session, PARK, LATEST)}


@pytest.mark.rule("6.9")
@pytest.mark.parametrize("statement", ["update entry set author = 'x'", "delete from entry", "truncate entry cascade"])
async def test_a_fact_is_only_ever_added_to(books: Database, statement: Any) -> None:
    async with books.transaction() as session:
        number = await enter(session, "test_fuel")
        await entries.review(session, number, person="reviewer", decision="approved", reason="")
    for words in (statement, statement.replace("entry", "entry_review").replace("author", "person")):
        with pytest.raises(RejectedError, match=r"rule 6\.9: entry"):
            await books.execute(words)


@pytest.mark.rule("6.9")
async def test_an_entry_is_superseded_with_a_reason_and_stays(books: Database) -> None:
    async with books.transaction() as session:
        first = await enter(session)
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match=f"rule 6.9: entry {first} is superseded without a reason"):
            await enter(session, amount=4.0, supersedes=first)
    async with books.transaction() as session:
        second = await enter(session, amount=4.0, supersedes=first, reason="invoice corrected")
    assert await states(books) == {first: "superseded", second: "in_force"}
    (found,) = await in_force(books)
    assert (found.entry_id, found.content.amount) == (second, 4.0)  # type: ignore[attr-defined]
    async with books.session() as session:
        before = await load_facts(session, PARK, found.recorded_at - dt.timedelta(microseconds=1))
    assert [entry.entry_id for entry in before.entries] == [first]
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match=f"entry {first} was superseded already, by entry {second}"):
            await enter(session, amount=5.0, supersedes=first, reason="again")


async def test_what_needs_review_counts_once_another_person_approved_it(books: Database) -> None:
    async with books.transaction() as session:
        number = await enter(session, "test_fuel")
    assert await in_force(books) == []
    for same in ("energy manager", " Energy Manager "):
        async with books.transaction() as session:
            with pytest.raises(RefusedError, match="cannot review it: a second person must"):
                await entries.review(session, number, person=same, decision="approved", reason="")
    async with books.transaction() as session:
        await entries.review(session, number, person="reviewer", decision="approved", reason="invoice seen")
    (found,) = await in_force(books)
    assert (found.author, found.reviewer) == ("energy manager", "reviewer")
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match="was reviewed already"):
            await entries.review(session, number, person="second reviewer", decision="rejected", reason="late")


async def test_until_the_successor_is_approved_the_older_counts(books: Database) -> None:
    async with books.transaction() as session:
        first = await enter(session, "test_fuel")
        await entries.review(session, first, person="reviewer", decision="approved", reason="")
    async with books.transaction() as session:
        second = await enter(session, "test_fuel", 4.0, supersedes=first, reason="corrected")
    assert await states(books) == {first: "in_force", second: "pending"}
    async with books.transaction() as session:
        third = await enter(session, "test_fuel", 5.0, supersedes=second, reason="typing error")
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match=f"was superseded by entry {third}: review that one"):
            await entries.review(session, second, person="reviewer", decision="approved", reason="")
    async with books.transaction() as session:
        await entries.review(session, third, person="reviewer", decision="approved", reason="")
    assert await states(books) == {first: "superseded", second: "superseded", third: "in_force"}


async def test_a_rejected_successor_leaves_the_older_in_force(books: Database) -> None:
    async with books.transaction() as session:
        first = await enter(session, "test_fuel")
        await entries.review(session, first, person="reviewer", decision="approved", reason="")
        second = await enter(session, "test_fuel", 4.0, supersedes=first, reason="corrected")
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match="rejected without a reason"):
            await entries.review(session, second, person="reviewer", decision="rejected", reason=" ")
    async with books.transaction() as session:
        await entries.review(session, second, person="reviewer", decision="rejected", reason="no such invoice")
        third = await enter(session, "test_fuel", 4.5, supersedes=first, reason="corrected")
    assert await states(books) == {first: "in_force", second: "rejected", third: "pending"}
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match="was rejected by its reviewer"):
            await enter(session, "test_fuel", 9.0, supersedes=second, reason="again")


async def test_a_withdrawal_of_what_was_approved_needs_the_second_person_too(books: Database) -> None:
    async with books.transaction() as session:
        first = await enter(session, "test_fuel")
        await entries.review(session, first, person="reviewer", decision="approved", reason="")
        for reason in ("", "  "):
            with pytest.raises(RefusedError, match=f"rule 6.9: entry {first} is withdrawn without a reason"):
                await entries.withdraw(session, first, author="energy manager", reason=reason)
        out = await entries.withdraw(session, first, author="energy manager", reason="belongs to the neighbour")
    assert await states(books) == {first: "in_force", out: "pending"}
    async with books.transaction() as session:
        await entries.review(session, out, person="reviewer", decision="approved", reason="")
    assert await states(books) == {first: "withdrawn", out: "withdrawal"}
    assert await in_force(books) == []


async def test_what_was_used_does_not_lie_years_ahead(books: Database) -> None:
    """A slip of the year; what is planned may lie as far ahead as one plans."""
    ahead: dict[str, Any] = {
        "tenant": None,
        "from_day": dt.date(2100, 1, 1),
        "to_day": dt.date(2101, 1, 1),
        "evidence": "x",
        "author": "energy manager",
        "reason": "",
    }
    diesel = {"fuel": "diesel", "amount": 3.0, "unit": "t"}
    budget = {"what": "electricity", "amount": 5.0, "unit": "kWh"}
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match=r"begins on 2100-01-01, today is .*: fuel is entered once it was used"):
            await entries.enter(session, PARK, "fuel", diesel, **ahead)
        await entries.enter(session, PARK, "budget", budget, **ahead)


@pytest.mark.rule("6.10")
async def test_the_same_amount_is_not_entered_twice(books: Database) -> None:
    async with books.transaction() as session:
        number = await enter(session)
    async with books.transaction() as session:
        with pytest.raises(RefusedError, match=f"rule 6.10: entry {number} says exactly this already"):
            await enter(session)
    async with books.transaction() as session:
        await entries.withdraw(session, number, author="energy manager", reason="a trial")
        again = await enter(session)
    assert (await states(books))[again] == "in_force"


async def test_two_people_who_enter_the_same_at_the_same_instant(books: Database) -> None:
    async def one() -> int:
        async with books.transaction() as session:
            return await enter(session)

    found = await asyncio.gather(one(), one(), return_exceptions=True)
    assert sorted(type(item).__name__ for item in found) == ["RefusedError", "int"]


async def test_two_people_who_supersede_the_same_at_the_same_instant(books: Database) -> None:
    async with books.transaction() as session:
        first = await enter(session)

    async def one(amount: float) -> int:
        async with books.transaction() as session:
            return await enter(session, amount=amount, supersedes=first, reason="corrected")

    found = await asyncio.gather(one(1.0), one(2.0), return_exceptions=True)
    assert sorted(type(item).__name__ for item in found) == ["RefusedError", "int"]


async def test_two_people_who_review_at_the_same_instant(books: Database) -> None:
    async with books.transaction() as session:
        number = await enter(session, "test_fuel")

    async def one(person: str, decision: str) -> None:
        async with books.transaction() as session:
            await entries.review(session, number, person=person, decision=decision, reason="seen")

    found = await asyncio.gather(one("reviewer", "approved"), one("auditor", "rejected"), return_exceptions=True)
    assert sorted(type(item).__name__ for item in found) == ["NoneType", "RefusedError"]


async def test_impossible_entries_are_refused(books: Database) -> None:
    async with books.transaction() as session:
        with pytest.raises(EntryError, match="no such kind of entry"):
            await enter(session, "fule")
        with pytest.raises(EntryError, match="amount: -1"):
            await enter(session, amount=-1)
        with pytest.raises(RefusedError, match=r"rule 1.10: 3.0 m3 without standard conditions"):
            entries.check_document("test_fuel", {"amount": 3.0, "condition": "unknown"})
        with pytest.raises(RefusedError, match=r"rule 6\.5"):
            await enter(session, evidence=" ")
        with pytest.raises(RefusedError, match="ends on 2026-03-01"):
            await enter(session, to_day=dt.date(2026, 3, 1))
        with pytest.raises(LookupError, match="no tenant nobody"):
            await enter(session, tenant="nobody")
        with pytest.raises(LookupError, match="no park nowhere"):
            await entries.enter(
                session,
                "nowhere",
                "test_note",
                {"amount": 1},
                **MARCH,
                tenant=None,
                evidence="x",
                author="a",
                reason="",
            )


def new(amount: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"kind": "test_note", "document": {"amount": amount}, "evidence": "invoice 18", "period": "2026-03"} | more


async def test_many_are_entered_together_or_not_at_all(books: Database) -> None:
    wrong = [
        new(),
        new(-1),
        new(2, evidence=""),
        new(3, period="2026-13"),
        new(4, from_day="2026-03-01"),
        new(5, tenant="nobody"),
        new(6, colour="red"),
        new(),
        new(kind="fule"),
    ]
    async with books.transaction() as session:
        with pytest.raises(entries.EntriesError) as refused:
            await entries.enter_many(session, PARK, wrong, author="energy manager")
    said = {item.where: item for item in refused.value.problems}
    assert list(said) == [f"entries[{number}]" for number in range(1, 9)]
    assert said["entries[2]"].rule == "6.5"
    assert "2026-13" in said["entries[3]"].message
    assert "either period, or from_day and to_day" in said["entries[4]"].message
    assert "colour: unknown" in said["entries[6]"].message
    assert said["entries[7]"].rule == "6.10"
    async with books.transaction() as session:
        numbers = await entries.enter_many(session, PARK, [new(), new(2)], author="energy manager")
        facts = await load_current(session, PARK, LATEST)
    assert [entry.entry_id for entry in facts.entries] == numbers
    assert facts.entries[0].from_day == dt.date(2026, 3, 1)


def test_kinds_have_a_schema_and_say_what_they_are() -> None:
    found = {item["kind"]: item for item in entries.kinds()}
    assert found["test_fuel"]["needs_review"] is True
    assert found["test_note"]["needs_review"] is False
    assert found["test_note"]["about"] == "A number that counts at once."
    assert all(item["about"] and item["schema"] for item in found.values())


async def test_routes(postgres_url: str) -> None:
    await write_park(postgres_url, data=False)
    async with serving(create_app(settings_for(postgres_url), SceneClock()), token=None) as client:

        async def ask(token: str, method: str, path: str = "", **more: Any) -> httpx.Response:
            return await client.request(method, BASE + path, headers={"Authorization": f"Bearer {token}"}, **more)

        body = {"entries": [new(kind="test_fuel"), new()]}
        assert (await ask(AUDITOR, "POST", json=body)).status_code == 403
        entered = await ask(EDITOR, "POST", json=body)
        assert entered.status_code == 201
        fuel, note = entered.json()["entries"]
        refused = await ask(EDITOR, "POST", json={"entries": [new(), new(-2)]})
        assert refused.status_code == 422
        assert refused.json()["rule"] == "6.10"
        assert [item["where"] for item in refused.json()["errors"]] == ["body.entries[0]", "body.entries[1]"]
        pending = (await ask(AUDITOR, "GET", "", params={"state": "pending"})).json()["entries"]
        assert [(item["entry"], item["author"]) for item in pending] == [(fuel, "energy manager")]
        decided = {"decision": "approved"}
        assert (await ask(EDITOR, "POST", f"/{fuel}/review", json=decided)).status_code == 403
        approved = await ask(APPROVER, "POST", f"/{fuel}/review", json=decided)
        assert (approved.status_code, approved.json()["state"]) == (200, "in_force")
        assert approved.json()["review"]["person"] == "reviewer"
        assert (await ask(APPROVER, "POST", f"/{fuel}/review", json=decided)).json()["rule"] == "6.9"
        out = await ask(EDITOR, "POST", f"/{note}/withdrawal", json={"reason": "a trial"})
        assert (out.status_code, out.json()["state"], out.json()["supersedes"]) == (201, "withdrawal", note)
        assert (await ask(VIEWER, "GET", f"/{note}")).json()["state"] == "withdrawn"
        assert (await ask(VIEWER, "GET", "/999")).status_code == 404
        assert (await ask(APPROVER, "POST", "/999/review", json=decided)).status_code == 404
        page = (await ask(VIEWER, "GET", "", params={"limit": 2})).json()
        rest = (await ask(VIEWER, "GET", "", params={"after": page["after"]})).json()
        assert [item["entry"] for item in page["entries"] + rest["entries"]] == [fuel, note, out.json()["entry"]]
        assert rest["after"] is None
        assert "test_fuel" in {item["kind"] for item in (await ask(VIEWER, "GET", "/kinds")).json()}


def run_verb(monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> Any:
    import argparse

    monkeypatch.setenv("PARKCARBON_DATABASE_URL", url)
    parser = argparse.ArgumentParser()
    verb.describe(parser)
    return verb.run(parser.parse_args(words))


async def test_command_line(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await write_park(postgres_url, data=False)

    async def run(*words: str) -> str:
        assert await run_verb(monkeypatch, postgres_url, *words) == 0
        return capsys.readouterr().out.splitlines()[-1]

    file = tmp_path / "march.yaml"
    file.write_text(
        "- {kind: test_fuel, period: 2026-03, document: {amount: 3}, evidence: invoice 17, simulated: true}\n"
        "- {kind: test_note, from_day: 2026-03-01, to_day: 2026-03-02, document: {amount: 1}, evidence: log}\n"
    )
    mine = ("--park", PARK, "--author", "energy manager")
    assert "2 entered" in await run("enter", str(file), *mine)
    with pytest.raises(entries.EntriesError, match=r"entries\[1\]: rule 6.10"):
        await run("enter", str(file), *mine)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([new(7)])))
    told = json.loads(await run_json(monkeypatch, postgres_url, capsys, "enter", "-", *mine, "--json"))
    (number,) = told["entries"]
    assert "approved by reviewer" in await run(
        "review", "1", "--park", PARK, "--author", "reviewer", "--decision", "approved"
    )
    assert "withdrawn by entry" in await run("withdraw", str(number), *mine, "--reason", "a trial")
    line = await run("list", "--park", PARK, "--kind", "test_fuel")
    who = "by energy manager, approved by reviewer"
    assert line == f"1: in_force test_fuel 2026-03-01 to 2026-04-01: 3.0; {who}, invoice 17 (simulated)"
    assert ": " in await run("kinds")
    with pytest.raises(LookupError, match="no entry 1 in elsewhere"):
        await run("withdraw", "1", "--park", "elsewhere", "--reason", "x")


async def run_json(monkeypatch: pytest.MonkeyPatch, url: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert await run_verb(monkeypatch, url, *words) == 0
    out = capsys.readouterr().out
    return out[out.index("{") :]
