"""The ledger in both stores: what goes in, what the database refuses whoever asks, what was known when."""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any, LiteralString

import pytest

from parkcarbon.books.instruments.ledger import Act, confirm, enter_lot, load_ledger, record, strike
from parkcarbon.domain.instruments.cover import Cover, cover_period
from parkcarbon.domain.instruments.lot import Lot, Serials
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, RejectedError
from tests.fakes.ledger import SECOND, SETTINGS, WHO, Span, act, credit, gec, make_parks, midnight, own


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(database_url, max_size=4) as opened:
        await make_parks(opened)
        yield opened


async def enter(database: Database, lot: Lot, park: str = "demo") -> int:
    async with database.transaction() as session:
        return await enter_lot(session, park, lot, **WHO)


async def do(database: Database, what: Act, park: str = "demo") -> int:
    async with database.transaction() as session:
        return await record(session, park, what, **WHO)


async def cover(database: Database, label: str = "2026-03", purchased: int | None = 10**13, **members: Any) -> Cover:
    async with database.session() as session:
        now = await session.fetchval("select now()")
        ledger = await load_ledger(session, "demo", members.pop("as_of", now))
    return cover_period(
        ledger.lots,
        ledger.events,
        period=Span(label),
        purchased_micro_kwh=purchased,
        self_used_micro_kwh=members.pop("self_used", None),
        exported_micro_kwh=members.pop("exported", None),
        settings=SETTINGS,
        known_on=ledger.as_of,
        park="demo",
        **members,
    )


async def refused(rule: str, work: Callable[[], Coroutine[Any, Any, object]], *words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        await work()
    assert caught.value.rule == rule, caught.value
    for word in words:
        assert word in caught.value.reason


async def test_a_lot_is_read_as_it_was_entered(database: Database) -> None:
    bought = gec(10**24, 5, lot_id=0, unit_cost_micro=4_500_000, currency="CNY", tenant="mill", simulated=True)
    hourly = replace(
        bought,
        kind="GO",
        registry="energytag",
        serials=Serials("H-", 0, 700),
        unit_micro_kwh=1_000_000,
        granularity="hour",
        generated_to=bought.generated_from + dt.timedelta(hours=1),
        generation_month=None,
        plant="other-plant",
    )
    numbers = [await enter(database, lot) for lot in (bought, hourly, credit(1, 3))]
    async with database.session() as session:
        ledger = await load_ledger(session, "demo", await session.fetchval("select now()"))
    kept = {lot.lot_id: lot for lot in ledger.lots}
    for number, lot in zip(numbers, (bought, hourly, credit(1, 3)), strict=True):
        assert kept[number].recorded_at is not None
        assert kept[number] == replace(lot, lot_id=number, recorded_at=kept[number].recorded_at)


@pytest.mark.rule("3.5")
async def test_serials_are_in_the_books_once_whoever_enters_them(database: Database) -> None:
    await enter(database, gec(100, 50))
    await refused("3.5", lambda: enter(database, gec(149, 5)))
    await refused("3.5", lambda: enter(database, gec(90, 11), "other"))
    await refused("3.5", lambda: enter(database, replace(gec(120, 1), kind="GO", plant="elsewhere")))
    await refused("3.5", lambda: enter(database, gec(120, 1, serials=Serials("gec-", 120, 1))), "upper case")
    await refused("3.5", lambda: enter(database, gec(1, 1, serials=Serials("GEC-1", 20, 1))), "digit")
    assert await enter(database, gec(150, 5)) > 0
    assert await enter(database, gec(120, 1, registry="another")) > 0


@pytest.mark.rule("4.4")
async def test_one_generation_has_gec_or_ccer_never_both(database: Database) -> None:
    deep_sea = credit(1, 10, plant="plant-1", unit_micro_kwh=10**9, technology="wind")
    await enter(database, gec(1, 5))
    march: dict[str, Any] = {
        "generated_from": midnight(dt.date(2026, 3, 31)),
        "generated_to": midnight(dt.date(2026, 6, 1)),
    }
    await refused("4.4", lambda: enter(database, replace(deep_sea, **march, vintage=2026)))
    assert await enter(database, deep_sea) > 0  # of the year before
    await refused("4.4", lambda: enter(database, gec(50, 5, month="2025-12")))


@pytest.mark.rule("3.5")
async def test_a_serial_is_used_once_across_periods_tenants_and_kinds(database: Database) -> None:
    lot = await enter(database, gec(0, 100))
    await do(database, act("cancelled", lot, first=10, count=10))
    for first, kind, members in (
        (19, "cancelled", {"tenant": "mill"}),
        (0, "cancelled", {"claim_from": dt.date(2026, 6, 1), "claim_to": dt.date(2026, 7, 1)}),
        (15, "pending", {}),
    ):
        again = act(kind, lot, first=first, count=11, **members)  # type: ignore[arg-type]
        await refused("3.5", lambda again=again: do(database, again), "cancelled since 2026-05-04")  # type: ignore[misc]
    one, some = act("cancelled", lot, first=19, count=2), act("cancelled", lot, first=15, count=11)
    await refused("3.5", lambda: do(database, one), f"serials 19 of lot {lot} are cancelled")
    await refused("3.5", lambda: do(database, some), f"serials 15 to 19 of lot {lot} are cancelled")
    beyond = act("cancelled", lot, first=95, count=6)
    await refused("3.5", lambda: do(database, beyond), f"serials 95 to 100 are not all in lot {lot}, 0 to 99")
    await refused("3.5", lambda: do(database, act("cancelled", lot, first=0, count=5), "other"), "does not hold")
    await refused("3.5", lambda: do(database, act("cancelled", lot, first=0, count=5, tenant="nobody")), "no tenant")
    assert await do(database, act("cancelled", lot, first=20, count=80)) > 0


@pytest.mark.rule("4.1")
async def test_what_is_not_tradable_is_not_sold(database: Database) -> None:
    own_use = gec(0, 10, origin="own_use", issued_for="self_used", tradable=False, plant="roof")
    lot = await enter(database, own_use)
    await refused("4.1", lambda: do(database, act("sold", lot)), "not tradable")
    await refused("4.1", lambda: do(database, act("transferred", lot, to_park="other")), "not tradable")
    contract = replace(gec(0, 10), kind="green_power_contract", registry="exchange", contract="GP-1", plant="farm")
    agreed = await enter(database, contract)
    await refused("4.1", lambda: do(database, act("cancelled", agreed)), "only through its GEC")


@pytest.mark.rule("4.2")
async def test_a_gec_is_traded_once_and_valid_for_two_years(database: Database) -> None:
    bought = await enter(database, gec(0, 10))
    await refused("4.2", lambda: do(database, act("sold", bought)), "traded once")
    exported = await enter(database, own(20, 10, issued_for="exported"))
    await do(database, act("transferred", exported, first=20, count=4, to_park="other"))
    await refused("4.2", lambda: do(database, act("sold", exported, first=23, count=1), "other"), "traded once")
    await do(database, act("sold", exported, first=24, count=6, counterparty="buyer"))
    old = await enter(database, gec(40, 10, month="2024-06"))
    late, last = dt.date(2026, 6, 1), dt.date(2026, 5, 31)
    await refused("4.2", lambda: do(database, act("cancelled", old, count=1, first=40, on_day=late)), "24 months")
    await refused("4.2", lambda: do(database, act("expired", old, count=1, first=40, on_day=last)), "24 months")
    await do(database, act("cancelled", old, first=40, count=1, on_day=last))
    await do(database, act("expired", old, first=41, count=9, on_day=late))


@pytest.mark.rule("4.3", "4.5", "4.6", "4.7")
async def test_each_kind_only_for_what_it_is_good_for(database: Database) -> None:
    certificates, credits_ = await enter(database, gec(0, 10)), await enter(database, credit(0, 10))
    await refused("4.3", lambda: do(database, act("retired", certificates)))
    await refused("4.6", lambda: do(database, act("cancelled", credits_)))
    await refused("4.5", lambda: do(database, act("surrendered", certificates, tenant="mill")), "only CCER")
    await refused("4.7", lambda: do(database, act("surrendered", credits_)), "never the park")


@pytest.mark.rule("3.4")
async def test_a_retirement_after_the_deadline_or_before_the_reduction_is_refused(database: Database) -> None:
    lot = await enter(database, credit(0, 10))
    of_2025 = {"claim_from": dt.date(2025, 8, 1), "claim_to": dt.date(2025, 9, 1), "first": 0, "count": 1}
    await refused("3.4", lambda: do(database, act("retired", lot, **of_2025, on_day=dt.date(2026, 9, 1))), "12 months")
    assert await do(database, act("retired", lot, **of_2025, on_day=dt.date(2026, 8, 31))) > 0
    early = act("retired", lot, first=1, count=1, on_day=dt.date(2025, 12, 30))
    await refused("3.4", lambda: do(database, early), "only what has happened")
    future = act("retired", lot, first=1, count=1, on_day=dt.date(2099, 1, 1))
    await refused("3.4", lambda: do(database, future))
    half = act("retired", lot, first=1, count=1, claim_to=dt.date(2026, 3, 15))
    await refused("3.4", lambda: do(database, half), "whole months")


@pytest.mark.rule("4.3")
async def test_claims_never_exceed_what_was_bought(database: Database) -> None:
    lot = await enter(database, gec(0, 100))
    bought = {"limit_micro_kwh": 12 * 10**9}
    await do(database, act("cancelled", lot, first=0, count=7, **bought))
    await refused("4.3", lambda: do(database, act("cancelled", lot, first=7, count=6, **bought)), "13000 kWh", "12000")
    mill = {"tenant": "mill", "limit_micro_kwh": 4 * 10**9, "park_limit_micro_kwh": 12 * 10**9}
    await refused("4.3", lambda: do(database, act("cancelled", lot, first=7, count=5, **mill)), "5000 kWh")
    await do(database, act("cancelled", lot, first=7, count=4, **mill))
    await refused("4.3", lambda: do(database, act("cancelled", lot, first=11, count=2, **bought)), "13000 kWh")
    year = {"claim_from": dt.date(2026, 1, 1), "claim_to": dt.date(2027, 1, 1), "limit_micro_kwh": 20 * 10**9}
    await refused("4.3", lambda: do(database, act("cancelled", lot, first=11, count=10, **year)), "21000 kWh")
    await do(database, act("cancelled", lot, first=11, count=9, **year))


@pytest.mark.rule("3.5", "6.9")
async def test_facts_are_never_changed_only_struck_by_another_person(database: Database) -> None:
    lot = await enter(database, gec(0, 10))
    event = await do(database, act("cancelled", lot))
    touching: list[LiteralString] = [
        "update instrument_lot set evidence = 'other'",
        "update instrument_lot set in_force = false",
        "delete from instrument_lot",
        "truncate instrument_lot cascade",
        "update instrument_event set serials = numrange(0, 1)",
        "update instrument_event set in_force = false",
        "delete from instrument_event",
        "truncate instrument_event cascade",
    ]
    for statement in touching:
        with pytest.raises(RejectedError, match=r"rule 6\.9"):
            await database.execute(statement)
    async with database.transaction() as session:
        await strike(session, "demo", event_id=event, **SECOND)
    with pytest.raises(RejectedError, match=r"rule 6\.9"):
        await database.execute("delete from instrument_review")
    async with database.session() as session:
        await refused("6.9", lambda: strike(session, "demo", event_id=event, **SECOND))
        await refused(
            "6.9", lambda: strike(session, "demo", lot_id=lot, person="Energy Manager ", reason="x"), "second"
        )
        await strike(session, "demo", lot_id=lot, **SECOND)
        with pytest.raises(LookupError):
            await strike(session, "other", lot_id=lot, **SECOND)
    assert await enter(database, gec(0, 10)) > lot


@pytest.mark.rule("6.9")
async def test_a_lot_with_events_cannot_be_struck_before_them(database: Database) -> None:
    lot = await enter(database, gec(0, 10))
    await do(database, act("pending", lot, first=0, count=1))
    async with database.session() as session:
        await refused("6.9", lambda: strike(session, "demo", lot_id=lot, **SECOND), "events in force")


@pytest.mark.rule("3.5")
async def test_what_is_applied_for_goes_only_where_it_was_applied_for(database: Database) -> None:
    lot = await enter(database, gec(0, 10))
    await do(database, act("pending", lot, first=0, count=5, tenant="mill"))
    await refused("3.5", lambda: do(database, act("pending", lot, first=4, count=2, tenant="mill")), "pending since")
    await refused("3.5", lambda: do(database, act("cancelled", lot, first=0, count=1)), "pending since")
    april = {"claim_from": dt.date(2026, 4, 1), "claim_to": dt.date(2026, 5, 1)}
    await refused("3.5", lambda: do(database, act("cancelled", lot, first=0, count=1, tenant="mill", **april)))
    assert (await cover(database)).pending[0]["reason"] == "applied for on 2026-05-04, not cancelled yet"
    await do(database, act("cancelled", lot, first=0, count=5, tenant="mill"))


@pytest.mark.rule("3.14")
async def test_only_what_a_second_person_confirmed_covers_and_as_of_tells_when(database: Database) -> None:
    lot = await enter(database, gec(0, 10))
    event = await do(database, act("cancelled", lot, first=0, count=6))
    waiting = await cover(database)
    assert (waiting.covered_micro_kwh, len(waiting.used), len(waiting.pending)) == (0, 0, 2)
    assert "a second person has not confirmed it" in str(waiting.pending[0]["reason"])
    before = await database.fetchval("select clock_timestamp()")
    async with database.transaction() as session:
        await refused("6.9", lambda: confirm(session, "demo", event, person="energy manager", reason="mine"), "second")
    async with database.transaction() as session:
        await confirm(session, "demo", event, **SECOND)
    confirmed = await cover(database)
    between = await database.fetchval("select clock_timestamp()")
    assert (confirmed.covered_micro_kwh, confirmed.used[0]["serials"]) == (6 * 10**9, "GEC-00000000…00000005")
    async with database.transaction() as session:
        await strike(session, "demo", event_id=event, person="auditor", reason="not in the register")
    assert (await cover(database)).covered_micro_kwh == 0
    assert (await cover(database, as_of=between)).covered_micro_kwh == 6 * 10**9
    assert await cover(database, as_of=before) == waiting


@pytest.mark.rule("3.16", "5.3")
async def test_a_sale_voids_what_it_was_issued_for(database: Database) -> None:
    exported = await enter(database, own(0, 10, issued_for="exported"))
    self_used = await enter(database, own(10, 10, issued_for="self_used"))
    await do(database, act("sold", exported, counterparty="buyer"))
    result = await cover(database, self_used=10**11, exported=10**11)
    assert (result.void_micro_kwh, result.used[0]["effect"]) == (0, "none")
    await do(database, act("sold", self_used, first=12, count=3, counterparty="buyer"))
    result = await cover(database, self_used=10**11, exported=10**11)
    assert result.void_micro_kwh == 3 * 10**9
    assert [(use["effect"], use["serials"]) for use in result.used][1] == ("void", "GEC-00000012…00000014")


async def test_what_is_absent_is_told(database: Database) -> None:
    with pytest.raises(LookupError, match="nobody"):
        await enter(database, gec(0, 10, tenant="nobody"))
    lot = await enter(database, credit(0, 10))
    for what in (act("transferred", lot, to_park="nowhere"), act("sold", lot + 1)):
        with pytest.raises(LookupError):
            await do(database, what)
    await refused("3.14", lambda: enter(database, gec(0, 10, serials=Serials("GEC-", 0, 10, 10**6))), "does not hold")


async def test_a_transfer_inside_the_database_changes_the_holder(database: Database) -> None:
    lot = await enter(database, credit(0, 10))
    moved = await do(database, act("transferred", lot, first=0, count=4, to_park="other"))
    retire = act("retired", lot, first=3, count=2)
    await refused("3.5", lambda: do(database, retire), "does not hold")
    await refused("3.5", lambda: do(database, retire, "other"), "does not hold")
    await do(database, act("transferred", lot, first=2, count=2, to_park="demo"), "other")
    assert await do(database, act("retired", lot, first=2, count=8)) > 0
    assert await do(database, act("retired", lot, first=0, count=2), "other") > 0
    async with database.session() as session:
        await refused("6.9", lambda: strike(session, "demo", event_id=moved, **SECOND), "used where they went")
    async with database.session() as session:
        there = await load_ledger(session, "other", await session.fetchval("select now()"))
    mine = [
        (part.holder, part.status, part.serials.first, part.serials.count)
        for part in there.stretches(dt.date(2026, 6, 1))
    ]
    assert mine == [("other", "retired", 0, 2), ("demo", "retired", 2, 8)]
