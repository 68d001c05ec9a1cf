"""The waiting page in a real Chromium: what a visitor sees happen."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from tests.patience import PATIENCE

from poorwill.core.history import Estimate
from poorwill.gateway.pages import progress_event, sleeping_page, waiting_page

if TYPE_CHECKING:
    from conftest import Door

Until = Callable[..., Awaitable[None]]
pytestmark = pytest.mark.asyncio(loop_scope="session")
USUAL = Estimate(median=23.2, p90=40.7, count=12)
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def html(
    language: str = "en",
    *,
    elapsed: float = 3,
    estimate: Estimate | None = USUAL,
    trouble: bool = False,
    retry: int = 10,
) -> str:
    return waiting_page(
        "<b>notes</b>",
        language,
        elapsed=elapsed,
        estimate=estimate,
        trouble=trouble,
        retry=retry,
        events="/.poorwill/events",
    )


def news(elapsed: float = 5, **more: Any) -> dict[str, Any]:
    return progress_event("waking", elapsed=elapsed, estimate=USUAL, **more)


def listen(page: Page, door: Door) -> list[str]:
    """Everything a visitor's console and network would show that should not be there."""
    wrong: list[str] = []

    def console(message: Any) -> None:
        expected = "status of 503" in message.text and "/.poorwill/" not in message.location["url"]
        if message.type in ("error", "warning") and not expected:
            wrong.append(f"console: {message.text}")

    def request(asked: Any) -> None:
        if asked.url.startswith("data:"):
            return
        path = asked.url.removeprefix(door.url)
        if path == asked.url or not path.startswith(("/chat", "/.poorwill/events")):
            wrong.append(f"request: {asked.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("request", request)
    return wrong


async def test_opens_the_service_the_moment_it_is_ready(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html()
    wrong = listen(page, door)
    answer = await page.goto(f"{door.url}/chat?room=1#last")
    assert answer is not None
    assert answer.status == 503
    await expect(page.locator("h1")).to_have_text("<b>notes</b> is waking up")
    await door.say(news(9))
    await expect(page.locator("#elapsed")).to_have_text("Started 9 s ago")
    assert door.visits == 1
    door.ready = True
    await door.say(news(10, ready=True))
    await expect(page.locator("h1")).to_have_text("the service", timeout=4000)
    assert page.url == f"{door.url}/chat?room=1#last"
    assert door.visits == 2
    await wait_until(lambda: not door.streams)
    assert wrong == []


async def test_named_progress_events_count_too(page: Page, door: Door) -> None:
    door.html = html()
    await page.goto(f"{door.url}/chat")
    await door.say(news(17), event="progress")
    await expect(page.locator("#left")).to_have_text("about 7 s to go")


async def test_progress_moves_by_itself(page: Page, door: Door) -> None:
    door.html = html(elapsed=3)
    door.first_events = [("message", news(4))]
    await page.goto(f"{door.url}/chat")
    before = await page.locator("#bar").evaluate("bar => bar.value")
    await page.wait_for_function(
        "() => parseInt(document.getElementById('elapsed').textContent.match(/\\d+/)) >= 6",
        timeout=PATIENCE * 1000,
    )
    assert await page.locator("#bar").evaluate("bar => bar.value") > before
    assert door.visits == 1


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "estimate",
    [None, Estimate(23.2, 40.7, 12), Estimate(5, 5, 1), Estimate(0.01, 0.2, 3), Estimate(300, 4000, 30)],
)
async def test_says_the_same_as_the_server(
    page: Page, door: Door, language: str, estimate: Estimate | None
) -> None:
    """The clock's sentences exist in Python and in JavaScript; they must not drift apart."""
    door.html = html(language, elapsed=0, estimate=estimate)
    await page.add_init_script("performance.now = () => 1e6")  # the page's clock stands still
    await page.goto(f"{door.url}/chat")
    read = "root => ['status', 'elapsed', 'left'].map(id => root.getElementById(id).textContent)"
    for elapsed in (0.1, 3.9, 24.1, 38.6, 60.2, 99.7, 119.6, 180.4, 620.3, 3599.9, 5000.5):
        for trouble in (False, True):
            server = html(language, elapsed=elapsed, estimate=estimate, trouble=trouble)
            told = await page.evaluate(
                f"html => {{ const root = new DOMParser().parseFromString(html, 'text/html');"
                f" return [...({read})(root), root.getElementById('bar').value.toFixed(2)]; }}",
                server,
            )
            await door.say(news(elapsed, trouble=trouble))
            shown = f"() => [...({read})(document), document.getElementById('bar').value.toFixed(2)]"
            try:
                await page.wait_for_function(
                    f"told => JSON.stringify(({shown})()) === JSON.stringify(told)",
                    arg=told,
                    timeout=PATIENCE * 1000,
                )
            except Exception:
                assert await page.evaluate(shown) == told
                raise


async def test_trouble_is_told_and_forgotten(page: Page, door: Door) -> None:
    door.html = html()
    await page.goto(f"{door.url}/chat")
    await door.say(news(8, trouble=True))
    await expect(page.get_by_role("status")).to_contain_text("The start had trouble. Trying again")
    await door.say(news(2))
    await expect(page.get_by_role("status")).to_contain_text("as soon as it is ready")


async def test_gone_offers_to_try_again(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html()
    await page.goto(f"{door.url}/chat#here")
    await door.say({}, event="gone")
    await expect(page.get_by_role("status")).to_have_text("This page has stopped waiting.")
    await expect(page.get_by_role("progressbar")).to_be_hidden()
    await wait_until(lambda: not door.streams)
    door.ready = True
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("h1")).to_have_text("the service")
    assert page.url.endswith("/chat#here")


async def test_works_without_javascript(browser: Browser, door: Door) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    door.html = html(retry=1)
    wrong = listen(page, door)
    await page.goto(f"{door.url}/chat")
    hint = page.locator("main noscript p")
    await expect(hint).to_be_visible()
    assert await hint.text_content() == "This page looks again every 1 s."
    door.ready = True
    await expect(page.locator("h1")).to_have_text("the service")
    assert door.listens == 0
    assert wrong == []
    await context.close()


async def test_a_dropped_stream_is_taken_up_again(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html()
    door.first_events = [("message", news(5))]
    await page.goto(f"{door.url}/chat")
    await wait_until(lambda: bool(door.streams))
    door.hang_up()
    await wait_until(lambda: door.listens == 2 and bool(door.streams))
    door.ready = True
    await door.say(news(9, ready=True))
    await expect(page.locator("h1")).to_have_text("the service")


async def test_without_a_stream_it_reloads_now_and_then(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html(retry=1)
    door.events_status = 404
    await page.goto(f"{door.url}/chat")
    door.ready = True
    await expect(page.locator("h1")).to_have_text("the service")


async def test_a_lost_gateway_does_not_lose_the_page(page: Page, door: Door, context: BrowserContext) -> None:
    door.html = html(retry=1)
    door.first_events = [("message", news(5))]
    await page.goto(f"{door.url}/chat")
    await expect(page.locator("#elapsed")).to_have_text("Started 5 s ago")
    await context.set_offline(True)
    door.hang_up()
    await expect(page.get_by_role("status")).to_have_text("The connection was lost. This page keeps trying.")
    assert door.visits == 1
    await context.set_offline(False)
    await expect(page.get_by_role("status")).to_contain_text("as soon as it is ready")
    assert door.visits == 1


async def test_a_wrong_ready_does_not_make_it_spin(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html()
    door.first_events = [("message", news(5, ready=True))]
    await page.goto(f"{door.url}/chat")
    await wait_until(lambda: door.visits == 4)
    first, *more = (late - early for early, late in itertools.pairwise(door.visited_at))
    assert first < min(more)  # the first "ready" is believed at once
    assert all(1.4 <= pause < 15 for pause in more)
    door.ready = True  # Playwright may hang when it closes a page that keeps reloading
    await expect(page.locator("h1")).to_have_text("the service")


async def test_a_hidden_tab_is_quiet(page: Page, door: Door, wait_until: Until) -> None:
    door.html = html()
    await page.goto(f"{door.url}/chat")
    await door.say(news(9))
    await expect(page.locator("#elapsed")).to_have_text("Started 9 s ago")
    await page.evaluate(HIDE, True)
    await door.say(news(20))
    door.hang_up()
    await wait_until(lambda: not door.streams)
    # EventSource would be back after 100 ms; two ticks of the page's own clock are enough to see it is not.
    await page.evaluate("new Promise(done => setTimeout(done, 2100))")
    assert door.listens == 1
    assert (await page.locator("#elapsed").text_content()) == "Started 9 s ago"
    await page.evaluate(HIDE, False)
    await wait_until(lambda: door.listens == 2)
    await door.say(news(24))
    await expect(page.locator("#left")).to_have_text("any moment now")


async def test_a_hidden_tab_still_opens_the_service(page: Page, door: Door) -> None:
    door.html = html()
    await page.goto(f"{door.url}/chat")
    await door.say(news(9))
    await page.evaluate(HIDE, True)
    door.ready = True
    await door.say(news(12, ready=True))
    await expect(page.locator("h1")).to_have_text("the service")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_fits_a_phone_and_can_be_read(browser: Browser, door: Door, scheme: Any) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 568}, color_scheme=scheme)
    page = await context.new_page()
    door.html = html("zh", trouble=True)
    await page.goto(f"{door.url}/chat")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    colours = await page.evaluate(
        "() => ['--ink', '--soft', '--sky', '--low', '--go', '--goink'].map(name =>"
        " getComputedStyle(document.documentElement).getPropertyValue(name))"
    )
    ink, soft, sky, low, go, goink = (luminance(colour) for colour in colours)
    for text in (ink, soft):
        assert contrast(text, sky) >= 4.5
        assert contrast(text, low) >= 4.5
    assert contrast(go, goink) >= 4.5
    await context.close()


async def test_stands_still_for_those_who_asked(browser: Browser, door: Door) -> None:
    moving = "() => document.getAnimations().filter(a => a instanceof CSSAnimation).length"
    for wish, count in (("no-preference", True), ("reduce", False)):
        context = await browser.new_context(reduced_motion=wish)  # type: ignore[arg-type]
        page = await context.new_page()
        door.html = html(estimate=None)
        await page.goto(f"{door.url}/chat")
        assert bool(await page.evaluate(moving)) is count
        await context.close()


async def test_the_sleeping_page_offers_to_wake(page: Page, door: Door) -> None:
    door.html = sleeping_page("notes", "en", by_hand=False)
    wrong = listen(page, door)
    await page.goto(f"{door.url}/chat?x=1")
    door.ready = True
    await page.get_by_role("link", name="Wake it up").click()
    await expect(page.locator("h1")).to_have_text("the service")
    assert door.seen == ["/chat?x=1", "/chat?x=1"]
    assert wrong == []


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, of a colour like ``#a1b2c3`` or ``#fff``."""
    digits = colour.strip().lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
