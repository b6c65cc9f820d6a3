"""Checks of the statements on the page, in a real browser."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.e2e import web_checks as checks


def open_statements(page: Page, url: str, token: str, *, language: str = "en", theme: str = "light") -> None:
    """Sign in, then open the newest statement from the bar."""
    checks.sign_in(page, checks.address(url, language, theme), token)
    page.get_by_test_id("statements").click()
    expect(page.get_by_test_id("statement-front")).to_be_visible()


def check_pages(page: Page, record: dict[str, Any], language: str = "en") -> None:
    """Every section and every printed number of the record is on the page."""
    shown = page.get_by_test_id("statements-page").inner_text()
    for section in record["sections"]:
        assert section["head"][language] in shown, section["id"]
    printed = {name: figure["shown"] for name, figure in record["figures"].items() if figure["value"] is not None}
    assert len(printed) > 100
    assert [name for name, text in printed.items() if text not in shown] == []
    expect(page.get_by_test_id("statement-verdict")).to_contain_text(record["verdict"]["label"][language])


def check_explains(page: Page) -> None:
    """A number that has a working leads to it in the books."""
    page.locator(".paper-explain").first.click()
    expect(page.get_by_test_id("explained").locator(".tree").first).to_be_visible()


def check_file(page: Page, name: str, head: bytes) -> bytes:
    """A file is downloaded and is what it says."""
    with page.expect_download() as started:
        page.get_by_test_id(f"file-{name}").click()
    path = started.value.path()
    assert path is not None
    data = Path(path).read_bytes()
    assert data.startswith(head)
    return data


def approve(page: Page, comment: str) -> None:
    """Say something, then approve; the page shows both."""
    page.get_by_test_id("statement-comment").fill(comment)
    page.get_by_test_id("act-comment").click()
    expect(page.get_by_text(comment)).to_be_visible()
    page.get_by_test_id("act-approve").click()
    expect(page.get_by_test_id("act-approve")).to_have_count(0)


def take_statements(browser: Browser, url: str, token: str) -> list[Path]:
    """A screenshot, with its checks, in each language, theme and on desktop and phone."""
    taken = []
    for screen in ("desktop", "phone"):
        for language, theme in zip(checks.LANGUAGES, checks.THEMES, strict=True):
            with checks.open_page(browser, screen) as page:
                open_statements(page, url, token, language=language, theme=theme)
                checks.check_no_sideways_scroll(page)
                checks.check_axe(page)
                taken.append(checks.picture(page, f"statements-{screen}-{language}-{theme}", full=True))
    return taken
