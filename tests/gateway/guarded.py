"""Services with passwords and keys, friends and strangers of theirs, and what the service itself saw."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from tests.gateway.real_envoy import House
from websockets.asyncio.server import Server, ServerConnection, serve

from poorwill.core.credential import key_digest, user_digest
from poorwill.gateway.guard import Guard
from poorwill.gateway.routes import Site

KEY = "key-0123456789abcdefghij"
PASSWORD = "correct: horse é"  # a colon belongs to the password, and not everything is ASCII
SALT = "00112233aabbccdd"

Headers = dict[str, str]


def basic(name: str, password: str) -> Headers:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(text: str) -> Headers:
    return {"authorization": f"Bearer {text}"}


ANN = basic("ann", PASSWORD)
GUARD = Guard(
    users={
        name: (SALT, user_digest(SALT, name, password))
        for name, password in {"ann": PASSWORD, "bob": "b" * 400, "cut": "c" * 51}.items()
    },
    keys={key_digest(KEY): "ci"},
    open_paths=("/healthz", "/static/*"),
)
SITES = {
    "kb": Site("kb", hosts=("kb.test",), patterns={"busy": ("/long",)}, guard=GUARD),
    "keys": Site("keys", hosts=("keys.test",), guard=Guard(keys={key_digest(KEY): "ci"}, forward=True)),
    "notes": Site("notes", path="/notes", strip_path=True, guard=GUARD),
    "free": Site("free", hosts=("free.test",)),
    "guessed": Site("guessed", hosts=("guessed.test",), guard=GUARD),
    "asleep": Site("asleep", hosts=("asleep.test",), guard=GUARD),
}


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def upstream() -> Server:
    """Says over HTTP which headers it saw, and repeats what it hears on a websocket."""

    async def said(connection: ServerConnection, request: Any) -> Any:
        if request.headers.get("upgrade") is None:
            seen = {name.lower(): value for name, value in request.headers.raw_items()}
            return connection.respond(200, json.dumps({"path": request.path, "headers": seen}))
        return None

    return await serve(echo, "127.0.0.1", 0, process_request=said)


async def ask(
    house: House, path: str = "/", *, host: str = "kb.test", method: str = "GET", **headers: str
) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with house.visitor() as client:
        request = client.build_request(method, "/", headers={"host": host, **named})
        request.url = request.url.copy_with(raw_path=path.encode())
        return await client.send(request)


@asynccontextmanager
async def guarded_house(folder: Path, *names: str) -> AsyncIterator[House]:
    """A gateway with these of the ``SITES``, all of them awake but the one that is called asleep."""
    made = House(folder)
    async with await upstream() as server:
        ip, port = next(iter(server.sockets)).getsockname()[:2]
        await made.start(*(SITES[name] for name in names))
        for name in names:
            if name != "asleep":
                await made.opened(name, (ip, port))
        yield made
        await made.stop()
