"""The alarms of the demonstration: one rule fires within two minutes, is told once and taken on; others stay quiet."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e import alarm_checks as alarms
from tests.e2e import web_checks as checks
from tests.fakes.demo_process import DemoProcess

PARK = "jiangsu"
RULE = "chiller-load"
FIRES_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    with DemoProcess(tmp_path_factory.mktemp("alarms") / "park") as process:
        yield process


def standing(demo: DemoProcess) -> list[dict[str, Any]]:
    """Alarms that stand, as the API has them."""
    headers = {"Authorization": f"Bearer {demo.ready.token}"}
    url = f"{demo.ready.url}/api/v1/parks/{PARK}/alarms"
    with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
        found: list[dict[str, Any]] = client.get(url).raise_for_status().json()["alarms"]
    return found


def told(data: Path) -> list[dict[str, Any]]:
    """Messages in the inbox."""
    path = data / "alarms.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def test_one_rule_fires_within_two_minutes_and_is_told(demo: DemoProcess) -> None:
    until = time.monotonic() + FIRES_WITHIN_S
    while not (standing(demo) and told(demo.data)):
        assert time.monotonic() < until, "nothing fired, or nobody was told"
        time.sleep(0.5)
    [alarm] = standing(demo)
    assert (alarm["rule"], alarm["phase"], alarm["withheld"]) == (RULE, "firing", "")
    assert alarm["value"] > alarm["limit"] == 25.0
    [message] = told(demo.data)
    assert (message["why"], message["priority"]) == ("first", "medium")
    assert f"{demo.ready.url}/#alarms/{alarm['id']}" in message["message"]


@pytest.mark.chromium
def test_it_is_on_the_page_and_is_taken_on_there(demo: DemoProcess) -> None:
    [alarm] = standing(demo)
    with checks.chromium() as browser, checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(demo.ready.url, "en"), demo.ready.token)
        expect(page.get_by_test_id("alarms")).to_have_attribute("data-standing", "1")
        page.get_by_test_id("alarm-card").locator(".alarm-row").click()
        alarms.check_curve(page, 25)
        alarms.act(page, "acknowledge", "somebody is on the way")
        expect(page.locator(".alarm-head .tags")).to_contain_text("Acknowledged")
    [alarm] = standing(demo)
    assert alarm["acknowledged"]["by"] == "demo: energy manager"
    assert [message["why"] for message in told(demo.data)] == ["first"]
