"""The live page in a real browser, in front of a fixture that reaches every state on demand."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import web_checks as checks
from tests.fakes.api_fixture import DIST, TOKEN, ApiFixture, clock_from, serve
from tests.fakes.api_scene import Scene

pytestmark = pytest.mark.chromium

WEDNESDAY = "2026-11-18T14:32:05+08:00"
SATURDAY_NOON = "2026-11-21T12:10:05+08:00"
EVENING = "2026-11-20T19:10:05+08:00"

Open = Callable[..., tuple[Page, ApiFixture]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert (DIST / "index.html").is_file(), "the web app is not built: run `make web`"
    with checks.chromium() as found:
        yield found


@pytest.fixture
def show(browser: Browser) -> Iterator[Open]:
    """Open a signed-in page on a scene of its own."""
    with ExitStack() as stack:

        def open_scene(
            scene: Scene | None = None,
            *,
            screen: str = "desktop",
            language: str = "zh",
            theme: str = "light",
            wall: bool = False,
            **context: object,
        ) -> tuple[Page, ApiFixture]:
            server = stack.enter_context(serve(scene or Scene(clock_from(WEDNESDAY))))
            page = stack.enter_context(checks.open_page(browser, screen, **context))
            checks.sign_in(page, checks.address(server.url, language, theme, wall=wall), TOKEN)
            return page, server

        yield open_scene


def test_every_combination_is_readable(browser: Browser) -> None:
    """Twelve screenshots: no serious finding of axe, no sideways scroll, wall text large enough."""
    with serve(Scene(clock_from(WEDNESDAY))) as server:
        assert len(checks.take_combinations(browser, server.url, TOKEN, "fixture")) == 12


def test_first_paint_and_download(show: Open) -> None:
    page, _ = show()
    checks.wait_for_live(page)
    checks.check_first_paint(page)


def test_tiles_and_flow_show_what_the_api_says(show: Open) -> None:
    page, _ = show()
    checks.wait_for_live(page)
    checks.check_tiles(page, checks.now_of(page, "demo"))
    flow = checks.check_flow(page, "demo")
    assert len(flow["edges"]) == 11
    first = page.get_by_test_id("flow-edge-grid-bus-electricity")
    assert "," in (first.get_attribute("title") or "")


def test_languages_switch_in_place(show: Open) -> None:
    page, _ = show()
    checks.wait_for_live(page)
    checks.check_languages(page)


def test_refused_token_says_so(browser: Browser) -> None:
    with serve(Scene(clock_from(WEDNESDAY))) as server, checks.open_page(browser) as page:
        page.goto(checks.address(server.url, "en"))
        page.get_by_test_id("signin-token").fill("not-the-token")
        page.get_by_test_id("signin-go").click()
        expect(page.get_by_role("alert")).to_have_text("This token is not valid or was revoked.")
        checks.check_axe(page)
        checks.picture(page, "fixture-signin-refused")


def test_token_in_the_address_is_ignored(browser: Browser) -> None:
    """No address signs anybody in: neither query nor fragment."""
    with serve(Scene(clock_from(WEDNESDAY))) as server, checks.open_page(browser) as page:
        page.goto(f"{server.url}/?token={TOKEN}#token={TOKEN}")
        expect(page.get_by_test_id("signin-token")).to_be_visible()
        assert page.context.cookies() == []


def test_signing_out_forgets_the_session(show: Open) -> None:
    page, server = show(language="en")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_test_id("signin-token")).to_be_visible()
    page.goto(server.url)
    expect(page.get_by_test_id("signin-token")).to_be_visible()


@pytest.mark.parametrize("figure", checks.FIGURES)
def test_every_tile_opens_its_working(show: Open, figure: str) -> None:
    page, server = show(language="en")
    checks.check_working(page, figure)
    assert any(f"working?figure={figure}&at=" in path for path in server.scene.requests)


def test_working_shows_factor_year_match_and_flag(show: Open) -> None:
    page, _ = show(language="zh")
    page.get_by_test_id("tile-emission_rate").get_by_role("button").click()
    sheet = page.get_by_test_id("working-sheet")
    for text in ("数据年份", "匹配方式", "未核实", "表底", "公式"):
        expect(sheet.get_by_text(text).first).to_be_visible()
    checks.check_axe(page)
    checks.picture(page, "fixture-working-zh")


def test_export_and_charging_turn_the_arrows(show: Open) -> None:
    page, _ = show(Scene(clock_from(SATURDAY_NOON), sun=6))
    checks.wait_for_live(page)
    checks.check_flow(page, "demo")
    expect(page.get_by_test_id("flow-edge-bus-electricity-grid")).to_be_visible()
    expect(page.get_by_test_id("flow-edge-bus-electricity-battery")).to_be_visible()
    expect(page.locator(".node-grid")).to_contain_text("上网")
    expect(page.locator(".node-battery")).to_contain_text("充电")
    checks.picture(page, "fixture-export-zh")


def test_evening_discharges_and_has_no_sun(show: Open) -> None:
    page, _ = show(Scene(clock_from(EVENING)), language="en", theme="dark")
    checks.wait_for_live(page)
    checks.check_flow(page, "demo")
    expect(page.get_by_test_id("flow-edge-battery-bus-electricity")).to_have_attribute("data-kw", "120")
    expect(page.locator("[data-ribbon='pv>bus-electricity'] .idle-line")).to_have_count(1)
    checks.picture(page, "fixture-evening-en")


def test_old_data_look_old(show: Open) -> None:
    page, server = show(Scene(clock_from(WEDNESDAY), lag_ms=95_000), language="en")
    mark = page.get_by_test_id("live-mark")
    expect(mark).to_have_attribute("data-state", "stale")
    expect(mark).to_contain_text("Data delayed")
    expect(mark).to_contain_text("since 14:30:3")
    expect(page.get_by_test_id("curve")).to_be_visible()
    grey = page.locator("[data-testid=tile-load] .figure").evaluate("(e) => getComputedStyle(e).color")
    checks.check_axe(page)
    checks.picture(page, "fixture-stale-en")
    server.scene.lag_ms = 500
    expect(mark).to_have_attribute("data-state", "live")
    assert page.locator("[data-testid=tile-load] .figure").evaluate("(e) => getComputedStyle(e).color") != grey


def test_gaps_stay_gaps_and_estimates_are_marked(show: Open) -> None:
    page, _ = show(Scene(clock_from(WEDNESDAY), gaps=(5, 6.5), estimated=(8, 9.5)), language="en")
    curve = page.get_by_test_id("curve")
    expect(curve).to_have_attribute("data-gaps", "6")
    expect(curve).to_have_attribute("data-estimated", "6")
    expect(page.locator(".key-estimated")).to_be_visible()
    spark = page.get_by_test_id("tile-load").locator(".spark")
    expect(spark).to_have_attribute("data-gaps", "6")
    checks.picture(page, "fixture-gaps-en")


@pytest.mark.parametrize(
    ("at", "quarters", "hours"),
    [("2026-10-25T20:40:00+00:00", "100", "25"), ("2026-03-29T20:40:00+01:00", "92", "23")],
)
def test_days_with_a_clock_change(show: Open, at: str, quarters: str, hours: str) -> None:
    page, server = show(Scene(clock_from(at), timezone="Europe/London"), language="en")
    expect(page.get_by_test_id("curve")).to_have_attribute("data-slots", quarters)
    expect(page.get_by_text(f"{hours} hours today")).to_be_visible()
    asked = [path for path in server.scene.requests if "metric=load_kw" in path and "group_by=none" in path]
    assert len(asked) == 2  # today and yesterday, each by the park's own midnight


def test_curve_reads_by_keyboard(show: Open) -> None:
    page, _ = show(language="en")
    checks.wait_for_live(page)
    page.get_by_test_id("curve").focus()
    page.keyboard.press("ArrowLeft")
    reading = page.locator(".reading")
    expect(reading).to_contain_text("14:15–14:30")
    expect(reading).to_contain_text("Grid import")
    page.keyboard.press("Escape")
    expect(reading).to_have_count(0)


def test_a_tenant_filters_the_page_and_lets_go(show: Open) -> None:
    page, server = show(language="en")
    checks.wait_for_live(page)
    page.get_by_test_id("tenant-textile").get_by_role("button", name="Textiles", exact=True).click()
    expect(page.get_by_test_id("tile-load")).to_contain_text("Textiles")
    expect(page.get_by_test_id("device-textile-m1")).to_be_visible()
    expect(page.get_by_test_id("device-cold-m1")).to_have_count(0)
    expect(page.locator("[data-ribbon='bus-electricity>tenant-cold']")).to_have_class("ribbon faded")
    expect(page.locator(".key-pv")).to_have_count(0)
    assert any("group_by=tenant" in path for path in server.scene.requests)
    checks.check_axe(page)
    checks.picture(page, "fixture-filter-en")
    page.get_by_test_id("clear-filter").click()
    expect(page.get_by_test_id("device-cold-m1")).to_be_visible()
    expect(page.locator(".key-pv")).to_be_visible()


def test_devices_that_do_not_answer_come_first(show: Open) -> None:
    page, _ = show(language="en")
    states = page.locator("[data-testid^='device-'][data-state]")
    expect(states.first).to_be_visible()
    order = states.evaluate_all("(list) => list.map((e) => [e.dataset.testid, e.dataset.state])")
    assert [state for _, state in order[:3]] == ["silent", "error", "never"]
    assert {state for _, state in order[3:]} == {"ok"}
    assert order[3][0] == "device-gate"
    silent = page.get_by_test_id("device-textile-m3")
    expect(silent).to_contain_text("3 min ago")
    silent.get_by_role("button").click()
    expect(page.get_by_test_id("device-sheet")).to_contain_text("no answer for 191 s")


def test_park_choice_opens_the_other_park(show: Open) -> None:
    page, server = show(Scene(clock_from(WEDNESDAY), parks=2), language="en")
    checks.wait_for_live(page)
    page.get_by_role("combobox", name="Park").select_option("north")
    expect(page.locator("h1")).to_have_text("North Phase II")
    checks.wait_for_live(page)
    assert any("/parks/north/live" in path for path in server.scene.requests)


@pytest.mark.parametrize("language", checks.LANGUAGES)
def test_empty_park_shows_three_steps_and_turns_live(show: Open, language: str) -> None:
    page, server = show(Scene(clock_from(WEDNESDAY), empty=True, devices=False), language=language, screen="phone")
    steps = page.get_by_test_id("empty-park").locator("li")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_have_attribute("data-state", "next")
    expect(page.get_by_test_id("curve")).to_have_count(0)
    checks.check_no_sideways_scroll(page)
    checks.check_axe(page)
    checks.picture(page, f"fixture-empty-{language}")
    server.scene.devices = True
    expect(steps.nth(1)).to_have_attribute("data-state", "next", timeout=20_000)
    server.scene.empty = False
    expect(page.get_by_test_id("tile-load")).to_be_visible(timeout=20_000)
    checks.wait_for_live(page)


@pytest.mark.parametrize("language", checks.LANGUAGES)
def test_wall_rotates_by_keys_and_by_itself(show: Open, language: str) -> None:
    page, _ = show(screen="wall", language=language, wall=True)
    wall = page.get_by_test_id("wall-page")
    expect(wall).to_have_attribute("data-view", "overview")
    checks.wait_for_live(page)
    page.keyboard.press("ArrowRight")
    expect(wall).to_have_attribute("data-view", "tenants")
    checks.check_wall(page)
    checks.check_axe(page)
    checks.picture(page, f"fixture-wall-tenants-{language}")
    if language == "zh":
        expect(wall).to_have_attribute("data-view", "overview", timeout=25_000)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("devices")).to_be_visible()


def test_very_large_screen_is_legible(show: Open) -> None:
    page, _ = show(language="en")
    page.set_viewport_size({"width": 3840, "height": 2160})
    checks.wait_for_live(page)
    size, text = checks.smallest_text(page)
    assert size >= 20, f"{text!r} is {size} px"
    checks.check_no_sideways_scroll(page)
    checks.picture(page, "fixture-3840-en")


def test_reduced_motion_is_respected(show: Open) -> None:
    page, _ = show(reduced_motion="reduce")
    checks.wait_for_live(page)
    pulse = page.locator(".pulse").first
    assert pulse.evaluate("(e) => getComputedStyle(e).animationName") == "none"
    expect(page.locator(".chevron").first).to_be_visible()


def test_stream_cut_for_a_minute_resumes_without_a_reload(show: Open) -> None:
    page, server = show()
    checks.wait_for_live(page)

    def down(state: bool) -> Callable[[], None]:
        return lambda: setattr(server.scene, "down", state)

    checks.check_recovers(page, down(True), down(False), cut_s=60)


@pytest.mark.timeout(420)
def test_heap_does_not_grow(show: Open) -> None:
    """Thousands of events, after a thousand to warm the engine up: a leak of half a kilobyte an event fails."""
    page, server = show()
    checks.wait_for_live(page)
    page.evaluate(
        "() => { window.beats = 0; new MutationObserver(() => { window.beats += 1; }).observe("
        "document.querySelector('[data-testid=flow]'), { attributes: true, attributeFilter: ['data-at'] }); }"
    )

    def heap_after(beats: int) -> tuple[int, int]:
        server.scene.event_s = 0.005
        page.wait_for_function(f"() => window.beats > {beats}", timeout=300_000)
        server.scene.event_s = 2.0
        page.wait_for_timeout(1_500)
        return checks.heap_bytes(page), page.evaluate("() => document.querySelectorAll('*').length")

    heap, elements = heap_after(1_000)
    heap_later, elements_later = heap_after(3_600)
    assert heap_later <= heap * 1.10, f"{heap} B before, {heap_later} B after"
    assert elements_later <= elements * 1.05
