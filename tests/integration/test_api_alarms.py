"""Alarms through the API: the list, what people do, silences, rules checked, tried and applied, the report."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.app import create_app
from parkcarbon.alarm import store
from parkcarbon.domain.alarm.types import AlarmState, Episode, Level, Observation, Phase, Priority, Said
from parkcarbon.kit.db import Database, from_ms
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, VIEWER, WALL, SceneClock, serving, settings_for
from tests.fakes.api_park import NOW_MS, PARK, write_park

pytestmark = pytest.mark.postgres

BASE = f"/api/v1/parks/{PARK}/alarms"
MINUTE = 60_000
HOUR = 60 * MINUTE
GATE = "point:gate/active_power"
YAML = """
park: demo
rules:
- rule: peak
  kind: threshold
  name: {zh: 关口功率高, en: power at the gate is high}
  of: [gate/active_power]
  on: 900 kW
  after: 1 min
  priority: high
  receivers: [desk]
  escalation: [{after: 15 min, receivers: [desk]}]
  action: {zh: 停用空压机, en: stop a compressor}
- rule: voltage
  kind: threshold
  name: {zh: 负荷, en: load}
  of: [load]
  on: 2 MW
receivers:
- {receiver: desk, channel: mail, language: en}
"""


def iso(time_ms: int) -> str:
    return from_ms(time_ms).isoformat()


@dataclass
class Scene:
    """The API, the database behind it, and its clock."""

    client: httpx.AsyncClient
    database: Database
    clock: SceneClock

    async def get(self, path: str, token: str = AUDITOR) -> httpx.Response:
        return await self.client.get(f"{BASE}{path}", headers={"Authorization": f"Bearer {token}"})

    async def post(self, path: str, body: dict[str, Any], token: str = EDITOR) -> httpx.Response:
        return await self.client.post(f"{BASE}{path}", json=body, headers={"Authorization": f"Bearer {token}"})

    async def put(self, body: dict[str, Any], token: str = EDITOR) -> httpx.Response:
        return await self.client.put(f"{BASE}/rules", json=body, headers={"Authorization": f"Bearer {token}"})

    async def alarm(
        self,
        *,
        began: int = -20,
        subject: str = GATE,
        rule: str = "peak",
        over: int | None = None,
        priority: Priority = "high",
    ) -> int:
        """An alarm as the evaluator writes it; minutes from now."""
        began_ms = NOW_MS + began * MINUTE
        last = Observation(subject, began_ms + MINUTE, Level.BEYOND, 950.0, 900.0, Said("高", "high"))
        episode = Episode(began_ms, began_ms + MINUTE, worst=980.0, last=last)
        async with self.database.transaction() as session:
            raised = store.Raised(rule, 1, "threshold", priority, "kW", subject, episode)
            number = (await store.open_episodes(session, PARK, [raised]))[rule, subject]
            state = AlarmState(subject, Phase.FIRING, began_ms + MINUTE, began_ms + MINUTE, episode)
            held = store.Held(state, number)
            if over is not None:
                await store.see_episodes(session, [store.Seen(number, episode, resolved_ms=NOW_MS + over * MINUTE)])
                held = store.Held(AlarmState(subject, seen_ms=NOW_MS))
            await store.put_states(session, PARK, {(rule, subject): held})
            out = store.Outgoing(
                f"{number}-first", "desk", "mail", "first", priority, (number,), "s", "b", next_ms=NOW_MS
            )
            await store.put_messages(session, PARK, [out])
        return number

    async def state(self, subject: str = GATE, rule: str = "peak") -> AlarmState:
        async with self.database.transaction() as session:
            return (await store.states(session, PARK))[rule, subject].state


@pytest.fixture
async def scene(postgres_url: str) -> AsyncIterator[Scene]:
    await write_park(postgres_url)
    clock = SceneClock()
    app = create_app(settings_for(postgres_url), clock)
    async with await Database.connect(postgres_url) as database, serving(app, None) as client:
        made = Scene(client, database, clock)
        answer = await made.put({"document": YAML, "reason": "the first rules"})
        assert answer.status_code == 200, answer.text
        yield made


async def test_an_alarm_with_everything_that_belongs_to_it(scene: Scene) -> None:
    number = await scene.alarm()
    [alarm] = (await scene.get("")).json()["alarms"]
    assert alarm == {
        "id": number,
        "rule": "peak",
        "name": {"zh": "关口功率高", "en": "power at the gate is high"},
        "kind": "threshold",
        "subject": GATE,
        "subject_name": {"zh": "设备 gate 总有功功率", "en": "Device gate, active power"},
        "priority": "high",
        "phase": "firing",
        "began_at": "2026-11-21T06:12:05Z",
        "fired_at": "2026-11-21T06:13:05Z",
        "resolved_at": None,
        "value": 950.0,
        "worst": 980.0,
        "limit": 900.0,
        "unit": "kW",
        "reason": {"zh": "高", "en": "high"},
        "acknowledged": None,
        "shelved_until": None,
        "out_of_service": False,
        "withheld": "",
        "historical": False,
        "action": {"zh": "停用空压机", "en": "stop a compressor"},
    }
    detail = (await scene.get(f"/{number}")).json()
    assert {name: detail[name] for name in alarm} == alarm
    assert (detail["revision"], detail["acts"], detail["cause"]) == (1, [], None)
    assert detail["messages"] == [
        {"receiver": "desk", "why": "first", "state": "waiting", "sent_at": None, "error": ""}
    ]
    curve = detail["curve"]
    assert (curve["unit"], curve["limit"], curve["from"]) == ("kW", 900.0, NOW_MS - 50 * MINUTE)
    assert curve["from"] < curve["to"] <= NOW_MS
    assert len(curve["points"]) <= 600
    assert (await scene.get("/999")).status_code == 404


async def test_the_list_has_pages_in_the_order_of_firing(scene: Scene) -> None:
    numbers = [await scene.alarm(began=-minutes, subject=f"device:m{minutes}") for minutes in (50, 40, 30, 20)]
    over = await scene.alarm(began=-90, subject="device:c1", over=-60)
    everything = [*reversed(numbers), over]
    first = (await scene.get("?state=all&limit=2")).json()
    assert ([item["id"] for item in first["alarms"]], first["standing"]) == (everything[:2], 4)
    found = list(first["alarms"])
    while first["next"] is not None:
        first = (await scene.get(f"?state=all&limit=2&cursor={first['next']}")).json()
        found += first["alarms"]
    assert [item["id"] for item in found] == everything
    assert (found[-1]["phase"], found[-1]["resolved_at"]) == ("resolved", "2026-11-21T05:32:05Z")
    assert [item["id"] for item in (await scene.get("")).json()["alarms"]] == everything[:4]
    assert (await scene.get("?rule=other")).json()["alarms"] == []


async def test_whoever_sees_the_live_page_sees_the_alarms_and_only_editors_act(scene: Scene) -> None:
    number = await scene.alarm()
    for token in (WALL, VIEWER, AUDITOR, EDITOR):
        assert (await scene.get("", token)).status_code == 200
    assert (await scene.get(f"/{number}", WALL)).status_code == 403
    for token in (WALL, VIEWER, AUDITOR):
        refused = await scene.post(f"/{number}/acknowledge", {"comment": "mine"}, token)
        assert refused.status_code == 403, token
        assert (await scene.put({"document": YAML, "reason": "mine"}, token)).status_code == 403
    assert (await scene.get(f"/{number}", AUDITOR)).json()["acts"] == []
    other = await scene.client.get(
        f"/api/v1/parks/other/alarms/{number}", headers={"Authorization": f"Bearer {AUDITOR}"}
    )
    assert other.status_code == 404


async def test_a_person_takes_an_alarm_on_once(scene: Scene) -> None:
    number = await scene.alarm()
    done = await scene.post(f"/{number}/acknowledge", {"comment": "looking at it"})
    assert done.status_code == 200, done.text
    taken = {"by": "energy manager", "at": "2026-11-21T06:32:05Z", "comment": "looking at it"}
    assert done.json()["acknowledged"] == taken
    state = await scene.state()
    assert state.episode is not None
    assert (state.episode.acknowledged_by, state.episode.acknowledged_ms) == ("energy manager", NOW_MS)
    again = await scene.post(f"/{number}/acknowledge", {}, APPROVER)
    assert (again.status_code, "energy manager has taken" in again.json()["detail"]) == (422, True)
    said = await scene.post(f"/{number}/comment", {"comment": "compressor 2 was on"}, APPROVER)
    assert [(item["act"], item["person"]) for item in said.json()["acts"]] == [
        ("acknowledge", "energy manager"),
        ("comment", "reviewer"),
    ]
    over = await scene.alarm(began=-90, subject="device:c1", over=-60)
    refused = await scene.post(f"/{over}/acknowledge", {})
    assert (refused.status_code, "is over since 2026-11-21 05:32:05 UTC" in refused.json()["detail"]) == (422, True)
    assert (await scene.post(f"/{over}/comment", {"comment": "was the crane"})).status_code == 200


async def test_shelving_ends_and_service_does_not(scene: Scene) -> None:
    number = await scene.alarm()
    until = NOW_MS + 2 * HOUR
    shelved = await scene.post(f"/{number}/shelve", {"comment": "repair", "until": iso(until)})
    assert shelved.json()["shelved_until"] == "2026-11-21T08:32:05Z"
    assert (await scene.state()).shelved_until_ms == until
    scene.clock.wall_ms = until
    assert (await scene.get(f"/{number}")).json()["shelved_until"] is None
    scene.clock.wall_ms = NOW_MS
    assert (await scene.post(f"/{number}/unshelve", {})).json()["shelved_until"] is None
    out = await scene.post(f"/{number}/out-of-service", {"comment": "meter is in the workshop"})
    assert out.json()["out_of_service"] is True
    assert (await scene.state()).out_of_service
    back = await scene.post(f"/{number}/in-service", {"comment": "it is back"})
    assert back.json()["out_of_service"] is False
    assert [item["act"] for item in back.json()["acts"]] == ["shelve", "unshelve", "out_of_service", "in_service"]
    over = await scene.alarm(began=-90, subject="device:c1", over=-60)
    chatters = {"comment": "chatters", "until": iso(NOW_MS + HOUR)}
    assert (await scene.post(f"/{over}/shelve", chatters)).status_code == 200
    assert (await scene.state("device:c1")).shelved_until_ms == NOW_MS + HOUR


BAD: list[tuple[str, dict[str, Any]]] = [
    ("/{n}/shelve", {"comment": "x", "until": iso(NOW_MS + 8 * HOUR + 1000)}),
    ("/{n}/shelve", {"comment": "x", "until": iso(NOW_MS)}),
    ("/{n}/shelve", {"comment": " ", "until": iso(NOW_MS + HOUR)}),
    ("/{n}/shelve", {"comment": "x", "until": "2026-11-21T07:00:00"}),
    ("/{n}/shelve", {"comment": "x"}),
    ("/{n}/out-of-service", {"comment": ""}),
    ("/{n}/comment", {"comment": "  "}),
    ("/{n}/comment", {"comment": "\u0000"}),
    ("/{n}/comment", {"comment": "x" * 4001}),
    ("/{n}/acknowledge", {"person": "somebody else"}),
    ("/0/comment", {"comment": "x"}),
    ("/silences", {"match": {}, "end": iso(NOW_MS + HOUR), "comment": "x"}),
    ("/silences", {"match": {"colour": "red"}, "end": iso(NOW_MS + HOUR), "comment": "x"}),
    ("/silences", {"match": {"priority": "grave"}, "end": iso(NOW_MS + HOUR), "comment": "x"}),
    ("/silences", {"match": {"device": "m1"}, "end": iso(NOW_MS - 1), "comment": "x"}),
    ("/silences", {"match": {"device": "m1"}, "end": iso(NOW_MS + 32 * 24 * HOUR), "comment": "x"}),
    ("/silences", {"match": {"device": "m1"}, "end": iso(NOW_MS + HOUR), "comment": " "}),
    ("/rules/try", {"rule": "peak", "from": iso(NOW_MS), "to": iso(NOW_MS)}),
    ("/rules/try", {"rule": "peak", "from": iso(NOW_MS - 3650 * 24 * HOUR), "to": iso(NOW_MS)}),
    ("/rules/try", {"rule": "peak", "from": iso(NOW_MS - HOUR), "to": iso(NOW_MS), "document": "park: ["}),
]


async def test_bad_input_is_refused_and_nothing_is_entered(scene: Scene) -> None:
    number = await scene.alarm()
    before = await scene.state()
    for path, body in BAD:
        answer = await scene.post(path.format(n=number), body)
        assert answer.status_code == 422, (path, body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    for table in ("alarm_act", "alarm_silence"):
        assert await scene.database.fetchval(f"select count(*) from {table}") == 0  # noqa: S608 - of this test
    assert await scene.state() == before
    for query in ("?cursor=x", "?cursor=999999999999999999.1", "?state=gone", "?limit=0", "?sort=id"):
        assert (await scene.get(query)).status_code == 422, query


async def test_of_two_at_the_same_instant_one_takes_it_on_and_one_is_told(scene: Scene) -> None:
    number = await scene.alarm()
    done = await asyncio.gather(
        scene.post(f"/{number}/acknowledge", {}, EDITOR), scene.post(f"/{number}/acknowledge", {}, APPROVER)
    )
    assert sorted(answer.status_code for answer in done) == [200, 422]
    assert len((await scene.get(f"/{number}")).json()["acts"]) == 1
    over = await scene.alarm(began=-90, subject="device:c1", over=-60)
    await scene.database.execute("delete from alarm_state where subject = 'device:c1'")
    until = {"comment": "x", "until": iso(NOW_MS + HOUR)}
    both = await asyncio.gather(*(scene.post(f"/{over}/shelve", until, token) for token in (EDITOR, APPROVER)))
    assert [answer.status_code for answer in both] == [200, 200]
    answers = await asyncio.gather(
        *(
            scene.put({"document": YAML.replace("900 kW", f"{limit} kW"), "reason": "both", "revision": 1}, token)
            for limit, token in ((800, EDITOR), (700, APPROVER))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert (await scene.get("/rules")).json()["revision"] == 2


async def test_silences_begin_and_end(scene: Scene) -> None:
    body = {"match": {"device": "inv-*", "kind": "pv_underperformance"}, "end": iso(NOW_MS + HOUR), "comment": "wash"}
    made = await scene.post("/silences", body)
    assert made.status_code == 201, made.text
    assert (made.json()["active"], made.json()["author"], made.json()["match"]) == (
        True,
        "energy manager",
        body["match"],
    )
    later = await scene.post("/silences", body | {"begin": iso(NOW_MS + MINUTE)})
    assert later.json()["active"] is False
    found = (await scene.get("/silences")).json()["silences"]
    assert [item["id"] for item in found] == [later.json()["id"], made.json()["id"]]
    ended = await scene.post(f"/silences/{made.json()['id']}/end", {}, APPROVER)
    assert (ended.json()["active"], ended.json()["ended_by"]) == (False, "reviewer")
    again = await scene.post(f"/silences/{made.json()['id']}/end", {}, APPROVER)
    assert (again.status_code, "is over since" in again.json()["detail"]) == (422, True)
    assert (await scene.post("/silences/999/end", {})).status_code == 404
    assert [item["id"] for item in (await scene.get("/silences")).json()["silences"]] == [later.json()["id"]]
    assert len((await scene.get("/silences?over=true")).json()["silences"]) == 2


async def test_rules_are_checked_before_they_are_applied(scene: Scene) -> None:
    wrong = YAML.replace("900 kW", "900 kWh").replace("of: [load]", "of: [lod]").replace("[desk]", "[dask]")
    told = (await scene.post("/rules/check", {"document": wrong}, AUDITOR)).json()
    assert told["ok"] is False
    assert [line.split(":")[0] for line in told["problems"]] == [
        "rules[peak].receivers",
        "rules[peak].escalation[0].receivers",
        "rules[voltage].of",
    ]
    refused = await scene.put({"document": wrong, "reason": "more"})
    assert (refused.status_code, [item["where"] for item in refused.json()["errors"]]) == (
        422,
        ["rules[peak].receivers", "rules[peak].escalation[0].receivers", "rules[voltage].of"],
    )
    unread = (await scene.post("/rules/check", {"document": "park: ["}, AUDITOR)).json()
    assert (unread["ok"], unread["problems"][0][:7]) == (False, "line 1:")
    good = YAML.replace("900 kW", "0.8 MW").replace("voltage", "busy")
    fine = (await scene.post("/rules/check", {"document": good}, AUDITOR)).json()
    assert (fine["ok"], fine["problems"]) == (True, [])
    assert [(item["rule"], item["change"], item["on"], item["unit"]) for item in fine["rules"]] == [
        ("peak", "changed", 800.0, "kW"),
        ("busy", "added", 2000.0, "kW"),
        ("voltage", "removed", None, ""),
    ]
    assert "rules[busy].receivers: nobody is told; the alarm stands in the list alone" in fine["remarks"]
    assert (await scene.get("/rules")).json()["revision"] == 1


async def test_rules_are_applied_whole_and_revisions_kept(scene: Scene) -> None:
    now = (await scene.get("/rules")).json()
    assert (now["revision"], now["author"], now["reason"]) == (1, "energy manager", "the first rules")
    assert now["document"]["rules"][0]["on"] == "900 kW"
    same = await scene.put({"document": now["document"], "reason": "again"}, APPROVER)
    assert (same.json()["revision"], same.json()["reason"]) == (1, "the first rules")
    changed = now["document"] | {"rules": now["document"]["rules"][:1]}
    stale = await scene.put({"document": changed, "reason": "fewer", "revision": 0}, APPROVER)
    assert (stale.status_code, "revision 1 by energy manager is in force" in stale.text) == (422, True)
    done = await scene.put({"document": changed, "reason": "fewer", "revision": 1}, APPROVER)
    assert (done.json()["revision"], done.json()["author"]) == (2, "reviewer")
    number = await scene.alarm(rule="voltage", subject="park")
    [alarm] = (await scene.get("")).json()["alarms"]
    assert (alarm["id"], alarm["name"]["en"]) == (number, "load")  # as it was called when it was raised
    other = await scene.put({"document": {"park": "other"}, "reason": "mistaken"})
    assert (other.status_code, "the document is of other" in other.text) == (422, True)


async def test_a_rule_is_tried_on_the_past(scene: Scene) -> None:
    day = {"from": iso(NOW_MS - 24 * HOUR), "to": iso(NOW_MS)}
    limit = YAML.replace("rule: voltage", "rule: busy").replace("2 MW", "250 kW")
    found = await scene.post("/rules/try", day | {"rule": "busy", "document": limit}, AUDITOR)
    assert found.status_code == 200, found.text
    told = found.json()
    assert (told["fired"], told["unit"], told["seen"]) == (2, "kW", 96)
    assert told["sentence"]["en"] == "would have fired twice from 2026-11-20 14:32 to 2026-11-21 14:32"
    yesterday, today = told["episodes"]
    assert (yesterday["subject"], yesterday["limit"], yesterday["resolved_at"]) == (
        "park",
        250.0,
        "2026-11-20T10:15:00Z",
    )
    assert (today["fired_at"], today["resolved_at"], today["worst"]) == (
        "2026-11-20T22:15:00Z",
        None,
        pytest.approx(291.7, abs=3),
    )
    never = (await scene.post("/rules/try", day | {"rule": "voltage"}, AUDITOR)).json()
    assert (never["fired"], never["sentence"]["en"].startswith("would never have fired from 2026-11-20 14:32")) == (
        0,
        True,
    )
    assert (await scene.post("/rules/try", day | {"rule": "gone"}, AUDITOR)).status_code == 404
    gauges = YAML.replace("[gate/active_power]", "[gate/active_power, pv-1/active_power, battery/active_power]")
    long = {"rule": "peak", "document": gauges, "from": iso(NOW_MS - 99 * 24 * HOUR), "to": iso(NOW_MS)}
    much = await scene.post("/rules/try", long, AUDITOR)
    assert (much.status_code, "a shorter time, or fewer points" in much.json()["detail"]) == (422, True)
    assert await scene.database.fetchval("select count(*) from alarm_episode") == 0


async def test_the_report_counts(scene: Scene) -> None:
    for place, minutes in enumerate((300, 200, 100)):
        number = await scene.alarm(began=-minutes, subject="device:m1", over=-minutes + 5, priority="low")
        if place == 0:
            body = {"comment": "chatters", "until": iso(NOW_MS + HOUR)}
            assert (await scene.post(f"/{number}/shelve", body)).status_code == 200
    old = await scene.alarm(began=-2000)
    await scene.post(f"/{old}/acknowledge", {})
    found = (
        await scene.client.get(
            f"{BASE}/report",
            params={"from": iso(NOW_MS - 48 * HOUR), "to": iso(NOW_MS)},
            headers={"Authorization": f"Bearer {AUDITOR}"},
        )
    ).json()
    assert (found["alarms"], found["by_priority"]) == (4, {"low": 3, "medium": 0, "high": 1})
    assert [item["id"] for item in found["standing"]] == [old]
    assert [(item["subject"], item["alarms"], item["share"]) for item in found["top"]] == [
        ("device:m1", 3, 0.75),
        (GATE, 1, 0.25),
    ]
    assert (found["never_acknowledged"], found["acknowledge_mean_s"], found["shelved"]) == (3, 1999 * 60, 1)
    assert (found["chattering"], found["floods"], found["flood_share"]) == ([], [], 0.0)
    for span in ({"from": iso(NOW_MS), "to": iso(NOW_MS)}, {"from": iso(0), "to": iso(NOW_MS)}):
        answer = await scene.client.get(f"{BASE}/report", params=span, headers={"Authorization": f"Bearer {AUDITOR}"})
        assert answer.status_code == 422


async def test_a_park_without_rules_has_an_empty_document(postgres_url: str) -> None:
    await write_park(postgres_url)
    async with serving(create_app(settings_for(postgres_url), SceneClock()), AUDITOR) as client:
        found = (await client.get(f"{BASE}/rules")).json()
        assert (found["revision"], found["document"], found["recorded_at"]) == (0, {"park": PARK}, None)
        assert (await client.get(BASE)).json() == {"alarms": [], "standing": 0, "next": None}
