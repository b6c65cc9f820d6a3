"""The demonstration's statement: issued when the park is ready, checkable, on the page, issued again by two persons."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e import statement_checks as pages
from tests.e2e import web_checks as checks
from tests.fakes.demo_process import DemoProcess

PARK = "jiangsu"
SETTLED_WITHIN_S = 120.0
FILES = {"json", "sig", "zh.pdf", "en.pdf", "both.pdf", "xlsx", "csv"}


class Office:
    """The two persons of the demonstration, each with a token."""

    def __init__(self, demo: DemoProcess) -> None:
        self.demo = demo
        self.tokens = {"manager": demo.env["PARKCARBON_TOKEN"], "reviewer": demo.env["PARKCARBON_REVIEWER_TOKEN"]}
        first = dt.datetime.now(ZoneInfo("Asia/Shanghai")).replace(day=1)
        self.month = f"{first - dt.timedelta(days=1):%Y-%m}"

    def ask(self, path: str, body: dict[str, Any] | None = None, person: str = "manager") -> httpx.Response:
        """GET, or POST where there is a body."""
        url = f"{self.demo.ready.url}/api/v1/parks/{PARK}/statements{path}"
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        with httpx.Client(trust_env=False, timeout=60, headers=headers) as client:
            return client.get(url) if body is None else client.post(url, json=body)

    def statements(self) -> list[dict[str, Any]]:
        """All of them, the newest first."""
        found: list[dict[str, Any]] = self.ask("").raise_for_status().json()["statements"]
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with DemoProcess(tmp_path_factory.mktemp("statement") / "park") as demo:
        yield Office(demo)


@pytest.mark.rule("3.9", "6.9")
def test_last_months_statement_is_issued_when_the_park_is_ready(office: Office, tmp_path: Path) -> None:
    [one] = office.statements()
    assert (one["period"], one["kind"], one["version"], one["state"]) == (office.month, "statement", 1, "issued")
    assert one["verdict"] in ("partly_covered", "not_covered", "cannot_be_judged", "covered_to_date")
    persons = {act["act"]: act["person"] for act in one["acts"]}
    assert persons == {
        "prepared": "demo: energy manager",
        "approved": "demo: reviewer",
        "issued": "demo: reviewer",
    }
    assert {filed["name"] for filed in one["files"]} == FILES
    assert "statements" in office.demo.pids()
    for name in ("both.pdf", "zh.pdf", "en.pdf"):
        file = tmp_path / name
        file.write_bytes(office.ask(f"/{one['statement_id']}/files/{name}").raise_for_status().content)
        done = office.demo.command("parkcarbon", "statement", "verify", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.rstrip().endswith(
            "仅为完整性校验，不构成核查 integrity only, not an ISO 14064-3 verification"
        )


@pytest.mark.chromium
def test_the_card_and_the_pages_are_on_the_page(office: Office) -> None:
    with checks.chromium() as browser, checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(office.demo.ready.url, "en"), office.tokens["manager"])
        card = page.get_by_test_id("statement-card")
        expect(card).to_contain_text(office.month)
        expect(card).to_contain_text("Issued")
        page.get_by_test_id("statement-open").click()
        expect(page.get_by_test_id("file-both.pdf")).to_be_visible()


@pytest.mark.chromium
def test_the_pages_show_what_the_record_says(office: Office) -> None:
    [one] = office.statements()
    path = f"/{one['statement_id']}"
    with checks.chromium() as browser:
        with checks.open_page(browser, accept_downloads=True) as page:
            pages.open_statements(page, office.demo.ready.url, office.tokens["manager"])
            pages.check_pages(page, office.ask(f"{path}/record").raise_for_status().json())
            pdf = pages.check_file(page, "en.pdf", b"%PDF-")
            assert pdf == office.ask(f"{path}/files/en.pdf").content
            pages.check_explains(page)
        assert len(pages.take_statements(browser, office.demo.ready.url, office.tokens["manager"])) == 4


@pytest.mark.chromium
@pytest.mark.rule("6.9")
def test_it_is_issued_again_by_two_persons(office: Office) -> None:
    """Prepared by one over the API, approved by the other, signed by the process that was told by the database."""
    [first] = office.statements()
    again = {"reason": "a trial of issuing again"}
    until = time.monotonic() + SETTLED_WITHIN_S
    while (made := office.ask(f"/{first['statement_id']}/reissue", again)).status_code != 201:
        assert made.status_code in (404, 422), made.text
        assert time.monotonic() < until, made.text  # within the first minute the park itself is too new
        time.sleep(2)
    second = made.json()
    assert (second["version"], second["supersedes"], second["reason"]) == (2, first["statement_id"], again["reason"])
    acts = f"/{second['statement_id']}/acts"
    same = office.ask(acts, {"act": "approve", "digest": second["digest"]})
    assert (same.status_code, same.json()["rule"]) == (422, "6.9"), same.text
    with checks.chromium() as browser, checks.open_page(browser) as page:
        pages.open_statements(page, office.demo.ready.url, office.tokens["reviewer"])
        pages.approve(page, "compared with the bill")
    until = time.monotonic() + 60
    while (newest := office.statements()[0])["state"] != "issued":
        assert time.monotonic() < until, newest
        time.sleep(0.5)
    assert [row["state"] for row in office.statements()] == ["issued", "superseded"]
    record = office.ask(f"/{second['statement_id']}/record").json()
    assert (record["supersedes"]["version"], record["supersedes"]["reason"]) == (1, again["reason"])
    assert office.ask("/tasks").json()["tasks"] == []
