"""Passwords and keys at a real Envoy: who comes in, who does not, and what each of them is told."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from tests.gateway.guarded import (
    ANN,
    GUARD,
    KEY,
    PASSWORD,
    SALT,
    SITES,
    Headers,
    ask,
    basic,
    bearer,
    guarded_house,
)
from tests.gateway.real_envoy import House
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from poorwill.core.credential import key_digest, user_digest
from poorwill.gateway import guard as guard_module

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with guarded_house(tmp_path_factory.mktemp("house"), *SITES) as made:
        yield made


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (ANN, "ann"),
        (basic("bob", "b" * 400), "bob"),
        (basic("cut", "c" * 51), "cut"),
        ({"authorization": ANN["authorization"].rstrip("=")}, "ann"),
        ({"authorization": ANN["authorization"].replace("Basic", "bASIC")}, "ann"),
        (bearer(KEY), "ci"),
        ({"authorization": f"bearer   {KEY}"}, "ci"),
        ({"x-api-key": KEY}, "ci"),
        ({"x-api-key": KEY, "authorization": "Bearer the-service-s-own"}, "ci"),
    ],
)
async def test_who_has_one_comes_in(house: House, shown: Headers, name: str) -> None:
    answer = await ask(house, **shown, x_forwarded_user="root")
    assert answer.status_code == 200
    seen = answer.json()["headers"]
    assert seen["x-forwarded-user"] == name, "the service is told who it is, whatever the visitor says"
    assert "x-api-key" not in seen
    own = "Bearer the-service-s-own" if len(shown) == 2 else None
    assert seen.get("authorization") == own, "what the gateway took does not go on; what it did not take does"


@pytest.mark.parametrize(
    "shown",
    [
        {},
        basic("ann", "wrong"),
        basic("ann", ""),
        basic("ANN", PASSWORD),
        basic("", ""),
        basic("ann", PASSWORD + "x" * 2000),
        {"authorization": "Basic"},
        {"authorization": "Basic !!!!"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Token {KEY}"},
        {"authorization": key_digest(KEY)},
        bearer(KEY[:-1]),
        bearer(KEY + "x" * 50_000),
        bearer(key_digest(KEY)),
        bearer(f"{SALT}:{user_digest(SALT, 'ann', PASSWORD)}"),
        {"x-api-key": ""},
        {"x-api-key": key_digest(KEY)},
        {"cookie": f"authorization={KEY}"},
        {"x-poorwill-guard": "passed", "x-forwarded-user": "ann"},
    ],
    ids=str,
)
async def test_others_do_not(house: House, shown: Headers) -> None:
    answer = await ask(house, host="asleep.test", **shown)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["code"], error["service"]) == ("wrong_or_no_credentials", "asleep")
    assert house.doors["asleep"].checks == 0, "the gate was not even asked"


async def test_a_browser_is_asked_for_a_password_in_its_language(house: House) -> None:
    page = await ask(house, accept="text/html,*/*", accept_language="zh-CN,zh;q=0.9")
    assert page.status_code == 401
    assert page.headers["www-authenticate"] == 'Basic realm="kb", charset="UTF-8"'
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert '<html lang="zh"' in page.text
    assert "请先登录" in page.text
    assert '<html lang="en"' in (await ask(house, accept="text/html")).text
    head = await ask(house, method="HEAD")
    assert (head.status_code, head.content) == (401, b"")


async def test_a_program_with_a_wrong_key_raises_no_dialogue(house: House) -> None:
    for shown in (bearer("x"), {"x-api-key": "x"}):
        assert (await ask(house, **shown)).headers["www-authenticate"] == 'Bearer realm="kb"'
    assert (await ask(house, host="keys.test")).headers["www-authenticate"] == 'Bearer realm="keys"'


async def test_a_grpc_client_is_told_in_its_own_way(house: House) -> None:
    options = [("grpc.default_authority", "asleep.test")]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.port}", options) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary("/echo.Echo/Say")(b"")
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_with_forward_the_service_sees_it_too(house: House) -> None:
    seen = (await ask(house, host="keys.test", **bearer(KEY))).json()["headers"]
    assert (seen["authorization"], seen["x-forwarded-user"]) == (f"Bearer {KEY}", "ci")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/healthz?deep=1", 200),
        ("/static/", 200),
        ("/static/a/b.css", 200),
        ("/healthz/", 401),
        ("/healthzz", 401),
        ("/static", 401),
        ("/HEALTHZ", 401),
        ("/?/healthz", 401),
        ("/static/../secret", 401),
        ("/static/%2e%2e/secret", 401),
        ("/static/..%2Fsecret", 401),
        ("/static/..%5csecret", 401),
        ("/static/..\\secret", 401),
        ("/static/%252e%252e/secret", 401),
        ("/static/..;/secret", 401),
        ("/long", 401),
        ("/.poorwill/kb/events", 401),
        ("/.poorwill/kb/wake", 401),
    ],
)
async def test_open_paths_are_exactly_those(house: House, path: str, status: int) -> None:
    assert (await ask(house, path)).status_code == status


async def test_open_paths_are_as_the_service_sees_them(house: House) -> None:
    answer = await ask(house, "/notes/healthz", host="any.test", x_forwarded_user="root")
    assert answer.json()["path"] == "/healthz"
    assert "x-forwarded-user" not in answer.json()["headers"]
    assert (await ask(house, "/healthz", host="any.test")).status_code == 404
    assert (await ask(house, "/notes/x", host="any.test")).status_code == 401


async def test_a_preflight_wakes_nothing_and_lets_a_script_send_its_key(house: House) -> None:
    before = house.doors["asleep"].checks
    answer = await ask(
        house,
        host="asleep.test",
        method="OPTIONS",
        origin="https://app.example.com",
        access_control_request_method="POST",
        access_control_request_headers="authorization,content-type",
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "access-control-allow-credentials" not in answer.headers, "a remembered password stays at home"
    assert house.doors["asleep"].checks == before
    assert (await ask(house, method="OPTIONS")).status_code == 401
    refused = await ask(house, origin="https://app.example.com")
    assert refused.headers["access-control-allow-origin"] == "*", "the script can see that it was refused"
    assert "access-control-allow-origin" not in (await ask(house, method="GET")).headers


async def test_asleep_the_gate_is_asked_about_friends_only(house: House) -> None:
    before = house.doors["asleep"].checks
    assert (await ask(house, host="asleep.test", method="HEAD", **ANN)).status_code == 503
    assert house.doors["asleep"].checks == before + 1


async def test_other_services_are_as_they_were(house: House) -> None:
    seen = (await ask(house, host="free.test", **bearer("own"), x_forwarded_user="me")).json()["headers"]
    assert (seen["authorization"], seen["x-forwarded-user"]) == ("Bearer own", "me")


async def test_websockets_and_a_changed_key(house: House) -> None:
    """What is open stays open; what comes next needs the new key."""
    url, here = f"ws://kb.test:{house.port}/", {"host": "127.0.0.1", "proxy": None}
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, **here)
    assert refused.value.response.status_code == 401
    async with connect(url, additional_headers=bearer(KEY), **here) as socket, house.visitor() as client:
        await socket.send("before")
        assert await socket.recv() == "before"
        lasting = {"host": "kb.test", **ANN}
        await client.get("/", headers=lasting)
        other = replace(GUARD, keys={key_digest("key-the-second-of-them"): "ci"})
        changed = {**SITES, "kb": replace(SITES["kb"], guard=other)}
        house.shape(*changed.values())
        await house.settled()
        await socket.send("after")
        assert await socket.recv() == "after"
        assert (await client.get("/", headers=lasting)).status_code == 200
        assert (await ask(house, **bearer(KEY))).status_code == 401
        assert (await ask(house, **bearer("key-the-second-of-them"))).status_code == 200
        house.shape(*SITES.values())
        await house.settled()
        assert (await ask(house, **bearer(KEY))).status_code == 200


async def test_the_latch_holds_when_the_script_breaks_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy lets a request pass then, and the filter behind it does not."""
    assert (await ask(house, **bearer(KEY))).status_code == 200
    with monkeypatch.context() as broken:
        broken.setattr(guard_module, "_context", lambda *_: {"version": "broken"})
        house.shape(*SITES.values())
        await house.settled()
        for shown in ({}, bearer(KEY)):
            assert (await ask(house, **shown)).status_code == 403
        assert (await ask(house, "/healthz")).status_code == 403
        assert (await ask(house, host="free.test")).status_code == 200
    house.shape(*SITES.values())
    await house.settled()
    assert (await ask(house, **bearer(KEY))).status_code == 200


async def test_who_guesses_has_to_wait_and_who_was_in_has_not(house: House) -> None:
    """For each service and address."""
    assert (await ask(house, host="guessed.test", **ANN)).status_code == 200
    answers = [await ask(house, host="guessed.test", **basic("ann", str(n))) for n in range(25)]
    codes = [answer.status_code for answer in answers]
    assert codes[-1] == 429
    assert codes == sorted(codes)
    last = answers[-1]
    assert last.headers["retry-after"] == "3"
    assert last.json()["error"]["code"] == "too_many_wrong_credentials"
    assert last.json()["error"]["service"] == "guessed"
    right = await ask(house, host="guessed.test", **bearer(KEY))
    assert right.status_code == 429, "else guessing on would tell which one is right"
    assert (await ask(house, host="guessed.test", **ANN)).status_code == 200, "she was in before"
    assert (await ask(house, host="guessed.test")).status_code == 401, "nothing shown is nothing guessed"
    assert (await ask(house, host="keys.test", **bearer(KEY))).status_code == 200, "elsewhere nobody guessed"


async def test_a_wrong_one_is_logged_without_it(house: House) -> None:
    text = house.envoy.log_file.read_text()
    assert "refused at guessed: wrong password or key from 127.0.0.1" in text
    assert text.count("refused at guessed") <= 21
    for word in (PASSWORD, KEY, ANN["authorization"].split()[1]):
        assert word not in text
        for file in (house.folder / "envoy").iterdir():
            assert word not in file.read_text(errors="replace"), file


async def test_the_files_are_for_their_owner_only(house: House) -> None:
    for name in ("rds.json", "cds.json"):
        assert stat.S_IMODE((house.folder / "envoy" / name).stat().st_mode) == 0o600
