"""What Poorwill serves on a service's own host: the waiting page's events, and a person's click."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from tests.patience import PATIENCE

from poorwill import clock
from poorwill.core.model import OnRequest
from poorwill.gateway import visitors
from poorwill.gateway.clients import Client
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.tokens import LASTS, token
from poorwill.gateway.waiting import PAGE, page_name

HOST = "notes.test"
WAKE = "/.poorwill/it/wake"
CLICK = {"sec-fetch-site": "same-origin"}
BROWSER = {"accept": "text/html,*/*", **CLICK}


def form(at: float = 0.0, **fields: str) -> dict[str, str]:
    """What the page holds; ``at`` is how many seconds ago it was made."""
    return {"token": token("key", "it", clock.now().wall - at), **fields}


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def door(asked: list[str]) -> Door:
    """A control plane behind it that begins a start as soon as somebody asks."""

    def begin(service: str) -> None:
        asked.append(service)
        made.waking_since = 1.0
        made.turn()

    made = Door("it", 5.0, begin, entrance=OnRequest.PAGE)
    return made


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx2.AsyncClient]:
    app = visitors.application({"it": door}, "key", lambda *_: None)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{HOST}") as made:
        yield made


async def test_a_click_wakes_and_leads_back(client: httpx2.AsyncClient, asked: list[str]) -> None:
    answer = await client.post(WAKE, headers=BROWSER, data=form(back="/chat?x=1&y=2"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/chat?x=1&y=2")
    assert answer.headers["cache-control"] == "no-store"
    assert asked == ["it"]


async def test_a_script_on_the_page_gets_no_page(client: httpx2.AsyncClient, asked: list[str]) -> None:
    answer = await client.post(WAKE, headers={"accept": "*/*", **CLICK}, data=form())
    assert (answer.status_code, answer.content) == (204, b"")
    assert asked == ["it"]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": f"http://{HOST}"},
        {"origin": f"https://{HOST.upper()}"},
        {"origin": "https://kb.example.com", "x-forwarded-host": "kb.example.com"},
    ],
)
async def test_a_browser_that_shows_this_page(
    client: httpx2.AsyncClient, asked: list[str], headers: dict[str, str]
) -> None:
    assert (await client.post(WAKE, headers=headers, data=form())).status_code == 204
    assert asked == ["it"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": f"http://{HOST}"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
        {"origin": "http://evil.test"},
        {"origin": f"http://{HOST}.evil.test"},
        {"origin": "null"},
        {"origin": f"http://{HOST}:81"},
        {"origin": "evil.test"},
    ],
)
async def test_anybody_else(client: httpx2.AsyncClient, asked: list[str], headers: dict[str, str]) -> None:
    answer = await client.post(WAKE, headers=headers, data=form(back="/"))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "not_from_this_page"
    assert asked == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token": ""},
        {"token": "."},
        {"token": "zz.zz"},
        {"token": "6925a000.0123456789abcdef0123456789abcdef"},
        {"token": token("key", "other", clock.now().wall)},
        {"token": token("another key", "it", clock.now().wall)},
        form(2 * LASTS),
        form(-2 * LASTS),
    ],
)
async def test_who_has_not_read_the_page_is_led_to_it(
    client: httpx2.AsyncClient, asked: list[str], given: dict[str, str]
) -> None:
    answer = await client.post(WAKE, headers=BROWSER, data={**given, "back": "/chat"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/chat")
    assert asked == []


async def test_looking_wakes_nothing(client: httpx2.AsyncClient, asked: list[str]) -> None:
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        assert (await client.request(method, WAKE, headers=BROWSER)).status_code == 405
    assert (await client.post("/.poorwill/other/wake", headers=BROWSER)).status_code == 404
    assert asked == []


@pytest.mark.parametrize("entrance", [OnRequest.CLOSED, OnRequest.PAGE])
async def test_a_click_on_an_old_page_changes_nothing(
    client: httpx2.AsyncClient, door: Door, asked: list[str], entrance: OnRequest
) -> None:
    """It was closed, or put to sleep by hand, meanwhile. The next page says so."""
    door.entrance = entrance
    door.refuse(Refusal.BY_HAND if entrance is OnRequest.PAGE else None)
    assert (await client.post(WAKE, headers=BROWSER, data=form())).headers["location"] == "/"
    assert asked == []


@pytest.mark.parametrize("body", ["back=//evil.test", "back=https://evil.test", "x" * 20_000, "%ff=%fe", ""])
async def test_a_form_leads_nowhere_else(client: httpx2.AsyncClient, body: str) -> None:
    assert (await client.post(WAKE, headers=BROWSER, content=body)).headers["location"] == "/"


@pytest.mark.parametrize("entrance", [OnRequest.CLOSED, OnRequest.PAGE])
async def test_a_click_waits_until_it_is_known_what_it_does(
    client: httpx2.AsyncClient, door: Door, asked: list[str], entrance: OnRequest
) -> None:
    door.entrance = None
    clicking = asyncio.ensure_future(client.post(WAKE, headers=CLICK, data=form()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (clicking.done(), asked) == (False, [])
    door.entrance = entrance
    door.turn()
    assert (await clicking).status_code == 204
    assert asked == ([] if entrance is OnRequest.CLOSED else ["it"])


async def test_a_click_does_not_wait_for_ever(
    client: httpx2.AsyncClient, door: Door, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "_BEGINNING", 0.05)
    door.entrance = None
    assert (await client.post(WAKE, headers=CLICK, data=form())).status_code == 204
    assert asked == ["it"], "it counts all the same"


async def events(client: httpx2.AsyncClient) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        answer = await client.get("/.poorwill/it/events")
    return answer.text.split("\n\n")


@pytest.mark.parametrize("entrance", [OnRequest.CLOSED, OnRequest.PAGE])
async def test_a_waiting_page_gives_way_when_waiting_is_not_enough_any_more(
    client: httpx2.AsyncClient, door: Door, asked: list[str], entrance: OnRequest
) -> None:
    door.entrance = entrance
    assert (await events(client))[0].startswith("event: changed")
    assert asked == [], "a forgotten tab wakes nothing"


async def test_a_waiting_page_goes_on_when_somebody_clicked(
    client: httpx2.AsyncClient, door: Door, asked: list[str]
) -> None:
    door.waking_since = 1.0
    listening = asyncio.ensure_future(events(client))
    while not asked:
        await asyncio.sleep(0)
    door.let_through(True)
    first, last = (json.loads(event.removeprefix("data: ")) for event in (await listening)[:2])
    assert (first["ready"], last["ready"]) == (False, True)


# --- what is counted ---------------------------------------------------------------------------------


async def test_a_page_that_is_told_to_go_on_has_waited(client: httpx2.AsyncClient, door: Door) -> None:
    door.entrance = OnRequest.WAKE
    asyncio.get_running_loop().call_later(0.05, door.let_through, True)
    address = f"/.poorwill/it/events?{PAGE}={page_name(clock.now().wall - 7.0)}"
    assert '"ready": true' in (await client.get(address)).text
    total = door.waits.total
    assert (total.waited, total.gave_up, total.refused) == (1, 0, 0)
    assert 7.0 <= total.seconds < 9.0
    assert door.waits.pages == 0


async def test_a_page_whose_visitor_closes_it_is_given_up(door: Door) -> None:
    door.entrance = OnRequest.WAKE
    stream = visitors._told_of(door, Client(), page_name(clock.now().wall))
    assert "elapsed" in await anext(stream)
    assert door.waits.pages == 1
    await stream.aclose()  # type: ignore[attr-defined]
    assert door.waits.take(clock.now().mono + 60.0).waits.gave_up == 1


async def test_a_page_that_need_not_wait_any_more(client: httpx2.AsyncClient, door: Door) -> None:
    await client.get("/.poorwill/it/events")  # it asks for a click: another page
    door.refuse(Refusal.CLOSING)
    await client.get("/.poorwill/it/events")
    total = door.waits.total
    assert (total.waited, total.gave_up, total.refused) == (0, 0, 1)
