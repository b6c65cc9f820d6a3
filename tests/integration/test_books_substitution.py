"""Substitutions and corrections on a real park: by rule, by two people, with effect, beside late data, withdrawn."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from parkcarbon.books.facts import load_current
from parkcarbon.books.quality import corrections, states, substitutions
from parkcarbon.books.quality.corrections import NewCorrection
from parkcarbon.books.quality.substitutions import SubstitutionMethod, Wanted
from parkcarbon.books.refusals import refusals
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from parkcarbon.kit.db import RejectedError, from_ms
from parkcarbon.wire.body import Row
from tests.fakes.api_client import SceneClock, serving, settings_for
from tests.fakes.ingest_park import (
    METER,
    NOW_MS,
    PARK,
    QUARTER_MS,
    Ingest,
    Sender,
    counter_rows,
    open_ingest,
    park_text,
)
from tests.integration.test_derive_reprice import assert_recomputed_equal, settle

ROOT = Path(__file__).resolve().parents[2]
HOUR_MS = 3_600_000
M0, M1, BILL, ROOF = f"m0/{METER}", f"m1/{METER}", "bill/active_energy_export", "roof/active_energy_yield"
START = NOW_MS - 20 * 86_400_000
NOW = from_ms(NOW_MS)
MORE = """
  - device: bill
    name: {zh: 账单, en: Bill}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_export, kind: delta, period_s: 3600, flow: sub_meter}
  - device: roof
    name: {zh: 屋顶, en: Roof}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_yield, kind: delta, period_s: 3600, flow: generation}"""
DAY = 96
GAP = START + 10 * DAY * QUARTER_MS
"""The tenth day: where everything here is missing."""


def hours(point: str, first: int, last: int, scale: float = 1.0) -> list[Row]:
    """Hourly deltas: 4 at night, 8 from the eighth to the twentieth hour UTC."""
    return [Row(point, START + at * HOUR_MS, scale * (8.0 if 8 <= at % 24 < 20 else 4.0)) for at in range(first, last)]


def wanted(point: str, method: SubstitutionMethod, quarters: int = DAY, **more: Any) -> Wanted:
    return Wanted(point, from_ms(GAP), from_ms(GAP + quarters * QUARTER_MS), method, **more)


class Park:
    """A park whose tenth day is missing, and its people."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.sender = Sender()

    async def bring(self, rows: list[Row]) -> None:
        await self.ingest.commit(self.sender.batch(rows))
        await self.settled()

    async def settled(self) -> None:
        await settle(self.ingest)
        await assert_recomputed_equal(self.ingest)

    async def enter(self, one: Wanted, author: str = "energy manager") -> int:
        with refusals():
            async with self.ingest.database.transaction() as session:
                done = await substitutions.enter(session, PARK, one, author=author, reason="meter failed", now=NOW)
        return done.number

    async def review(self, number: int, person: str = "reviewer", decision: str = "approved") -> substitutions.Done:
        with refusals():
            async with self.ingest.database.transaction() as session:
                done = await substitutions.review(
                    session, PARK, number, person=person, decision=decision, reason="checked"
                )
        await self.settled()
        return done

    async def withdraw(self, number: int) -> substitutions.Done:
        async with self.ingest.database.transaction() as session:
            done = await substitutions.withdraw(session, PARK, number, author="energy manager", reason="found it")
        await self.settled()
        return done

    async def state(self, number: int) -> tuple[str, int]:
        async with self.ingest.database.session() as session:
            one = await substitutions.one(session, PARK, number)
        return one["state"], one["superseded_intervals"]

    async def day(self, point: str) -> tuple[int, float, set[object], int]:
        """Amount [1e-6], mean coverage, methods and measured time [ms] of the tenth day."""
        rows = [
            row
            for row in await self.ingest.intervals(point)
            if from_ms(GAP) <= _at(row[0]) < from_ms(GAP + DAY * QUARTER_MS)
        ]
        amount = sum(int(str(row[1])) for row in rows)
        covered = sum(float(str(row[2])) for row in rows) / DAY
        return amount, covered, {row[3] for row in rows}, sum(int(str(row[4])) for row in rows)


def _at(value: object) -> Any:
    return value


@pytest.fixture
async def park(database_url: str) -> AsyncIterator[Park]:
    ingest = await open_ingest(database_url)
    await ingest.apply(park_text(2, point=", limit_per_h: 100", more=MORE))
    made = Park(ingest)
    await made.bring(
        [
            *counter_rows(M0, START, [2.0 * at for at in range(10 * DAY + 1)]),
            *(row for point in (BILL, ROOF) for row in (*hours(point, 0, 240), *hours(point, 264, 480))),
        ]
    )
    yield made
    await ingest.database.close()


@pytest.mark.rule("6.1", "6.7", "6.9")
async def test_a_gap_is_closed_by_two_people_and_late_readings_win(park: Park) -> None:
    assert await park.day(BILL) == (0, 0.0, set(), 0)
    number = await park.enter(wanted(BILL, "conservative"))
    assert await park.state(number) == ("proposed", 0)
    assert await park.day(BILL) == (0, 0.0, set(), 0)
    with pytest.raises(RefusedError, match=r"rule 6\.1: Energy Manager +entered substitution"):
        await park.review(number, person="Energy Manager ")
    done = await park.review(number)
    assert (done.effect.before_micro, done.effect.after_micro, done.queued) == (0, 144_000_000, 1)
    assert done.effect.nano_kg == round(144_000_000 * 0.5978 * 1e3) or done.effect.nano_kg is not None
    assert await park.day(BILL) == (144_000_000, 1.0, {2}, 0)  # 12 h x 4 + 12 h x 8; nothing of it is measured
    assert await park.state(number) == ("in_force", 0)
    with pytest.raises(RefusedError, match="is in force there"):
        await park.enter(wanted(BILL, "mean", 4))
    await park.bring(hours(BILL, 240, 252, 0.5))  # half the day arrives after all, and it was less
    assert await park.day(BILL) == (
        8 * 2_000_000 + 4 * 4_000_000 + 8 * 8_000_000 + 4 * 4_000_000,
        1.0,
        {0, 2},
        12 * HOUR_MS,
    )
    assert await park.state(number) == ("in_force", 48)
    await park.bring(hours(BILL, 252, 264, 0.5))
    assert await park.day(BILL) == (72_000_000, 1.0, {0}, 24 * HOUR_MS)
    assert await park.state(number) == ("superseded", 96)
    done = await park.withdraw(number)
    assert done.effect.amount_micro == 0
    assert await park.day(BILL) == (72_000_000, 1.0, {0}, 24 * HOUR_MS)
    assert (await park.state(number))[0] == "withdrawn"
    with pytest.raises(RefusedError, match=r"rule 6\.9: .*withdrawn by energy manager"):
        await park.withdraw(number)


@pytest.mark.rule("6.1")
async def test_a_dead_counter_is_filled_until_its_register_speaks_again(park: Park) -> None:
    number = await park.enter(wanted(M0, "conservative"))
    await park.review(number)
    assert await park.day(M0) == (2_000_000 * DAY, 1.0, {2}, 0)
    resumed = [2.0 * 10 * DAY + 150.0 + 2.0 * at for at in range(DAY)]
    await park.bring(counter_rows(M0, GAP + DAY * QUARTER_MS, resumed[:1]))  # the register counted on: 150, not 192
    assert await park.day(M0) == (150_000_000, 1.0, {1}, 0)
    assert await park.state(number) == ("superseded", 96)
    await park.bring(counter_rows(M0, GAP + (DAY + 1) * QUARTER_MS, resumed[1:]))
    assert await park.day(M0) == (150_000_000, 1.0, {1}, 0)


async def test_a_counter_without_any_reading_can_be_substituted(park: Park) -> None:
    number = await park.enter(wanted(M1, "default", declared_per_h=40.0, evidence="contract, clause 4"))
    await park.review(number)
    assert await park.day(M1) == (40_000_000 * 24, 1.0, {2}, 0)
    await park.bring(counter_rows(M1, GAP + 40 * QUARTER_MS, [7.0 + at for at in range(30)]))
    assert (await park.day(M1))[0] == 10_000_000 * (DAY - 29) + 29 * 1_000_000
    await park.withdraw(number)
    assert (await park.day(M1))[0] == 29 * 1_000_000


@pytest.mark.rule("6.2", "6.3")
async def test_each_rule_says_what_it_rests_on_and_refuses_what_it_cannot(park: Park) -> None:
    async def draft(one: Wanted) -> substitutions.Draft:
        async with park.ingest.database.transaction() as session:
            return await substitutions.propose(session, PARK, one, now=NOW)

    mean = await draft(wanted(BILL, "mean"))
    assert (sum(mean.amounts_micro), mean.working["before_micro"], mean.working["after_micro"]) == (
        96_000_000,
        10**6,
        10**6,
    )
    total = await draft(wanted(BILL, "estimate", total=90.0, evidence="steam balance"))
    assert sum(total.amounts_micro) == 90_000_000
    assert total.amounts_micro[8 * 4] == 2 * total.amounts_micro[0]  # as the profile of other days has it
    least = await draft(wanted(ROOF, "conservative"))
    assert sum(least.amounts_micro) == sum(mean.amounts_micro) + 48_000_000
    assert least.missing == DAY
    assert (
        await draft(wanted(BILL, "default", declared_per_h=9.0, evidence="permit"))
    ).effect.after_micro == 216_000_000
    refused: list[tuple[Wanted, str]] = [
        (wanted(BILL, "default", evidence="none"), r"rule 6\.3: no default is declared"),
        (wanted(BILL, "default", declared_per_h=1.0), r"rule 6\.3: .*needs evidence"),
        (wanted(BILL, "estimate", evidence="x"), r"rule 6\.2: .*needs its total"),
        (wanted(M0, "mean"), r"rule 6\.2: .*not closed"),
        (wanted(M1, "conservative"), r"rule 6\.1: no quality-assured value"),
        (Wanted(BILL, from_ms(GAP + 1), from_ms(GAP + HOUR_MS), "mean"), "quarter of an hour"),
        (Wanted(BILL, from_ms(START), from_ms(START + HOUR_MS), "mean"), "nothing is missing"),
        (Wanted(BILL, from_ms(NOW_MS), from_ms(NOW_MS + HOUR_MS), "mean"), "still to come"),
        (Wanted(BILL, from_ms(GAP), from_ms(GAP), "mean"), "no span"),
    ]
    for one, why in refused:
        with pytest.raises(RefusedError, match=why):
            await draft(one)
    with pytest.raises(LookupError, match="no point"):
        await draft(wanted("m9/x", "mean"))
    assert await park.ingest.database.fetchval("select count(*) from substitution") == 0


@pytest.mark.rule("6.1", "6.10")
async def test_a_run_of_zeros_is_left_out_and_replaced(park: Park) -> None:
    await park.bring([Row(BILL, START + at * HOUR_MS, 0.0) for at in range(240, 264)])
    assert (await park.day(BILL))[:2] == (0, 1.0)
    async with park.ingest.database.session() as session:
        facts = await load_current(session, PARK, NOW)
        (run,) = await states.suspect_runs(session, facts, GAP, GAP + DAY * QUARTER_MS)
        (told,) = await states.proposals(session, facts, [run])
    assert (told["point"], told["hours"], told["substitute"], told["why_not"]) == (BILL, 24, "exclude", None)
    with pytest.raises(RefusedError, match="nothing is missing; exclude its readings first where they are wrong"):
        await park.enter(wanted(BILL, "conservative"))
    number = await park.enter(wanted(BILL, "conservative", exclude=True))
    await park.settled()
    assert await park.day(BILL) == (0, 0.0, set(), 0)  # wrong values are out; missing until somebody approves
    await park.review(number)
    assert await park.day(BILL) == (144_000_000, 1.0, {2}, 0)
    async with park.ingest.database.session() as session:
        (correction,) = await corrections.listed(session, PARK)
        assert (correction["kind"], correction["state"]) == ("exclude", "in_force")
        assert (await substitutions.one(session, PARK, number))["working"]["correction"] == correction["correction"]
        figure = await substitutions.figure_of(session, PARK, number)
    assert (figure.value, figure.rule, check(figure)) == (144.0, "6.1", [])


@pytest.mark.rule("6.9")
async def test_a_correction_tells_its_effect_and_can_be_withdrawn(park: Park) -> None:
    database = park.ingest.database
    before = await park.ingest.everything()
    span = from_ms(START + 24 * HOUR_MS), from_ms(START + 30 * HOUR_MS - 1)
    wanted_ = NewCorrection(BILL, "exclude", *span)
    async with database.transaction() as session:
        done = await corrections.enter(session, PARK, wanted_, author="energy manager", reason="test run")
    await park.settled()
    assert (done.readings, done.effect.before_micro, done.effect.after_micro) == (6, 24_000_000, 0)
    assert done.effect.nano_kg is not None
    assert done.effect.nano_kg < 0
    assert await park.ingest.everything() != before
    async with database.transaction() as session:
        again = await corrections.withdraw(session, PARK, done.number, author="energy manager", reason="it was real")
    await park.settled()
    assert again.effect.amount_micro == 24_000_000
    assert await park.ingest.everything() == before
    async with database.session() as session:
        (listed,) = await corrections.listed(session, PARK)
    assert (listed["state"], listed["effect"]["difference"]) == ("withdrawn", -24.0)
    for number, why in ((done.number, "withdrawn by energy manager already"), (99, "no correction 99")):
        async with database.session() as session:
            with pytest.raises((RefusedError, LookupError), match=why):
                async with session.transaction():
                    await corrections.withdraw(session, PARK, number, author="x", reason="y")


@pytest.mark.rule("6.10")
async def test_corrections_that_cannot_be_are_refused(park: Park) -> None:
    at, later = from_ms(START + HOUR_MS), from_ms(START + 2 * HOUR_MS)
    refused = [
        (NewCorrection(M0, "boundary", at), "a boundary needs the last register"),
        (NewCorrection(M0, "retime", at, later), "changes nothing"),
        (NewCorrection(M0, "exclude", later, at), "before it begins"),
        (NewCorrection(M0, "exclude", at, later, offset_ms=5), "an offset to a retiming"),
        (NewCorrection(M1, "exclude", at, later), "has no reading"),
    ]
    for one, why in refused:
        async with park.ingest.database.session() as session:
            with pytest.raises(RefusedError, match=rf"rule 6\.10: .*{why}"):
                async with session.transaction():
                    await corrections.enter(session, PARK, one, author="a", reason="b")
    async with park.ingest.database.session() as session:
        with pytest.raises(RefusedError, match="who decides and why"):
            await corrections.enter(session, PARK, NewCorrection(M0, "exclude", at, later), author="a", reason=" ")


@pytest.mark.rule("6.9")
async def test_the_database_itself_keeps_the_facts(park: Park) -> None:
    number = await park.enter(wanted(BILL, "mean"))
    await park.review(number)
    other = await park.ingest.database.fetchval(
        "insert into substitution (point_id, from_time, to_time, rule, method, amounts_micro, document, before_micro,"
        " after_micro, author, reason) select point_id, from_time, to_time, rule, method, amounts_micro, document, 0,"
        " 0, 'a', 'b' from substitution returning substitution_id"
    )
    with pytest.raises(RefusedError, match="is in force for a part of the span"):
        await park.review(int(other))
    for statement in (
        "update substitution set reason = 'x'",
        "delete from substitution_review",
        "truncate correction_withdrawal",
        "delete from correction",
        "update substitution_withdrawal set reason = 'x'",
    ):
        with pytest.raises(RejectedError, match=r"PR001 rule 6\.9"):
            await park.ingest.database.execute(statement)
    with pytest.raises(RejectedError):  # an amount is missing
        await park.ingest.database.execute(
            "insert into substitution (point_id, from_time, to_time, rule, method, amounts_micro, document,"
            " before_micro, after_micro, author, reason) select point_id, from_time, to_time, rule, method,"
            " amounts_micro[2:], document, 0, 0, 'a', 'b' from substitution limit 1"
        )


async def test_everything_by_route(park: Park, database_url: str) -> None:
    people = {"editor": "energy manager", "approver": "reviewer", "auditor": "auditor"}
    for role, person in people.items():
        await park.ingest.database.execute(
            "insert into api_token (digest, label, role, park_id, person) values ($1, $2, $2, $3, $4)",
            hashlib.sha256(f"{role}-token-01".encode()).digest(),
            role,
            PARK,
            person,
        )
    async with serving(create_app(settings_for(database_url), SceneClock(NOW_MS)), token=None) as client:

        async def ask(role: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {role}-token-01"}
            url = f"/api/v1/parks/{PARK}/{path}"
            answer = await (
                client.get(url, headers=headers) if body is None else client.post(url, headers=headers, json=body)
            )
            return answer.status_code, answer.json()

        new = {"point": BILL, "from": from_ms(GAP).isoformat(), "method": "mean", "reason": "failed"}
        new["to"] = from_ms(GAP + DAY * QUARTER_MS).isoformat()
        status, draft = await ask("editor", "substitutions/draft", {**new, "reason": ""})
        assert (status, draft["total"], draft["rule"]) == (200, 96.0, "6.2")
        assert (await ask("auditor", "substitutions", new))[0] == 403
        status, entered = await ask("editor", "substitutions", new)
        assert (status, entered["state"], entered["author"]) == (201, "proposed", "energy manager")
        number = entered["substitution"]
        assert (await ask("editor", f"substitutions/{number}/review", {"decision": "approved", "reason": "x"}))[
            0
        ] == 403
        status, approved = await ask(
            "approver", f"substitutions/{number}/review", {"decision": "approved", "reason": "x"}
        )
        assert (status, approved["state"], approved["review"]["effect"]["difference"]) == (200, "in_force", 96.0)
        await park.settled()
        assert await park.day(BILL) == (96_000_000, 1.0, {2}, 0)
        status, refused = await ask(
            "approver", f"substitutions/{number}/review", {"decision": "rejected", "reason": "x"}
        )
        assert (status, refused["rule"]) == (422, "6.1")
        status, figure = await ask("auditor", f"substitutions/{number}/working")
        assert (status, figure["value"], figure["rule"]) == (200, 96.0, "6.2")
        status, gone = await ask("editor", f"substitutions/{number}/withdrawal", {"reason": "found"})
        assert (status, gone["state"]) == (201, "withdrawn")
        status, listed = await ask("auditor", "substitutions")
        assert [one["state"] for one in listed] == ["withdrawn"]
        correction = {"point": BILL, "kind": "exclude", "from": from_ms(START).isoformat(), "reason": "test run"}
        status, made = await ask("editor", "corrections", correction)
        assert (status, made["effect"]["difference"]) == (201, -4.0)
        status, made = await ask("editor", f"corrections/{made['correction']}/withdrawal", {"reason": "real"})
        assert (status, made["state"]) == (201, "withdrawn")
        status, refused = await ask("editor", "corrections", {**correction, "kind": "boundary"})
        assert (status, refused["rule"]) == (422, "6.10")
        assert len((await ask("auditor", "corrections"))[1]) == 1
    await park.settled()


async def test_everything_by_command_line(park: Park, database_url: str) -> None:
    def run(*arguments: str, package: str = "parkcarbon.cli.accounts", code: int = 0) -> str:
        environment = {**os.environ, "PARKCARBON_DATABASE_URL": database_url}
        command = [sys.executable, "-m", package, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if code else "")

    span = [
        "--park",
        PARK,
        "--point",
        BILL,
        "--from",
        from_ms(GAP).isoformat(),
        "--to",
        from_ms(GAP + DAY * QUARTER_MS).isoformat(),
    ]
    assert "draft: bill" in run("substitute", "propose", *span, "--method", "mean")
    entered = json.loads(
        run("substitute", "enter", *span, "--method", "mean", "--author", "a", "--reason", "b", "--json")
    )
    number = str(entered["substitution"])
    who = ["--park", PARK, "--author", "c", "--reason", "d"]
    own = ["--park", PARK, "--author", "a", "--reason", "d"]
    assert "rule 6.1" in run("substitute", "review", number, "--decision", "approved", *own, code=1)
    assert f"{number} in_force" in run("substitute", "review", number, "--decision", "approved", *who)
    await park.settled()
    assert "substituted" in run("review", "--park", PARK, package="ingest")
    assert "0 differ" in run("recompute", "--park", PARK, "--check", package="ingest")
    assert f"{number} withdrawn" in run("substitute", "withdraw", number, *who)
    assert "approved by c: d" in run("substitute", "list", "--park", PARK)
    exclude = [
        "correct",
        "exclude",
        "--park",
        PARK,
        "--point",
        BILL,
        "--from",
        from_ms(START).isoformat(),
        "--reason",
        "x",
    ]
    assert "4 intervals change by -4.000 and -" in run(*exclude, package="ingest")
    withdraw = ["correct", "withdraw", "--park", PARK, "--number", "1", "--reason", "y"]
    assert "4 intervals change by +4.000 and +" in run(*withdraw, package="ingest")
    assert "withdrawn by" in run("review", "--park", PARK, package="ingest")
    assert "rule 6.9" in run(*withdraw, package="ingest", code=1)
    await park.settled()
