"""Visitors who stay with one instance: led by a cookie that Envoy writes, and that leads nobody astray."""

from __future__ import annotations

import base64
import contextlib

import pytest
from tests.gateway.crew import HOST, ask, crew, opened, put
from tests.gateway.real_envoy import House

from poorwill.core.door import Membership
from poorwill.core.target import Target
from poorwill.gateway.clusters import Upstream
from poorwill.gateway.routes import Site
from poorwill.gateway.sticky import address, address_in

IT = Site("it", hosts=("it.test",), path="/app", hold=5.0)
OTHER = Site("other", hosts=("it.test",), hold=5.0)
STICKY = {"it": Upstream(many=True, sticky=True), "other": Upstream()}


def cookie(said: bytes) -> str:
    return "poorwill-it=" + base64.b64encode(said).decode()


@pytest.mark.parametrize(
    ("cookies", "found"),
    [
        ("", ""),
        ("poorwill-other=Cg4xMjcuMC4wLjE6ODAwMQ==", ""),
        ('a=b; poorwill-it="Cg4xMjcuMC4wLjE6ODAwMQ=="; c=d', "127.0.0.1:8001"),
        ("poorwill-it=Cg4xMjcuMC4wLjE6ODAwMQ==", "127.0.0.1:8001"),
        (cookie(b"\n\x08[::1]:80"), "[::1]:80"),
        (cookie(b"[::1]:80"), "[::1]:80"),
        ('consent={"all": 1}; poorwill-it="Cg4xMjcuMC4wLjE6ODAwMQ=="', "127.0.0.1:8001"),
        ("not-poorwill-it=Cg4xMjcuMC4wLjE6ODAwMQ==", ""),
        ('poorwill-it="é"', ""),
        ("poorwill-it=!", ""),
        ("poorwill-it=\x00; poorwill-it=", ""),
    ],
)
def test_what_a_cookie_names(cookies: str, found: str) -> None:
    assert address_in("it", cookies) == found


@pytest.mark.parametrize("said", [b"", b"\n", b"\n\xff", b"\n\x7fshort", b"\xff\xfe\x00", b"\n\x00x"])
def test_nonsense_names_no_instance(said: bytes) -> None:
    assert address_in("it", cookie(said)) not in ("127.0.0.1:8001", address(Target("::1", 80)))


async def test_a_visitor_stays_with_the_instance_that_he_met(house: House) -> None:
    """Also while it is about to go, when nobody else gets there; and quietly gets another when it is gone."""
    await house.start(IT, OTHER, upstreams=STICKY)
    async with crew(3, takes=0.001) as hands, contextlib.AsyncExitStack() as stack:
        await opened(house, *hands)
        house.switchboard.route("other", "other-1", hands[0].target)
        house.switchboard.wish("other", "other-1", Membership.IN)
        house.switchboard.open("other")
        await house.settled()
        visitors = [await stack.enter_async_context(house.visitor()) for _ in range(20)]
        firsts = [await visitor.get("/app/x", headers=HOST) for visitor in visitors]
        met = [answer.text for answer in firsts]
        assert set(met) == {"it-1", "it-2", "it-3"}
        written = firsts[0].headers["set-cookie"].partition("; ")[2]
        assert set(written.split("; ")) == {"Path=/app", "SameSite=Lax", "HttpOnly"}
        for _ in range(3):
            again = [await visitor.get("/app/y", headers=HOST) for visitor in visitors]
            assert [answer.text for answer in again] == met
            assert not [answer for answer in again if "set-cookie" in answer.headers], "once is enough"
        for elsewhere in ("/", "/.poorwill/it/nothing"):
            assert "set-cookie" not in (await visitors[0].get(elsewhere, headers=HOST)).headers

        await put(house, Membership.CORDONED, hands[0])
        assert [(await visitor.get("/app/z", headers=HOST)).text for visitor in visitors] == met
        assert "it-1" not in await ask(house, 30, 5, "POST", path="/app/")

        await put(house, Membership.OUT, hands[0])
        now = [(await visitor.get("/app/z", headers=HOST)).text for visitor in visitors]
        assert "it-1" not in now
        assert [name for name in now if name not in met] == []
        stayed = [(old, new) for old, new in zip(met, now, strict=True) if old != "it-1"]
        assert all(old == new for old, new in stayed), "nobody else is sent away"
        house.switchboard.route("it", "it-1", None)
        await house.settled()
        assert [(await visitor.get("/app/z", headers=HOST)).text for visitor in visitors] == now


async def test_nobody_gets_out_of_the_service_with_a_cookie_of_his_own(house: House) -> None:
    await house.start(IT, OTHER, upstreams=STICKY)
    async with crew(2) as (hand, stranger), house.visitor() as client:
        await opened(house, hand)
        where = address(stranger.target).encode()
        headers = {**HOST, "cookie": cookie(b"\n" + bytes([len(where)]) + where)}
        assert {(await client.get("/app/", headers=headers)).text for _ in range(5)} == {"it-1"}
        assert stranger.asked == 0
