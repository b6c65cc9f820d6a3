"""Checks of the page's books in a real browser: figures equal the API's, a working leads to registers."""

import io
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from tests.e2e import web_checks as checks

FIGURES = ("scope1", "scope2_location", "scope2_market", "total_location", "total_market", "scope3")


def open_books(page: Page, url: str, token: str, period: str, *, language: str = "en", theme: str = "light") -> None:
    """Sign in, then open the books of a period from the bar."""
    checks.sign_in(page, checks.address(url, language, theme), token)
    page.get_by_test_id("books").click()
    page.get_by_test_id("books-period").select_option(period)
    expect(page.get_by_test_id("figure-scope1")).to_be_visible()
    expect(page.get_by_test_id("explained").locator(".tree").first).to_be_visible()


def check_figures(page: Page, inventory: dict[str, Any]) -> None:
    """Each row shows in its tooltip every digit that the API gives."""
    scopes = {
        f"scope{s['scope']}" + (f"_{s['basis']}" if s["basis"] else ""): s["co2e_kg"] for s in inventory["scopes"]
    }
    totals = {f"total_{basis}": total["co2e_kg"] for basis, total in inventory["totals"].items()}
    expected = {**scopes, **totals, "scope3": inventory["scope3"]["co2e_kg"]}
    for figure in FIGURES:
        shown = page.get_by_test_id(f"figure-{figure}").locator("[title]").get_attribute("title") or ""
        assert float(shown.split(" ")[0].replace(",", "")) == expected[figure], figure


def check_reaches_registers(page: Page) -> None:
    """The working of market-based scope 2 can be unfolded down to a register with its batch."""
    page.get_by_test_id("figure-scope2_market").click()
    tree = page.get_by_test_id("explained")
    expect(tree.get_by_text("market-based").first).to_be_visible()
    for _ in range(8):
        for closed in tree.locator("details:not([open]) > summary").all():
            if closed.is_visible():
                closed.click()
    expect(tree.get_by_text("sha256").first).to_be_visible()
    expect(tree.get_by_text("WIND-").first).to_be_visible()


def check_workbook(page: Page) -> None:
    """The download is a spreadsheet whose total is a formula."""
    with page.expect_download() as started:
        page.get_by_test_id("explained-workbook").click()
    path = started.value.path()
    assert path is not None
    book = load_workbook(io.BytesIO(Path(path).read_bytes()))
    formulas = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert len(formulas) >= 5


def take_books(browser: Browser, url: str, token: str, period: str) -> list[Path]:
    """A screenshot, with its checks, of the books in each language, theme and on desktop and phone."""
    taken = []
    for screen in ("desktop", "phone"):
        for language in checks.LANGUAGES:
            for theme in checks.THEMES:
                with checks.open_page(browser, screen) as page:
                    open_books(page, url, token, period, language=language, theme=theme)
                    checks.check_no_sideways_scroll(page)
                    checks.check_axe(page)
                    taken.append(checks.picture(page, f"books-{screen}-{language}-{theme}", full=True))
    return taken
