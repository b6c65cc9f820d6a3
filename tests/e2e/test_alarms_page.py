"""Alarms on the page in a real browser, in front of the real API: what stands and what people do about it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from parkcarbon.kit.db import Database, Row
from tests.e2e import alarm_checks as alarms
from tests.e2e import web_checks as checks
from tests.e2e.test_api_page import serving_page
from tests.fakes.alarm_rows import write_alarms
from tests.fakes.api_client import EDITOR, VIEWER
from tests.fakes.api_park import write_park
from tests.fakes.postgres import Server, run

pytestmark = [pytest.mark.postgres, pytest.mark.chromium]

IN_ORDER = [
    ("high", "Machine load high"),
    ("medium", "Cold store takes much power"),
    ("low", "Load of machine 2"),
    ("low", "PV output high"),
]


class Park:
    """A park with alarms, behind the API."""

    def __init__(self, url: str, page_url: str, ids: dict[str, int]) -> None:
        self.url = url
        self.page_url = page_url
        self.ids = ids

    def acts(self, rule: str) -> list[Row]:
        """What people did with an alarm, as the database has it."""

        async def read() -> list[Row]:
            async with await Database.connect(self.url, max_size=1) as database:
                return await database.fetch(
                    "select act, person, comment, until from alarm_act where episode_id = $1 order by act_id",
                    self.ids[rule],
                )

        return run(read)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with checks.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def park(postgres_server: Server) -> Iterator[Park]:
    url = postgres_server.clone()
    run(lambda: write_park(url))
    ids = run(lambda: write_alarms(url))
    with serving_page(url) as address:
        yield Park(url, address, ids)
    postgres_server.drop(url)


def open_one(page: Page, park: Park, rule: str, token: str = EDITOR) -> None:
    """Sign in and open one alarm by its address, as a message links to it."""
    checks.sign_in(page, checks.address(park.page_url, "en"), token)
    page.goto(f"{checks.address(park.page_url, 'en')}#alarms/{park.ids[rule]}")
    expect(page.locator(".alarm-head")).to_be_visible()


def test_what_stands_is_counted_in_the_bar_and_the_newest_are_on_the_live_page(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        checks.sign_in(page, checks.address(park.page_url, "en"), VIEWER)
        expect(page.get_by_test_id("alarms")).to_have_attribute("data-standing", "4")
        rows = page.get_by_test_id("alarm-card").locator(".alarm-what strong")
        expect(rows).to_have_text([name for _, name in IN_ORDER[:3]])
        rows.first.click()
        expect(page.locator(".alarm-head")).to_contain_text("Machine load high")
        page.get_by_test_id("alarms").click()
        expect(page.get_by_test_id("tile-load")).to_be_visible()


def test_the_list_is_in_order_and_tells_priority_by_shape(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        alarms.open_alarms(page, park.page_url, VIEWER)
        assert alarms.listed(page) == IN_ORDER
        alarms.check_shapes(page)
        checks.check_languages(page)
        page.get_by_test_id("alarm-tab-all").click()
        expect(page.get_by_test_id("alarm-list").locator("[data-priority]")).to_have_count(5)
        expect(page.get_by_test_id(f"alarm-{park.ids['park-load']}")).to_contain_text("Resolved")


def test_one_alarm_shows_why_what_to_do_and_the_curve_that_raised_it(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        open_one(page, park, "machine-load", VIEWER)
        head = page.locator(".alarm-head")
        expect(head).to_contain_text("128 kW is above the limit of 100 kW")
        expect(head).to_contain_text("Stagger the starts")
        expect(head).to_contain_text("Several machines start at once")
        alarms.check_curve(page, 100)
        expect(page.locator(".alarm-history")).to_contain_text("desk · first message")


def test_a_viewer_is_told_that_acting_is_not_theirs(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        open_one(page, park, "solar", VIEWER)
        alarms.act(page, "acknowledge")
        expect(page.get_by_test_id("alarm-refused")).to_be_visible()
        assert park.acts("solar") == []


def test_acknowledged_with_a_comment_it_no_longer_calls(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        open_one(page, park, "cold-load")
        alarms.act(page, "acknowledge", "looking at the doors")
        expect(page.locator(".alarm-head .tags")).to_contain_text("Acknowledged")
        expect(page.locator(".alarm-head")).to_contain_text("energy manager")
        expect(page.locator(".alarm-history")).to_contain_text("Acknowledged: energy manager · looking at the doors")
        expect(page.get_by_test_id("alarm-do-acknowledge")).to_have_count(0)
        expect(page.get_by_test_id(f"alarm-{park.ids['cold-load']}").locator(".priority.hollow")).to_have_count(1)
        expect(page.get_by_test_id("alarm-list").locator("[data-priority]").last).to_contain_text("Cold store")
    [done] = park.acts("cold-load")
    assert (done["act"], done["person"], done["comment"]) == ("acknowledge", "energy manager", "looking at the doors")


def test_shelving_needs_a_reason_and_ends(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        open_one(page, park, "lathe-load")
        expect(page.get_by_test_id("alarm-do-shelve")).to_be_disabled()
        expect(page.get_by_test_id("alarm-do-out_of_service")).to_be_disabled()
        page.get_by_test_id("alarm-shelve-for").select_option("240")
        alarms.act(page, "shelve", "trial run until the evening")
        expect(page.locator(".alarm-head .tags")).to_contain_text("Shelved")
        expect(page.locator(".alarm-head")).to_contain_text("18:32")  # 14:32 and four hours
        alarms.act(page, "unshelve")
        expect(page.locator(".alarm-head .tags")).to_contain_text("Not acknowledged")
        alarms.act(page, "comment", "finished early")
        expect(page.locator(".alarm-history")).to_contain_text("finished early")
    assert [done["act"] for done in park.acts("lathe-load")] == ["shelve", "unshelve", "comment"]
    assert park.acts("lathe-load")[0]["until"] is not None


def test_long_standing_alarms_are_listed(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        alarms.open_alarms(page, park.page_url, VIEWER)
        page.get_by_test_id("alarm-tab-report").click()
        report = page.get_by_test_id("alarm-report")
        expect(report.get_by_test_id(f"alarm-standing-{park.ids['solar']}")).to_contain_text("2 d")
        expect(report.get_by_test_id(f"alarm-standing-{park.ids['lathe-load']}")).to_be_visible()
        expect(report.get_by_test_id(f"alarm-standing-{park.ids['cold-load']}")).to_have_count(0)
        checks.check_no_sideways_scroll(page)
        checks.check_axe(page)
        checks.picture(page, "alarms-report-en", full=True)


def test_a_silence_is_made_and_ended(browser: Browser, park: Park) -> None:
    with checks.open_page(browser) as page:
        alarms.open_alarms(page, park.page_url, EDITOR)
        page.get_by_test_id("alarm-tab-silences").click()
        save = page.get_by_test_id("silence-save")
        page.get_by_test_id("silence-match").fill("night")
        page.get_by_test_id("silence-comment").fill("defrosting trial")
        expect(page.get_by_test_id("silence-match")).to_have_attribute("aria-invalid", "true")
        expect(save).to_be_disabled()
        page.get_by_test_id("silence-match").fill("colour=red")
        save.click()
        expect(page.get_by_test_id("silence-refused")).to_contain_text("colour")
        page.get_by_test_id("silence-match").fill("rule=cold-load, device=c1")
        save.click()
        row = page.locator(".silence")
        expect(row).to_contain_text("rule=cold-load, device=c1")
        expect(row).to_contain_text("Active")
        checks.check_axe(page)
        checks.picture(page, "alarms-silences-en", full=True)
        row.get_by_role("button", name="End now").click()
        expect(row).to_contain_text("Over")
        expect(row).to_contain_text("ended by energy manager")


def test_on_a_phone_one_thing_at_a_time(browser: Browser, park: Park) -> None:
    with checks.open_page(browser, "phone", device_scale_factor=2) as page:
        alarms.open_alarms(page, park.page_url, VIEWER)
        expect(page.get_by_test_id("alarm-one")).to_be_hidden()
        page.get_by_test_id(f"alarm-{park.ids['machine-load']}").click()
        expect(page.get_by_test_id("alarm-one")).to_be_visible()
        expect(page.get_by_test_id("alarm-list")).to_be_hidden()
        checks.check_no_sideways_scroll(page)
        checks.check_axe(page)
        page.get_by_text("Back to the list").click()
        expect(page.get_by_test_id("alarm-list")).to_be_visible()


def test_every_combination_is_readable(browser: Browser, park: Park) -> None:
    assert len(alarms.take_alarms(browser, park.page_url, VIEWER, "alarms-rows")) == 8
