"""Visitors of every kind, each of whom checks every byte of the answer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
from tests.acceptance.chaos.record import Answer, Asked, Visit
from tests.acceptance.running import host
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException

from poorwill.gateway.routes import wake_path

MEGABYTE = 1024 * 1024
UPLOAD = 50
"""Megabytes."""

_TOKEN = re.compile(r'name="token" value="([0-9a-f.]+)"')
_BLOCK = random.Random(50).randbytes(MEGABYTE)
_DIGEST = hashlib.sha256(_BLOCK * UPLOAD).hexdigest()


class Told(Exception):
    """503 with Retry-After, and the code of the body."""


class Wrong(Exception):
    """An answer that is not the right one."""


class Regular:
    """Somebody who comes back with the cookie that he was given, one request at a time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.cookie = ""
        self.pid = 0
        self.at = 0.0


class Visitors:
    """They share connections as browsers do. ``asked`` is the list of all requests that are over."""

    def __init__(self, client: httpx2.AsyncClient, port: int) -> None:
        self.client = client
        self.port = port
        self.asked: list[Asked] = []
        self.open: set[str] = set()
        self.regulars: dict[str, list[Regular]] = {}
        self.visits: list[Visit] = []
        self._count = 0
        self._one_upload = asyncio.Semaphore(1)  # each keeps two cores busy

    async def ask(self, service: str, kind: str) -> Asked:
        """One request from its beginning to its end, whatever that is."""
        self._count += 1
        name = f"{kind}-{self._count}"
        if kind == "upload":
            await self._one_upload.acquire()
        self.open.add(name)
        began, answer, detail = time.monotonic(), Answer.RIGHT, ""
        try:
            await KINDS[kind](self, service, name)
        except Told as told:
            answer, detail = Answer.TOLD, str(told)
        except (httpx2.ConnectError, ConnectionRefusedError) as error:
            answer, detail = Answer.AWAY, repr(error)
        except (Wrong, httpx2.HTTPError, OSError, EOFError, WebSocketException, ValueError) as error:
            answer, detail = Answer.BROKEN, repr(error)
        finally:
            self.open.discard(name)
            if kind == "upload":
                self._one_upload.release()
        over = Asked(name, kind, service, began, time.monotonic(), answer, detail)
        self.asked.append(over)
        return over


async def get(visitors: Visitors, service: str, name: str) -> None:
    answer = await visitors.client.get("/get", headers=_headers(service, name))
    _same(_body(answer), service=service, id=name, method="GET")


async def regular(visitors: Visitors, service: str, name: str) -> None:
    """Who was here before comes first. Open for a moment, so that several are here at the same time."""
    known = visitors.regulars.setdefault(service, [])
    who = known.pop(0) if known else Regular(len(visitors.visits) + 1)
    headers = {**_headers(service, name), **({"cookie": who.cookie} if who.cookie else {})}
    began = time.monotonic()
    try:
        answer = await visitors.client.get("/get?seconds=0.3", headers=headers)
        found = _body(answer)
        _same(found, service=service, id=name)
        visitors.visits.append(
            Visit(service, who.number, time.monotonic(), found["pid"], who.pid, began - who.at)
        )
        who.pid, who.at = found["pid"], time.monotonic()
        who.cookie = answer.headers.get("set-cookie", who.cookie).partition(";")[0]
    finally:
        known.append(who)


async def plain(visitors: Visitors, service: str, name: str) -> None:
    """For services that keep no diary and answer with their path."""
    answer = await visitors.client.get(f"/{name}", headers=_headers(service, name))
    _same(_body(answer), path=f"/{name}")


async def work(visitors: Visitors, service: str, name: str) -> None:
    """Open for a while without a byte that moves; of the class busy."""
    answer = await visitors.client.get("/work?seconds=1.5", headers=_headers(service, name))
    _same(_body(answer), service=service, id=name)


async def page(visitors: Visitors, service: str, _name: str) -> None:
    """The container's only one."""
    answer = await visitors.client.get("/index.html", headers=host(service))
    if answer.status_code != 200:
        _body(answer)
    if answer.text != "hello from busybox\n":
        raise Wrong(answer.text[:80])


async def click(visitors: Visitors, service: str, name: str) -> None:
    """A person at the page that asks: clicks when it is shown, and comes back."""
    reader = {**_headers(service, name), "accept": "text/html"}
    page = await visitors.client.get("/get", headers=reader)
    if page.status_code == 200:
        _same(_body(page), service=service, id=name, method="GET")
        return
    if found := _TOKEN.search(page.text):
        headers = {**host(service), "sec-fetch-site": "same-origin"}
        given = {"token": found[1], "back": "/get"}
        clicked = await visitors.client.post(wake_path(service), headers=headers, data=given)
        if clicked.status_code not in (204, 303):
            _body(clicked)
    await get(visitors, service, name)


async def post(visitors: Visitors, service: str, name: str) -> None:
    text = f"{name} " * (1 + int(hashlib.sha256(name.encode()).hexdigest()[:3], 16))
    answer = await visitors.client.post("/echo", headers=_headers(service, name), content=text.encode())
    _same(_body(answer), service=service, id=name, method="POST", echo=text)


async def upload(visitors: Visitors, service: str, name: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(UPLOAD):
            yield _BLOCK

    headers = {**_headers(service, name), "content-length": str(UPLOAD * MEGABYTE)}
    answer = await visitors.client.put("/upload", headers=headers, content=body())
    _same(_body(answer), id=name, method="PUT", length=UPLOAD * MEGABYTE, sha256=_DIGEST)


async def sse(visitors: Visitors, service: str, name: str) -> None:
    url = "/sse?count=6&every=0.1"
    async with visitors.client.stream("GET", url, headers=_headers(service, name)) as answer:
        if answer.status_code != 200:
            await answer.aread()
            _body(answer)
        events = (line[6:] async for line in answer.aiter_lines() if line.startswith("data: "))
        seen = [json.loads(event)["number"] async for event in events]
    if seen != list(range(6)):
        raise Wrong(f"the events {seen}")


async def websocket(visitors: Visitors, service: str, name: str) -> None:
    headers = _headers(service, name)
    named = f"ws://{headers.pop('host')}/ws"
    place = {"host": "127.0.0.1", "port": visitors.port, "open_timeout": 80, "proxy": None}
    try:
        async with asyncio.timeout(90), connect(named, additional_headers=headers, **place) as socket:
            for number in range(4):
                await socket.send(f"{name} {number}")
                if (echo := await socket.recv()) != f"{name} {number}":
                    raise Wrong(f"{echo!r} instead of {number}")
                await asyncio.sleep(0.05)
    except InvalidStatus as refused:
        answer = refused.response
        _denied(answer.status_code, answer.headers.get("retry-after"), answer.body)
    except InvalidMessage as error:
        raise Wrong(f"no handshake: {error.__cause__!r}") from error
    except InvalidHandshake as error:
        raise Wrong(f"the handshake: {error}") from error


KINDS: dict[str, Callable[[Visitors, str, str], Awaitable[None]]] = {
    "get": get,
    "regular": regular,
    "plain": plain,
    "work": work,
    "page": page,
    "click": click,
    "post": post,
    "upload": upload,
    "sse": sse,
    "websocket": websocket,
}


def _headers(service: str, name: str) -> dict[str, str]:
    return {**host(service), "x-id": name}


def _body(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        _denied(answer.status_code, answer.headers.get("retry-after"), answer.content)
    found: dict[str, Any] = answer.json()
    return found


def _denied(status: int, retry: str | None, body: bytes | bytearray) -> None:
    if status == 503 and retry is not None and int(retry) > 0:
        raise Told(json.loads(body)["error"]["code"])
    raise Wrong(f"{status}: {bytes(body[:200])!r}")


def _same(found: dict[str, Any], **wanted: Any) -> None:
    for key, value in wanted.items():
        if found.get(key) != value:
            raise Wrong(f"{key} is {str(found.get(key))[:80]!r} instead of {str(value)[:80]!r}")
