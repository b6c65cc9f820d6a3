"""Roles of the books: who reads, who enters, who approves, and that the write pool is a limited one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Body

from api.accounts.deps import Approver, BooksDep, Editor
from api.app import create_app
from api.settings import Settings
from parkcarbon.domain.refusal import RefusedError
from parkcarbon.kit.db import Database, UnavailableError
from tests.fakes.api_client import APPROVER, AUDITOR, EDITOR, VIEWER, WALL, SceneClock, serving, settings_for

ADMIN = "admin-token-0001"
BASE = "/api/v1/parks/demo/probe"
router = APIRouter(prefix="/api/v1/parks/{park}/probe")


@router.get("")
async def read(books: BooksDep) -> str:
    async with books.reading() as session:
        return str(await session.fetchval("select current_setting('transaction_isolation')"))


@router.get("/writes")
async def read_and_write(books: BooksDep) -> None:
    async with books.reading() as session:
        await session.execute("delete from api_token")


@router.post("")
async def write(books: BooksDep, person: Editor) -> str:
    async with books.writing() as session:
        await session.execute("select pg_current_xact_id()")
    return person.person


@router.post("/approval")
async def approve(books: BooksDep, person: Approver) -> str:
    return person.person


@router.post("/refusal")
async def refuse(books: BooksDep, how: Annotated[str, Body(embed=True)]) -> None:
    if how == "rule":
        raise RefusedError("1.4", "CN-2023-CFP is a life-cycle value")
    if how == "absent":
        raise LookupError("there is no lot 7")
    if how == "trigger":
        async with books.writing() as session:
            await session.execute(
                "do $$ begin raise exception 'rule 3.5: serial 12 is used' using errcode = 'PR001'; end $$"
            )
    raise KeyError("a fault of ours")


Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def ask(park_url: str) -> AsyncIterator[Ask]:
    """Ask as the holder of a token."""
    app = create_app(settings_for(park_url), SceneClock())
    app.include_router(router)
    app.router.routes.insert(0, app.router.routes.pop())  # before the files of the page
    async with serving(app, token=None) as client:

        async def asking(token: str, method: str, path: str = "", **more: object) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, BASE + path, headers=headers, **more)  # type: ignore[arg-type]

        yield asking


@pytest.mark.parametrize("token", [ADMIN, EDITOR, APPROVER, AUDITOR, VIEWER])
async def test_everyone_but_a_wall_display_reads(ask: Ask, token: str) -> None:
    answer = await ask(token, "GET")
    assert (answer.status_code, answer.json()) == (200, "repeatable read")


async def test_a_wall_display_does_not_open_the_books(ask: Ask) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/approval")):
        assert (await ask(WALL, method, path)).status_code == 403


async def test_reading_cannot_write(ask: Ask) -> None:
    assert (await ask(ADMIN, "GET", "/writes")).status_code == 500


@pytest.mark.parametrize(
    ("token", "enters", "approves"),
    [(ADMIN, 200, 200), (EDITOR, 200, 403), (APPROVER, 200, 200), (AUDITOR, 403, 403), (VIEWER, 403, 403)],
)
async def test_who_writes(ask: Ask, token: str, enters: int, approves: int) -> None:
    assert (await ask(token, "POST")).status_code == enters
    assert (await ask(token, "POST", "/approval")).status_code == approves


async def test_the_person_is_the_one_of_the_token(ask: Ask) -> None:
    assert (await ask(EDITOR, "POST")).json() == "energy manager"
    assert (await ask(APPROVER, "POST", "/approval")).json() == "reviewer"


async def test_a_token_that_names_nobody_enters_nothing(ask: Ask, park_url: str) -> None:
    async with await Database.connect(park_url, max_size=1) as database:
        await database.execute(
            "insert into api_token (digest, label, role) values (sha256('nobody-token-01'), 'shared', 'admin')"
            " on conflict do nothing"
        )
    refused = await ask("nobody-token-01", "POST")
    assert refused.status_code == 403
    assert "names no person" in refused.json()["detail"]


async def test_a_refusal_names_its_rule(ask: Ask) -> None:
    refused = await ask(EDITOR, "POST", "/refusal", json={"how": "rule"})
    assert (refused.status_code, refused.json()["rule"]) == (422, "1.4")
    assert refused.json()["detail"] == "rule 1.4: CN-2023-CFP is a life-cycle value"
    refused = await ask(EDITOR, "POST", "/refusal", json={"how": "trigger"})
    assert (refused.status_code, refused.json()["rule"]) == (422, "3.5")
    assert refused.json()["detail"] == "rule 3.5: serial 12 is used"


async def test_what_is_absent_is_told_from_a_fault(ask: Ask) -> None:
    absent = await ask(EDITOR, "POST", "/refusal", json={"how": "absent"})
    assert (absent.status_code, absent.json()["detail"]) == (404, "there is no lot 7")
    assert (await ask(EDITOR, "POST", "/refusal", json={"how": "fault"})).status_code == 500


async def test_an_absent_park_is_absent_here_too(ask: Ask) -> None:
    assert (await ask(VIEWER, "GET", "/../../nowhere/probe")).status_code == 404


async def test_a_writer_has_a_time_limit(postgres_url: str) -> None:
    url = Settings(database_url=postgres_url, statement_timeout_ms=100).write_url
    async with await Database.connect(url, min_size=0, max_size=1) as database:
        with pytest.raises(UnavailableError, match="statement timeout"):
            await database.fetchval("select pg_sleep(5)")
        assert await database.fetchval("select current_setting('lock_timeout')") == "5s"
