"""The factor library in real databases: append-only, two persons, no overlap even at the same instant.

Series with where they came from, and exactly what a decision touches computed again.
"""

import asyncio
import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import pytest

from ingest.parks import apply_park
from ingest.recompute import Recomputer
from parkcarbon.books.derive.model import load_model
from parkcarbon.books.library.factors import Decision, Wanted, decide, list_records, load_known, propose, show
from parkcarbon.books.library.series import Values, fetch_values, list_loads, load_values, read_values
from parkcarbon.catalog.factors import load_factors
from parkcarbon.catalog.park import decode_park
from parkcarbon.domain.factors import Factor, Match, lookup
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.clock import ManualClock
from parkcarbon.kit.db import Database, RejectedError, Session, from_ms
from parkcarbon.kit.http import FetchError, fetch
from tests.fakes.ingest_park import METER, NOW_MS, PARK, Ingest, Sender, counter_rows, open_ingest, park_text
from tests.fakes.values_server import ANSWERS, hours_csv, values_server

NOW = from_ms(NOW_MS)
START = NOW_MS - 20 * 86_400_000
M0 = f"m0/{METER}"
WHO = {"author": "energy manager", "reason": "supplier's notice", "evidence": "notice 12"}
REVIEWER, CHECKED = "reviewer", "compared with the notice"

OWN = Factor(
    factor="OWN-GRID-2026",
    purpose="grid_average",
    carrier="electricity",
    region="China/JS",
    gas="CO2",
    unit="kgCO2/kWh",
    value=0.4,
    basis="supplier's mix",
    data_year=2026,
    publisher="supplier",
    edition="notice 12",
    published_on=dt.date(2026, 10, 1),
    source_page="notice 12, page 2",
    licence="by contract",
)
SERIES = replace(OWN, factor="OWN-HOURLY", value=None, series=True, data_year=2026, basis="hourly")


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


async def enter(database: Database, factor: Factor = OWN, **who: str) -> int:
    async with database.transaction() as session:
        return await propose(session, PARK, factor, now=NOW, **{**WHO, **who})


async def approve(
    database: Database,
    factor_id: int,
    load_id: int | None = None,
    *,
    person: str = REVIEWER,
    decision: Decision = "approved",
) -> int:
    async with database.transaction() as session:
        return await decide(session, PARK, factor_id, decision, load_id=load_id, person=person, reason=CHECKED)


async def known(database: Database, as_of: dt.datetime | None = None) -> dict[str, Factor]:
    async with database.session() as session:
        moment = as_of or await session.fetchval("select clock_timestamp()")
        return {factor.factor: factor for _, factor in await load_known(session, PARK, moment)}


DECIDE: LiteralString = "insert into factor_decision (factor_id, person, decision, reason) values ($1, $2, $3, '')"

CHANGES: list[LiteralString] = [
    "update factor set value = 0.1",
    "delete from factor where factor = 'CN-2023-JS'",
    "truncate factor cascade",
    "update factor_value set value = 0",
    "delete from factor_value",
    "update factor_load set source = ''",
    "delete from factor_load",
    "update factor_decision set person = 'x'",
    "delete from factor_decision",
]


@pytest.mark.rule("6.9")
@pytest.mark.parametrize("change", CHANGES)
async def test_records_values_loads_and_decisions_are_only_ever_added_to(ingest: Ingest, change: LiteralString) -> None:
    await ingest.apply(park_text(1))
    with pytest.raises(RejectedError, match=r"PR001 rule 6\.9: factor\w* holds facts"):
        await ingest.database.execute(change)


async def test_all_verified_factors_are_entered_once_with_everything_an_auditor_asks(ingest: Ingest) -> None:
    applied = await ingest.apply(park_text(1))
    assert applied.factors == len(load_factors()) == 545
    assert (await ingest.apply(park_text(1))).factors == 0
    row = await ingest.database.fetchrow("select * from factor where factor = 'UK-2024'")
    assert row is not None
    assert (row["published_on"], row["published_year"], row["licence"]) == (None, 2024, "Open Government Licence v3.0")
    assert (row["reviewer"], row["source_page"] != "", row["author"]) == ("catalog review", True, None)
    found = await known(ingest.database)
    assert {replace(factor, recorded_at=None) for factor in found.values()} == set(load_factors())


async def test_a_record_of_an_older_version_is_read_and_not_entered_again(ingest: Ingest) -> None:
    """A series of a park document that was entered before records had licence, source page and reviewer."""
    text = park_text(1) + HOURLY_OF_DOCUMENT
    await ingest.apply(text, FOLDER)
    old = {
        "factor": "old-hourly", "purpose": "grid_average", "carrier": "electricity", "region": "China/JS", "gas": "CO2",
        "unit": "kgCO2/kWh", "value": None, "basis": "", "data_year": None, "publisher": "Grid", "edition": "test",
        "published_on": None, "unverified": False, "title": "old-hourly", "valid_from": None, "valid_to": None,
        "series": True,
    }  # fmt: skip
    document = json.dumps(old, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(PARK.encode() + b"\n" + document).digest()
    assert await ingest.database.fetchval("select factor from factor where digest = $1", digest) == "old-hourly"
    assert (await known(ingest.database))["old-hourly"].own is False


FOLDER = Path(__file__).parents[1] / "contract" / "parks" / "accepted"
HOURLY_OF_DOCUMENT = """
factor_series:
  - {factor: old-hourly, purpose: grid_average, carrier: electricity, region: China/JS, gas: CO2, unit: kgCO2/kWh,
     file: intensity.csv, time_column: start, value_column: intensity, publisher: Grid, edition: test}
"""


async def test_an_own_factor_counts_from_its_approval_until_it_is_withdrawn(ingest: Ingest) -> None:
    await ingest.apply(park_text(1))
    database = ingest.database
    factor_id = await enter(database)
    assert OWN.factor not in await known(database)
    assert (await show_state(database, factor_id)) == "proposed"
    await approve(database, factor_id)
    approved_at = await database.fetchval("select recorded_at from factor_decision")
    own = (await known(database))[OWN.factor]
    assert (own.own, own.reviewer, own.recorded_at) == (True, "reviewer", approved_at)
    assert OWN.factor not in await known(database, approved_at - dt.timedelta(microseconds=1))
    assert OWN.factor in await known(database, approved_at)
    found = lookup(
        (await known(database)).values(), purpose="grid_average", region="China/JS", gas="CO2", carrier="electricity",
        data_year=2026, known_on=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    assert (found.factor.factor, found.match) == (OWN.factor, Match.EXACT)
    assert found.notes == ("OWN-GRID-2026 is the organisation's own",)
    await approve(database, factor_id, decision="withdrawn")
    assert OWN.factor not in await known(database)
    assert OWN.factor in await known(database, approved_at)
    assert (await show_state(database, factor_id)) == "withdrawn"
    again = await enter(database)
    assert again != factor_id


async def show_state(database: Database, factor_id: int) -> str:
    async with database.session() as session:
        return (await show(session, PARK, factor_id)).state


@pytest.mark.rule("6.9")
async def test_whoever_proposed_cannot_decide_and_nobody_decides_twice(ingest: Ingest) -> None:
    await ingest.apply(park_text(1))
    factor_id = await enter(ingest.database)
    for person in ("energy manager", " Energy Manager "):
        with pytest.raises(RefusedError, match=r"rule 6\.9: .* a second person must"):
            await approve(ingest.database, factor_id, person=person)
    with pytest.raises(RejectedError, match="a second person must"):
        await ingest.database.execute(DECIDE, factor_id, "ENERGY MANAGER", "approved")
    with pytest.raises(RejectedError, match="only proposed, it cannot be withdrawn"):
        await ingest.database.execute(DECIDE, factor_id, "reviewer", "withdrawn")
    assert await approve(ingest.database, factor_id, decision="rejected") == 0
    with pytest.raises(RefusedError, match="is rejected, it cannot be approved now"):
        await approve(ingest.database, factor_id)
    catalog = await ingest.database.fetchval("select factor_id from factor where factor = 'CN-2023-JS'")
    with pytest.raises(RefusedError, match="there is nothing to decide"):
        await approve(ingest.database, catalog)
    with pytest.raises(LookupError, match="there is no factor 0"):
        await approve(ingest.database, 0)


@pytest.mark.rule("1.11")
async def test_two_approved_records_never_overlap(ingest: Ingest) -> None:
    await ingest.apply(park_text(1))
    database = ingest.database
    first = replace(OWN, factor="A", valid_from=dt.date(2026, 1, 1), valid_to=dt.date(2026, 7, 1))
    await approve(database, await enter(database, first))
    await approve(database, await enter(database, replace(first, factor="B", valid_from=first.valid_to, valid_to=None)))
    await approve(database, await enter(database, replace(first, factor="C", data_year=2025)))
    overlapping = await enter(database, replace(first, factor="D", valid_from=dt.date(2026, 6, 30), valid_to=None))
    with pytest.raises(RefusedError, match=r"rule 1\.11: D overlaps [AB], which is approved for the same days"):
        await approve(database, overlapping)
    assert "D" not in await known(database)
    async with database.transaction() as session:
        taken = {factor.factor: number for number, factor in await load_known(session, PARK, dt.datetime.now(dt.UTC))}
    await approve(database, taken["A"], decision="withdrawn")
    await approve(database, taken["B"], decision="withdrawn")
    await approve(database, overlapping)
    assert {"C", "D"} <= set(await known(database))


@pytest.mark.rule("1.11")
async def test_two_people_approving_at_the_same_instant_do_not_both_succeed(ingest: Ingest) -> None:
    """Straight in the database, without the lock that the books take first: the trigger's own lock must do."""
    await ingest.apply(park_text(1))
    database = ingest.database
    one, two = await enter(database, replace(OWN, factor="A")), await enter(database, replace(OWN, factor="B"))
    async with database.session() as first, database.session() as second:
        async with first.transaction():
            await first.execute(DECIDE, one, "reviewer", "approved")
            late = asyncio.create_task(in_transaction(second, two))
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and state = 'active'"
            async with asyncio.timeout(20):
                while not await database.fetchval(waiting):
                    assert not late.done()
                    await asyncio.sleep(0.02)
        with pytest.raises(RejectedError, match=r"rule 1\.11: B overlaps A"):
            await late
    assert await database.fetchval("select count(*) from factor_decision") == 1


async def in_transaction(session: Session, factor_id: int) -> None:
    async with session.transaction():
        await session.execute(DECIDE, factor_id, "second reviewer", "approved")


@pytest.mark.rule("1.11")
async def test_many_approvals_at_once_leave_one_in_force(ingest: Ingest) -> None:
    await ingest.apply(park_text(1))
    numbers = [await enter(ingest.database, replace(OWN, factor=f"OWN-{at}", value=0.1 * at)) for at in range(1, 7)]
    done = await asyncio.gather(
        *(approve(ingest.database, number, person=f"reviewer {number}") for number in numbers), return_exceptions=True
    )
    failed = [result for result in done if isinstance(result, BaseException)]
    assert len(failed) == 5
    assert all(isinstance(error, RefusedError) and error.rule == "1.11" for error in failed)
    assert len([name for name in await known(ingest.database) if name.startswith("OWN-")]) == 1


async def test_an_approval_computes_again_exactly_what_it_prices(ingest: Ingest) -> None:
    heat = """
  - device: h0
    name: {zh: 热, en: Heat}
    profile: generic-delta
    source: agent
    points:
      - {quantity: heat_energy, kind: counter, period_s: 900, flow: heat}"""
    await ingest.apply(park_text(2, more=heat).replace("China/JS}", "China/JS, heat_region: China}"))
    rows = [row for name in (M0, f"m1/{METER}", "h0/heat_energy") for row in counter_rows(name, START, [0.0, 1.0, 2.0])]
    await ingest.commit(Sender().batch(rows))
    before = await ingest.everything()
    assert await approve(ingest.database, await enter(ingest.database)) == 2
    assert await ingest.database.fetchval("select count(*) from recompute") == 0, "the energy stays"
    queued = await ingest.database.fetch(
        "select p.point, r.from_time, r.to_time from reprice r join point p using (point_id) order by 1"
    )
    assert {row["point"] for row in queued} == {M0, f"m1/{METER}"}
    assert min(row["from_time"] for row in queued) == dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC), "local November"
    assert max(row["to_time"] for row in queued) == dt.datetime(2026, 11, 30, 16, tzinfo=dt.UTC)
    await drain(ingest)
    assert [(row[6], row[7]) for row in await ingest.intervals()] == [(400_000_000, OWN.factor)] * 2
    number = await ingest.database.fetchval("select factor_id from factor where factor = $1", OWN.factor)
    assert await approve(ingest.database, number, decision="withdrawn") == 2
    await drain(ingest)
    assert await ingest.everything() == before
    other = replace(OWN, factor="ELSEWHERE", region="China/ZJ")
    assert await approve(ingest.database, await enter(ingest.database, other)) == 0
    future = replace(OWN, factor="NEXT", data_year=2031)
    assert await approve(ingest.database, await enter(ingest.database, future)) == 0


async def drain(ingest: Ingest) -> None:
    recomputer = Recomputer(ingest.writer, ManualClock(NOW_MS + 400 * 86_400_000))
    while await recomputer.step():
        pass


@pytest.mark.parametrize(
    ("change", "rule", "message"),
    [
        ({"unit": "kgCO2/kg"}, "1.8", "unit 'kgCO2/kg' does not fit grid_average"),
        ({"unit": "kgCO2e/kWh"}, "1.3", "gas 'CO2' does not fit unit 'kgCO2e/kWh'"),
        ({"data_year": None}, "1.1", "data_year must be told"),
        ({"published_on": dt.date(2026, 11, 22)}, "1.1", "is after today"),
        ({"source_page": ""}, "", "source_page must be told"),
        ({"value": None}, "", "a record has one value, or is a series"),
        ({"factor": "CN-2023-JS"}, "", "is the id of a record of the catalog"),
        ({"factor": "a b"}, "", "is no id"),
        ({"carrier": "heat"}, "1.6", "carrier 'heat' of a grid_average factor"),
        (
            {"purpose": "calorific_value", "carrier": "gas", "unit": "GJ/10^4m3", "gas": ""},
            "1.12",
            "standard conditions",
        ),
        (
            {"purpose": "calorific_value", "carrier": "gas", "unit": "GJ/t", "gas": ""},
            "1.10",
            "names neither NCV nor HHV",
        ),
        ({"purpose": "gwp", "carrier": "", "unit": "kgCO2e/kg", "gas": "SF6"}, "1.15", "is not AR4, AR5 or AR6"),
        ({"purpose": "energy_conversion", "unit": "kgce/kWh", "gas": ""}, "1.18", "neither 当量值 nor 等价值"),
    ],
)
@pytest.mark.rule("1.1", "1.3", "1.6", "1.8", "1.10", "1.12", "1.15", "1.18")
async def test_what_could_be_mistaken_is_not_even_proposed(
    postgres_url: str, change: dict[str, object], rule: str, message: str
) -> None:
    async with prepared(postgres_url) as database:
        with pytest.raises(RefusedError, match=message) as caught:
            await enter(database, replace(OWN, **change))  # type: ignore[arg-type]
        assert caught.value.rule == rule
        assert await database.fetchval("select count(*) from factor where author is not null") == 0


@asynccontextmanager
async def prepared(url: str) -> AsyncIterator[Database]:
    opened = await open_ingest(url)
    async with opened.database as database:
        await apply_park(database, decode_park(park_text(1)), Path(), author="test", reason="test")
        yield database


@pytest.mark.rule("1.4")
async def test_a_life_cycle_value_cannot_be_proposed_for_the_grid(postgres_url: str) -> None:
    async with prepared(postgres_url) as database:
        with pytest.raises(RefusedError, match=r"rule 1\.4"):
            await enter(database, replace(OWN, title="electricity carbon footprint"))
        with pytest.raises(RefusedError, match="reason must be told"):
            await enter(database, reason=" ")
        with pytest.raises(LookupError, match="no park nowhere"):
            async with database.transaction() as session:
                await propose(session, "nowhere", OWN, now=NOW, **WHO)
        await enter(database)
        with pytest.raises(RefusedError, match="was proposed already, as number"):
            await enter(database)


async def test_the_list_is_narrowed_ordered_and_paged(postgres_url: str) -> None:
    async with prepared(postgres_url) as database:
        number = await enter(database)
        async with database.session() as session:
            wanted = Wanted(purpose="grid_average", region="China/JS")
            found = await list_records(session, PARK, wanted)
            assert [record.factor.factor for record in found] == ["CN-2021-JS", "CN-2022-JS", "CN-2023-JS", OWN.factor]
            assert [record.state for record in found] == ["approved"] * 3 + ["proposed"]
            page = await list_records(session, PARK, wanted, limit=2)
            last = page[-1]
            rest = await list_records(session, PARK, wanted, after=(last.factor.factor, last.factor_id), limit=2)
            assert [*page, *rest] == found
            (mine,) = await list_records(session, PARK, Wanted(state="proposed"))
            assert (mine.factor_id, mine.author, mine.evidence) == (number, "energy manager", "notice 12")
            now = await session.fetchval("select clock_timestamp()")
            used = await list_records(session, PARK, Wanted(region="China/JS", data_year=2026, known_on=now))
            assert used == []
            everything = await list_records(session, PARK, Wanted(), limit=1000)
            assert len(everything) == len(load_factors()) + 1
            assert await list_records(session, "elsewhere", Wanted(state="proposed")) == []


# ── series ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def web() -> Iterator[str]:
    with values_server() as address:
        yield address


async def test_a_document_is_fetched_with_its_form_digest_and_address(web: str) -> None:
    body = hours_csv(START, [0.5, 0.25])
    ANSWERS["/grid.csv"] = (200, "text/csv; charset=utf-8", body)
    ANSWERS["/grid"] = (200, "application/json", b'[{"start": "2026-01-01T00:00Z", "value": 0.5}]')
    values = await fetch_values(f"{web}/grid.csv", now=NOW)
    assert (values.source, values.form, values.size) == (f"{web}/grid.csv", "csv", len(body))
    assert values.digest == hashlib.sha256(body).digest()
    assert values.value.tolist() == [0.5, 0.25]
    assert (await fetch_values(f"{web}/grid", now=NOW)).form == "json"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/none", "the server answered 404"),
        ("/moved", "302, moved to /elsewhere: give that address"),
        ("/large", "more than 1000 bytes"),
        ("/slow", "no answer within 0.3 s"),
    ],
)
async def test_what_cannot_be_had_says_why(web: str, path: str, message: str) -> None:
    answers = {
        "/moved": (302, "text/plain", b""),
        "/large": (200, "text/csv", b"x" * 5000),
        "/slow": (200, "text/slow", b"start,value\n"),
    }
    ANSWERS.update(answers)
    with pytest.raises(FetchError, match=message):
        await fetch(web + path, timeout_s=0.3, limit_bytes=1000)


async def test_addresses_of_another_kind_and_servers_that_are_not_there_are_refused(web: str) -> None:
    with pytest.raises(FetchError, match="only http and https"):
        await fetch("file:///etc/hostname")
    with values_server() as gone:
        pass
    with pytest.raises(FetchError, match=gone):
        await fetch(gone, timeout_s=2)


async def load(
    database: Database, factor_id: int, values: Values, author: str = "energy manager"
) -> tuple[int | None, bool, int]:
    async with database.transaction() as session:
        done = await load_values(session, PARK, factor_id, values, author=author, reason="month's values")
    return done.load_id, done.waits, done.queued


async def test_values_count_once_a_second_person_approved_them_or_their_address(ingest: Ingest, web: str) -> None:
    method = "method: {electricity_region: China/JS, electricity_factor: OWN-HOURLY}"
    await ingest.apply(park_text(1).replace("method: {electricity_region: China/JS}", method))
    database, hours = ingest.database, [0.5 + at / 100 for at in range(5)]
    await ingest.commit(Sender().batch(counter_rows(M0, START, [float(value) for value in range(21)])))
    assert {row[6] for row in await ingest.intervals()} == {None}
    factor_id = await enter(database, replace(SERIES, source_page=f"{web}/grid.csv"))
    load_id, waits, queued = await load(
        database, factor_id, read_values(hours_csv(START, hours), "a.csv", "csv", now=NOW)
    )
    assert (waits, queued) == (True, 0)
    assert await approve(database, factor_id) == 1
    await drain(ingest)
    assert [row[6] for row in await ingest.intervals()] == [round(hours[at // 4] * 1e9) for at in range(20)]
    async with database.session() as session:
        (fact,) = await list_loads(session, PARK, factor_id)
        assert (fact["load_id"], fact["source"], fact["n"], fact["decision"]) == (load_id, "a.csv", 5, "approved")
        assert (fact["author"], fact["person"], fact["retrieved_at"]) == ("energy manager", "reviewer", NOW)

    changed = [*hours[:2], 0.9, *hours[3:]]
    second, waits, queued = await load(
        database, factor_id, read_values(hours_csv(START, changed), "b.csv", "csv", now=NOW)
    )
    assert (waits, queued) == (True, 0)
    with pytest.raises(RefusedError, match="a second person must"):
        await approve(database, factor_id, second, person="Energy manager")
    assert await approve(database, factor_id, second) == 1
    await drain(ingest)
    assert [row[6] for row in await ingest.intervals()][8:12] == [900_000_000] * 4

    ANSWERS["/grid.csv"] = (200, "text/csv", hours_csv(START, [*changed[:4], 0.7]))
    _, waits, queued = await load(database, factor_id, await fetch_values(f"{web}/grid.csv", now=NOW), "import")
    assert (waits, queued) == (False, 1)
    await drain(ingest)
    assert [row[6] for row in await ingest.intervals()][16:] == [700_000_000] * 4
    assert await load(database, factor_id, await fetch_values(f"{web}/grid.csv", now=NOW)) == (None, False, 0)
    async with database.session() as session:
        model = await load_model(session)
    assert model.series[factor_id].value.tolist() == [*changed[:4], 0.7]


async def test_values_are_refused_for_what_is_no_open_series(postgres_url: str) -> None:
    values = read_values(hours_csv(START, [0.5]), "a.csv", "csv", now=NOW)
    async with prepared(postgres_url) as database:
        single = await enter(database)
        with pytest.raises(RefusedError, match="has one value and is no series"):
            await load(database, single, values)
        series = await enter(database, SERIES)
        await approve(database, series, decision="rejected")
        with pytest.raises(RefusedError, match=r"rule 6\.9: OWN-HOURLY is rejected"):
            await load(database, series, values)
        with pytest.raises(LookupError):
            await load(database, 0, values)
