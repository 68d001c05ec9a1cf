"""Who gets a page, who is held, and who must not wake anything."""

from __future__ import annotations

import pytest

from poorwill.gateway.callers import Caller, caller, patience, wants_html

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHROME = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"sec-fetch-dest": "document", **HTML, **CHROME}, Caller.PAGE),
        ("GET", {"sec-fetch-dest": "iframe"}, Caller.PAGE),
        ("GET", {"sec-fetch-dest": "frame"}, Caller.PAGE),
        ("GET", HTML, Caller.PAGE),
        ("GET", {"sec-fetch-dest": "empty", **HTML}, Caller.HELD),
        ("GET", {"sec-fetch-dest": "image", **HTML}, Caller.HELD),
        ("GET", {"accept": "*/*"}, Caller.HELD),
        ("GET", {"accept": "application/json"}, Caller.HELD),
        ("GET", {}, Caller.HELD),
        ("GET", {**HTML, "upgrade": "websocket", "connection": "upgrade"}, Caller.HELD),
        ("POST", {"sec-fetch-dest": "document", **HTML}, Caller.HELD),
        ("PUT", {}, Caller.HELD),
        ("DELETE", {}, Caller.HELD),
        ("OPTIONS", {"access-control-request-method": "POST", "origin": "https://a.test"}, Caller.HELD),
        ("OPTIONS", {}, Caller.IGNORED),
        ("OPTIONS", {"origin": "https://a.test"}, Caller.IGNORED),
        ("HEAD", {}, Caller.IGNORED),
        ("HEAD", {"sec-fetch-dest": "document", **HTML}, Caller.IGNORED),
        ("GET", {**HTML, "sec-purpose": "prefetch"}, Caller.IGNORED),
        ("GET", {**HTML, "sec-purpose": "prefetch;prerender"}, Caller.IGNORED),
        ("GET", {**HTML, "purpose": "Prefetch"}, Caller.IGNORED),
        ("GET", {**HTML, "x-purpose": "preview"}, Caller.IGNORED),
        ("GET", {**HTML, "x-moz": "prefetch"}, Caller.IGNORED),
        ("GET", {**HTML, "user-agent": "Twitterbot/1.0"}, Caller.IGNORED),
        ("GET", {**HTML, "user-agent": "WhatsApp/2.23.20.0"}, Caller.IGNORED),
        ("GET", {**HTML, "user-agent": "TelegramBot (like TwitterBot)"}, Caller.IGNORED),
        ("GET", {**HTML, "user-agent": "Mozilla/5.0 (compatible; Discordbot/2.0)"}, Caller.IGNORED),
    ],
)
def test_caller(method: str, headers: dict[str, str], expected: Caller) -> None:
    assert caller(method, headers) is expected


@pytest.mark.parametrize(
    ("prefer", "hold", "expected"),
    [
        (None, 90.0, 90.0),
        ("wait=30", 90.0, 30.0),
        ("wait=300", 90.0, 90.0),
        ("respond-async, wait=10", 90.0, 10.0),
        ("respond-async; foo=1, WAIT = 5", 90.0, 5.0),
        ('wait="7"', 90.0, 7.0),
        ("wait=0", 90.0, 0.0),
        ("wait=soon", 90.0, 90.0),
        ("await=3", 90.0, 90.0),
        ("", 90.0, 90.0),
    ],
)
def test_patience(prefer: str | None, hold: float, expected: float) -> None:
    assert patience({} if prefer is None else {"prefer": prefer}, hold) == expected


def test_wants_html() -> None:
    assert wants_html(HTML)
    assert not wants_html({"accept": "application/json"})
    assert not wants_html({})
