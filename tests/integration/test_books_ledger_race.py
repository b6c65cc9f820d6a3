"""Many users at the same instant: whatever they try to use twice, one of them gets it and all others are refused.

`python -m pytest -q -s tests/integration/test_books_ledger_race.py` prints how many tried, were accepted and refused.
"""

import asyncio
import datetime as dt
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from parkcarbon.books.instruments.ledger import enter_lot, record
from parkcarbon.domain.instruments.event import EventKind
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, RejectedError, Session, UnavailableError
from tests.fakes.ledger import PARKS, WHO, act, credit, gec, make_parks

USERS = 40
ROUNDS = 5

Attempt = Callable[[Session, int], Awaitable[object]]


@dataclass
class Count:
    """What became of the attempts."""

    tried: int
    accepted: list[int]
    refused: Counter[str]

    def __str__(self) -> str:
        by_rule = ", ".join(f"{rule} {count}" for rule, count in sorted(self.refused.items()))
        return f"{self.tried} tried, {len(self.accepted)} accepted, {self.refused.total()} refused ({by_rule})"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(database_url, min_size=USERS, max_size=USERS) as opened:
        await make_parks(opened)
        yield opened


async def race(database: Database, attempt: Attempt) -> Count:
    """Let every user try at the same instant, each in a transaction on a connection of its own."""
    ready = asyncio.Barrier(USERS)
    count = Count(USERS, [], Counter())

    async def user(number: int) -> None:
        async with database.session() as session:
            await ready.wait()
            while True:
                try:
                    async with session.transaction():
                        await attempt(session, number)
                    count.accepted.append(number)
                except RefusedError as error:
                    count.refused[f"rule {error.rule}"] += 1
                except RejectedError as error:
                    count.refused[f"sqlstate {error.sqlstate}"] += 1
                except UnavailableError:
                    continue  # a dead lock that the server resolved: try again
                return

    await asyncio.gather(*(user(number) for number in range(USERS)))
    return count


def told(name: str, count: Count) -> None:
    print(f"\n{name}: {count}")


@pytest.mark.rule("3.5")
async def test_overlapping_lots_of_two_parks(database: Database) -> None:
    dice = random.Random(1)
    for turn in range(ROUNDS):
        middle = 1000 * turn + 500
        spans = [(middle - dice.randrange(50), middle + 1 + dice.randrange(50)) for _ in range(USERS)]

        async def attempt(session: Session, number: int, spans: list[tuple[int, int]] = spans) -> None:
            first, end = spans[number]
            await enter_lot(session, PARKS[number % 2], gec(first, end - first), **WHO)

        count = await race(database, attempt)
        told("overlapping lots, two parks", count)
        assert (len(count.accepted), count.refused) == (1, {"rule 3.5": USERS - 1})


@pytest.mark.rule("3.5")
async def test_one_serial_for_different_tenants_periods_and_acts(database: Database) -> None:
    async with database.transaction() as session:
        lot = await enter_lot(session, "demo", credit(0, 1000), **WHO)
    kinds: tuple[EventKind, ...] = ("retired", "surrendered", "sold", "transferred", "pending")
    dice = random.Random(2)
    for turn in range(ROUNDS):
        middle = 100 * turn + 50

        async def attempt(session: Session, number: int, middle: int = middle) -> None:
            first = middle - dice.randrange(20)
            kind = kinds[number % len(kinds)] if number % 3 else "retired"
            what = act(kind, lot, first=first, count=middle - first + 1 + dice.randrange(20), tenant="mill")
            if what.claim_from is not None and number % 2:
                what = replace(what, claim_from=dt.date(2026, 4, 1), claim_to=dt.date(2026, 5, 1), tenant="foundry")
            await record(session, "demo", what, **WHO)

        count = await race(database, attempt)
        told("one credit, five acts, two tenants, two periods", count)
        used = await database.fetchval(
            "select count(*) from instrument_event where final and serials @> $1::int::numeric", middle
        )
        assert used <= 1
        assert len(count.accepted) - used <= 1  # at most an application that its own retirement followed
        assert len(count.accepted) >= 1
        assert count.refused.total() == USERS - len(count.accepted)


@pytest.mark.rule("3.5")
async def test_overlapping_cancellations(database: Database) -> None:
    async with database.transaction() as session:
        lot = await enter_lot(session, "demo", gec(0, 1000), **WHO)
    dice = random.Random(3)
    for turn in range(ROUNDS):
        middle = 100 * turn + 50

        async def attempt(session: Session, number: int, middle: int = middle) -> None:
            first = middle - dice.randrange(20)
            month = 1 + number % 5
            what = act("cancelled", lot, first=first, count=middle - first + 1 + dice.randrange(20))
            claim_from, claim_to = dt.date(2026, month, 1), dt.date(2026, month + 1, 1)
            tenant = (None, "mill", "foundry")[number % 3]
            what = replace(what, tenant=tenant, claim_from=claim_from, claim_to=claim_to)
            await record(session, "demo", what, **WHO)

        count = await race(database, attempt)
        told("overlapping cancellations, three claimants, five months", count)
        assert (len(count.accepted), count.refused) == (1, {"rule 3.5": USERS - 1})


@pytest.mark.rule("3.5")
async def test_a_certificate_transferred_and_cancelled_by_two_parks(database: Database) -> None:
    for turn in range(ROUNDS):
        async with database.transaction() as session:
            bought = replace(credit(turn * 10, 10), kind="other_credit", registry="programme")
            lot = await enter_lot(session, "demo", bought, **WHO)

        async def attempt(session: Session, number: int, lot: int = lot) -> None:
            if number == 0:
                await record(session, "demo", act("transferred", lot, to_park="other"), **WHO)
            else:
                await record(session, PARKS[number % 2], act("retired", lot), **WHO)

        count = await race(database, attempt)
        told("one lot, transfer against retirements in two parks", count)
        final = await database.fetchval("select count(*) from instrument_event where final and lot_id = $1", lot)
        assert final == 1
        assert len(count.accepted) in (1, 2)  # one retirement, and before it perhaps the transfer
        assert count.refused.total() == USERS - len(count.accepted)


@pytest.mark.rule("4.3")
async def test_cancellations_of_different_serials_never_exceed_the_purchases(database: Database) -> None:
    async with database.transaction() as session:
        lot = await enter_lot(session, "demo", gec(0, 1000), **WHO)
    for turn in range(ROUNDS):
        bought = (7 + turn) * 10**9

        async def attempt(session: Session, number: int, turn: int = turn, bought: int = bought) -> None:
            members: dict[str, Any] = {"limit_micro_kwh": bought, "claim_from": dt.date(2026, 1 + turn, 1)}
            members |= {"claim_to": dt.date(2026, 2 + turn, 1)}
            await record(session, "demo", act("cancelled", lot, first=turn * USERS + number, count=1, **members), **WHO)

        count = await race(database, attempt)
        told(f"distinct serials, {7 + turn} MWh bought", count)
        assert (len(count.accepted), count.refused) == (7 + turn, {"rule 4.3": USERS - 7 - turn})


@pytest.mark.rule("4.4")
async def test_certificates_and_credits_of_one_generation(database: Database) -> None:
    for turn in range(ROUNDS):
        farm = f"deep-sea-{turn}"

        async def attempt(session: Session, number: int, turn: int = turn, farm: str = farm) -> None:
            serial = turn * USERS + number
            green = gec(serial, 1, month="2025-07", plant=farm)
            offset = credit(serial, 1, plant=farm, technology="wind", unit_micro_kwh=10**9)
            await enter_lot(session, "demo", green if number % 2 else offset, **WHO)

        count = await race(database, attempt)
        told("GEC against CCER of one plant and month", count)
        kinds = {number % 2 for number in count.accepted}
        assert len(kinds) == 1
        assert len(count.accepted) == USERS // 2
        assert count.refused == {"rule 4.4": USERS // 2}


@pytest.mark.rule("3.5")
async def test_the_constraints_hold_even_without_the_triggers(database: Database) -> None:
    async with database.transaction() as session:
        lot = await enter_lot(session, "demo", gec(0, 1000), **WHO)

    async def use(session: Session, number: int) -> None:
        await session.execute("set local session_replication_role = replica")
        await session.execute(
            "insert into instrument_event"
            " (lot_id, registry, serial_prefix, serials, park_id, kind, on_day, author, reason) values"
            " ($1, 'gec-cn', 'GEC-', numrange(10 - $2::int % 5, 11 + $2::int % 7), $3, 'sold', '2026-05-04', 'a', 'r')",
            lot,
            number,
            PARKS[number % 2],
        )

    count = await race(database, use)
    told("events with all triggers off", count)
    assert (len(count.accepted), count.refused) == (1, {"sqlstate 23P01": USERS - 1})

    async def enter(session: Session, number: int) -> None:
        await session.execute("set local session_replication_role = replica")
        await enter_lot(session, PARKS[number % 2], gec(5000 - number, 1 + 2 * number), **WHO)

    count = await race(database, enter)
    told("lots with all triggers off", count)
    assert (len(count.accepted), count.refused) == (1, {"rule 3.5": USERS - 1})
