"""The gate as Envoy meets it: gRPC over a unix socket, one question for each request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from tests.gateway.real_envoy import until
from tests.patience import PATIENCE

from poorwill import clock
from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.model import OnRequest
from poorwill.gateway import authz_pb2 as pb
from poorwill.gateway.doors import Door, Refusal
from poorwill.gateway.gate import Gate

HTML = {"accept": "text/html"}


class Asker:
    """Envoy's side."""

    def __init__(self, socket: Path) -> None:
        self.channel = grpc.aio.insecure_channel(f"unix:{socket}")
        self._check = self.channel.unary_unary(
            "/envoy.service.auth.v3.Authorization/Check",
            request_serializer=pb.CheckRequest.SerializeToString,
            response_deserializer=pb.CheckResponse.FromString,
        )

    def ask(
        self,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        service: str = "it",
        kind: str = "active",
        age: float = 0.0,
        path: str = "/",
        slot: bool = False,
    ) -> grpc.aio.UnaryUnaryCall[pb.CheckRequest, pb.CheckResponse]:
        """``age`` is how many seconds ago the request began."""
        request = pb.CheckRequest()
        attributes = request.attributes
        attributes.context_extensions.update({"service": service, "class": kind})
        if slot:
            attributes.context_extensions["slot"] = "needed"
        begun = time.time() - age
        attributes.request.time.seconds = int(begun)
        attributes.request.time.nanos = int(begun % 1 * 1e9)
        http = attributes.request.http
        http.method, http.path = method, path
        http.headers.update(headers or {})
        return self._check(request, timeout=PATIENCE)


def denied(answer: pb.CheckResponse, status: int = 503) -> dict[str, str]:
    """The headers of a denial."""
    assert answer.status.code == 7
    assert answer.denied_response.status.code == status
    return {one.header.key: one.header.value for one in answer.denied_response.headers}


def code(answer: pb.CheckResponse) -> str:
    return str(json.loads(answer.denied_response.body)["error"]["code"])


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def door(asked: list[str]) -> Door:
    return Door("it", 5.0, asked.append)


@pytest.fixture
async def envoy(tmp_path: Path, door: Door) -> AsyncIterator[Asker]:
    gate = Gate({"it": door})
    await gate.serve(tmp_path / "gate.sock")
    asker = Asker(tmp_path / "gate.sock")
    yield asker
    await asker.channel.close()
    await gate.stop()


async def test_only_its_owner_may_connect(tmp_path: Path, envoy: Asker) -> None:
    assert (tmp_path / "gate.sock").stat().st_mode & 0o777 == 0o600


async def test_an_open_door_lets_everybody_through(envoy: Asker, door: Door) -> None:
    door.let_through(True)
    door.refuse(Refusal.BY_HAND)
    for kind in ("active", "busy", "background"):
        for headers in ({}, HTML, {"sec-purpose": "prefetch"}):
            answer = await envoy.ask("GET", headers, kind=kind)
            assert answer.status.code == 0
            assert answer.HasField("ok_response")
    assert door.checks == 9


async def test_a_held_request_raises_demand_and_goes_on_when_the_door_opens(
    envoy: Asker, door: Door, asked: list[str]
) -> None:
    held = [asyncio.ensure_future(envoy.ask()) for _ in range(3)]
    await until(lambda: door.waiting == 3, "three wait")
    assert asked == ["it"] * 3
    assert door.last_asked_at is not None
    door.turn()
    await asyncio.sleep(0)
    door.let_through(True)
    for answer in await asyncio.gather(*held):
        assert answer.status.code == 0
    assert door.waiting == 0


async def test_who_hangs_up_is_not_counted_any_more(envoy: Asker, door: Door) -> None:
    calls = [envoy.ask() for _ in range(2)]
    await until(lambda: door.waiting == 2, "two wait")
    calls[0].cancel()
    await until(lambda: door.waiting == 1, "one is gone")
    door.let_through(True)
    assert (await calls[1]).status.code == 0
    assert door.waiting == 0


async def test_the_hold_counts_from_the_requests_own_start(envoy: Asker, door: Door) -> None:
    """Envoy asks again after a restart of the control plane: the wait goes on, it does not begin anew."""
    begun = time.monotonic()
    answer = await envoy.ask(age=4.5)
    assert 0.3 < time.monotonic() - begun < 4.0
    headers = denied(answer)
    assert code(answer) == "service_asleep"
    assert int(headers["retry-after"]) >= 1
    overdue = time.monotonic()
    denied(await envoy.ask(age=60))
    assert time.monotonic() - overdue < 4.0
    assert door.waiting == 0


async def test_a_request_from_the_future_waits_no_longer_than_the_hold(envoy: Asker, door: Door) -> None:
    door.hold = 0.3
    begun = time.monotonic()
    denied(await envoy.ask(age=-3600))
    assert time.monotonic() - begun < 15.0


async def test_prefer_wait_shortens_the_hold(envoy: Asker) -> None:
    begun = time.monotonic()
    denied(await envoy.ask(headers={"prefer": "wait=1"}, age=0.5))
    assert 0.3 < time.monotonic() - begun < 4.0


async def test_a_page_wakes_and_does_not_wait(envoy: Asker, door: Door, asked: list[str]) -> None:
    door.waking_since, door.estimate = clock.now().mono - 2, Estimate(10.0, 12.0, 7)
    answer = await envoy.ask("GET", {**HTML, "accept-language": "zh"})
    headers = denied(answer)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["retry-after"] == "10"
    assert headers["vary"] == "accept, accept-language"
    assert '<html lang="zh' in answer.denied_response.body
    assert "/.poorwill/it/events" in answer.denied_response.body
    assert (asked, door.waiting) == (["it"], 0)


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("HEAD", {}, "active"),
        ("GET", {**HTML, "sec-purpose": "prefetch"}, "active"),
        ("OPTIONS", {}, "busy"),
        ("GET", HTML, "background"),
        ("POST", {}, "background"),
    ],
)
async def test_who_wakes_nothing(
    envoy: Asker, door: Door, asked: list[str], method: str, headers: dict[str, str], kind: str
) -> None:
    answer = await envoy.ask(method, headers, kind=kind)
    told = denied(answer)
    assert int(told["retry-after"]) >= 1
    if told["content-type"] == "application/json":
        assert code(answer) == "service_asleep"
    else:
        assert (kind, headers["accept"]) == ("active", "text/html")
        assert "/.poorwill/it/events" not in answer.denied_response.body, "it does not wait for anything"
    assert asked == []
    assert door.last_asked_at is None


@pytest.mark.parametrize(
    ("refusal", "expected", "status"),
    [
        (Refusal.BY_HAND, "service_put_to_sleep", 503),
        (Refusal.CLOSING, "gateway_closing", 503),
        (Refusal.REMOVED, "service_removed", 404),
    ],
)
async def test_a_refusal_is_told_to_those_who_come_and_those_who_wait(
    envoy: Asker, door: Door, refusal: Refusal, expected: str, status: int
) -> None:
    held = asyncio.ensure_future(envoy.ask())
    await until(lambda: door.waiting == 1, "one waits")
    before = door.last_asked_at
    door.refuse(refusal)
    answer = await held
    denied(answer, status)
    assert code(answer) == expected
    page = await envoy.ask("GET", HTML)
    assert denied(page, status)["content-type"].startswith("text/html")
    assert (door.last_asked_at, door.waiting) == (before, 0)


async def test_a_service_that_nobody_knows(envoy: Asker, door: Door) -> None:
    answer = await envoy.ask(service="other")
    denied(answer, 404)
    assert code(answer) == "service_not_found"
    assert door.checks == 0


async def test_when_too_many_wait_one_more_is_told_to_come_back(
    envoy: Asker, door: Door, asked: list[str]
) -> None:
    door.waiting = door.max_held
    answer = await envoy.ask()
    assert int(denied(answer)["retry-after"]) >= 1
    assert code(answer) == "too_many_waiting"
    assert asked == ["it"], "it wants the service all the same"
    assert door.waiting == door.max_held


async def test_a_thousand_wait_and_all_are_released(envoy: Asker, door: Door) -> None:
    held = [asyncio.ensure_future(envoy.ask()) for _ in range(1000)]
    await until(lambda: door.waiting == 1000, "a thousand wait")
    door.let_through(True)
    answers = await asyncio.gather(*held)
    assert {answer.status.code for answer in answers} == {0}
    assert door.waiting == 0


# --- when coming is not enough -----------------------------------------------------------------------


@pytest.fixture
def paged(door: Door) -> Door:
    door.entrance = OnRequest.PAGE
    return door


@pytest.fixture
def shut(door: Door) -> Door:
    door.entrance, door.hours = OnRequest.CLOSED, OpeningHours("UTC", ((time.time() + 3600, None),))
    return door


@pytest.mark.parametrize(
    ("method", "headers", "kind"),
    [
        ("GET", HTML, "active"),
        ("GET", {**HTML, "sec-purpose": "prefetch"}, "active"),
        ("POST", {}, "active"),
        ("GET", {}, "busy"),
        ("HEAD", {}, "active"),
        ("GET", HTML, "background"),
    ],
)
@pytest.mark.parametrize("entrance", [OnRequest.PAGE, OnRequest.CLOSED])
async def test_coming_wakes_nothing(
    envoy: Asker,
    door: Door,
    asked: list[str],
    entrance: OnRequest,
    method: str,
    headers: dict[str, str],
    kind: str,
) -> None:
    door.entrance = entrance
    answer = await envoy.ask(method, headers, kind=kind)
    told = denied(answer)
    assert int(told["retry-after"]) == (300 if entrance is OnRequest.PAGE else 86_400)
    if headers and kind != "background":
        assert told["content-type"].startswith("text/html")
        assert ("<form" in answer.denied_response.body) == (entrance is OnRequest.PAGE)
    else:
        assert code(answer) == ("service_asleep_page" if entrance is OnRequest.PAGE else "service_closed")
    assert (asked, door.waiting, door.last_asked_at) == ([], 0, None)


async def test_the_closed_answer_says_when_to_come_again(envoy: Asker, shut: Door) -> None:
    answer = await envoy.ask()
    told = json.loads(answer.denied_response.body)["error"]
    assert 3590 <= int(denied(answer)["retry-after"]) <= 3600
    assert int(denied(answer)["retry-after"]) == told["retry_after"]
    assert told["next_opening"].endswith("+00:00")
    page = await envoy.ask("GET", HTML)
    assert 3590 <= int(denied(page)["retry-after"]) <= 3600


async def test_who_waits_when_it_closes_is_told_at_once(envoy: Asker, door: Door) -> None:
    held = asyncio.ensure_future(envoy.ask())
    await until(lambda: door.waiting == 1, "one waits")
    door.entrance = OnRequest.CLOSED
    door.turn()
    assert code(await held) == "service_closed"
    assert door.waiting == 0


async def test_who_waits_when_it_begins_to_ask_for_a_click_goes_on_waiting(envoy: Asker, door: Door) -> None:
    held = asyncio.ensure_future(envoy.ask())
    await until(lambda: door.waiting == 1, "one waits")
    door.entrance = OnRequest.PAGE
    door.turn()
    assert code(await envoy.ask()) == "service_asleep_page"
    door.let_through(True)
    assert (await held).status.code == 0


async def test_once_somebody_clicked_everybody_waits_as_usual(
    envoy: Asker, paged: Door, asked: list[str]
) -> None:
    paged.waking_since = clock.now().mono
    held = asyncio.ensure_future(envoy.ask())
    page = await envoy.ask("GET", HTML)
    assert "/.poorwill/it/events" in page.denied_response.body
    await until(lambda: paged.waiting == 1, "one waits")
    paged.let_through(True)
    assert (await held).status.code == 0
    assert asked == ["it", "it"]


async def test_a_persons_sleep_is_told_before_the_hours(envoy: Asker, shut: Door) -> None:
    shut.refuse(Refusal.BY_HAND)
    assert code(await envoy.ask()) == "service_put_to_sleep"
    assert code(await envoy.ask(kind="background")) == "service_closed"


async def test_the_button_leads_back_to_where_one_was(envoy: Asker, paged: Door) -> None:
    answer = await envoy.ask("GET", HTML, path="/chat?room=1")
    assert 'value="/chat?room=1"' in answer.denied_response.body
    assert 'action="/.poorwill/it/wake"' in answer.denied_response.body


# --- before anybody knows ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entrance", "expected"),
    [(OnRequest.PAGE, "service_asleep_page"), (OnRequest.CLOSED, "service_closed"), (OnRequest.WAKE, "")],
)
async def test_nobody_asks_before_it_is_known_what_asking_does(
    envoy: Asker, door: Door, asked: list[str], entrance: OnRequest, expected: str
) -> None:
    """The control plane has only begun: perhaps the service is in its hours, perhaps not."""
    door.entrance = None
    held = asyncio.ensure_future(envoy.ask())
    page = await envoy.ask("GET", HTML)
    assert "/.poorwill/it/events" in page.denied_response.body
    assert (asked, door.waiting) == ([], 0)
    door.entrance = entrance
    door.turn()
    if entrance is OnRequest.WAKE:
        await until(lambda: door.waiting == 1, "it waits")
        door.let_through(True)
        assert (await held).status.code == 0
        assert asked == ["it"]
    else:
        assert code(await held) == expected
        assert asked == []
    assert door.waiting == 0


async def test_who_was_held_in_an_earlier_life_of_the_control_plane_goes_on_waiting(
    envoy: Asker, door: Door, asked: list[str]
) -> None:
    door.entrance = None
    door.click(clock.now().mono)  # as told by the journal: a start was under way
    held = asyncio.ensure_future(envoy.ask(age=2))
    door.entrance = OnRequest.PAGE
    door.turn()
    await until(lambda: door.waiting == 1, "it waits")
    door.let_through(True)
    assert (await held).status.code == 0


# --- slots -------------------------------------------------------------------------------------------


async def test_at_an_open_door_who_needs_a_slot_waits_for_it(envoy: Asker, door: Door) -> None:
    door.let_through(True)
    door.entrance = OnRequest.PAGE  # nobody is asked to click for what is awake
    held = [asyncio.ensure_future(envoy.ask("GET", HTML, slot=True, age=age)) for age in (1.0, 2.0)]
    await until(lambda: len(door.line) == 2, "two stand in the line")
    assert (await envoy.ask("GET", HTML)).status.code == 0, "who needs none goes through"
    door.line.grant(1)
    assert (await held[1]).status.code == 0, "the one who came first"
    assert not held[0].done()
    held[0].cancel()
    await until(lambda: (len(door.line), door.waiting) == (0, 0), "who gives up leaves the line")


@pytest.mark.parametrize("headers", [{}, HTML])
async def test_without_a_slot_in_time_it_is_told_when_to_come_again(
    envoy: Asker, door: Door, headers: dict[str, str]
) -> None:
    door.let_through(True)
    for held, wait in ((5000, "wait=0"), (0, "wait=9")):
        door.max_held = held
        answer = await envoy.ask("GET", {**headers, "prefer": wait}, slot=True)
        said = denied(answer)
        assert int(said["retry-after"]) >= 1
        assert said["content-type"].startswith("text/html" if headers else "application/json")
        if not headers:
            assert code(answer) == "too_many_waiting"


# --- what is counted ---------------------------------------------------------------------------------


async def test_who_gets_in_has_waited_since_the_request_began(envoy: Asker, door: Door) -> None:
    """The control plane may have been started again meanwhile."""
    held = [asyncio.ensure_future(envoy.ask(age=age)) for age in (2.0, 3.0)]
    await until(lambda: door.waiting == 2, "two wait")
    assert not door.waits.total
    door.let_through(True)
    await asyncio.gather(*held)
    total = door.waits.total
    assert (total.waited, total.gave_up, total.refused) == (2, 0, 0)
    assert 5.0 <= total.seconds < 8.0
    assert 3.0 <= total.longest < 5.0
    await envoy.ask()
    assert door.waits.total == total, "an open door is no wait"


async def test_who_leaves_has_given_up_and_who_is_sent_away_was_refused(envoy: Asker, door: Door) -> None:
    calls = [envoy.ask() for _ in range(2)]
    await until(lambda: door.waiting == 2, "two wait")
    calls[0].cancel()
    await until(lambda: door.waits.total.gave_up == 1, "one is gone")
    door.refuse(Refusal.BY_HAND)
    denied(await calls[1])
    denied(await envoy.ask())
    door.refuse(None)
    denied(await envoy.ask(headers={"prefer": "wait=0"}))
    door.waiting = door.max_held
    denied(await envoy.ask())
    total = door.waits.total
    assert (total.waited, total.gave_up, total.refused) == (0, 1, 4)


@pytest.mark.parametrize("entrance", [OnRequest.WAKE, OnRequest.PAGE, OnRequest.CLOSED])
async def test_who_does_not_come_for_the_service_is_not_counted(
    envoy: Asker, door: Door, entrance: OnRequest
) -> None:
    door.entrance = entrance
    for method, headers, kind in (
        ("HEAD", {}, "active"),
        ("GET", {**HTML, "sec-purpose": "prefetch"}, "active"),
        ("POST", {}, "background"),
        ("GET", {}, "monitor"),
    ):
        await envoy.ask(method, headers, kind=kind)
    assert not door.waits.total


@pytest.mark.parametrize(("entrance", "refused"), [(OnRequest.PAGE, 1), (OnRequest.CLOSED, 2)])
async def test_a_page_with_a_button_sends_nobody_away(
    envoy: Asker, door: Door, entrance: OnRequest, refused: int
) -> None:
    door.entrance = entrance
    await envoy.ask("GET", HTML)
    await envoy.ask("POST")
    assert door.waits.total.refused == refused


async def test_who_leaves_the_line_of_an_open_door_is_counted_there(envoy: Asker, door: Door) -> None:
    door.let_through(True)
    calls = [envoy.ask(slot=True) for _ in range(2)]
    await until(lambda: len(door.line) == 2, "two stand in the line")
    calls[0].cancel()
    await until(lambda: door.stood.left == 1, "one is gone")
    door.line.grant(1)
    assert (await calls[1]).status.code == 0
    total = door.waits.total
    assert (total.waited, total.gave_up, door.stood.count, door.stood.left) == (0, 1, 1, 1)
