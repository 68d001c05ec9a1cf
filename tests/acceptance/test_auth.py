"""Who has no password or key is turned away, asleep and awake; nothing wakes or stays awake for them."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.commands import command
from tests.acceptance.conftest import Start
from tests.acceptance.running import Json, Up, host, service, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "Zaunkoenig-4711"
KEY = "key-Goldammer-0123456789"
ANN = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()


def services(folder: Path) -> dict[str, Json]:
    (folder / "ann.txt").write_text(PASSWORD + "\n")
    (folder / "ci.txt").write_text(KEY + "\n")
    auth = {
        "users": {"ann": {"file": "ann.txt"}},
        "keys": {"ci": {"file": "ci.txt"}},
        "open": ["/public/*"],
    }
    return {
        "asleep": service(folder, "asleep", auth=auth),
        "awake": service(folder, "awake", auth=auth, idle_after="1m"),
        "tired": service(folder, "tired", auth=auth, idle_after="1500ms"),
        "clicked": service(folder, "clicked", auth=auth, on_request="page", idle_after="1m"),
        "orphan": service(folder, "orphan", auth=auth, idle_after="1m"),
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


STRANGERS: tuple[dict[str, Any], ...] = (
    {},
    {"headers": {"accept": "text/html", "sec-fetch-dest": "document"}},
    {"method": "POST", "content": b"x" * 200_000},
    {"headers": {"authorization": "Bearer guess"}},
    {"headers": {"authorization": "Basic " + base64.b64encode(b"ann:guess").decode()}},
    {"method": "OPTIONS", "headers": {"origin": "http://x.test", "access-control-request-method": "GET"}},
    {"headers": {"connection": "upgrade", "upgrade": "websocket"}},
    {"path": "/.poorwill/asleep/events"},
    {"path": "/.poorwill/clicked/wake", "method": "POST", "headers": {"sec-fetch-site": "same-origin"}},
)


async def ask(client: httpx2.AsyncClient, name: str, **more: Any) -> httpx2.Response:
    headers = {**host(name), **more.pop("headers", {})}
    return await client.request(more.pop("method", "GET"), more.pop("path", "/"), headers=headers, **more)


async def test_strangers_wake_nothing(gateway: Up) -> None:
    client = gateway.client()
    for name in ("asleep", "clicked"):
        codes = [(await ask(client, name, **dict(stranger))).status_code for stranger in STRANGERS]
        assert set(codes) == {401, 204, 404}, "404: what belongs to the page of the other one"
        row = await gateway.status(name)
        assert (row["phase"], row["checks"], gateway.starts(name)) == ("asleep", 0, 0)


async def test_friends_wake_it_and_strangers_do_not_keep_it_awake(gateway: Up) -> None:
    client = gateway.client()
    answer = await ask(client, "tired", headers={"authorization": ANN})
    assert answer.status_code == 200
    assert answer.json()["headers"]["x-forwarded-user"] == "ann"
    assert "authorization" not in answer.json()["headers"]

    async def asleep() -> bool:
        for stranger in STRANGERS[:3]:
            await ask(client, "tired", **dict(stranger))
        return bool((await gateway.status("tired"))["phase"] == "asleep")

    await until(asleep, "it sleeps although strangers knock all the time")
    assert gateway.starts("tired") == 1
    assert gateway.requests("tired").count("GET /") == 1


async def test_a_held_request_and_the_waiting_page_need_it_too(gateway: Up) -> None:
    client, key = gateway.client(), {"authorization": f"Bearer {KEY}"}
    page = await ask(client, "clicked", headers={"accept": "text/html", "authorization": ANN})
    assert page.status_code == 503
    [token] = re.findall(r'name="token" value="([0-9a-f.]+)"', page.text)
    click: dict[str, Any] = {
        "headers": {"sec-fetch-site": "same-origin"},
        "data": {"token": token},
        "method": "POST",
    }
    stranger = await ask(client, "clicked", path="/.poorwill/clicked/wake", **click)
    assert (stranger.status_code, gateway.starts("clicked")) == (401, 0)
    click["headers"]["authorization"] = ANN
    assert (await ask(client, "clicked", path="/.poorwill/clicked/wake", **click)).is_success
    assert (await ask(client, "clicked", headers=key)).status_code == 200
    assert (await ask(client, "awake", path="/public/x")).status_code == 200, "open means open"


async def test_without_the_control_plane_it_holds_as_well(gateway: Up) -> None:
    client, key = gateway.client(), {"x-api-key": KEY}
    assert (await ask(client, "orphan", headers=key)).status_code == 200
    await gateway.until_phase("orphan", "awake")
    gateway.kill9()
    try:
        for name in ("orphan", "asleep"):
            for stranger in STRANGERS[:4]:
                assert (await ask(client, name, **dict(stranger))).status_code == 401
        assert (await ask(client, "orphan", headers=key)).status_code == 200
    finally:
        await gateway.start()
    assert (await ask(client, "orphan", headers={"authorization": ANN})).status_code == 200
    assert gateway.starts("orphan") == 1
    assert gateway.starts("asleep") == 0


async def test_a_new_key_holds_after_a_reload_and_cuts_nothing(gateway: Up) -> None:
    client, key = gateway.client(), {"authorization": f"Bearer {KEY}"}
    assert (await ask(client, "awake", headers=key)).status_code == 200
    await gateway.until_phase("awake", "awake")
    slow = asyncio.create_task(ask(client, "awake", path="/?seconds=2", headers=key))
    await until(lambda: "GET /?seconds=2" in gateway.requests("awake"), "it is under way")
    (gateway.folder / "ci.txt").write_text("key-Rohrdommel-0123456789")
    assert (await gateway.cli("reload")).code == 0

    async def refused() -> bool:
        return (await ask(client, "awake", headers=key)).status_code == 401

    await until(refused, "the old key is refused")
    assert (await ask(client, "awake", headers={"x-api-key": "key-Rohrdommel-0123456789"})).status_code == 200
    assert (await slow).status_code == 200
    (gateway.folder / "ci.txt").write_text(KEY)
    assert (await gateway.cli("reload")).code == 0


async def test_who_guesses_is_in_the_journal_once(gateway: Up) -> None:
    client = gateway.client()
    guess = {"authorization": "Bearer a-guess"}
    codes = [(await ask(client, "tired", headers=guess)).status_code for _ in range(30)]
    assert set(codes) == {401, 429}
    [note] = await until(lambda: gateway.events("tired", "noted"), "it is written down")
    assert "many wrong passwords or keys came from 127.0.0.1" in note["reason"]
    friend = {"authorization": f"Bearer {KEY}", **host("awake")}
    for path in ("/guessed/awake", "/.poorwill/awake/..%2f..%2fguessed/awake"):
        await client.post(path, headers=friend, content=b"1.2.3.4")
    assert gateway.events("awake", "noted") == [], "visitors cannot write there"


async def test_no_secret_is_anywhere(gateway: Up) -> None:
    words = [PASSWORD, KEY, ANN.split()[1]]
    check = await command("check", str(gateway.file), cwd=gateway.folder)
    assert "needs the password of ann or the key of ci; open to all: /public/*" in check.out
    said = [
        check,
        *[await gateway.cli(*one) for one in (("status", "--json"), ("why", "awake"), ("events",))],
    ]
    assert {one.code for one in said} == {0}
    texts = {" ".join(one.out + one.err for one in said): "commands"}
    for file in [gateway.log, *gateway.state.rglob("*")]:
        if file.is_file():
            texts[file.read_bytes().decode("latin-1")] = str(file)
    for process in [psutil.Process(gateway.pid), *gateway.left()]:
        texts[" ".join(process.cmdline())] = f"command line of {process.pid}"
    for text, where in texts.items():
        for word in words:
            assert word not in text, where
