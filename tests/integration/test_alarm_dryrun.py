"""A rule tried against a park's past in the database: it says what the intervals say."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from parkcarbon.alarm.kinds import KINDS
from parkcarbon.alarm.kinds.base import Compiled
from parkcarbon.alarm.rules.check import compile_rules
from parkcarbon.alarm.rules.document import Alarms, Rule
from parkcarbon.alarm.rules.dryrun import try_rule
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, Session
from parkcarbon.live.load import load_park
from parkcarbon.live.model import ParkModel
from tests.fakes.alarm_kinds import NAME
from tests.fakes.api_park import FIRST_MS, NOW_MS, PARK, QUARTER_MS, RUNNING_MS, write_park

DAY_MS = 86_400_000
GATE = "gate/active_energy_import"


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[Session]:
    await write_park(database_url)
    async with await Database.connect(database_url, max_size=1) as database, database.transaction() as found:
        yield found


async def rule_on(session: Session, kind: str, **members: Any) -> tuple[ParkModel, Compiled]:
    model = await load_park(session, PARK, NOW_MS)
    assert model is not None
    rule = Rule(rule="r", kind=kind, name=NAME, **members)  # type: ignore[arg-type]
    return model, compile_rules(Alarms(park=PARK, rules=(rule,)), model, KINDS)[0]


async def gate_kw(session: Session) -> list[float]:
    """Power of each interval, read without the code of the kinds."""
    rows = await session.fetch(
        "select i.amount_micro from interval_15min i join point p using (point_id) join device d using (device_id)"
        " where d.device || '/' || p.quantity = $1 and i.start < to_timestamp($2::bigint / 1000) order by i.start",
        GATE,
        RUNNING_MS,
    )
    return [row["amount_micro"] / 1e6 * 4 for row in rows]


async def test_it_would_have_fired_as_often_as_the_intervals_say(session: Session) -> None:
    powers = await gate_kw(session)
    limit = round(sorted(powers)[len(powers) * 3 // 4])
    model, rule = await rule_on(session, "threshold", of=(GATE,), on=f"{limit} kW", off=f"{limit} kW")
    run = await try_rule(session, model, rule, KINDS["threshold"], FIRST_MS, RUNNING_MS + 1)
    above = [kw > limit for kw in powers]
    begins = [place for place, one in enumerate(above) if one and (place == 0 or not above[place - 1])]
    assert run.times == len(begins) >= 3
    assert [one.from_ms for one in run.episodes] == [FIRST_MS + (place + 1) * QUARTER_MS for place in begins]
    longest = max("".join("x" if one else " " for one in above).split(), key=len)
    assert run.longest_ms == len(longest) * QUARTER_MS
    assert (run.unit, run.seen > 0) == ("kW", True)
    assert all(one.reason.zh and one.reason.en for one in run.episodes)


async def test_half_the_past_has_the_alarms_of_that_half(session: Session) -> None:
    powers = await gate_kw(session)
    limit = round(sorted(powers)[len(powers) * 3 // 4])
    model, rule = await rule_on(session, "threshold", of=(GATE,), on=f"{limit} kW")
    whole = await try_rule(session, model, rule, KINDS["threshold"], FIRST_MS, RUNNING_MS)
    middle = FIRST_MS + 5 * DAY_MS
    half = await try_rule(session, model, rule, KINDS["threshold"], middle, RUNNING_MS)
    later = [one.from_ms for one in whole.episodes if one.from_ms >= middle]
    assert [one.from_ms for one in half.episodes][-len(later) :] == later
    assert half.times - len(later) in (0, 1), "one may stand when it begins"


async def test_a_past_of_ten_years_is_refused_before_anything_is_read(session: Session) -> None:
    model, rule = await rule_on(session, "threshold", of=(GATE,), on="100 kW")
    with pytest.raises(RefusedError, match="at most 400 days, not 3650"):
        await try_rule(session, model, rule, KINDS["threshold"], NOW_MS - 3650 * DAY_MS, NOW_MS)
