"""What must hold of the web page, whatever stands behind it: the fixture of its own tests or the running stack.

Each check takes a signed-in page. `sign_in(page, url, token)` comes first.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "dashboards/web/node_modules/axe-core/axe.min.js"
PICTURES = ROOT / "test-artifacts/web"
FIGURES = ("emission_rate", "load", "energy_today", "emissions_today", "pv", "completeness")
LANGUAGES = ("zh", "en")
THEMES = ("light", "dark")
SCREENS = {"desktop": (1440, 900), "phone": (390, 844), "wall": (1920, 1080)}

FIRST_PAINT_MS = 1_500
DOWNLOAD_BYTES = 400_000
WALL_TEXT_PX = 28

# Sizes of all text that is visible, with the text, smallest first.
_TEXT_SIZES = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || element.closest('noscript, .hidden, .skip')) continue;
    found.push([parseFloat(getComputedStyle(element).fontSize), text]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""

# Elements with text that is cut off without an ellipsis, or that reach beyond the window.
_CUT_OFF = """() => [...document.querySelectorAll('h1, h2, h3, button, dt, dd, td, th, p, .live, .flow-kw, .flow-name')]
  .filter((element) => element.checkVisibility() && !element.closest('.hidden, .skip, .sheet, .paper-scroll'))
  .map((element) => [element.getBoundingClientRect(), element.textContent.trim()])
  .filter(([box, text]) => text && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1))
  .map(([box, text]) => `${text} (${Math.round(box.left)}..${Math.round(box.right)})`)"""


def chromium_path() -> str | None:
    """Where a Chromium is, or None."""
    wanted = os.environ.get("PARKCARBON_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return wanted or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; the test is reported as not run where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, screen: str = "desktop", **context: Any) -> Iterator[Page]:
    """A page of its own, that fails the test for script errors, refused resources and foreign hosts."""
    width, height = SCREENS[screen]
    scope = browser.new_context(viewport={"width": width, "height": height}, **context)
    page = scope.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message.text) else None)
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    try:
        yield page
        assert not complaints, "\n".join(complaints)
        assert len(hosts - {""}) <= 1, f"the page asked other hosts: {hosts}"
    finally:
        scope.close()


def _is_complaint(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text


def address(url: str, language: str = "zh", theme: str = "light", *, wall: bool = False) -> str:
    """Address of the page in a language and theme."""
    return f"{url}/?lang={language}&theme={theme}{'&wall=1' if wall else ''}"


def sign_in(page: Page, url: str, token: str) -> None:
    """Open an address of the page and trade the token for its cookie."""
    page.goto(url)
    page.get_by_test_id("signin-token").fill(token)
    page.get_by_test_id("signin-go").click()
    expect(page.get_by_test_id("live-mark")).to_be_visible()
    assert token not in page.url
    cookies = [cookie for cookie in page.context.cookies() if cookie["name"] == "parkcarbon_session"]
    assert len(cookies) == 1
    assert cookies[0]["httpOnly"] is True
    assert cookies[0]["sameSite"] == "Strict"


def wait_for_live(page: Page, timeout_s: float = 30) -> None:
    """Wait until figures, flow and curve are there and the data are fresh."""
    mark = page.get_by_test_id("live-mark")
    expect(mark).to_have_attribute("data-state", "live", timeout=timeout_s * 1000)
    expect(page.get_by_test_id("flow")).to_be_visible()
    expect(page.get_by_test_id("curve").locator("canvas")).to_be_visible()
    expect(page.locator("[data-testid^='flow-edge-']").first).to_be_visible()


def check_first_paint(page: Page) -> float:
    """First paint and download stay within their bounds; returns the paint [ms]. Call it right after `sign_in`."""
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    assert paint is not None
    assert paint <= FIRST_PAINT_MS
    loaded = page.evaluate(
        "() => performance.getEntriesByType('resource')"
        ".filter((entry) => !entry.name.includes('/api/')).map((entry) => entry.transferSize)"
    )
    assert 0 < sum(loaded) <= DOWNLOAD_BYTES
    return float(paint)


def check_tiles(page: Page, now: dict[str, Any]) -> None:
    """Each tile carries the value that the API gave, or none where it gave none."""
    for figure in FIGURES:
        shown = page.get_by_test_id(f"tile-{figure}").locator(".value")
        expect(shown).to_be_visible()
        value = now["figures"][figure]["value"]
        said = shown.get_attribute("data-value")
        assert (said == "") == (value is None)


def now_of(page: Page, park: str) -> dict[str, Any]:
    """`Now` as the API gives it to this page's session."""
    origin = urlsplit(page.url)
    answer = page.request.get(f"{origin.scheme}://{origin.netloc}/api/v1/parks/{park}/now")
    assert answer.ok
    found: dict[str, Any] = answer.json()
    return found


def shown_flow(page: Page) -> dict[str, Any]:
    """The flow as drawn, in one look: time stamp, labels, text and thickness of each edge."""
    found: dict[str, Any] = page.evaluate(
        """() => {
          const flow = document.querySelector('[data-testid=flow]');
          const labels = [...flow.querySelectorAll('[data-testid^=flow-edge-]')].map((element) => [
            element.dataset.testid, Number(element.dataset.kw), element.textContent.trim()]);
          const ribbons = [...flow.querySelectorAll('[data-ribbon]')].map((element) => [
            element.dataset.ribbon, Number(element.dataset.thickness)]);
          return { now: flow.dataset.now, at: flow.dataset.at, labels, ribbons };
        }"""
    )
    return found


def check_flow(page: Page, park: str, timeout_s: float = 30) -> dict[str, Any]:
    """Every edge of the API is drawn with the API's value of that time stamp, and hubs close; returns that flow."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = now_of(page, park)
        shown = shown_flow(page)
        if shown["now"] == answer["at"]:
            break
        assert time.monotonic() < deadline, "the page never showed a moment that the API gave"
        time.sleep(0.2)
    flow: dict[str, Any] = answer["flow"]
    assert shown["at"] == flow["at"]
    wanted = {f"flow-edge-{edge['from']}-{edge['to']}": edge["kw"] for edge in flow["edges"]}
    assert {label: kw for label, kw, _ in shown["labels"]} == wanted
    assert all(text for _, _, text in shown["labels"])
    assert {name for name, _ in shown["ribbons"]} == {f"{edge['from']}>{edge['to']}" for edge in flow["edges"]}
    for node in flow["nodes"]:
        if node["kind"] == "bus":
            into = sum(edge["kw"] for edge in flow["edges"] if edge["to"] == node["node"])
            out = sum(edge["kw"] for edge in flow["edges"] if edge["from"] == node["node"])
            assert into == pytest.approx(out, abs=0.01)
    check_ribbon_widths(shown, flow)
    return flow


def check_ribbon_widths(shown: dict[str, Any], flow: dict[str, Any]) -> None:
    """Width is in proportion to power, down to a hairline for what is too small to see."""
    kw = {f"{edge['from']}>{edge['to']}": edge["kw"] for edge in flow["edges"]}
    largest, thickness = max(((kw[name], px) for name, px in shown["ribbons"]), default=(0.0, 0.0))
    for name, px in shown["ribbons"]:
        if largest > 0 and px > 1.5:
            assert px == pytest.approx(kw[name] / largest * thickness, abs=0.02)


def check_working(page: Page, figure: str = "emission_rate") -> None:
    """A click on a figure opens its working; Escape closes it and gives the focus back."""
    button = page.get_by_test_id(f"tile-{figure}").get_by_role("button")
    button.click()
    sheet = page.get_by_test_id("working-sheet")
    expect(sheet.locator(".formula")).to_be_visible()
    expect(sheet.locator(".terms li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def check_no_sideways_scroll(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    cut_off = page.evaluate(_CUT_OFF)
    assert not cut_off, cut_off


def check_axe(page: Page) -> None:
    """No serious or critical finding of axe-core."""
    assert AXE.is_file(), "axe-core is missing: run `npm ci` in dashboards/web"
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    bad = [
        f"{item['id']}: {item['help']}: {[node['html'][:160] for node in item['nodes'][:4]]}"
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
    ]
    assert not bad, "\n".join(bad)


def smallest_text(page: Page) -> tuple[float, str]:
    """Size of the smallest visible text [px], and the text."""
    size, text = page.evaluate(_TEXT_SIZES)[0]
    return float(size), str(text)


def check_wall(page: Page) -> None:
    """Wall mode fits its screen without scrolling, in letters that are read across a room."""
    expect(page.get_by_test_id("wall-page")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    cut_off = page.evaluate(_CUT_OFF)
    assert not cut_off, cut_off
    size, text = smallest_text(page)
    assert size >= WALL_TEXT_PX, f"{text!r} is {size} px"


def check_languages(page: Page) -> None:
    """Either language is marked as such, and switching changes every heading without a reload."""
    page.evaluate("() => { window.stayed = true; }")
    headings = page.locator("h2:visible")
    before = headings.all_inner_texts()
    language = page.evaluate("() => document.documentElement.lang")
    page.get_by_test_id("language").click()
    assert {language, page.evaluate("() => document.documentElement.lang")} == {"zh-CN", "en"}
    after = headings.all_inner_texts()
    assert len(after) == len(before)
    assert not set(before) & set(after)
    page.get_by_test_id("language").click()
    assert page.evaluate("() => window.stayed") is True


def check_recovers(page: Page, cut: Callable[[], None], restore: Callable[[], None], *, cut_s: float = 60) -> None:
    """A cut stream shows as delayed within 30 s (and the page's beat), and resumes by itself without a reload."""
    page.evaluate("() => { window.stayed = true; }")
    mark = page.get_by_test_id("live-mark")
    expect(mark).to_have_attribute("data-state", "live")
    cut()
    began = time.monotonic()
    expect(mark).to_have_attribute("data-state", "stale", timeout=32_000)
    assert page.locator("main.stale").count() == 1
    page.wait_for_timeout(max(0.0, cut_s - (time.monotonic() - began)) * 1000)
    restore()
    expect(mark).to_have_attribute("data-state", "live", timeout=20_000)
    expect(mark).to_have_attribute("data-channel", "stream", timeout=30_000)
    assert page.evaluate("() => window.stayed") is True


def heap_bytes(page: Page) -> int:
    """Size of the page's heap after a collection [B]."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return int(metrics["JSHeapUsedSize"])


def picture(page: Page, name: str, *, full: bool = False) -> Path:
    """A screenshot in `test-artifacts/web`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.mouse.move(1, 1)  # nothing hovered
    page.screenshot(path=path, full_page=full)
    return path


def take_combinations(browser: Browser, url: str, token: str, prefix: str) -> list[Path]:
    """A screenshot, with its checks, of each language, theme and screen."""
    taken = []
    for screen in SCREENS:
        for language in LANGUAGES:
            for theme in THEMES:
                with open_page(browser, screen, device_scale_factor=2 if screen == "phone" else 1) as page:
                    sign_in(page, address(url, language, theme, wall=screen == "wall"), token)
                    wait_for_live(page)
                    if screen == "wall":
                        check_wall(page)
                    else:
                        check_no_sideways_scroll(page)
                    check_axe(page)
                    name = f"{prefix}-{screen}-{language}-{theme}"
                    taken.append(picture(page, name, full=screen != "wall"))
    return taken


def park_of(page: Page) -> str:
    """The first park of this page's session."""
    origin = urlsplit(page.url)
    answer = page.request.get(f"{origin.scheme}://{origin.netloc}/api/v1/parks")
    return str(json.loads(answer.text())["parks"][0]["park"])
