"""Statements through the API: who may what, downloads with their digest, the newest for the card."""

import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.app import create_app
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, SECOND_APPROVER, WALL, serving, settings_for
from tests.fakes.statement_desk import PARK, PERIOD, Desk, open_desk

BASE = f"/api/v1/parks/{PARK}/statements"
pytestmark = pytest.mark.postgres


@dataclass
class Scene:
    """The API and the desk behind it."""

    client: httpx.AsyncClient
    desk: Desk

    async def get(self, path: str, token: str = AUDITOR, **headers: str) -> httpx.Response:
        return await self.client.get(f"{BASE}{path}", headers={"Authorization": f"Bearer {token}"} | headers)

    async def post(self, path: str, body: dict[str, Any], token: str = EDITOR) -> httpx.Response:
        return await self.client.post(f"{BASE}{path}", json=body, headers={"Authorization": f"Bearer {token}"})

    async def prepared(self) -> dict[str, Any]:
        answer = await self.post("", {"period": PERIOD})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def scene(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr("parkcarbon.books.inventory.SETTLED_AFTER", dt.timedelta(0))
    async with open_desk(postgres_url) as desk, serving(create_app(settings_for(postgres_url)), None) as client:
        yield Scene(client, desk)


@pytest.mark.rule("6.9")
async def test_an_editor_prepares_and_another_person_approves(scene: Scene) -> None:
    made = await scene.prepared()
    assert (made["state"], made["prepared_by"]) == ("prepared", "energy manager")
    acts = f"/{made['statement_id']}/acts"
    seen = {"act": "approve", "digest": made["digest"]}
    refused = await scene.post(acts, seen)
    assert (refused.status_code, "role editor may not approve" in refused.text) == (403, True)
    assert (await scene.post(acts, seen, AUDITOR)).status_code == 403
    other = await scene.post(acts, {"act": "approve", "digest": "0" * 64}, APPROVER)
    assert (other.status_code, other.json()["rule"]) == (422, "6.9")
    said = await scene.post(acts, {"act": "comment", "comment": "the gate was seen on site"})
    assert said.json()["acts"][-1]["comment"] == "the gate was seen on site"
    assert (await scene.post(acts, {"act": "review"}, SECOND_APPROVER)).json()["state"] == "reviewed"
    done = await scene.post(acts, seen, APPROVER)
    assert (done.json()["state"], done.json()["waits_for"]) == (
        "approved",
        "the statements process signs and issues it",
    )
    again = await scene.post(acts, seen, APPROVER)
    assert (again.status_code, "approved already" in again.text) == (422, True)


async def test_issued_files_are_downloaded_with_their_digest(scene: Scene) -> None:
    done = await scene.desk.issued()
    number = done.statement_id
    assert (await scene.get("/")).status_code == 404
    [row] = (await scene.get("")).json()["statements"]
    assert (row["state"], row["version"], row["verdict"]) == ("issued", 1, "cannot_be_judged")
    assert [act["act"] for act in row["acts"]] == ["prepared", "approved", "issued"]
    for filed in row["files"]:
        answer = await scene.get(f"/{number}/files/{filed['name']}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == filed["sha256"]
        assert answer.headers["etag"] == f'"{filed["sha256"]}"'
        assert f'filename="PC-{PARK}-{PERIOD}-V1' in answer.headers["content-disposition"]
        known = await scene.get(f"/{number}/files/{filed['name']}", **{"If-None-Match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
    record = await scene.get(f"/{number}/record")
    assert record.content == (await scene.get(f"/{number}/files/json")).content
    assert record.json()["acts"][1]["person"] == "reviewer"
    for path, status in ((f"/{number}/files/evidence", 404), (f"/{number}/files/..%2Fx", 404), ("/99", 404)):
        assert (await scene.get(path)).status_code == status, path
    assert (await scene.get("", WALL)).status_code == 403
    other = await scene.client.get(
        f"/api/v1/parks/other/statements/{number}", headers={"Authorization": f"Bearer {AUDITOR}"}
    )
    assert other.status_code == 404


async def test_a_draft_is_previewed_and_missing_items_are_named(scene: Scene) -> None:
    await scene.desk.settings(expects=[{"item": "production", "owner": "planning", "due_day": 5}])
    made = await scene.prepared()
    record = await scene.get(f"/{made['statement_id']}/record")
    assert record.json()["number"] == made["number"]
    assert "issued_at" not in record.json()
    missing = (await scene.get(f"/missing?period={PERIOD}")).json()["missing"]
    assert [(item["item"], item["owner"], item["due"]) for item in missing] == [
        ("production", "planning", "2025-04-05")
    ]
    assert missing == made["missing"]
    assert (await scene.get("/tasks")).json()["tasks"] == []


@pytest.mark.rule("6.9")
async def test_issued_again_and_locked(scene: Scene) -> None:
    first = await scene.desk.issued()
    assert (await scene.post("", {"period": PERIOD})).json()["rule"] == "6.9"
    made = await scene.post(f"/{first.statement_id}/reissue", {"reason": "the bill was corrected"})
    assert made.status_code == 201, made.text
    assert (made.json()["version"], made.json()["supersedes"], made.json()["changes"]) == (2, first.statement_id, [])
    found = await scene.get(f"/{made.json()['statement_id']}/difference?before={first.statement_id}")
    assert found.json()["identical"] is True
    assert (await scene.post(f"/{made.json()['statement_id']}/lock", {}, APPROVER)).status_code == 422
    [second] = [item for item in await scene.desk.all() if item.version == 2]
    await scene.desk.issue(await scene.desk.act(second, "approve", "reviewer"))
    locked = await scene.post(f"/{second.statement_id}/lock", {"reason": "complete"}, APPROVER)
    assert (locked.status_code, locked.json()["version"]) == (200, 1), locked.text
    assert [row["state"] for row in (await scene.get("")).json()["statements"]] == ["locked", "superseded"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {}),
        ("", {"period": "2025-13"}),
        ("", {"period": "2025", "kind": "statement"}),
        ("", {"period": PERIOD, "kind": "weekly"}),
        ("", {"period": PERIOD, "person": "somebody else"}),
        ("/1/acts", {"act": "issue"}),
        ("/1/acts", {"act": "reject", "comment": " "}),
        ("/1/acts", {"act": "comment", "comment": ""}),
        ("/1/acts", {"act": "comment", "comment": "\u0000"}),
        ("/1/acts", {"act": "comment", "comment": "x" * 4001}),
        ("/1/acts", {"act": "comment", "comment": "x", "digest": "abc"}),
        ("/1/reissue", {"reason": ""}),
        ("/1/reissue", {"reason": "nothing was issued"}),
        ("/1/lock", {"override": "perhaps"}),
        ("/0/acts", {"act": "approve"}),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_entered(scene: Scene, path: str, body: dict[str, Any]) -> None:
    await scene.desk.prepare()
    answer = await scene.post(path, body, APPROVER)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await scene.desk.database.fetchval("select count(*) from statement_act") == 0
    assert await scene.desk.database.fetchval("select count(*) from statement") == 1
