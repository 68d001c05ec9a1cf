"""Which request belongs to which service and class, as a real Envoy reads the rendered routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio
from tests.gateway.real_envoy import STRAY, House

from poorwill.gateway import authz_pb2 as pb
from poorwill.gateway.routes import EXT_AUTHZ, Site, virtual_hosts

pytestmark = pytest.mark.asyncio(loop_scope="module")

SITES = (
    Site("alpha", hosts=("alpha.test", "also.alpha.test")),
    Site(
        "kb",
        hosts=("kb.test",),
        patterns={
            "busy": ("POST /index/**", "/long"),
            "background": ("/heartbeat/*", "/queue/*/poll", "GET /files/*.json", "/any/**/down", "/final*"),
            "active": ("/heartbeat/chat",),
        },
    ),
    Site("docs", hosts=("alpha.test",), path="/docs"),
    Site("deep", hosts=("alpha.test",), path="/docs/deep"),
    Site("notes", path="/notes", strip_path=True, patterns={"busy": ("/save",), "background": ("/tick/*",)}),
    Site("kept", path="/kept", patterns={"busy": ("/kept/save",)}),
    Site("wild", hosts=("*.wild.test",)),
)


async def _told(request: pb.CheckRequest, _context: object) -> pb.CheckResponse:
    """Denies with what Envoy says the request belongs to."""
    extensions = request.attributes.context_extensions
    body = f"{extensions['service']}/{extensions['class']}"
    denied = pb.DeniedHttpResponse(status=pb.HttpStatus(code=503), body=body)
    return pb.CheckResponse(status=pb.Status(code=7), denied_response=denied)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    made = House(folder)
    made.shape(*SITES)
    server = grpc.aio.server()
    rpc = grpc.unary_unary_rpc_method_handler(
        _told,
        request_deserializer=pb.CheckRequest.FromString,
        response_serializer=pb.CheckResponse.SerializeToString,
    )
    name = "envoy.service.auth.v3.Authorization"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Check": rpc}),))
    server.add_insecure_port(f"unix:{made.sockets.gate}")
    await server.start()
    await made.envoy.arrive()
    yield made
    await server.stop(None)
    await made.stop()


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        ("alpha.test", "/", "alpha/active"),
        ("ALPHA.TEST", "/x?y=z", "alpha/active"),
        ("alpha.test:8080", "/", "alpha/active"),
        ("also.alpha.test", "/docs", "alpha/active"),
        ("alpha.test", "/docs", "docs/active"),
        ("alpha.test", "/docs/", "docs/active"),
        ("alpha.test", "/docs?q=1", "docs/active"),
        ("alpha.test", "/docsx", "alpha/active"),
        ("alpha.test", "/docs/deep/er", "deep/active"),
        ("alpha.test", "/docs/../x", "alpha/active"),
        ("alpha.test", "/notes/1", "notes/active"),
        ("nobody.test", "/notes", "notes/active"),
        ("10.0.0.1:99", "/notes/1", "notes/active"),
        ("a.wild.test", "/", "wild/active"),
        ("a.b.wild.test", "/", "wild/active"),
        ("kb.test", "/heartbeat/1", "kb/background"),
        ("kb.test", "/heartbeat/1?t=2", "kb/background"),
        ("kb.test", "/heartbeat/1/2", "kb/background"),
        ("kb.test", "/heartbeat/chat", "kb/active"),
        ("kb.test", "/heartbeat", "kb/active"),
        ("kb.test", "/queue/7/poll", "kb/background"),
        ("kb.test", "/queue/7/8/poll", "kb/active"),
        ("kb.test", "/queue/7/poll/more", "kb/active"),
        ("kb.test", "/files/a.json", "kb/background"),
        ("kb.test", "/files/a/b.json", "kb/active"),
        ("kb.test", "/any/deep/x/down", "kb/background"),
        ("kb.test", "/final-1/2", "kb/background"),
        ("kb.test", "/fina", "kb/active"),
        ("kb.test", "/files/a+json", "kb/active"),
        ("kb.test", "/long", "kb/busy"),
        ("kb.test", "/longer", "kb/active"),
        ("kb.test", "/index/all", "kb/active"),
        ("x.test", "/notes/save", "notes/busy"),
        ("x.test", "/save", "404"),
        ("x.test", "/notes/tick/1", "notes/background"),
        ("x.test", "/kept/save", "kept/busy"),
        ("nobody.test", "/", "404"),
        ("wild.test", "/", "404"),
        ("alpha.test.evil", "/", "404"),
        ("alpha.test", "/.poorwill", "404"),
        ("alpha.test", "/.poorwill/docs", "404"),
        ("alpha.test", "/.poorwill/kb/events", "404"),
        ("alpha.test", "/x/../.poorwill/", "404"),
    ],
)
async def test_a_request_belongs_to(house: House, host: str, target: str, expected: str) -> None:
    async with house.visitor() as client:
        request = client.build_request("GET", "/", headers={"host": host})
        request.url = request.url.copy_with(raw_path=target.encode())
        answer = await client.send(request)
    assert (answer.text if answer.status_code == 503 else str(answer.status_code)) == expected


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", "/index/all", "kb/busy"),
        ("POST", "/index/a/b", "kb/busy"),
        ("PUT", "/index/all", "kb/active"),
        ("POST", "/files/a.json", "kb/active"),
        ("POST", "/heartbeat/1", "kb/background"),
        ("DELETE", "/long", "kb/busy"),
    ],
)
async def test_a_pattern_may_name_a_method(house: House, method: str, target: str, expected: str) -> None:
    async with house.visitor() as client:
        answer = await client.request(method, target, headers={"host": "kb.test"})
    assert answer.text == expected


async def test_strangers_are_answered_in_their_language_and_kind(house: House) -> None:
    async with house.visitor() as client:
        page = await client.get("/", headers={"host": "no.test", "accept": "text/html,*/*"})
        assert (page.status_code, page.text) == (404, STRAY.pages["en"])
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        spoken = {"host": "no.test", "accept": "text/html", "accept-language": "ZH-tw,en;q=0.5"}
        assert (await client.get("/", headers=spoken)).text == STRAY.pages["zh"]
        program = await client.get("/", headers={"host": "no.test", "accept": "*/*"})
        assert (program.status_code, program.text) == (404, STRAY.other)
        assert program.headers["content-type"] == "application/json"


async def test_one_service_without_hosts_gets_everything() -> None:
    [everything] = virtual_hosts([Site("only")], frozenset(), STRAY)
    assert everything["domains"] == ["*"]
    [route] = [row for row in everything["routes"] if row.get("route", {}).get("cluster") == "only/active"]
    assert route["match"] == {"prefix": "/"}


async def test_an_open_service_is_not_asked_about() -> None:
    [everything] = virtual_hosts([Site("a", path="/a"), Site("b", path="/b")], frozenset({"a"}), STRAY)
    filters = {
        row["route"]["cluster"]: row["typed_per_filter_config"][EXT_AUTHZ]
        for row in everything["routes"]
        if "route" in row and row["route"]["cluster"] != "visitors"
    }
    assert filters["a/active"]["disabled"] is True
    extensions = filters["b/active"]["check_settings"]["context_extensions"]
    assert extensions == {"service": "b", "class": "active"}


@pytest.mark.parametrize(("hold", "at_least"), [(0.0, 2.0), (90.0, 90.0), (600.0, 600.0)])
async def test_connecting_is_tried_for_as_long_as_a_request_is_held(hold: float, at_least: float) -> None:
    [everything] = virtual_hosts([Site("it", hold=hold)], frozenset(), STRAY)
    actions = [row["route"] for row in everything["routes"] if "route" in row]
    own = [action["retry_policy"] for action in actions if action["cluster"] == "visitors"]
    assert {one["retry_on"] for one in own} == {"connect-failure,reset"}, "Poorwill itself may be asked again"
    policies = [action["retry_policy"] for action in actions if action["cluster"] != "visitors"]
    policy = policies[0]
    assert policies == [policy] * len(policies)
    assert policy["retry_on"] == "connect-failure", "anything else may have reached the service"
    pause = float(policy["retry_back_off"]["max_interval"].removesuffix("s")) / 2  # random from 0 on
    assert policy["num_retries"] * pause >= at_least
