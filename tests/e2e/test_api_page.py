"""The page in a real browser in front of the real API on a real database: nothing between them is imitated."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from parkcarbon.kit.db import Database
from tests.e2e import web_checks as checks
from tests.fakes.api_client import VIEWER, SceneClock, listening, settings_for
from tests.fakes.api_fixture import DIST

pytestmark = [pytest.mark.postgres, pytest.mark.chromium]


@contextmanager
def serving_page(url: str) -> Iterator[str]:
    """The API with the built page, in a thread of its own; yields its address."""
    from api.app import create_app

    assert (DIST / "index.html").is_file(), "the web app is not built: run `make web`"
    ready, stop = threading.Event(), threading.Event()
    address: list[str] = []

    async def run() -> None:
        async with listening(create_app(settings_for(url, DIST), SceneClock())) as base:
            address.append(base)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(30)
        yield address[0]
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture(scope="module")
def page_url(park_url: str) -> Iterator[str]:
    with serving_page(park_url) as address:
        yield address


def test_sign_in_and_see_the_park(page_url: str) -> None:
    """The policy of the API lets the page work; its tiles and its flow are the API's."""
    with checks.chromium() as browser, checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(page_url), VIEWER)
        now = checks.now_of(page, "demo")
        checks.check_tiles(page, now)
        checks.check_flow(page, "demo")
        answer = page.request.get(page_url + "/")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("figure", checks.FIGURES)
def test_every_number_opens_its_working(page_url: str, figure: str) -> None:
    with checks.chromium() as browser, checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(page_url, "en"), VIEWER)
        with page.expect_response(lambda response: "/working?" in response.url) as asked:
            page.get_by_test_id(f"tile-{figure}").click()
        assert asked.value.status == 200
        assert asked.value.json()["figure"] == figure


def test_a_commit_reaches_the_page(postgres_url: str) -> None:
    from tests.fakes.api_park import write_park
    from tests.fakes.postgres import run

    run(lambda: write_park(postgres_url))

    async def commit() -> None:
        async with await Database.connect(postgres_url, max_size=1) as database:
            await database.execute(
                "update point_state s set last_value = 61.5 from point p"
                " where p.point_id = s.point_id and p.point = $1",
                "pv-1/active_power",
            )
            await database.execute("select pg_notify('parkcarbon_live', 'demo')")

    with (
        serving_page(postgres_url) as address,
        checks.chromium() as browser,
        checks.open_page(browser) as page,
    ):
        checks.sign_in(page, checks.address(address), VIEWER)
        edge = page.get_by_test_id("flow-edge-pv-bus-electricity")
        expect(edge).to_have_attribute("data-kw", "100")
        run(commit)
        expect(edge).to_have_attribute("data-kw", "61.5")
