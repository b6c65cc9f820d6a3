"""The inventory as known on a past date, byte for byte, over everything that came later; with ingest itself."""

import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingest.recompute import Recomputer
from parkcarbon.books import entries
from parkcarbon.books.inventory import METHODS, build_inventory, load_inputs, result_of
from parkcarbon.books.periods import closing as periods
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, to_ms
from tests.fakes.ingest_park import METER, PARK, Ingest, Sender, counter_rows, park_text, utc
from tests.fakes.ingest_park import open_ingest as opened

M0, M1 = f"m0/{METER}", f"m1/{METER}"
MONTH = dt.datetime.now(dt.UTC).replace(day=1) - dt.timedelta(days=10)
PERIOD = f"{MONTH:%Y-%m}"
START = utc(f"{PERIOD}-03T00:00:00+08:00")
MINUTES = dt.timedelta(minutes=2)


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    found = await opened(database_url)
    found.clock = ManualClock(to_ms(dt.datetime.now(dt.UTC)))
    yield found
    await found.database.close()


async def known(database: Database, as_of: dt.datetime | None = None) -> bytes:
    """The inventory as known then; asked for two minutes later."""
    async with database.transaction() as session:
        clock = await session.fetchval("select clock_timestamp()")
        return (await build_inventory(session, PARK, PERIOD, now=clock + MINUTES, as_of=as_of)).to_bytes()


async def now_of(database: Database) -> dt.datetime:
    moment: dt.datetime = await database.fetchval("select clock_timestamp()")
    return moment


def apart_from_date(body: bytes) -> Any:
    return json.loads(body) | {"known_on": None}


async def enter(ingest: Ingest, amount: float, **more: Any) -> int:
    new = {
        "kind": "fuel",
        "period": PERIOD,
        "evidence": "invoice 17",
        "document": {"fuel": "diesel", "amount": amount, "unit": "t"},
    }
    async with ingest.database.transaction() as session:
        return (await entries.enter_many(session, PARK, [new | more], author="energy manager"))[0]


async def settle(ingest: Ingest) -> None:
    recomputer = Recomputer(ingest.writer, ManualClock(ingest.clock.now_ms() + 3_600_000))
    while await recomputer.step():
        pass
    assert await ingest.database.fetchval("select count(*) from result_waiting") == 0


@pytest.mark.rule("6.9")
async def test_what_was_known_stays_known_byte_for_byte(ingest: Ingest) -> None:
    sender = Sender(made_ms=START)
    await ingest.apply(park_text(2))
    day = 96
    values = [1000.0 + 25 * at for at in range(3 * day + 1)]
    await ingest.commit(sender.batch([*counter_rows(M0, START, values), *counter_rows(M1, START, values[:day])]))
    number = await enter(ingest, 2.0)
    await settle(ingest)
    then = await now_of(ingest.database)
    live, past = await known(ingest.database), await known(ingest.database, then)
    assert apart_from_date(live) == apart_from_date(past)
    assert json.loads(past)["energy"]["grid_import_kwh"] == 25.0 * (3 * day + day - 1)

    # a meter's gap is closed by what an agent kept, an entry is corrected, a meter turns out to have a transformer
    late = counter_rows(M1, START + day * 900_000, values[day : 2 * day])
    await ingest.commit(sender.batch(late))
    await enter(ingest, 3.0, supersedes=number, reason="typing error")
    episode = f", episodes: [{{at: {PERIOD}-04T00:00:00+08:00, ct: 2}}]"
    await ingest.apply(park_text(2, point=episode))
    await settle(ingest)
    after = await now_of(ingest.database)
    assert await known(ingest.database, then) == past
    live, newer = await known(ingest.database), await known(ingest.database, after)
    assert apart_from_date(live) == apart_from_date(newer)
    assert json.loads(newer)["energy"]["grid_import_kwh"] > json.loads(past)["energy"]["grid_import_kwh"]

    async with ingest.database.transaction() as session:
        first = await load_inputs(session, PARK, PERIOD, now=after + MINUTES, as_of=then)
        again = await load_inputs(session, PARK, PERIOD, now=after + MINUTES, as_of=then)
    for method in METHODS:
        one, two = [result_of(inputs, method, final=False).to_bytes() for inputs in (first, again)]
        assert one == two


@pytest.mark.rule("6.9")
async def test_what_was_frozen_is_what_was_known_then(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a closed month can be computed again from the facts, whatever came since."""
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    sender = Sender(made_ms=START)
    await ingest.apply(park_text(2))
    values = [1000.0 + 25 * at for at in range(200)]
    await ingest.commit(sender.batch([*counter_rows(M0, START, values), *counter_rows(M1, START, values)]))
    await settle(ingest)
    async with ingest.database.transaction() as session:
        moment = await now_of(ingest.database)
        await periods.make_provisional(session, PARK, PERIOD, person="energy manager", reason="", now=moment)
    async with ingest.database.transaction() as session:
        moment = await now_of(ingest.database)
        frozen = await periods.close(
            session, PARK, PERIOD, person="reviewer", reason="meters were new", now=moment, override=True
        )
    await ingest.commit(sender.batch(counter_rows(M1, START + 200 * 900_000, [6000.0, 6025.0])))
    await settle(ingest)
    async with ingest.database.transaction() as session:
        inputs = await load_inputs(session, PARK, PERIOD, now=frozen.as_of + MINUTES, as_of=frozen.as_of)
        for method in METHODS:
            found = await periods.frozen(session, PARK, PERIOD, method=method)
            assert found is not None
            assert result_of(inputs, method, final=True).to_bytes() == found.body
