"""A browser at a guarded service: with the password the page, its events and its websocket work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from tests.gateway.real_envoy import House
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from poorwill.core.credential import user_digest
from poorwill.gateway.guard import Guard
from poorwill.gateway.routes import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

SALT = "0011223344556677"
PASSWORD = "grüner Specht"
GUARD = Guard(users={"ann": (SALT, user_digest(SALT, "ann", PASSWORD))})
PAGE = b"""<!doctype html><title>it</title><link rel=icon href=data:,><h1>the service</h1><script>
const heard = {};
new EventSource("/events").onmessage = event => { heard.events = event.data; };
const socket = new WebSocket(`ws://${location.host}/socket`);
socket.onopen = () => socket.send("hello");
socket.onmessage = event => { heard.socket = event.data; };
fetch("/data").then(answer => answer.text()).then(text => { heard.fetch = text; });
</script>"""


async def answered(connection: ServerConnection, request: Any) -> Response | None:
    texts = {
        "/events": ("text/event-stream", b"data: an event\n\n"),
        "/data": ("text/plain", b"some data"),
        "/": ("text/html", PAGE),
    }
    if request.path not in texts:
        return None
    kind, body = texts[request.path]
    headers = Headers({"content-type": kind, "content-length": str(len(body)), "connection": "close"})
    return Response(200, "OK", headers, body)


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    made = House(folder)
    async with serve(echo, "127.0.0.1", 0, process_request=answered) as server:
        ip, port = next(iter(server.sockets)).getsockname()[:2]
        await made.start(Site("it", guard=GUARD))
        await made.opened("it", (ip, port))
        yield made
        await made.stop()


async def test_with_the_password_everything_of_the_page_works(house: House, browser: Browser) -> None:
    context = await browser.new_context(http_credentials={"username": "ann", "password": PASSWORD})
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{house.port}/")
    assert await page.locator("h1").inner_text() == "the service"
    await page.wait_for_function("heard.events && heard.socket && heard.fetch")
    assert await page.evaluate("heard") == {"events": "an event", "socket": "hello", "fetch": "some data"}
    await context.close()


async def test_with_a_wrong_one_nothing_is_seen(house: House, browser: Browser) -> None:
    context = await browser.new_context(http_credentials={"username": "ann", "password": "wrong"})
    page = await context.new_page()
    answer = await page.goto(f"http://127.0.0.1:{house.port}/")
    assert answer is not None
    assert answer.status == 401
    assert await page.locator("h1").inner_text() == "Who is there?", "what is seen when one gives up"
    assert "password or a key" in await page.inner_text("#status")
    await context.close()


async def test_a_script_of_another_site_may_send_a_key_and_is_told_that_it_is_wrong(
    house: House, page: Page
) -> None:
    """The preflight is answered, and so is the request."""
    async with serve(echo, "127.0.0.1", 0, process_request=answered) as other:
        await page.goto(f"http://localhost:{next(iter(other.sockets)).getsockname()[1]}/data")
        asked = 'url => fetch(url, {headers: {"x-api-key": "wrong"}}).then(answer => answer.status)'
        assert await page.evaluate(asked, f"http://127.0.0.1:{house.port}/data") == 401
