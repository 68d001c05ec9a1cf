"""Addresses of services as people write them, and what becomes of them when an instance runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests.certificates import Authority
from tests.config.reading import SettingsOf

from poorwill.config import HostPort
from poorwill.config.address import Address, Endpoint, ServiceAddress
from poorwill.config.certificates import system_ca
from poorwill.config.url import parse_url
from poorwill.core.target import Tls
from poorwill.errors import BadInput

ADAPTER: TypeAdapter[ServiceAddress] = TypeAdapter(Address)


def of(value: object) -> ServiceAddress:
    return ADAPTER.validate_python(value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:9100", HostPort("127.0.0.1", 9100)),
        ("http://127.0.0.1:9100", HostPort("127.0.0.1", 9100)),
        ("HTTP://Gpu.Example.com:9100/", HostPort("gpu.example.com", 9100)),
        ("my_service:80", HostPort("my_service", 80)),
        ("http://[::1]:80", HostPort("::1", 80)),
        ("https://gpu.example.com", HostPort("gpu.example.com", 443)),
        ("https://gpu.example.com:8443/", HostPort("gpu.example.com", 8443)),
        ("tunnel:7860", None),
        ("{host}:7860", None),
    ],
)
def test_what_is_known_beforehand(text: str, place: HostPort | None) -> None:
    assert of(text).fixed == place


@pytest.mark.parametrize(
    ("value", "values", "endpoint"),
    [
        ("127.0.0.1:1", {}, Endpoint("http", "127.0.0.1", 1)),
        ("{host}:7860", {"host": "10.0.0.5"}, Endpoint("http", "10.0.0.5", 7860)),
        ("{host}:7860", {"host": "fd00::5"}, Endpoint("http", "fd00::5", 7860)),
        ("http://{host}:{p}", {"host": "gpu.test", "p": "31"}, Endpoint("http", "gpu.test", 31)),
        ("127.0.0.1:910{number}", {"number": "2"}, Endpoint("http", "127.0.0.1", 9102)),
        ("http://{at}", {"at": "gpu.test:31"}, Endpoint("http", "gpu.test", 31)),
        ("http://{at}", {"at": "gpu.test"}, Endpoint("http", "gpu.test", 80)),
        ("https://{at}", {"at": "u1.gpu.test"}, Endpoint("https", "u1.gpu.test", 443, "u1.gpu.test")),
        ("https://{at}", {"at": "https://u.test:844/x"}, Endpoint("https", "u.test", 844, "u.test")),
        ("https://{id}-1.gpu.test", {"id": "ab"}, Endpoint("https", "ab-1.gpu.test", 443, "ab-1.gpu.test")),
        ("tunnel:7860", {}, Endpoint("http", "127.0.0.1", 7860, tunnel=True)),
        ("tunnel://localhost:7860", {}, Endpoint("http", "localhost", 7860, tunnel=True)),
        ("tunnel:91{p}", {"p": "22"}, Endpoint("http", "127.0.0.1", 9122, tunnel=True)),
        ("tunnel:{p}", {"p": "22"}, Endpoint("http", "127.0.0.1", 22, tunnel=True)),
        ({"url": "10.0.0.5:80", "host": "kb.test"}, {}, Endpoint("http", "10.0.0.5", 80, "kb.test")),
        ({"url": "https://10.0.0.5", "host": "kb.test"}, {}, Endpoint("https", "10.0.0.5", 443, "kb.test")),
        ({"url": "https://{ip}:1", "verify": False}, {"ip": "10.0.0.5"}, Endpoint("https", "10.0.0.5", 1)),
    ],
)  # fmt: skip
def test_what_it_becomes(value: object, values: dict[str, str], endpoint: Endpoint) -> None:
    assert of(value).fill(values) == endpoint
    assert of(value).fill({**values, "more": "than needed"}) == endpoint


@pytest.mark.parametrize(
    ("text", "values", "message", "hint"),
    [
        ("{host}:1", {"ip": "x", "id": "y"}, "the address {host}:1 needs {host}", "it says: id, ip"),
        ("{host}:1", {}, "the address {host}:1 needs {host}", "it says: nothing"),
        ("{host}:1", {"host": "x y"}, "the address {host}:1 became 'x y:1'", ""),
        ("{host}:{p}", {"host": "a", "p": "0"}, "the address {host}:{p} became 'a:0'", ""),
        ("{host}:1", {"host": ""}, "the address {host}:1 became ':1'", ""),
        ("https://{ip}", {"ip": "10.0.0.5"}, "the certificate of 10.0.0.5 cannot be checked", "write host: "),
        ("http://{at}", {"at": "https://a.test"}, "the place where it runs says at is https://a", "write https://{at}"),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in(text: str, values: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(BadInput) as raised:
        of(text).fill(values)
    assert str(raised.value).startswith(message)
    assert raised.value.hint.startswith(hint)


def test_who_may_vouch_for_it(tmp_path: Path) -> None:
    own = Authority(tmp_path).file
    assert of("10.0.0.5:80").tls is None
    assert of("https://a.test").tls == Tls(system_ca())
    assert of({"url": "https://a.test", "verify": False}).tls == Tls("")
    assert of({"url": "https://a.test", "ca": str(own)}).tls == Tls(str(own))
    (tmp_path / "wrong.pem").write_text("not a certificate")
    with pytest.raises(ValidationError, match="a file with certificates in PEM form"):
        of({"url": "https://a.test", "ca": str(tmp_path / "wrong.pem")})


def test_a_machine_that_trusts_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("poorwill.config.certificates._CA_FILES", (str(tmp_path / "nor.this"),))
    with pytest.raises(BadInput, match="no file with the certificates") as raised:
        system_ca()
    assert "ca-certificates" in raised.value.hint


@pytest.mark.parametrize(
    "value",
    ["127.0.0.1:9100", "https://{at}", "tunnel:7860", {"url": "https://10.0.0.5", "verify": False}],
)
def test_what_is_written_down_is_read_back(value: object) -> None:
    assert of(ADAPTER.dump_python(of(value), mode="json")) == of(value)


def test_paths_belong_to_the_file(settings_of: SettingsOf, tmp_path: Path) -> None:
    Authority(tmp_path)
    service = settings_of(
        "services: {a: {run: {process: {command: [x]}}, address: {url: https://a.test, ca: ./ca.pem}}}"
    ).services["a"]
    assert service.address is not None
    assert service.address.ca == tmp_path / "ca.pem"


def test_services_of_one_host_may_share_an_address_by_name(settings_of: SettingsOf) -> None:
    run = "run: {process: {command: [x]}}"
    settings = settings_of(
        f'services: {{a: {{{run}, hosts: [a.test], address: {{url: "10.0.0.5:80", host: a.test}}}},'
        f' b: {{{run}, hosts: [b.test], address: {{url: "10.0.0.5:80", host: b.test}}}}}}'
    )
    assert [service.fixed_address for service in settings.services.values()] == [None, None]


@given(st.text(alphabet="htps:/{}[]1.ab_-@? \t", max_size=30))
def test_whatever_is_written_is_refused_or_understood(text: str) -> None:
    try:
        url = parse_url(text)
    except ValueError:
        return
    assert parse_url(str(url)).rest == url.rest
    filled = dict.fromkeys(url.placeholders, "1")
    try:
        endpoint = (
            ServiceAddress(url=url, verify=False).fill(filled)
            if url.scheme == "https"
            else of(text).fill(filled)
        )
    except (BadInput, ValidationError):
        return
    assert 0 < endpoint.port < 65_536
