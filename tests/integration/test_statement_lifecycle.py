"""The life of a statement on both stores: prepared, approved by another, issued, locked, issued again; scheduled."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest

from parkcarbon.books import entries
from parkcarbon.books.periods import closing
from parkcarbon.books.refusals import refusals
from parkcarbon.catalog.park_statement import StatementSettings
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import RejectedError
from parkcarbon.statement.lifecycle import store, tasks
from parkcarbon.statement.lifecycle.diff import compared
from parkcarbon.statement.lifecycle.due import due
from parkcarbon.statement.lifecycle.lock import lock
from parkcarbon.statement.lifecycle.prepare import missing_now, settle
from parkcarbon.statement.lifecycle.signer import KeySigner, record_key
from parkcarbon.statement.lifecycle.store import Statement
from parkcarbon.statement.record import content_digest, decode
from parkcarbon.statement.sign.json import check_json, rotate
from parkcarbon.statement.sign.keys import make_key
from tests.fakes.books_park import MARCH, late_amount
from tests.fakes.statement_desk import MANAGER, PARK, PERIOD, REVIEWER, SECOND, Desk, open_desk, signing_key

UTC = dt.UTC
SHANGHAI = ZoneInfo("Asia/Shanghai")
GATE = "gate/active_energy_import"
EXPECTS = [
    {"item": "bill", "kind": "electricity", "owner": "finance", "due_day": 8},
    {"item": "certificates", "owner": "purchasing", "due_day": 12},
]


@pytest.fixture
async def desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    async with open_desk(database_url) as desk:
        yield desk


def local(month: int, day: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2025, month, day, hour, tzinfo=SHANGHAI)


async def locked(desk: Desk, statement: Statement, **more: object) -> closing.Frozen:
    as_of = await settle(desk.database, now=desk.clock.now())
    with refusals():
        async with desk.database.transaction() as session:
            return await lock(desk.database, session, statement, as_of=as_of, now=desk.clock.now(), **more)  # type: ignore[arg-type]


async def state_of_month(desk: Desk, period: str = PERIOD) -> str:
    async with desk.database.session() as session:
        return (await closing.standing(session, PARK, period)).state


async def enter_bill(desk: Desk) -> None:
    document = {"amount": 744_000, "unit": "kWh", "supplier": "the grid", "number": "3"}
    bill = {
        "kind": "bill",
        "document": document,
        "evidence": "invoice 3",
        "from_day": "2025-03-01",
        "to_day": "2025-04-01",
    }
    async with desk.database.transaction() as session:
        await entries.enter_many(session, PARK, [bill], author=MANAGER)


async def silence(desk: Desk, device: str) -> None:
    """A meter of which nothing of March is known."""
    async with desk.database.transaction() as session:
        for table, column in (("interval_15min", "start"), ("rollup_hour", "start"), ("rollup_day", "day")):
            await session.execute(
                f"delete from {table} where {column} < '2025-03-31 16:00+00'"  # noqa: S608
                " and point_id in (select point_id from point where point like $1)",
                f"{device}/%",
            )
        await session.execute(
            "delete from rollup_month where month = '2025-03-01'"
            " and point_id in (select point_id from point where point like $1)",
            f"{device}/%",
        )


@pytest.mark.rule("6.9")
async def test_whoever_prepared_it_cannot_approve_it(desk: Desk) -> None:
    made = await desk.prepare()
    assert (made.number, made.version, made.state) == (f"PC-{PARK}-{PERIOD}", 1, "prepared")
    assert made.waits_for == f"another person than {MANAGER} approves it"
    for verb in ("review", "approve"):
        with pytest.raises(RefusedError, match=r"rule 6\.9: Energy Manager prepared statement .* a second person must"):
            await desk.act(made, verb, "Energy Manager")
    with pytest.raises(RefusedError, match="was not approved"):
        await desk.issue(made)
    with pytest.raises(RefusedError, match="nobody is named"):
        await desk.act(made, "approve", " ")
    reviewed = await desk.act(made, "review", SECOND, "registers seen")
    assert reviewed.state == "reviewed"
    approved = await desk.act(reviewed, "approve", REVIEWER)
    assert (approved.state, approved.waits_for) == ("approved", "the statements process signs and issues it")
    with pytest.raises(RefusedError, match="approved already"):
        await desk.act(approved, "approve", SECOND)
    done = await desk.issue(approved)
    assert (done.state, done.waits_for) == ("issued", "")
    record = await desk.record(done)
    assert [(act.role, act.person, act.comment) for act in record.acts] == [
        ("prepared", MANAGER, ""),
        ("reviewed", SECOND, "registers seen"),
        ("approved", REVIEWER, ""),
    ]
    assert content_digest(record) == made.digest  # what they put their names to is what was frozen


@pytest.mark.rule("6.9")
async def test_what_the_scheduler_froze_needs_two_persons(desk: Desk) -> None:
    made = await desk.prepare(person="")
    assert made.waits_for == "a person reviews it, then another one approves it"
    with pytest.raises(RefusedError, match="nobody but the scheduler prepared"):
        await desk.act(made, "approve", REVIEWER)
    reviewed = await desk.act(made, "review", MANAGER)
    with pytest.raises(RefusedError, match="another person than Energy Manager reviews it first"):
        await desk.act(reviewed, "approve", "Energy Manager")
    assert (await desk.act(reviewed, "approve", REVIEWER)).state == "approved"


async def test_the_archive_refuses_overwriting_and_facts_are_kept(desk: Desk) -> None:
    done = await desk.issued()
    assert {filed.name for filed in done.files} == {"json", "sig", "zh.pdf", "en.pdf", "both.pdf"}
    async with desk.database.session() as session:
        filed, body = await store.file_of(session, done.statement_id, "json")
        _, signature = await store.file_of(session, done.statement_id, "sig")
    assert check_json(body, signature).fingerprint == signing_key().fingerprint
    assert decode(body) == await desk.record(done)
    for name in ("json", "evidence.zip"):
        with pytest.raises(RefusedError, match="archived"), refusals():
            async with desk.database.transaction() as session:
                await store.archive(session, done.statement_id, {name: ("application/json", b"{}")})
    for statement in (
        "update statement set reason = 'x'",
        "delete from statement_act",
        "update statement_file set body = ''",
        "truncate statement_file",
        "delete from signing_key",
    ):
        with pytest.raises(RejectedError, match=r"rule 6\.9"):
            await desk.database.execute(statement)
    with pytest.raises(RefusedError, match="was issued already"):
        await desk.act(done, "reject", REVIEWER, "too late")
    said = await desk.act(done, "comment", SECOND, "filed at the auditor's")
    assert said.acts[-1].comment == "filed at the auditor's"
    assert filed.digest


async def test_only_one_is_prepared_at_a_time_and_a_rejected_one_makes_room(desk: Desk) -> None:
    made = await desk.prepare()
    with pytest.raises(RefusedError, match=f"statement {made.statement_id} waits for a second person"):
        await desk.prepare()
    with pytest.raises(RefusedError, match="rejected with a reason"):
        await desk.act(made, "reject", REVIEWER)
    assert (await desk.act(made, "reject", REVIEWER, "the bill is another one")).state == "rejected"
    again = await desk.prepare()
    assert (again.version, again.supersedes) == (1, None)
    with pytest.raises(RefusedError, match="was rejected already"):
        await desk.act(made, "approve", REVIEWER)
    with pytest.raises(RefusedError, match="read it again"):
        await desk.act(again, "approve", REVIEWER, digest=made.digest[::-1])


@pytest.mark.rule("3.9", "6.9")
async def test_three_items_are_missing_by_name_and_nothing_is_closed(desk: Desk) -> None:
    await desk.settings(expects=EXPECTS)
    await silence(desk, "m1")
    async with desk.database.session() as session:
        missing = await missing_now(session, PARK, PERIOD, now=desk.clock.now())
    named = [(item.item, item.owner, item.due) for item in missing]
    assert named == [
        ("bill:electricity", "finance", "2025-04-08"),
        ("certificates", "purchasing", "2025-04-12"),
        ("meter:m1/active_energy_import", "electrician", "2025-04-15"),
    ]
    done = await desk.issued()
    assert [item.item for item in done.missing] == [item for item, *_ in named]
    with pytest.raises(RefusedError, match=r"rule 3\.11: 2025-03 is not locked, 3 items are missing: .*finance"):
        await locked(desk, done)
    with pytest.raises(RefusedError, match=r"rule 3\.11: .*; an override needs a reason"):
        await locked(desk, done, override=True)
    assert await state_of_month(desk) == "open"
    assert done.verdict == "cannot_be_judged"


@pytest.mark.rule("6.9")
async def test_a_reissue_names_its_predecessor_the_reason_and_every_line_that_changed(desk: Desk) -> None:
    first = await desk.issued()
    with pytest.raises(RefusedError, match="again only with a reason"):
        await desk.prepare()
    with pytest.raises(RefusedError, match="again only with a reason"):
        await desk.reissue(first, " ")
    await late_amount(desk.database, GATE, MARCH, 1_000_000_000)
    desk.clock.at += dt.timedelta(seconds=5)
    made, changed = await desk.reissue(first, "readings of the gate came late")
    assert (made.version, made.supersedes, made.reason) == (2, first.statement_id, "readings of the gate came late")
    record = await desk.record(made)
    assert record.supersedes is not None
    assert (record.supersedes.number, record.supersedes.version) == (first.number, 1)
    assert record.supersedes.digest == first.digest
    assert record.supersedes.reason == "readings of the gate came late"
    old = await desk.record(first)
    different = {
        name
        for name in old.figures.keys() | record.figures.keys()
        if (a := old.figures.get(name)) is None or (b := record.figures.get(name)) is None or a.value != b.value
    }
    assert {"energy.import.kwh"} & different or different
    assert {change.figure for change in record.supersedes.changes} == different == set(changed)
    done = await desk.issue(await desk.act(made, "approve", REVIEWER))
    states = {item.version: item.state for item in await desk.all(period=PERIOD)}
    assert states == {1: "superseded", 2: "issued"}
    with pytest.raises(RefusedError, match="is superseded"):
        await desk.reissue((await desk.all())[-1], "again")
    found = compared(first, old, done, await desk.record(done))
    assert not found["identical"]
    assert {item["figure"] for item in found["figures"]} == different
    async with desk.database.session() as session:
        assert (await store.find(session, PARK, f"{PERIOD}/V1")).version == 1
        assert (await store.find(session, PARK, PERIOD)).version == 2
        assert (await store.find(session, PARK, f"PC-{PARK}-{PERIOD}/V1")).version == 1
        assert (await store.find(session, PARK, str(first.statement_id))).version == 1
        with pytest.raises(LookupError, match="no statement 2024-12"):
            await store.find(session, PARK, "2024-12")


@pytest.mark.rule("3.9", "6.9")
async def test_a_month_is_locked_on_the_word_of_those_who_answer_for_it(desk: Desk) -> None:
    done = await desk.issued()
    await late_amount(desk.database, GATE, MARCH, 1_000_000_000)
    desk.clock.at += dt.timedelta(seconds=5)
    with pytest.raises(RefusedError, match=r"figures of PC-demo-2025-03 V1 are not what they were .*issue it again"):
        await locked(desk, done)
    assert await state_of_month(desk) == "open"
    made, _ = await desk.reissue(done, "late readings")
    second = await desk.issue(await desk.act(made, "approve", REVIEWER))
    with pytest.raises(RefusedError, match="a second person must"):
        await locked(desk, second, person=MANAGER)
    assert await state_of_month(desk) == "open"
    closed = await locked(desk, second)
    with pytest.raises(RefusedError, match=r"rule 6\.9: 2025-03 is locked already, version 1"):
        await locked(desk, second)
    assert (closed.closed_by, await state_of_month(desk)) == (REVIEWER, "closed")
    assert [item.state for item in await desk.all(period=PERIOD)] == ["locked", "superseded"]
    async with desk.database.session() as session:
        events = (await closing.standing(session, PARK, PERIOD)).events
    assert [(event["event"], event["person"]) for event in events] == [("provisional", MANAGER), ("closed", REVIEWER)]


async def test_a_period_that_is_not_over_is_not_stated(desk: Desk) -> None:
    with pytest.raises(RefusedError, match=r"rule 3\.9: .* is not over"):
        await desk.prepare(f"{desk.clock.now():%Y-%m}")


# ── the scheduler ──────────────────────────────────────────────────────────────────────────────────


async def test_the_flash_report_goes_out_on_the_third_working_day(desk: Desk) -> None:
    await desk.settings(expects=EXPECTS, recipients=["owner@park.example"])
    await desk.known_since(local(3, 10))
    desk.clock.at = local(4, 2)
    assert await desk.look() == 0
    desk.clock.at = local(4, 3)
    assert await desk.look() == 1
    assert await desk.look() == 0  # it is there already
    [told] = await desk.work()
    assert told == f"flash {PERIOD} of {PARK}: PC-{PARK}-{PERIOD}-F issued"
    [flash] = await desk.all()
    assert (flash.kind, flash.state, flash.verdict, flash.prepared_by) == ("flash", "issued", "none", "")
    assert [act.person for act in (await desk.record(flash)).acts] == [store.SCHEDULER]
    assert "certificates" in {item.item for item in flash.missing}
    assert await desk.database.fetchval("select count(*) from statement_delivery") == 1
    with pytest.raises(RefusedError, match="needs nobody's approval"):
        await desk.act(await desk.prepare(kind="flash", reason="again"), "approve", REVIEWER)


async def test_a_restart_catches_up_with_what_was_missed(desk: Desk) -> None:
    """Nobody ran from March to the middle of May: March and April are prepared, no flash report is sent any more."""
    await desk.known_since(local(3, 10))
    desk.clock.at = local(5, 18)
    await desk.look()
    done = sorted(told.partition(",")[0] for told in await desk.work() if not told.startswith("remind"))
    assert done == [f"prepare 2025-0{month} of {PARK}: PC-{PARK}-2025-0{month} prepared" for month in (3, 4)]
    assert await desk.look() == 0
    assert await desk.work() == []


async def test_of_many_workers_one_acts(desk: Desk) -> None:
    await desk.known_since(local(3, 10))
    desk.clock.at = local(4, 3)
    added = await asyncio.gather(desk.look(), desk.look())
    assert sum(added) == 1
    outcomes = await asyncio.gather(*(tasks.take_one(desk.database, desk.tools) for _ in range(2)))
    assert sorted(outcome is not None for outcome in outcomes) == [False, True]
    assert len(await desk.all()) == 1


async def test_a_worker_that_dies_leaves_the_task_to_another(desk: Desk) -> None:
    await desk.known_since(local(3, 10))
    desk.clock.at = local(4, 3)
    await desk.look()
    worker = asyncio.create_task(tasks.take_one(desk.database, desk.tools))
    while not await desk.database.fetchval("select count(*) from pg_locks where mode = 'RowShareLock'"
                                           " and relation = 'statement_task'::regclass"):  # fmt: skip
        await asyncio.sleep(0)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert await desk.all() == []
    assert len(await desk.work()) == 1
    assert len(await desk.all()) == 1


async def test_a_failed_task_shows_its_error_and_is_tried_again_later(desk: Desk) -> None:
    await desk.known_since(local(3, 10))
    desk.clock.at = local(4, 3)
    await desk.look()
    keyless = tasks.Tools(desk.database, None, desk.clock.now, desk.tools.render)
    told = await tasks.take_one(desk.database, keyless)
    assert told is not None
    assert "failed: there is no signing key" in told
    assert await tasks.take_one(desk.database, keyless) is None  # not at once
    async with desk.database.session() as session:
        [task] = await tasks.listed(session, PARK)
    assert (task["attempts"], task["error"]) == (1, "there is no signing key: PARKCARBON_SIGNING_KEY_FILE names none")
    assert task["next_at"] == store.iso(local(4, 3) + tasks.FIRST_PAUSE)
    assert await desk.all() == []
    desk.clock.at += dt.timedelta(minutes=1)
    assert len(await desk.work()) == 1
    async with desk.database.session() as session:
        assert await tasks.listed(session, PARK) == []
        [task] = await tasks.listed(session, PARK, done=True)
    assert (task["attempts"], task["error"]) == (2, "")


async def test_from_the_flash_report_to_the_lock(desk: Desk) -> None:
    """A whole month as the scheduler sees it, day by day; people come in between."""
    await desk.settings(expects=EXPECTS[:1], recipients=["owner@park.example"])
    await desk.known_since(local(3, 10))
    seen: dict[str, list[str]] = {}
    for month, day in ((4, 3), (4, 7), (4, 9), (4, 15), (4, 16), (5, 8), (5, 10)):
        desk.clock.at = local(month, day)
        await desk.look()
        if done := [told.split(" of ")[0] for told in await desk.work() if PERIOD in told.split(" of ")[0]]:
            seen[f"{month}-{day}"] = done
        if (month, day) == (4, 16):
            [made] = [item for item in await desk.all(period=PERIOD) if item.kind == "statement"]
            assert "bill:electricity" in {item.item for item in made.missing}
            await desk.act(await desk.act(made, "review", MANAGER), "approve", REVIEWER)
    assert seen == {
        "4-3": [f"flash {PERIOD}"],
        "4-9": [f"remind {PERIOD}"],  # the bill was due on the 8th
        "4-15": [f"prepare {PERIOD}"],
        "4-16": [f"remind {PERIOD}"],  # heat has no factor that was known then, its owner had until the 15th
        "5-8": [f"issue {PERIOD}"],  # approved, and no key was at hand then
        "5-10": [f"lock {PERIOD}"],
    }
    assert await state_of_month(desk) == "open"
    async with desk.database.session() as session:
        [task] = await tasks.listed(session, PARK)
    assert (task["action"], task["error"].split(":")[0]) == ("lock", "rule 3.11")
    assert "2 items are missing" in task["error"]


async def test_what_was_missing_and_has_come_is_in_the_next_version(desk: Desk) -> None:
    await desk.settings(expects=EXPECTS[:1])
    await desk.known_since(dt.datetime.now(UTC) - dt.timedelta(days=600))
    first = await desk.issued()
    assert [item.item for item in first.missing] == ["bill:electricity"]
    [month] = await desk.months()
    assert (month.statement, month.pending, [item.item for item in month.missing or ()]) == (
        "issued",
        True,
        ["bill:electricity"],
    )
    await enter_bill(desk)
    desk.clock.at = dt.datetime.now(UTC) + dt.timedelta(seconds=1)
    [month] = await desk.months()
    assert month.missing == ()
    async with desk.database.transaction() as session:
        found = due(StatementSettings(), [month], desk.clock.now().date())
        await tasks.enter(session, PARK, [item for item in found if item.action == "prepare"], now=desk.clock.now())
    [told] = await desk.work()
    assert "prepared, 0 items missing" in told
    second = (await desk.all(period=PERIOD))[0]
    assert (second.version, second.supersedes, second.prepared_by) == (2, first.statement_id, "")
    assert second.reason == "补齐 what was missing has come: bill:electricity"
    await desk.act(second, "reject", REVIEWER, "the bill is of another meter")
    [month] = await desk.months()
    assert (month.statement, month.statement_id) == ("issued", first.statement_id)  # the draft is gone, it is not


async def test_a_key_follows_another_only_with_its_word(desk: Desk) -> None:
    now = dt.datetime.now(UTC)
    old, new, stranger = signing_key(), make_key("new", now=now), make_key("stranger", now=now)
    word = rotate(old, new, at=now, reason="yearly").decode()

    async def put(signer: KeySigner) -> bool:
        async with desk.database.transaction() as session:
            return await record_key(session, signer, person=MANAGER, reason="")

    assert await put(KeySigner(old)) is True
    assert await put(KeySigner(old)) is False
    with pytest.raises(ValueError, match="key new --replaces"):
        await put(KeySigner(stranger))
    with pytest.raises(ValueError, match="record of the rotation is from"):
        await put(KeySigner(stranger, rotation=word))
    assert await put(KeySigner(new, rotation=word)) is True
    with pytest.raises(ValueError, match="was retired"):
        await put(KeySigner(old))
    rows = await desk.database.fetch("select fingerprint, replaces from signing_key order by recorded_at")
    assert [(row["fingerprint"], row["replaces"]) for row in rows] == [
        (old.fingerprint, None),
        (new.fingerprint, old.fingerprint),
    ]
