from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.providers.conformance import refused
from tests.providers.http.wire import Asked, Reply, Server

from poorwill.errors import Permanent, Temporary
from poorwill.providers.http.answers import Denied, Missing, Throttled, Unanswered
from poorwill.providers.http.client import Client
from poorwill.providers.http.description import Description

TOKEN = "secret/token+with=signs"

STATE = {"at": "$.state", "running": ["on"], "off": ["off"]}


class Cloud:
    """Answers what the test says, or 200 with an empty object."""

    def __init__(self) -> None:
        self.calls: list[Asked] = []
        self.replies: list[Reply] = []
        self.clients: list[Client] = []
        self.server = Server(self._answer)

    async def _answer(self, asked: Asked) -> Reply:
        self.calls.append(asked)
        return self.replies.pop(0) if self.replies else Reply(200, {})

    def client(self, words: dict[str, str | None] | None = None, **about: Any) -> Client:
        call = {"url": "/x"}
        given = {"name": "C", "url": self.server.url, "state": STATE, "status": call, "stop": call}
        description = Description.model_validate({**given, "off": {"saves": "compute"}, **about})
        client = Client(description, {"token": TOKEN, **(words or {})}, (TOKEN,))
        self.about = description
        self.clients.append(client)
        return client

    async def ask(self, client: Client, **words: str) -> Any:
        return await client.call(self.about.status, "answer", **{"instance": "i", **words})


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    cloud = Cloud()
    await cloud.server.open()
    yield cloud
    for client in cloud.clients:
        await client.close()
    await cloud.server.close()


async def test_what_is_sent(cloud: Cloud) -> None:
    client = cloud.client(
        {"zone": "z 1", "empty": None},
        auth={"headers": {"X-Key": "k {token}"}, "query": {"who": "{token}"}},
        options={"zone": {"description": "."}, "empty": {"description": ".", "optional": True}},
        status={
            "method": "PATCH",
            "url": "/v1/{zone}/{instance}",
            "headers": {"X-Zone": "{zone}"},
            "query": {"q": "{zone}", "left_out": "{empty}"},
            "body": {
                "id": "{instance}",
                "n": 1,
                "list": ["{zone}", "{empty}"],
                "gone": "{empty}",
                "no": None,
            },
        },
    )
    await cloud.ask(client, instance="a/b?c")
    (asked,) = cloud.calls
    assert (asked.method, asked.path) == ("PATCH", "/v1/z%201/a%2Fb%3Fc")
    assert asked.query == {"q": "z 1", "who": TOKEN}
    assert (asked.headers["x-key"], asked.headers["x-zone"]) == (f"k {TOKEN}", "z 1")
    assert asked.body == {"id": "a/b?c", "n": 1, "list": ["z 1"], "no": None}


async def test_a_get_may_have_a_body(cloud: Cloud) -> None:
    await cloud.ask(cloud.client(status={"url": "/x", "body": {"id": "{instance}"}}))
    assert (cloud.calls[0].method, cloud.calls[0].body) == ("GET", {"id": "i"})


async def test_a_signed_form(cloud: Cloud) -> None:
    client = cloud.client(
        auth={"form": {"PublicKey": "pub"}, "signature": "ucloud"},
        status={"method": "POST", "url": "/", "form": {"Action": "Start", "Id": "{instance}"}},
    )
    await cloud.ask(client)
    text = f"ActionStartIdiPublicKeypub{TOKEN}"
    expected = hashlib.sha1(text.encode()).hexdigest()
    assert cloud.calls[0].body == {"Action": "Start", "Id": "i", "PublicKey": "pub", "Signature": expected}


async def test_the_signature_is_that_of_the_documented_example() -> None:
    from poorwill.providers.http.signing import ucloud

    # docs.ucloud.cn, "signature algorithm": the example of UHost, with its made-up keys.
    form = {
        "Action": "CreateUHostInstance",
        "CPU": "2",
        "ChargeType": "Month",
        "DiskSpace": "10",
        "ImageId": "f43736e1-65a5-4bea-ad2e-8a46e18883c2",
        "LoginMode": "Password",
        "Memory": "2048",
        "Name": "Host01",
        "Password": "VUNsb3VkLmNu",
        "PublicKey": "ucloudsomeone@example.com1296235120854146120",
        "Quantity": "1",
        "Region": "cn-bj2",
        "Zone": "cn-bj2-04",
    }
    signed = ucloud(form, "46f09bb9fab4f12dfc160dae12273d5332b5debe")
    assert signed["Signature"] == "4f9ef5df2abab2c6fccd1e9515cb7e2df8c6bb65"


LOGIN = {
    "method": "POST",
    "url": "/login",
    "body": {"secret": "{token}"},
    "token": "$.access",
    "lasts": "$.seconds",
}
BY_LOGIN = {"login": LOGIN, "auth": {"headers": {"Authorization": "Bearer {login}"}}}


async def test_a_token_is_exchanged_once(cloud: Cloud) -> None:
    client = cloud.client(**BY_LOGIN)
    cloud.replies = [Reply(200, {"access": "short-lived", "seconds": 3600})]
    for _ in range(3):
        await cloud.ask(client)
    assert [call.path for call in cloud.calls] == ["/login", "/x", "/x", "/x"]
    assert "authorization" not in cloud.calls[0].headers
    assert cloud.calls[1].headers["authorization"] == "Bearer short-lived"
    assert client.scrub("it is short-lived") == "it is ***"


async def test_an_exchanged_token_that_has_run_out_is_exchanged_again(cloud: Cloud) -> None:
    client = cloud.client(**BY_LOGIN)
    cloud.replies = [
        Reply(200, {"access": "first", "seconds": 3600}),
        Reply(401, {}),
        Reply(200, {"access": "second", "seconds": 3600}),
    ]
    await cloud.ask(client)
    assert cloud.calls[-1].headers["authorization"] == "Bearer second"
    cloud.replies = [Reply(401, {}), Reply(200, {"access": "third"}), Reply(401, {})]
    assert isinstance(await refused(cloud.ask(client)), Denied)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(401, {}), Denied),
        (Reply(403, {}), Denied),
        (Reply(404, {}), Missing),
        (Reply(429, {}), Throttled),
        (Reply(400, {"why": "bad"}), Permanent),
        (Reply(302, "", {"location": "https://example.com/"}), Permanent),
        (Reply(409, {}), Temporary),
        (Reply(500, "<html>"), Temporary),
        (Reply(504, "<html>"), Unanswered),
        (Reply(200, {"ok": False, "why": "later"}), Temporary),
        (Reply(200, "<html>"), Unanswered),
        (Reply(200, {"ok": 1}), Temporary),
        (Reply(200, [1]), Temporary),
    ],
    ids=str,
)
async def test_what_an_answer_means(cloud: Cloud, reply: Reply, kind: type) -> None:
    client = cloud.client(ok={"when": ["$.ok == true"]}, error=["$.why"])
    cloud.replies = [reply]
    error = await refused(cloud.ask(client))
    assert type(error) is kind
    assert f"HTTP {reply.status}" in str(error)
    cloud.replies = [Reply(200, {"ok": True})]
    assert await cloud.ask(client) == {"ok": True}


async def test_a_secret_in_an_answer_is_not_repeated(cloud: Cloud) -> None:
    client = cloud.client(error=["$.why"])
    cloud.replies = [
        Reply(400, {"why": f"no such key {TOKEN}\nor secret%2Ftoken%2Bwith%3Dsigns" + "x" * 500})
    ]
    error = await refused(cloud.ask(client))
    assert "no such key *** or ***" in str(error)
    assert "secret" not in str(error)
    assert len(str(error)) < 300


async def test_a_secret_in_the_address_is_not_repeated(cloud: Cloud) -> None:
    client = cloud.client(auth={"query": {"key": "{token}"}}, url="http://127.0.0.1:1")
    error = await refused(cloud.ask(client))
    assert isinstance(error, Unanswered)
    assert "secret" not in f"{error}{error.hint}{error.__cause__}"


async def test_a_token_is_not_sent_unprotected(cloud: Cloud) -> None:
    client = cloud.client(status={"url": "http://example.com/x"})
    error = await refused(cloud.ask(client))
    assert isinstance(error, Permanent)
    assert "is not https://" in str(error)


def _self_signed(folder: Path) -> ssl.SSLContext:
    """For 127.0.0.1, by nobody whom anybody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    at = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, at, at.replace(year=2100))
    signed = made.add_extension(here, critical=False).sign(key, hashes.SHA256())
    kinds = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "nobody.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, *kinds))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_token_is_not_given_to_a_stranger(tmp_path: Path) -> None:
    stranger = Cloud()
    await stranger.server.open(tls=_self_signed(tmp_path))
    client = stranger.client(auth={"headers": {"Authorization": "{token}"}})
    error = await refused(stranger.ask(client))
    assert isinstance(error, Unanswered)
    assert "certificate" in str(error).lower()
    assert stranger.calls == []
    await client.close()
    await stranger.server.close()


async def test_a_proxy_of_the_environment_is_not_for_this_machine(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await cloud.ask(cloud.client()) == {}


async def test_an_answer_without_end(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poorwill.providers.http.client.LARGEST_ANSWER", 100_000)
    cloud.replies = [Reply(200, "x" * 200_000)]
    error = await refused(cloud.ask(cloud.client()))
    assert "without end" in str(error)


async def test_an_option_that_is_to_be_a_number(cloud: Cloud) -> None:
    client = cloud.client(
        {"gpus": "two"},
        options={"gpus": {"description": "."}},
        status={"method": "POST", "url": "/x", "body": {"n": "{gpus:int}"}},
    )
    assert isinstance(await refused(cloud.ask(client)), Permanent)
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("given", "delay"), [("7", 7.0), ("999999", 3600.0), ("Fri, 31 Dec", 30.0), (None, 30.0)]
)
async def test_how_long_it_wants_to_be_left_alone(cloud: Cloud, given: str | None, delay: float) -> None:
    cloud.replies = [Reply(429, {}, {} if given is None else {"retry-after": given})]
    error = await refused(cloud.ask(cloud.client()))
    assert isinstance(error, Throttled)
    assert error.delay == delay
