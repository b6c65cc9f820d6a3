"""What was known on a past date comes out byte for byte, whatever has been learned since."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pytest

from ingest.release import release
from parkcarbon.books.amounts import Hourly, hourly_amounts, point_amounts
from parkcarbon.books.derive import past
from parkcarbon.books.derive.announce import announce
from parkcarbon.books.derive.as_of import hourly_as_of, point_amounts_as_of
from parkcarbon.books.derive.model import load_model
from parkcarbon.books.derive.past import past_model
from parkcarbon.books.derive.stored import BEGIN_MS
from parkcarbon.books.facts import LATEST, load_facts
from parkcarbon.books.inventory import build_inventory
from parkcarbon.domain.inventory import PointAmount
from parkcarbon.kit.db import Session, from_ms
from parkcarbon.wire.body import Row, SerialChange
from tests.fakes.ingest_park import METER, NOW_MS, PARK, QUARTER_MS, Ingest, Sender, open_ingest, park_text, utc
from tests.fakes.postgres import Server
from tests.integration.test_derive_reprice import factor, learn, settle

START = utc("2026-10-20T00:00:00+00:00")
FROM, TO = utc("2026-10-31T16:00:00+00:00"), utc("2026-11-30T16:00:00+00:00")  # November, local
HOUR_MS = 3_600_000
M = [f"m{at}/{METER}" for at in range(4)]
BILL = "bill/active_energy_export"
DELTA = """
  - device: bill
    name: {zh: 账单, en: Bill}
    profile: generic-delta
    source: agent
    points:
      - {quantity: active_energy_export, kind: delta, period_s: 3600, flow: sub_meter}"""
POINT = ", limit_per_h: 400"


@dataclass
class Moment:
    """What was stored at a moment."""

    name: str
    at: dt.datetime
    amounts: list[PointAmount]
    hours: Hourly
    inventory: bytes


def meter_rows(seed: int, name: str, days: int = 30) -> list[Row]:
    """A counter with a reset, a glitch and a gap."""
    rng = random.Random(seed)
    value, rows = 500.0, []
    for at in range(days * 96):
        value = round(value + rng.uniform(0, 40), 2)
        if at == 1500 and seed % 2:
            value = 3.0
        shown = value + 9000 if at == 1700 else value
        if not 1300 <= at < 1420:
            rows.append(Row(name, START + at * QUARTER_MS, shown))
    return rows


def delta_rows(days: int, *, more: float = 0.0, step: int = 1) -> list[Row]:
    rng = random.Random(8)
    values = [0.0 if 400 <= at < 404 else round(rng.uniform(0, 90), 1) for at in range(days * 24)]
    kept = [at for at in range(len(values)) if at % step == 0 and not 300 <= at < 330]
    return [Row(BILL, START + at * HOUR_MS, values[at] + more) for at in kept]


async def facts_changed(ingest: Ingest, statement: str, *arguments: object) -> None:
    async with ingest.database.transaction() as session:
        await session.fetchval("select version from config_version for update")
        before = await load_model(session)
        await session.execute(statement, *arguments)
        await announce(session, before, PARK)


async def stored_now(session: Session) -> tuple[list[PointAmount], Hourly]:
    at = await session.fetchval("select now()")
    facts = await load_facts(session, PARK, at)
    names = sorted(facts.point_ids)
    return await point_amounts(session, facts, FROM, TO), await hourly_amounts(session, facts, names, FROM, TO)


async def known_then(session: Session, at: dt.datetime) -> tuple[list[PointAmount], Hourly]:
    facts = await load_facts(session, PARK, at)
    names = sorted(facts.point_ids)
    return await point_amounts_as_of(session, facts, FROM, TO), await hourly_as_of(session, facts, names, FROM, TO)


async def inventory_then(session: Session, at: dt.datetime) -> bytes:
    made = await build_inventory(session, PARK, "2026-11", now=at + dt.timedelta(hours=1), as_of=at)
    return made.to_bytes()


class Story:
    """A park that learns one thing after another."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.sender = Sender()
        self.moments: list[Moment] = []

    async def bring(self, rows: Sequence[Row], made_ms: int = NOW_MS) -> None:
        for at in range(0, len(rows), 1000):
            await self.ingest.commit(self.sender.batch(rows[at : at + 1000], made_ms=made_ms))

    async def mark(self, name: str) -> None:
        """Work everything off and remember what is stored."""
        await settle(self.ingest)
        async with self.ingest.database.transaction() as session:
            at = await session.fetchval("select clock_timestamp()")
        async with self.ingest.database.transaction() as session:
            amounts, hours = await stored_now(session)
            facts = await load_facts(session, PARK, at)
            amounts = [*await point_amounts(session, facts, FROM, TO)]
            self.moments.append(Moment(name, at, amounts, hours, await inventory_then(session, at)))

    async def point_id(self, name: str) -> int:
        found = await self.ingest.database.fetchval("select point_id from point where point = $1", name)
        return int(found)

    async def tell(self) -> None:
        ingest = self.ingest
        rows = [row for seed, name in enumerate(M) for row in meter_rows(seed, name)]
        rows = sorted(rows, key=lambda row: row.t)
        late = [row for row in rows if row.point == M[0] and 1000 <= (row.t - START) // QUARTER_MS < 1060]
        held = {id(row) for row in late}
        now = [row for row in rows if id(row) not in held and row.t < START + 26 * 96 * QUARTER_MS]
        rest = [row for row in rows if id(row) not in held and row.t >= START + 26 * 96 * QUARTER_MS]
        await self.bring([*now, *delta_rows(26)])
        await self.mark("readings")
        await self.bring(late)
        await self.mark("late readings")
        await self.bring(delta_rows(26, more=1.5, step=3), NOW_MS + 1)
        await self.mark("deltas given again")
        m1 = await self.point_id(M[1])
        span = from_ms(START + 1200 * QUARTER_MS), from_ms(START + 1240 * QUARTER_MS)
        await facts_changed(
            ingest,
            "insert into correction (point_id, kind, from_time, to_time, document, author, reason)"
            " values ($1, 'exclude', $2, $3, '{}', 'a', 'b')",
            m1,
            *span,
        )
        await self.mark("exclusion")
        await learn(ingest, factor("of-2026", 0.61))
        await self.mark("factor")
        ratio = park_text(4, point=POINT, more=DELTA).replace(
            "flow: import", "flow: import, episodes: [{at: 2026-11-04T05:07:00Z, ct: 3}]", 1
        )
        await ingest.apply(ratio)
        await self.mark("ratio")
        await ingest.apply(ratio.replace("flow: import", "flow: export", 2).replace("flow: export", "flow: import", 1))
        await self.mark("flow")
        m2 = await self.point_id(M[2])
        await self._substitute(m2, 1300, 1420)
        await self.mark("substitution")
        await ingest.commit(
            self.sender.batch([], serials=[SerialChange(device="m3", t=START + 1502 * QUARTER_MS, serial="B", was="A")])
        )
        await self.mark("exchange")
        await self.bring(rest)
        await self.mark("newer readings")
        await facts_changed(
            ingest,
            "insert into correction_withdrawal (correction_id, author, reason)"
            " select correction_id, 'a', 'b' from correction where point_id = $1",
            m1,
        )
        await self.mark("exclusion withdrawn")
        await facts_changed(
            ingest,
            "insert into substitution_withdrawal (substitution_id, author, reason)"
            " select substitution_id, 'a', 'b' from substitution",
        )
        await self.mark("substitution withdrawn")
        await ingest.apply(park_text(3, point=", limit_per_h: 900", more=DELTA))  # m3 retired, another limit
        await self.mark("limit and retirement")

    async def _substitute(self, point_id: int, first: int, last: int) -> None:
        low, high = from_ms(START + first * QUARTER_MS), from_ms(START + last * QUARTER_MS)
        await facts_changed(
            self.ingest,
            "insert into substitution (point_id, from_time, to_time, rule, method, amounts_micro, document,"
            " before_micro, after_micro, author, reason)"
            " values ($1, $2, $3, '6.1', 'conservative', $4, '{}', 0, 0, 'a', 'b')",
            point_id,
            low,
            high,
            [1_234_567 + at for at in range(last - first)],
        )
        await facts_changed(
            self.ingest,
            "insert into substitution_review (substitution_id, person, decision, reason)"
            " select substitution_id, 'c', 'approved', 'd' from substitution",
        )


def same_hours(one: Hourly, other: Hourly) -> bool:
    return (one.points, one.amount_micro.tobytes(), one.known.tobytes()) == (
        other.points,
        other.amount_micro.tobytes(),
        other.known.tobytes(),
    )


def encoded(amounts: Sequence[PointAmount]) -> bytes:
    return msgspec.json.encode([repr(amount) for amount in amounts])


@pytest.mark.rule("6.9")
async def test_every_moment_of_a_long_story_comes_out_as_it_was(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.clone()
    ingest = await open_ingest(url)
    await ingest.apply(park_text(4, point=POINT, more=DELTA))
    story = Story(ingest)
    await story.tell()
    distinct = {encoded(moment.amounts) for moment in story.moments}
    assert len(distinct) >= len(story.moments) - 1  # the story changes something each time (an exchange may agree)
    async with ingest.database.transaction() as session:
        for moment in story.moments:
            amounts, hours = await known_then(session, moment.at)
            assert encoded(amounts) == encoded(moment.amounts), moment.name
            assert same_hours(hours, moment.hours), moment.name
            assert await inventory_then(session, moment.at) == moment.inventory, moment.name

        async def nothing_kept(changes: past._Changes) -> dict[int, int]:
            return dict.fromkeys(changes._model.by_id, BEGIN_MS)

        monkeypatch.setattr(past._Changes, "find", nothing_kept)  # now from readings alone, without stored results
        for moment in story.moments:
            amounts, hours = await known_then(session, moment.at)
            assert encoded(amounts) == encoded(moment.amounts), moment.name
            assert same_hours(hours, moment.hours), moment.name
    await ingest.database.close()
    server.drop(url)


async def test_as_of_now_is_what_is_stored_and_the_configuration_what_is_loaded(postgres_url: str) -> None:
    ingest = await open_ingest(postgres_url)
    await ingest.apply(park_text(4, point=POINT, more=DELTA))
    story = Story(ingest)
    await story.tell()
    async with ingest.database.transaction() as session:
        facts = await load_facts(session, PARK, LATEST)
        model, was = await load_model(session), await past_model(session, facts)
        assert was.points[PARK] == model.points[PARK]
        assert (was.known_on, was.parks[PARK]) == (model.known_on, model.parks[PARK])
        assert was.factors_for(PARK) == model.factors_for(PARK)
        assert encoded(await point_amounts_as_of(session, facts, FROM, TO)) == encoded(
            await point_amounts(session, facts, FROM, TO)
        )
    await ingest.database.close()


async def test_a_batch_that_was_given_up_and_came_after_all_is_known_from_then_on(postgres_url: str) -> None:
    ingest = await open_ingest(postgres_url)
    await ingest.apply(park_text(1, point=POINT))
    story = Story(ingest)
    rows = meter_rows(2, M[0], 14)
    await story.bring(rows[:1200])
    await story.mark("before")
    batch = story.sender.batch(rows[1200:])
    await ingest.database.execute(
        "insert into batch (source_id, boot, seq, state, digest, header, made, n, t_min, t_max)"
        " select source_id, $1, $2, 'tombstone', sha256($3), $4, now(), 0, $5, $6 from source where source = 'agent'",
        batch.topic.boot,
        batch.topic.seq,
        batch.line,
        batch.line.decode(),
        from_ms(batch.header.t_min),
        from_ms(batch.header.t_max),
    )
    await story.mark("given up")
    await ingest.commit(batch)
    await story.mark("revived")
    assert await ingest.count("reading") == len(rows)
    async with ingest.database.transaction() as session:
        for moment in story.moments:
            amounts, _ = await known_then(session, moment.at)
            assert encoded(amounts) == encoded(moment.amounts), moment.name
    assert encoded(story.moments[1].amounts) != encoded(story.moments[2].amounts)
    await ingest.database.close()


async def test_readings_released_from_quarantine_were_not_known_before(postgres_url: str) -> None:
    ingest = await open_ingest(postgres_url)
    await ingest.apply(park_text(1, point=POINT))
    story = Story(ingest)
    await story.bring([*meter_rows(2, M[0], 14), *meter_rows(3, M[1], 14)])
    await story.mark("one point")
    await ingest.apply(park_text(2, point=POINT))
    await story.mark("registered")
    assert await release(ingest.writer, PARK, from_ms(NOW_MS)) > 0
    await story.mark("released")
    async with ingest.database.transaction() as session:
        for moment in story.moments:
            amounts, _ = await known_then(session, moment.at)
            assert encoded(amounts) == encoded(moment.amounts), moment.name
    await ingest.database.close()
