"""The pages of a service whose door does not open by coming alone, in a real Chromium behind a real Envoy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, expect
from tests.gateway.opening import NOW, OFFICE, at, hours
from tests.gateway.real_envoy import House, service
from tests.gateway.test_hours import table

from poorwill import clock
from poorwill.core.hours import OpeningHours
from poorwill.core.model import OnRequest
from poorwill.core.period import Per
from poorwill.gateway import visitors
from poorwill.gateway.doors import Door as GatewayDoor
from poorwill.gateway.entrance import closed_page
from poorwill.gateway.routes import Site

if TYPE_CHECKING:
    from conftest import Door

Until = Callable[..., Awaitable[None]]
pytestmark = pytest.mark.asyncio(loop_scope="session")
IT = Site("it")
NIGHTS = hours(("1 22:00", "2 02:00"), ("2 18:00", "5 08:00"), ("6 20:00", None))


async def web_page(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = b"<!doctype html><title>it</title><link rel=icon href=data:,><h1>the service</h1>"
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway whose control plane begins a start when somebody asks."""
    made = House(tmp_path)

    def begin(name: str) -> None:
        made.doors[name].waking_since = made.doors[name].waking_since or clock.now().mono
        made.doors[name].turn()

    made.doors["it"] = GatewayDoor("it", 5.0, begin, entrance=OnRequest.PAGE)
    await made.start(IT)
    server = uvicorn.Server(
        uvicorn.Config(
            visitors.application(made.doors, "", lambda *_: None),
            uds=str(made.sockets.visitors),
            log_config=None,
        )
    )
    serving = asyncio.create_task(server._serve())  # serve() would take the signals of the whole run
    yield made
    server.force_exit = server.should_exit = True
    await serving
    await made.stop()


@pytest.mark.parametrize("script", [True, False])
async def test_a_click_wakes_and_opens_the_page_that_was_asked_for(
    browser: Browser, house: House, script: bool
) -> None:
    context = await browser.new_context(java_script_enabled=script)
    page = await context.new_page()
    door, url = house.doors["it"], f"http://localhost:{house.port}/chat?room=1"
    answer = await page.goto(url)
    assert answer is not None
    assert answer.status == 503
    await expect(page.locator("h1")).to_have_text("it is asleep")
    await page.reload()
    assert door.last_asked_at is None, "coming is not enough"
    await page.get_by_role("button", name="Wake it up").click()
    await expect(page.locator("h1")).to_have_text("it is waking up")
    assert door.last_asked_at is not None
    async with service(web_page) as address:
        await house.opened("it", address)
        door.let_through(True)
        await expect(page.locator("h1")).to_have_text("the service")
        assert page.url == url
    await context.close()


async def test_another_site_cannot_click(page: Page, house: House, door: Door) -> None:
    door.html = (
        f"""<form method=post action="http://localhost:{house.port}/.poorwill/it/wake"><button>x</form>"""
    )
    await page.goto(door.url)
    async with page.expect_navigation() as sent:
        await page.locator("button").click()
    answer = await sent.value
    assert answer is not None
    assert answer.status == 403
    assert house.doors["it"].last_asked_at is None


async def test_a_waiting_page_becomes_the_closed_page(page: Page, house: House) -> None:
    door = house.doors["it"]
    door.entrance = OnRequest.WAKE
    await page.goto(f"http://localhost:{house.port}/")
    await expect(page.locator("h1")).to_have_text("it is waking up")
    door.entrance, door.waking_since = OnRequest.CLOSED, None
    door.turn()
    await expect(page.locator("h1")).to_have_text("it is closed")


async def test_the_closed_page_opens_at_the_opening(page: Page, house: House) -> None:
    door = house.doors["it"]
    opening = time.time() + 2
    door.entrance, door.hours = OnRequest.CLOSED, OpeningHours("UTC", ((opening, None),))
    await page.goto(f"http://localhost:{house.port}/")
    await expect(page.locator("h1")).to_have_text("it is closed")
    async with service(web_page) as address:
        await house.opened("it", address)
        door.let_through(True)
        await expect(page.locator("h1")).to_have_text("the service")
        assert time.time() >= opening


# --- the visitor's own time ------------------------------------------------------------------------


async def visit(
    browser: Browser, door: Door, plan: OpeningHours, zone: str, language: str = "en"
) -> dict[str, Any]:
    """What the closed page says to a visitor of that time zone, with a clock that stands at NOW."""
    door.html = closed_page("notes", language, hours=plan, wall=NOW)
    context = await browser.new_context(timezone_id=zone)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.clock.install(time=NOW)
    await page.goto(door.url)
    rows = """rows => Object.fromEntries(rows.map(row => [row.querySelector("dt").textContent,
        [...row.querySelectorAll("dd span:not(.small,.there)")].map(span => span.textContent)]))"""
    said = {
        "status": await page.locator("#status").inner_text(),
        "zone": await page.locator("#zone").inner_text(),
        "rows": await page.locator(".hours div").evaluate_all(rows),
        "there": await page.locator(".there").all_inner_texts(),
    }
    await context.close()
    assert wrong == []
    return said


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Hong_Kong"])
async def test_where_the_clock_is_the_same_nothing_changes(browser: Browser, door: Door, zone: str) -> None:
    said = await visit(browser, door, OFFICE, zone)
    assert said["status"] == "It opens tomorrow at 09:00."
    assert said["zone"] == "Times are those of Asia/Shanghai."
    assert (said["rows"], said["there"]) == (table(OFFICE), [])


async def test_in_chinese_from_far_away(browser: Browser, door: Door) -> None:
    said = await visit(browser, door, OFFICE, "America/New_York", "zh")
    assert said["status"] == "今天 20:00（Asia/Shanghai 时间 周四 09:00） 开放。"
    assert said["rows"]["今天"] == ["20:00～05:00"]
    assert said["there"][0] == "周四 09:00～18:00"
    assert said["zone"] == "大字为您的当地时间（America/New York），小字为 Asia/Shanghai 时间。"


@pytest.mark.parametrize(
    ("zone", "language"),
    [("Europe/Berlin", "en"), ("Pacific/Auckland", "zh"), ("America/Los_Angeles", "en")],
)
@pytest.mark.parametrize("plan", [OFFICE, NIGHTS])
async def test_says_the_same_as_the_server_would_there(
    browser: Browser, door: Door, plan: OpeningHours, zone: str, language: str
) -> None:
    """The rules exist in Python and in JavaScript; they must not drift apart."""
    said = await visit(browser, door, plan, zone, language)
    assert said["rows"] == table(OpeningHours(zone, plan.openings), NOW, language)
    assert len(said["there"]) == sum(map(len, said["rows"].values()))


@pytest.mark.parametrize(
    ("zone", "language", "why", "opens"),
    [
        ("Asia/Shanghai", "en", "as its budget for this month allows", "It opens on Tue 1 Dec at 00:00."),
        (
            "Europe/Berlin",
            "zh",
            "本月的使用额度已用完",
            "11月30日 周一 17:00（Asia/Shanghai 时间 周二 00:00） 开放。",
        ),
    ],
)
async def test_a_budget_that_is_used_up(
    browser: Browser, door: Door, zone: str, language: str, why: str, opens: str
) -> None:
    plan = replace(hours(("6 00:00", None)), spent=Per.MONTH)
    door.html = closed_page("notes", language, hours=plan, wall=NOW)
    context = await browser.new_context(timezone_id=zone)
    page = await context.new_page()
    await page.clock.install(time=NOW)
    await page.goto(door.url)
    await expect(page.locator("#why")).to_contain_text(why)
    await expect(page.locator("#status")).to_have_text(opens)
    await expect(page.locator(".hours")).to_have_count(0)
    await context.close()


async def test_a_whole_day_elsewhere_names_both_its_days(browser: Browser, door: Door) -> None:
    said = await visit(browser, door, hours(("2 00:00", "5 00:00")), "Europe/Berlin")
    assert "07:00–Sun 07:00" in said["there"]


async def test_a_browser_that_does_not_know_the_zone_keeps_the_services_times(
    browser: Browser, door: Door
) -> None:
    door.html = closed_page("notes", "en", hours=OFFICE, wall=NOW).replace(
        '"zone": "Asia/Shanghai"', '"zone": "Mars/Olympus"'
    )
    context = await browser.new_context(timezone_id="Europe/Berlin")
    page = await context.new_page()
    await page.goto(door.url)
    await expect(page.locator("#status")).to_have_text("It opens tomorrow at 09:00.")
    await context.close()


async def test_it_asks_again_once_and_only_when_it_is_seen(page: Page, door: Door) -> None:
    door.html = closed_page("notes", "en", hours=OFFICE, wall=NOW)
    await page.clock.install(time=NOW)
    await page.goto(door.url)
    await page.clock.fast_forward("12:59:00")
    assert door.visits == 1
    await page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    await page.clock.fast_forward("00:30:00")
    assert door.visits == 1, "nobody looks"
    door.html = closed_page("notes", "en", hours=OFFICE, wall=at("1 18:00"))
    async with page.expect_navigation():
        await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    assert door.visits == 2
