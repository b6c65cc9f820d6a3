"""Checks of the alarms on the page, in a real browser."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e import web_checks as checks


def open_alarms(page: Page, url: str, token: str, *, language: str = "en", theme: str = "light") -> None:
    """Sign in, then open the alarms from the bar."""
    checks.sign_in(page, checks.address(url, language, theme), token)
    page.get_by_test_id("alarms").click()
    expect(page.get_by_test_id("alarms-page")).to_be_visible()


def listed(page: Page) -> list[tuple[str, str]]:
    """Priority and name of each alarm in the list, from the top."""
    expect(page.get_by_test_id("alarm-list").locator("[data-priority]").first).to_be_visible()
    found: list[list[str]] = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=alarm-list] [data-priority]')].map((row) =>"
        " [row.dataset.priority, row.querySelector('strong').textContent])"
    )
    return [(priority, name) for priority, name in found]


def check_shapes(page: Page) -> None:
    """Priority is told by shape, not by colour alone."""
    shapes = {
        priority: page.locator(f"[data-priority={priority}] .priority").first.evaluate("(e) => e.innerHTML")
        for priority in ("high", "medium", "low")
    }
    assert len(set(shapes.values())) == 3


def check_curve(page: Page, limit: float) -> None:
    """The curve has points, and the limit is drawn as a line of its own."""
    plot = page.get_by_test_id("alarm-curve")
    expect(plot).to_have_attribute("data-limit", re.compile(rf"^{limit:g}$"))
    assert int(plot.get_attribute("data-points") or 0) > 1
    expect(plot.locator(".plot-limit")).to_have_count(1)
    assert plot.locator(".plot-line").get_attribute("d")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(plot.locator(".plot-reading")).to_contain_text("kW")
    page.keyboard.press("Escape")


def act(page: Page, name: str, comment: str = "") -> None:
    """Do something with the alarm that is open."""
    if comment:
        page.get_by_test_id("alarm-comment").fill(comment)
    page.get_by_test_id(f"alarm-do-{name}").click()


def take_alarms(browser: Browser, url: str, token: str, prefix: str = "alarms") -> list[Path]:
    """A screenshot, with its checks, of each language, theme and on desktop and phone."""
    taken = []
    for screen in ("desktop", "phone"):
        for language in checks.LANGUAGES:
            for theme in checks.THEMES:
                with checks.open_page(browser, screen, device_scale_factor=2 if screen == "phone" else 1) as page:
                    open_alarms(page, url, token, language=language, theme=theme)
                    expect(page.get_by_test_id("alarm-list").locator("[data-priority]").first).to_be_visible()
                    if screen == "desktop":
                        expect(page.locator(".alarm-head")).to_be_visible()
                    checks.check_no_sideways_scroll(page)
                    checks.check_axe(page)
                    taken.append(checks.picture(page, f"{prefix}-{screen}-{language}-{theme}", full=True))
    return taken
