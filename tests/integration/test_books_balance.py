"""The balance of a real database: readings through ingest, hours, storage, bills, runs and states."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from ingest.recompute import Recomputer
from parkcarbon.books.entries import enter
from parkcarbon.books.inventory import facts_at
from parkcarbon.books.quality.balance import balances, period_at
from parkcarbon.books.quality.balance_documents import balance_document, reconciliation_document
from parkcarbon.books.quality.balance_figures import balance_figure, reconcile_figure, storage_figure, unmetered_figure
from parkcarbon.books.quality.reconcile import reconcile, storage_of
from parkcarbon.books.quality.states import calibrations, proposals, quality_of, suspect_runs
from parkcarbon.books.quality.substitutions import Wanted, propose
from parkcarbon.domain.balance.hourly import Balance, HourState
from parkcarbon.domain.balance.quality import Quality
from parkcarbon.domain.balance.runs import Run
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.domain.working import check
from parkcarbon.kit.db import Session, from_ms
from tests.fakes.ingest_park import PARK, Ingest, open_ingest
from tests.fakes.tenancy_park import DOCUMENT, FIRST_MS, LAST_MS, fill, quarter_amounts, send

NOW = from_ms(LAST_MS)
MONTH = "2025-11"
HOUR_MS = 3_600_000
KWH = 1_000_000


@pytest.fixture
async def ingest(database_url: str) -> AsyncIterator[Ingest]:
    opened = await open_ingest(database_url)
    yield opened
    await opened.database.close()


async def settled(ingest: Ingest, amounts: dict[str, list[float]] | None = None) -> None:
    await fill(ingest, amounts=amounts)
    await settle(ingest)


async def settle(ingest: Ingest) -> None:
    recomputer = Recomputer(ingest.writer, ingest.clock)
    while await recomputer.step():
        pass


async def balance(session: Session) -> Balance:
    facts = await facts_at(session, PARK, now=NOW, as_of=None)
    (found,) = await balances(session, facts, FIRST_MS, LAST_MS)
    return found


@pytest.mark.rule("5.6", "6.7")
async def test_every_hour_of_two_days(ingest: Ingest) -> None:
    await settled(ingest)
    async with ingest.database.transaction() as session:
        found = await balance(session)
    assert found.states()["unknown"] == 0
    assert found.unmetered.tolist() == [800_000] * 48
    # 0.8 of 64.8 kWh are within 3 %; at noon nothing comes in, and 0.8 is within what the meters may err
    noon = [hour % 24 in range(10, 14) for hour in range(48)]
    expected = [HourState.WITHIN_ERROR if sun else HourState.IN_BAND for sun in noon]
    assert [HourState(state) for state in found.state.tolist()] == expected
    totals = {role: found.total(role) for role in ("import", "generation", "discharge", "load", "charge", "export")}
    assert {role: micro / 1e6 for role, micro in totals.items()} == {
        "import": 2600, "generation": 640, "discharge": 24, "load": 3072, "charge": 32, "export": 121.6,
    }  # fmt: skip
    figure = balance_figure(found)
    assert check(figure) == []
    assert figure.value == pytest.approx(38.4)
    assert check(unmetered_figure(found)) == []
    hour = balance_figure(found, FIRST_MS + 10 * HOUR_MS)
    assert (hour.value, check(hour)) == (0.8, [])
    with pytest.raises(LookupError, match="is no hour of this balance"):
        balance_figure(found, FIRST_MS + 1)


@pytest.mark.rule("6.7", "5.6")
async def test_a_meter_that_falls_silent_makes_its_hours_unknown(ingest: Ingest) -> None:
    amounts = quarter_amounts()
    amounts["a-main/active_energy_import"] = amounts["a-main/active_energy_import"][: 4 * 30]
    await settled(ingest, amounts)
    async with ingest.database.transaction() as session:
        found = await balance(session)
        document = balance_document(found, [], hours=True)
    assert found.states()["unknown"] == 18
    assert document["hours"][29]["state"] != "unknown"
    assert document["hours"][30] | {"band_kwh": None, "error_kwh": None} == {
        "start": "2025-11-01T22:00:00Z",
        "state": "unknown",
        "energy_kwh": dict.fromkeys(("import", "generation", "discharge", "load", "charge", "export")),
        "unmetered_kwh": None,
        "band_kwh": None,
        "error_kwh": None,
        "missing": ["a-main/active_energy_import"],
    }
    assert balance_figure(found, FIRST_MS + 30 * HOUR_MS).value is None


@pytest.mark.rule("5.6")
async def test_a_meter_that_shows_twice_its_energy_is_found(ingest: Ingest) -> None:
    amounts = quarter_amounts()
    amounts["a-main/active_energy_import"] = [20.0] * len(amounts["a-main/active_energy_import"])
    await settled(ingest, amounts)
    async with ingest.database.transaction() as session:
        found = await balance(session)
    document = balance_document(found, [], hours=False)
    assert document["negative"] == 48
    assert any(suspect["device"] == "a-main" and suspect["closed"] == 48 for suspect in document["suspects"])


@pytest.mark.rule("5.6", "1.9")
async def test_storage_loss_with_the_gauge_and_with_an_entered_state(ingest: Ingest) -> None:
    await settled(ingest)
    async with ingest.database.transaction() as session:
        facts = await facts_at(session, PARK, now=NOW, as_of=None)
        (found,) = await storage_of(session, facts, FIRST_MS, LAST_MS)
        assert (found.soc_from_pct, found.soc_to_pct) == (30.0, 33.0)
        assert found.loss is not None
        assert found.loss.loss_micro == 5 * KWH  # 32 in, 24 out, 3 more in it
        figure = storage_figure(found)
        assert (figure.value, check(figure)) == (5.0, [])
        later = FIRST_MS + 24 * HOUR_MS
        (unknown,) = await storage_of(session, facts, FIRST_MS, later)
        assert unknown.soc_to_pct is None
        assert unknown.loss is not None
        assert unknown.loss.loss_micro is None
        day = dt.date(2025, 11, 2)
        soc = {"storage": "battery", "at": from_ms(later + HOUR_MS // 2).isoformat(), "soc_pct": 31.5}
        frame = {"tenant": None, "from_day": day, "to_day": day + dt.timedelta(days=1), "evidence": "protocol 3"}
        await enter(session, PARK, "soc", soc, author="energy manager", reason="", **frame)  # type: ignore[arg-type]
        facts = await facts_at(session, PARK, now=NOW, as_of=None)
        (entered,) = await storage_of(session, facts, FIRST_MS, later)
    assert entered.loss is not None
    assert entered.loss.loss_micro == 2_500_000  # 16 in, 12 out, 1.5 more in it


async def bill(session: Session, amount: float, number: str, **more: object) -> None:
    document = {"amount": amount, "unit": "MWh", "supplier": "grid company", "number": number, "cost": 1690.0, **more}
    await enter(
        session,
        PARK,
        "bill",
        document,
        tenant=None,
        from_day=dt.date(2025, 11, 1),
        to_day=dt.date(2025, 11, 3),
        evidence=f"bill {number}",
        author="energy manager",
        reason="",
    )


@pytest.mark.rule("6.11")
async def test_gate_sub_meters_and_bills_on_the_bills_own_days(ingest: Ingest) -> None:
    await settled(ingest)
    async with ingest.database.transaction() as session:
        await bill(session, 2.6, "one", accuracy_class="0.2S")
        await bill(session, 2.65, "two")
        facts = await facts_at(session, PARK, now=NOW, as_of=None)
        found = await reconcile(session, facts, period_at(facts, MONTH))
    inner = found.connections["grid"]
    assert inner.amount_micro == 38_400_000
    assert inner.beyond_error is False
    first, second = found.bills
    assert first.difference is not None
    assert (first.difference.amount_micro, first.difference.beyond_error, first.cost_per_unit) == (0, False, 650.0)
    assert second.difference is not None
    assert (second.difference.amount_micro, second.difference.beyond_error) == (-50 * KWH, True)
    assert second.difference.error_micro == pytest.approx(0.002 * KWH * (2600**2 + 2650**2) ** 0.5)
    assert second.notes == ("class of the supplier's meter not given: as the park's own, assumed",)
    for difference in (inner, first.difference, second.difference):
        assert check(reconcile_figure(difference)) == []
    document = reconciliation_document(found)
    assert [item["difference"]["beyond_error"] for item in document["bills"]] == [False, True]


@pytest.mark.rule("6.10", "1.12")
async def test_bills_and_states_that_cannot_be_are_refused_by_rule(ingest: Ingest) -> None:
    await ingest.apply("park: testpark\nname: {zh: 甲, en: A}\ntimezone: UTC\nmethod: {electricity_region: China/JS}\n")
    async with ingest.database.transaction() as session:
        with pytest.raises(RefusedError, match=r"rule 6\.10: bill one: -2\.6 MWh is negative"):
            await bill(session, -2.6, "one")
        with pytest.raises(RefusedError, match=r"rule 6\.10: bill one: electricity in 'GJ'"):
            await bill(session, 2.6, "one", unit="GJ")
        with pytest.raises(RefusedError, match=r"rule 1\.12: bill one: m3 without its conditions"):
            await bill(session, 2.6, "one", unit="m3", carrier="gas")


@pytest.mark.rule("6.5")
async def test_a_certificate_covers_its_days_and_then_is_listed_as_expired(ingest: Ingest) -> None:
    await ingest.apply(
        DOCUMENT.replace("accuracy_class: 0.2S}]}", "accuracy_class: 0.2S, calibrated_until: 2025-11-02}]}")
    )
    certificate = {"device": "a-main", "serial": "7", "certificate": "C-1", "laboratory": "institute",
                   "calibrated_on": "2024-10-30", "accuracy_class": "1"}  # fmt: skip
    async with ingest.database.transaction() as session:
        await enter(
            session,
            PARK,
            "meter_certificate",
            certificate,
            tenant=None,
            from_day=dt.date(2024, 11, 1),
            to_day=dt.date(2025, 12, 1),
            evidence="scan",
            author="energy manager",
            reason="",
        )
        facts = await facts_at(session, PARK, now=NOW, as_of=None)
    early, late = (calibrations(facts, dt.date(2025, 11, day)) for day in (1, 2))
    assert [(row["device"], row["until"], row["expired"]) for row in early] == [
        ("gate", "2025-11-02", False),
        ("a-main", "2025-12-01", False),
    ]
    assert [row["expired"] for row in late] == [True, False]


def _times(run: Run) -> tuple[dt.datetime, dt.datetime]:
    return from_ms(run.from_ms), from_ms(run.to_ms)


@pytest.mark.rule("6.1", "6.7", "6.10")
async def test_runs_are_proposed_and_states_told(ingest: Ingest) -> None:
    amounts = quarter_amounts()
    silent = amounts["common/active_energy_import"]
    silent[4 * 5 : 4 * 9] = [0.0] * 16
    amounts["common/active_energy_import"] = [value * (1 + at / 1000) for at, value in enumerate(silent)]
    amounts["a-main/active_energy_import"] = [10 + at / 1000 for at in range(len(silent))]
    amounts["gate/active_energy_import"] = [
        value + at / 1000 for at, value in enumerate(amounts["gate/active_energy_import"])
    ]
    await settled(ingest, amounts)
    async with ingest.database.transaction() as session:
        facts = await facts_at(session, PARK, now=NOW, as_of=None)
        runs = await suspect_runs(session, facts, FIRST_MS, LAST_MS)
        found = await quality_of(session, facts, period_at(facts, MONTH), complete_pct=95)
        (after,) = await balances(session, facts, FIRST_MS, LAST_MS)
        told = await proposals(session, facts, runs)
        # b-main begins with its run; the register of common spoke before and after
        assert [run["substitute"] for run in told] == ["exclude", None]
        drafts = [Wanted(run.point, *_times(run), "default", 14, None, 1.0, "x", exclude=True) for run in runs]
        assert (await propose(session, PARK, drafts[0], now=NOW)).missing == 4 * 48
        with pytest.raises(RefusedError, match="the register before and after it says how much it was"):
            await propose(session, PARK, drafts[1], now=NOW)
    stuck = [run.point for run in runs if run.kind == "stuck"]
    assert stuck == ["b-main/active_energy_import"]  # six every hour, for two days
    zero = next(run for run in runs if run.kind == "zero")
    assert (zero.point, zero.hours) == ("common/active_energy_import", 4)
    assert zero.from_ms == FIRST_MS + 5 * HOUR_MS
    assert after.of("load")[5] > 0  # nothing was replaced
    assert found.completeness_pct == pytest.approx(100)
    assert {carrier.carrier for carrier in found.carriers} == {"electricity", "gas", "heat"}
    assert found.complete is True


@pytest.mark.rule("6.9", "6.7")
async def test_balance_and_quality_as_known_before_late_readings(ingest: Ingest) -> None:
    amounts = quarter_amounts()
    half = {point: values[: len(values) // 2] for point, values in amounts.items()}
    await settled(ingest, half)
    moment: dt.datetime = await ingest.database.fetchval("select clock_timestamp()")
    before = await known(ingest, NOW)
    await send(ingest, {point: values[len(values) // 2 :] for point, values in amounts.items()})
    await settle(ingest)
    assert (await known(ingest, NOW))[0]["unmetered_kwh"] == pytest.approx(2 * 19.2)
    then = await known(ingest, moment + dt.timedelta(minutes=2), as_of=moment)
    for name in ("energy_kwh", "unmetered_kwh", "hours_known"):
        assert then[0][name] == before[0][name]
    assert then[1].carriers[0].by_quantity() == before[1].carriers[0].by_quantity()
    measured = [[point.measured_ms for point in quality.carriers[0].points] for quality in (then[1], before[1])]
    assert measured[0] == measured[1]


async def known(
    ingest: Ingest, now: dt.datetime, as_of: dt.datetime | None = None
) -> tuple[dict[str, object], Quality]:
    async with ingest.database.transaction() as session:
        facts = await facts_at(session, PARK, now=now, as_of=as_of)
        period = period_at(facts, MONTH)
        (found,) = await balances(session, facts, period.from_ms, period.to_ms)
        return balance_document(found, [], hours=False), await quality_of(session, facts, period, complete_pct=95)
